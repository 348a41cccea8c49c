//! What each controller may do at once: one claim for each row of its rounding.

use planner_core::{
    kube::{pod::PodSpec, strategy::PodUpdatePolicy, workload::Workload},
    resource::Resource,
};
use proptest::prelude::{prop_assert, proptest};
use serde_json::{Value, json};

const NEWEST: u32 = 36;

fn workload(resource: Resource, replicas: u32, spec: &Value) -> Workload<'static> {
    let mut spec = spec.clone();
    spec["replicas"] = json!(replicas);
    let document = json!({
        "apiVersion": match resource.group() { "apps" => "apps/v1", _ => "apps.kruise.io/v1beta1" },
        "metadata": {"name": "w", "namespace": "n", "uid": "754af69c-daa3-495d-955b-b08e551a0624"},
        "spec": spec,
        "status": {"desiredNumberScheduled": replicas},
    });
    Workload::read(resource, "c", &document).expect("the fixture is a workload")
}

fn deployment(replicas: u32, surge: &Value, unavailable: &Value) -> (u32, u32) {
    let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
    let spec = json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}});
    let it = workload(Resource::Deployments, replicas, &spec);
    (it.max_surge().value, it.max_unavailable(NEWEST).value)
}

fn rolling(resource: Resource, replicas: u32, rolling: &Value) -> Workload<'static> {
    let spec = json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling}});
    workload(resource, replicas, &spec)
}

fn unavailable(resource: Resource, replicas: u32, amount: &Value) -> u32 {
    rolling(resource, replicas, &json!({"maxUnavailable": amount}))
        .max_unavailable(NEWEST)
        .value
}

#[test]
fn a_deployment_rounds_surge_up_and_unavailable_down() {
    let quarter = json!("25%");
    assert_eq!(deployment(10, &quarter, &quarter), (3, 2));
    assert_eq!(deployment(1, &quarter, &quarter), (1, 0));
    assert_eq!(deployment(3, &quarter, &quarter), (1, 0));
    assert_eq!(deployment(10, &Value::Null, &Value::Null), (3, 2));
}

#[test]
fn a_deployment_without_surge_takes_at_least_one_and_at_most_all() {
    assert_eq!(deployment(3, &json!(0), &json!("25%")), (0, 1));
    assert_eq!(deployment(3, &json!(0), &json!(5)), (0, 3));
    assert_eq!(deployment(0, &json!(0), &json!(0)), (0, 0));
}

#[test]
fn the_strategy_recreate_takes_all_pods() {
    let it = workload(
        Resource::Deployments,
        6,
        &json!({"strategy": {"type": "Recreate"}}),
    );
    assert_eq!(
        (it.max_unavailable(NEWEST).value, it.max_surge().value),
        (6, 0)
    );
    assert!(it.strategy.all_at_once);
}

#[test]
fn stateful_sets_round_down_to_at_least_one() {
    for resource in [Resource::StatefulSets, Resource::AdvancedStatefulSets] {
        assert_eq!(unavailable(resource, 25, &json!("10%")), 2);
        assert_eq!(unavailable(resource, 5, &json!("10%")), 1);
        assert_eq!(unavailable(resource, 5, &json!("50%")), 2);
        assert_eq!(unavailable(resource, 5, &Value::Null), 1);
    }
}

#[test]
fn a_stateful_set_before_1_35_takes_one() {
    let it = rolling(
        Resource::StatefulSets,
        25,
        &json!({"maxUnavailable": "40%"}),
    );
    assert_eq!(
        (it.max_unavailable(34).value, it.max_unavailable(35).value),
        (1, 10)
    );
    assert!(
        it.max_unavailable(34)
            .text
            .contains("before Kubernetes 1.35")
    );
    let kruise = rolling(
        Resource::AdvancedStatefulSets,
        25,
        &json!({"maxUnavailable": "40%"}),
    );
    assert_eq!(kruise.max_unavailable(34).value, 10);
}

#[test]
fn daemon_sets_round_up_over_desired_nodes() {
    for resource in [Resource::DaemonSets, Resource::AdvancedDaemonSets] {
        assert_eq!(unavailable(resource, 61, &json!("10%")), 7);
        assert_eq!(unavailable(resource, 61, &Value::Null), 1);
        assert_eq!(unavailable(resource, 61, &json!(0)), 1);
        let surge = rolling(
            resource,
            61,
            &json!({"maxSurge": "10%", "maxUnavailable": 0}),
        );
        assert_eq!(
            (surge.max_surge().value, surge.max_unavailable(NEWEST).value),
            (7, 0)
        );
    }
}

