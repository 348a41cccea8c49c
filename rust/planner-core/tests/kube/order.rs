//! The order in which each controller takes pods: one claim for each key.

use planner_core::{
    batch::flags,
    kube::{
        order::{Binding, binding, order, sidecar_order},
        revision::Revisions,
        sidecar::SidecarSet,
    },
    resource::Resource,
};
use proptest::prelude::{Strategy, any, prop, prop_assert_eq, proptest};
use serde_json::{Value, json};

use crate::fixture::{NOW_S, Pod, add, broken, fleet, names, with_pods, workload};

/// Names in the order in which a workload of this kind takes all of these pods.
fn taken(resource: Resource, spec: &Value, pods: &[Pod]) -> Vec<String> {
    let fleet = fleet(pods);
    let workload = workload(resource, spec);
    let revisions = Revisions::of(&fleet, &fleet.clusters["hangzhou"]);
    with_pods(&fleet, |pods| {
        let all: Vec<u32> = pods.columns.rows().collect();
        let ordered = order(&workload, &all, &all, pods, &revisions);
        names(&ordered, pods)
            .into_iter()
            .map(str::to_owned)
            .collect()
    })
}

fn clone_set(strategy: &Value, pods: &[Pod]) -> Vec<String> {
    taken(
        Resource::CloneSets,
        &json!({"updateStrategy": {"rollingUpdate": strategy}}),
        pods,
    )
}

fn pod(name: &'static str) -> Pod {
    Pod {
        name,
        ..Pod::default()
    }
}

#[test]
fn a_clone_set_takes_what_serves_least_first() {
    // Each pod is worse than the one after it by one key, and better by all later keys.
    let ascending = [
        Pod {
            node: "",
            flags: flags::PENDING,
            ..pod("f-unassigned")
        },
        Pod {
            flags: flags::PENDING | flags::READY,
            ..pod("e-pending")
        },
        Pod {
            flags: flags::READY,
            ..pod("d-unknown")
        },
        broken("c-not-ready"),
        Pod {
            ready_since_s: 5_000,
            ..pod("b-ready-late")
        },
        Pod {
            restarts: 3,
            created_s: 900,
            ..pod("a-restarted")
        },
        Pod {
            restarts: 1,
            created_s: 1_500,
            ..pod("9-newer")
        },
        Pod {
            restarts: 1,
            created_s: 1_200,
            ..pod("7-older")
        },
        Pod {
            restarts: 1,
            created_s: 1_200,
            ..pod("8-older")
        },
    ];
    let expected: Vec<&str> = ascending.iter().map(|pod| pod.name).collect();
    let mut shuffled = ascending.to_vec();
    shuffled.reverse();
    shuffled.swap(1, 5);
    assert_eq!(clone_set(&Value::Null, &shuffled), expected);
}

#[test]
fn times_that_are_not_known_come_first() {
    let pods = [
        pod("a"),
        Pod {
            ready_since_s: 0,
            ..pod("b")
        },
    ];
    assert_eq!(clone_set(&Value::Null, &pods), ["b", "a"]);
}

#[test]
fn when_neither_is_ready_the_time_of_ready_does_not_count() {
    let pods = [
        Pod {
            ready_since_s: 2_000,
            created_s: 1_100,
            ..broken("b")
        },
        Pod {
            ready_since_s: 9_000,
            created_s: 1_000,
            ..broken("a")
        },
    ];
    assert_eq!(clone_set(&Value::Null, &pods), ["b", "a"]);
}

#[test]
fn priority_goes_before_the_base_order_and_keeps_it_within() {
    let weights = json!({"priorityStrategy": {"weightPriority": [
        {"weight": 10, "matchSelector": {"matchLabels": {"env": "test"}}}]}});
    let test = json!({"env": "test"});
    let pods = [
        pod("a"),
        broken("b"),
        Pod {
            labels: test.clone(),
            ..pod("c")
        },
        Pod {
            labels: test,
            ..broken("d")
        },
    ];
    assert_eq!(clone_set(&weights, &pods), ["d", "c", "b", "a"]);
}

#[test]
fn pods_whose_update_has_begun_go_first() {
    let begun = json!({"lifecycle.apps.kruise.io/state": "PreparingUpdate"});
    let pods = [
        broken("a"),
        Pod {
            labels: begun,
            ..pod("b")
        },
    ];
    assert_eq!(clone_set(&Value::Null, &pods), ["b", "a"]);
}

