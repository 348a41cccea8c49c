//! Which pods a `SidecarSet` counts, and which it can update.

use std::collections::BTreeMap;

use planner_core::{
    batch::flags,
    kube::{labels::LabelIndex, sidecar::SidecarSet},
};
use serde_json::{Value, json};

use crate::fixture::{Pod, fleet, with_pods};

fn set(spec: &Value) -> SidecarSet {
    let mut spec = spec.clone();
    spec["selector"] = json!({"matchLabels": {"mesh": "enabled"}});
    SidecarSet::read(&json!({
        "metadata": {"name": "mesh-proxy", "uid": "00000000-0000-0000-0000-000000000008",
            "annotations": {"kruise.io/sidecarset-hash": "h2",
                "kruise.io/sidecarset-hash-without-image": "w1"}},
        "spec": spec,
    }))
    .expect("the fixture is a SidecarSet")
}

fn with_proxy() -> Value {
    json!({"containers": [{"name": "mesh-proxy", "image": "mesh-proxy:1.21.0"}]})
}

fn injected() -> Pod {
    let proxy = json!({"name": "mesh-proxy", "image": "mesh-proxy:1.20.0"});
    Pod {
        labels: json!({"mesh": "enabled"}),
        annotations: json!({
            "kruise.io/sidecarset-injected-list": "log-tail,mesh-proxy",
            "kruise.io/sidecarset-hash": {"mesh-proxy": "h1"},
            "kruise.io/sidecarset-hash-without-image": {"mesh-proxy": "w1"},
        }),
        spec: json!({"containers": [proxy, {"name": "main", "image": "cart:1"}]}),
        ..Pod::default()
    }
}

fn matched(set: &SidecarSet, pods: &[Pod]) -> Vec<u32> {
    let labels = |namespace: &str| BTreeMap::from([("env".into(), namespace.into())]);
    let namespaces = ["trade", "shop"]
        .map(|name| (name.into(), labels(name)))
        .into_iter()
        .collect();
    with_pods(&fleet(pods), |pods| {
        set.matched(&LabelIndex::of(pods), &namespaces)
    })
}

#[test]
fn a_matched_pod_is_active_selected_injected_and_complete() {
    let annotations = json!({"kruise.io/sidecarset-injected-list": "log-tail"});
    let pods = [
        injected(),
        Pod {
            flags: flags::READY | flags::DELETING,
            ..injected()
        },
        Pod {
            flags: flags::FAILED,
            ..injected()
        },
        Pod {
            labels: json!({}),
            ..injected()
        },
        Pod {
            annotations,
            ..injected()
        },
        Pod {
            spec: Pod::default().spec,
            ..injected()
        },
        injected(),
    ];
    assert_eq!(matched(&set(&with_proxy()), &pods), [0, 6]);
}

#[test]
fn namespaces_narrow_what_matches() {
    let pods = [
        injected(),
        Pod {
            namespace: "shop",
            ..injected()
        },
    ];
    let mut spec = with_proxy();
    assert_eq!(matched(&set(&spec), &pods), [0, 1]);
    spec["namespaceSelector"] = json!({"matchLabels": {"env": "shop"}});
    assert_eq!(matched(&set(&spec), &pods), [1]);
    spec["namespaceSelector"] = Value::Null;
    spec["namespace"] = json!("trade");
    assert_eq!(matched(&set(&spec), &pods), [0]);
}

#[test]
fn only_another_image_can_reach_a_live_pod() {
    let set = set(&with_proxy());
    let mut other = injected();
    other.annotations["kruise.io/sidecarset-hash"]["mesh-proxy"] = json!("h2");
    other.annotations["kruise.io/sidecarset-hash-without-image"]["mesh-proxy"] = json!("w0");
    with_pods(&fleet(&[injected(), other, Pod::default()]), |pods| {
        let said = [0, 1, 2].map(|row| pods.annotations(row));
        assert_eq!(said.map(|it| set.is_upgradable(it)), [true, false, false]);
        assert_eq!(said.map(|it| set.is_updated(it)), [false, true, false]);
    });
}

#[test]
fn a_hot_upgrade_injects_two_containers() {
    let container = json!({"name": "mesh-proxy", "upgradeStrategy": {"upgradeType": "HotUpgrade"}});
    let set = set(&json!({"containers": [container]}));
    assert!(matched(&set, &[injected()]).is_empty());
    let twice = json!({"containers": [{"name": "mesh-proxy-1"}, {"name": "mesh-proxy-2"}]});
    assert_eq!(
        matched(
            &set,
            &[Pod {
                spec: twice,
                ..injected()
            }]
        ),
        [0]
    );
}

#[test]
fn its_budget_rounds_up_over_all_its_pods() {
    let with = |amount: &Value| set(&json!({"updateStrategy": {"maxUnavailable": amount}}));
    assert_eq!(with(&json!("10%")).max_unavailable(521).value, 53);
    assert_eq!(with(&json!("10")).max_unavailable(521).value, 53);
    assert_eq!(with(&json!(5)).max_unavailable(521).value, 5);
    assert_eq!(with(&Value::Null).max_unavailable(521).value, 1);
    assert_eq!(with(&json!(0)).max_unavailable(521).value, 0);
}

#[test]
fn its_partition_rounds_up_but_leaves_one() {
    let with = |amount: &str| set(&json!({"updateStrategy": {"partition": amount}}));
    assert_eq!(with("50%").partition_old(7), 4);
    assert_eq!(with("99%").partition_old(10), 9);
    assert_eq!(with("100%").partition_old(10), 10);
}

#[test]
fn it_may_not_update_at_all() {
    assert!(set(&json!({"updateStrategy": {"type": "NotUpdate"}})).not_update);
    assert!(set(&json!({"updateStrategy": {"paused": true}})).paused);
}