#[test]
fn a_clone_set_rounds_unavailable_by_its_surge() {
    let with = |surge: &str, unavailable: &str| {
        let it = json!({"maxSurge": surge, "maxUnavailable": unavailable});
        rolling(Resource::CloneSets, 7, &it)
    };
    let surging = with("20%", "20%");
    assert_eq!(
        (
            surging.max_surge().value,
            surging.max_unavailable(NEWEST).value
        ),
        (2, 1)
    );
    let still = with("0%", "20%");
    assert_eq!(
        (still.max_surge().value, still.max_unavailable(NEWEST).value),
        (0, 2)
    );
    assert_eq!(with("0%", "0%").max_unavailable(NEWEST).value, 0);
}

#[test]
fn a_paused_clone_set_does_not_surge() {
    let it = json!({"maxSurge": "20%", "maxUnavailable": "20%", "paused": true});
    let paused = rolling(Resource::CloneSets, 7, &it);
    assert!(paused.strategy.paused);
    assert_eq!(
        (
            paused.max_surge().value,
            paused.max_unavailable(NEWEST).value
        ),
        (0, 2)
    );
}

#[test]
fn a_clone_set_takes_a_fifth_by_default() {
    assert_eq!(unavailable(Resource::CloneSets, 7, &Value::Null), 2);
    assert_eq!(
        rolling(Resource::CloneSets, 7, &Value::Null)
            .max_unavailable(NEWEST)
            .value,
        1
    );
}

#[test]
fn some_kruise_amounts_forgive_a_missing_sign() {
    assert_eq!(unavailable(Resource::CloneSets, 100, &json!("5")), 5);
    assert_eq!(unavailable(Resource::CloneSets, 200, &json!("5")), 10);
    assert_eq!(
        unavailable(Resource::AdvancedStatefulSets, 200, &json!("5")),
        10
    );
    let document = json!({"metadata": {"namespace": "n", "name": "w",
        "uid": "754af69c-daa3-495d-955b-b08e551a0624"},
        "spec": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "5"}}}});
    let error = Workload::read(Resource::DaemonSets, "c", &document)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("c/n/DaemonSet/w: update strategy: maxUnavailable"),
        "{error}"
    );
}

#[test]
fn a_percent_partition_of_a_clone_set_rounds_up_but_leaves_one() {
    let old = |replicas: u32, partition: Value| {
        rolling(
            Resource::CloneSets,
            replicas,
            &json!({"partition": partition}),
        )
        .partition_old()
    };
    assert_eq!(old(10, json!("99%")), 9);
    assert_eq!(old(10, json!("1%")), 1);
    assert_eq!(old(1, json!("50%")), 1);
    assert_eq!(old(10, json!("100%")), 10);
    assert_eq!(old(70, json!("99%")), 69);
    assert_eq!((old(10, json!(10)), old(10, json!(12))), (10, 10));
    assert_eq!(old(10, Value::Null), 0);
}

#[test]
fn a_partition_of_nodes_rounds_down() {
    let it = rolling(
        Resource::AdvancedDaemonSets,
        61,
        &json!({"partition": "10%"}),
    );
    assert_eq!(it.partition_old(), 6);
}

#[test]
fn a_partition_of_ordinals_is_an_index() {
    let mut spec = json!({"updateStrategy": {"rollingUpdate": {"partition": 5}}});
    for resource in [Resource::StatefulSets, Resource::AdvancedStatefulSets] {
        let it = workload(resource, 15, &spec);
        assert_eq!(it.partition_old(), 0);
        assert!(it.is_below_partition("elastic-4"));
        assert!(!it.is_below_partition("elastic-5"));
        assert!(!it.is_below_partition("elastic"));
    }
    spec["ordinals"] = json!({"start": 10});
    let shifted = workload(Resource::StatefulSets, 15, &spec);
    assert!(shifted.is_below_partition("elastic-14"));
    assert!(!shifted.is_below_partition("elastic-15"));
}

#[test]
fn an_unordered_partition_is_a_count() {
    let it = json!({"partition": 5, "unorderedUpdate": {}});
    let it = rolling(Resource::AdvancedStatefulSets, 15, &it);
    assert_eq!(it.partition_old(), 5);
    assert!(!it.is_below_partition("elastic-0"));
}