/// Which places of the order hold a pod with the label `canary: "1"`.
fn scattered(marked: usize, others: usize, strategy: &Value) -> Vec<usize> {
    let all = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let is_marked = |name: &str| all[..marked].contains(&name);
    let label = |name: &str| {
        if is_marked(name) {
            json!({"canary": "1"})
        } else {
            json!({})
        }
    };
    let chosen = all.iter().take(marked + others);
    let pods: Vec<Pod> = chosen
        .map(|name| Pod {
            labels: label(name),
            ..pod(name)
        })
        .collect();
    let taken = clone_set(strategy, &pods);
    (0..taken.len())
        .filter(|at| is_marked(&taken[*at]))
        .collect()
}

#[test]
fn scatter_spreads_and_keeps_the_last_match_for_the_end() {
    let by_canary = json!({"scatterStrategy": [{"key": "canary", "value": "1"}]});
    assert_eq!(scattered(3, 6, &by_canary), [0, 4, 8]);
    assert_eq!(scattered(2, 4, &by_canary), [0, 5]);
}

#[test]
fn scatter_leaves_a_single_pod_of_either_kind_alone() {
    let by_canary = json!({"scatterStrategy": [{"key": "canary", "value": "1"}]});
    assert_eq!(scattered(1, 5, &by_canary), [0]);
    assert_eq!(scattered(5, 1, &by_canary), [0, 1, 2, 3, 4]);
}

#[test]
fn stateful_sets_go_by_number_from_the_top() {
    let pods = [pod("db-9"), pod("db-10"), broken("db-2"), pod("db-11")];
    for resource in [Resource::StatefulSets, Resource::AdvancedStatefulSets] {
        assert_eq!(
            taken(resource, &json!({}), &pods),
            ["db-11", "db-10", "db-9", "db-2"]
        );
        assert_eq!(binding(&workload(resource, &json!({}))), Binding::Strict);
    }
}

#[test]
fn an_unordered_stateful_set_goes_by_priority_and_does_not_bind() {
    let priority = json!({"orderPriority": [{"orderedKey": "batch"}]});
    let rolling = json!({"unorderedUpdate": {"priorityStrategy": priority}});
    let spec = json!({"updateStrategy": {"rollingUpdate": rolling}});
    let batch = |name, number: &str| Pod {
        labels: json!({"batch": number}),
        ..pod(name)
    };
    let pods = [
        batch("db-0", "2"),
        batch("db-1", "1"),
        batch("db-2", "1"),
        pod("db-3"),
    ];
    let expected = ["db-3", "db-0", "db-2", "db-1"];
    assert_eq!(
        taken(Resource::AdvancedStatefulSets, &spec, &pods),
        expected
    );
    assert_eq!(
        binding(&workload(Resource::AdvancedStatefulSets, &spec)),
        Binding::Free
    );
}

#[test]
fn daemon_sets_go_by_node() {
    let on = |name, node| Pod { node, ..pod(name) };
    let pods = [on("a", "node-2"), on("b", "node-1"), on("c", "node-3")];
    assert_eq!(
        taken(Resource::DaemonSets, &json!({}), &pods),
        ["b", "a", "c"]
    );
    assert_eq!(
        taken(Resource::AdvancedDaemonSets, &json!({}), &pods),
        ["c", "a", "b"]
    );
}

#[test]
fn a_deployment_ranks_as_its_replica_set_scales_in() {
    let cost = |cost: &str| json!({"controller.kubernetes.io/pod-deletion-cost": cost});
    let ready_for = |seconds: u32| NOW_S - seconds;
    let on = |name, node, ready_since_s| Pod {
        node,
        ready_since_s,
        ..pod(name)
    };
    let ascending = [
        Pod {
            node: "",
            flags: flags::PENDING,
            ..pod("a")
        },
        Pod {
            flags: flags::PENDING,
            ..pod("b")
        },
        broken("c"),
        Pod {
            annotations: cost("-1"),
            node: "node-9",
            ..pod("d")
        },
        on("e", "node-1", ready_for(10_000)),
        on("f", "node-2", ready_for(500)),
        Pod {
            restarts: 1,
            ..on("g", "node-3", ready_for(10_000))
        },
        Pod {
            created_s: NOW_S - 11_000,
            ..on("h", "node-4", ready_for(10_000))
        },
        on("i", "node-5", ready_for(10_000)),
    ];
    let expected: Vec<&str> = ascending.iter().map(|pod| pod.name).collect();
    let mut shuffled = ascending.to_vec();
    shuffled.reverse();
    assert_eq!(
        taken(Resource::Deployments, &json!({}), &shuffled),
        expected
    );
}

#[test]
fn ages_within_a_power_of_two_are_equal_for_a_deployment() {
    // 10,000 s and 9,000 s are both 2^43 nanoseconds; the uid, here the row, decides.
    let ready_for = |name, node, seconds| Pod {
        node,
        ready_since_s: NOW_S - seconds,
        ..pod(name)
    };
    let pods = [
        ready_for("a", "node-1", 10_000),
        ready_for("b", "node-2", 9_000),
    ];
    assert_eq!(taken(Resource::Deployments, &json!({}), &pods), ["a", "b"]);
    let pods = [
        ready_for("a", "node-1", 10_000),
        ready_for("b", "node-2", 8_000),
    ];
    assert_eq!(taken(Resource::Deployments, &json!({}), &pods), ["b", "a"]);
}

#[test]
fn a_deployment_empties_its_oldest_set_first_but_the_unavailable_before() {
    let set = |hash: &str, created: &str| {
        json!({"metadata": {"name": format!("w-{hash}"), "creationTimestamp": created,
            "labels": {"pod-template-hash": hash},
            "ownerReferences": [{"controller": true, "apiVersion": "apps/v1",
                "kind": "Deployment", "uid": "00000000-0000-0000-0000-000000000007"}]},
            "spec": {"template": {}}})
    };
    let at = |pod: Pod, revision| Pod { revision, ..pod };
    let mut fleet = fleet(&[
        at(pod("new"), "bbb"),
        at(broken("new-broken"), "bbb"),
        at(pod("old"), "aaa"),
        at(broken("old-broken"), "aaa"),
    ]);
    add(
        &mut fleet,
        Resource::ReplicaSets,
        1,
        &set("bbb", "2026-11-23T10:00:00Z"),
    );
    add(
        &mut fleet,
        Resource::ReplicaSets,
        2,
        &set("aaa", "2026-11-23T09:00:00Z"),
    );
    let revisions = Revisions::of(&fleet, &fleet.clusters["hangzhou"]);
    let workload = workload(Resource::Deployments, &json!({}));
    with_pods(&fleet, |pods| {
        let ordered = order(&workload, &[0, 1, 2, 3], &[0, 1, 2, 3], pods, &revisions);
        assert_eq!(
            names(&ordered, pods),
            ["old-broken", "new-broken", "old", "new"]
        );
    });
}

#[test]
fn a_sidecar_set_scatters_over_every_value_of_a_star() {
    let set = SidecarSet::read(&json!({
        "metadata": {"name": "mesh", "uid": "00000000-0000-0000-0000-000000000008"},
        "spec": {"updateStrategy": {"scatterStrategy": [{"key": "app", "value": "*"}]}},
    }))
    .unwrap();
    let app = |name, app: &str| Pod {
        labels: json!({"app": app}),
        ..pod(name)
    };
    let fleet = fleet(&[
        app("0", "a"),
        app("1", "a"),
        app("2", "a"),
        app("3", "a"),
        app("4", "b"),
        app("5", "b"),
    ]);
    with_pods(&fleet, |pods| {
        let all = [0, 1, 2, 3, 4, 5];
        let ordered = sidecar_order(&set, &all, &all, pods);
        // Spread by `a` first: 0 1 4 2 5 3, then by `b`: one in front, the last at the end.
        assert_eq!(names(&ordered, pods), ["4", "0", "1", "2", "3", "5"]);
    });
}

fn any_pod() -> impl Strategy<Value = Pod> {
    let node = prop::sample::select(vec!["", "node-1", "node-2"]);
    let name = prop::sample::select(vec!["w-1", "w-2", "w-30", "w"]);
    (node, name, any::<u16>(), 0..3_u32, 0..3_u16).prop_map(
        |(node, name, flags, time, restarts)| {
            let labels = if restarts == 0 {
                json!({"canary": "1"})
            } else {
                json!({})
            };
            Pod {
                node,
                name,
                flags,
                created_s: time,
                ready_since_s: time,
                restarts,
                labels,
                ..pod(name)
            }
        },
    )
}

proptest! {
    #[test]
    fn ordering_neither_loses_nor_invents_a_pod(pods in prop::collection::vec(any_pod(), 0..20)) {
        let spec = json!({"updateStrategy": {"rollingUpdate": {
            "scatterStrategy": [{"key": "canary", "value": "1"}]}}});
        let mut expected: Vec<&str> = pods.iter().map(|pod| pod.name).collect();
        expected.sort_unstable();
        for resource in planner_core::kube::workload::Workload::RESOURCES {
            let mut taken = taken(resource, &spec, &pods);
            taken.sort_unstable();
            prop_assert_eq!(&taken, &expected);
        }
    }
}