#[test]
fn the_version_of_a_clone_set_decides_where_its_strategy_is() {
    let flat = json!({"type": "InPlaceIfPossible", "maxUnavailable": 3, "partition": "50%",
        "paused": true, "inPlaceUpdateStrategy": {"gracePeriodSeconds": 3}});
    let mut document = json!({"apiVersion": "apps.kruise.io/v1alpha1",
        "metadata": {"uid": "754af69c-daa3-495d-955b-b08e551a0624"},
        "spec": {"replicas": 30, "updateStrategy": flat}});
    let read = |document: &Value| Workload::read(Resource::CloneSets, "c", document).unwrap();
    let old = read(&document);
    assert_eq!(
        (old.max_unavailable(NEWEST).value, old.partition_old()),
        (3, 15)
    );
    assert!(old.strategy.paused);
    assert_eq!(old.strategy.grace_in_place_s, 3);
    assert_eq!(old.strategy.policy, PodUpdatePolicy::InPlaceIfPossible);
    // A field that the version does not have was dropped by the server; here it is not read.
    document["apiVersion"] = json!("apps.kruise.io/v1beta1");
    let new = read(&document);
    assert_eq!((new.partition_old(), new.strategy.paused), (0, false));
    // An item of a list has no version and shows its shape.
    document.as_object_mut().unwrap().remove("apiVersion");
    assert_eq!(read(&document), old);
}

#[test]
fn a_clone_set_of_v1alpha1_rounds_up_without_a_strategy_too() {
    let most = |version: &str| {
        let document = json!({"apiVersion": format!("apps.kruise.io/{version}"),
            "metadata": {"uid": "754af69c-daa3-495d-955b-b08e551a0624"},
            "spec": {"replicas": 7}});
        let it = Workload::read(Resource::CloneSets, "c", &document).unwrap();
        it.max_unavailable(NEWEST).value
    };
    assert_eq!((most("v1alpha1"), most("v1beta1")), (2, 1));
}

#[test]
fn a_daemon_set_changes_in_place_only_gated_pods_and_without_surge() {
    let in_place = |surge: u32| {
        let it = json!({"rollingUpdateType": "InPlaceIfPossible", "maxSurge": surge});
        rolling(Resource::AdvancedDaemonSets, 10, &it)
    };
    let gated = PodSpec::read(r#"{"readinessGates": ["InPlaceUpdateReady"]}"#);
    assert!(in_place(0).may_update_in_place(&gated));
    assert!(!in_place(0).may_update_in_place(&PodSpec::default()));
    assert!(!in_place(1).may_update_in_place(&gated));
    let standard = rolling(Resource::AdvancedDaemonSets, 10, &Value::Null);
    assert!(!standard.may_update_in_place(&gated));
    let clones = json!({"podUpdatePolicy": "InPlaceOnly"});
    let clones = rolling(Resource::CloneSets, 10, &clones);
    assert!(clones.may_update_in_place(&PodSpec::default()));
}

proptest! {
    #[test]
    fn no_controller_keeps_or_takes_more_than_there_is(
        replicas in 0_u32..200_000,
        percent in 0_i32..=100,
    ) {
        let amounts = json!({"maxUnavailable": format!("{percent}%"),
            "partition": format!("{percent}%")});
        for resource in [Resource::CloneSets, Resource::AdvancedDaemonSets] {
            let it = rolling(resource, replicas, &amounts);
            prop_assert!(it.partition_old() <= replicas);
            prop_assert!(it.max_unavailable(NEWEST).value <= replicas.max(1));
        }
    }
}

#[test]
fn what_a_run_holds_is_read_as_its_owner_wrote_it_from_the_text_too() {
    let held = r#"{"minReadySeconds":10,"updateStrategy":{"rollingUpdate":{"partition":1}}}"#;
    let document = json!({
        "metadata": {
            "uid": "11111111-1111-1111-1111-111111111111",
            "annotations": {"fleet-upgrade-planner/held": held},
        },
        "spec": {
            "replicas": 9,
            "minReadySeconds": 2_147_483_646,
            "selector": {"matchLabels": {"app": "mysql"}},
            "template": {"spec": {"containers": []}},
            "updateStrategy": {"rollingUpdate": {"partition": 7}},
        },
    });
    let text = document.to_string();
    let set = Workload::read_text(Resource::StatefulSets, "hangzhou", &text).unwrap();
    assert_eq!(set.min_ready_s, 10);
    assert!(set.is_below_partition("mysql-0") && !set.is_below_partition("mysql-1"));
    assert_eq!(
        Workload::read(Resource::StatefulSets, "hangzhou", &document).unwrap(),
        set
    );
}
