//! Which pods a selector selects, and how the index finds them.

use planner_core::{
    batch::flags,
    kube::{
        labels::LabelIndex,
        selector::{Labels, Selector},
    },
};
use proptest::prelude::{Strategy, prop, prop_assert_eq, proptest};
use serde_json::{Value, from_value, json};

use crate::fixture::{Pod, fleet, with_pods};

fn selected(pods: &[Pod], namespace: &str, selector: Value) -> Vec<u32> {
    let selector: Selector = from_value(selector).expect("the fixture is a selector");
    with_pods(&fleet(pods), |pods| {
        LabelIndex::of(pods).rows(namespace, &selector)
    })
}

fn stateful_pod() -> Pod {
    let derived = flags::LABEL_POD_NAME | flags::LABEL_POD_INDEX | flags::LABEL_REVISION;
    Pod {
        name: "db-12",
        revision: "db-6f878574bb",
        labels: json!({"app": "db"}),
        flags: flags::READY | derived,
        ..Pod::default()
    }
}

#[test]
fn labels_that_follow_from_name_and_revision_are_there_when_the_flag_says_so() {
    let clone = Pod {
        name: "cart-45q7m",
        revision: "cart-59fc6d646b",
        flags: flags::LABEL_INSTANCE_ID | flags::LABEL_TEMPLATE_HASH,
        ..Pod::default()
    };
    with_pods(&fleet(&[stateful_pod(), clone]), |pods| {
        let (db, cart) = (pods.labels(0), pods.labels(1));
        assert_eq!(db.get("statefulset.kubernetes.io/pod-name"), Some("db-12"));
        assert_eq!(db.get("apps.kubernetes.io/pod-index"), Some("12"));
        assert_eq!(db.get("controller-revision-hash"), Some("db-6f878574bb"));
        assert_eq!(
            (db.get("pod-template-hash"), db.get("app")),
            (None, Some("db"))
        );
        assert_eq!(
            cart.get("apps.kruise.io/cloneset-instance-id"),
            Some("45q7m")
        );
        assert_eq!(cart.get("pod-template-hash"), Some("59fc6d646b"));
        assert_eq!(
            (cart.get("controller-revision-hash"), cart.get("app")),
            (None, None)
        );
    });
}

#[test]
fn a_label_that_does_not_follow_is_among_the_shared_ones() {
    let odd = Pod {
        labels: json!({"apps.kubernetes.io/pod-index": "7"}),
        ..Pod::default()
    };
    let by_index = json!({"matchLabels": {"apps.kubernetes.io/pod-index": "7"}});
    assert_eq!(selected(&[odd], "trade", by_index), [0]);
}

#[test]
fn a_selector_on_a_derived_label_looks_at_each_pod() {
    let pods = [
        stateful_pod(),
        Pod {
            name: "db-3",
            ..stateful_pod()
        },
    ];
    let by_index = json!({"matchLabels": {"apps.kubernetes.io/pod-index": "3"}});
    assert_eq!(selected(&pods, "trade", by_index), [1]);
    let with_app = json!({"matchLabels": {"app": "db", "apps.kubernetes.io/pod-index": "12"}});
    assert_eq!(selected(&pods, "trade", with_app), [0]);
}

#[test]
fn a_selector_stays_in_its_namespace_and_leaves_out_what_has_ended() {
    let cart = Pod {
        labels: json!({"app": "cart"}),
        ..Pod::default()
    };
    let pods = [
        cart.clone(),
        Pod {
            namespace: "shop",
            ..cart.clone()
        },
        Pod {
            flags: flags::SUCCEEDED,
            ..cart.clone()
        },
        Pod {
            flags: flags::DELETING,
            ..cart
        },
    ];
    assert_eq!(
        selected(&pods, "trade", json!({"matchLabels": {"app": "cart"}})),
        [0, 3]
    );
    assert_eq!(selected(&pods, "trade", json!({})), [0, 3]);
    assert!(selected(&pods, "trade", Value::Null).is_empty());
    assert!(selected(&pods, "nowhere", json!({})).is_empty());
}

fn any_selector() -> impl Strategy<Value = Value> {
    let key = || prop::sample::select(vec!["app", "zone", "apps.kubernetes.io/pod-index"]);
    let value = || prop::sample::select(vec!["a", "b", "1"]);
    let operator = prop::sample::select(vec!["In", "NotIn", "Exists", "DoesNotExist"]);
    let values = prop::collection::vec(value(), 1..3);
    let labels = prop::collection::btree_map(key(), value(), 0..3);
    let expressions = prop::collection::vec((key(), operator, values), 0..2);
    (labels, expressions).prop_map(|(labels, expressions)| {
        let expression = |(key, operator, values): (&str, &str, Vec<&str>)| {
            json!({"key": key, "operator": operator, "values": values})
        };
        let expressions: Vec<Value> = expressions.into_iter().map(expression).collect();
        json!({"matchLabels": labels, "matchExpressions": expressions})
    })
}

fn any_pod() -> impl Strategy<Value = Pod> {
    let labels = prop::sample::select(vec![
        json!({}),
        json!({"app": "a"}),
        json!({"app": "a", "zone": "b"}),
        json!({"app": "b", "apps.kubernetes.io/pod-index": "b"}),
    ]);
    let name = prop::sample::select(vec!["w-1", "w-a"]);
    let flags = prop::sample::select(vec![0, flags::LABEL_POD_INDEX]);
    (labels, name, flags).prop_map(|(labels, name, flags)| Pod {
        name,
        labels,
        flags,
        ..Pod::default()
    })
}

proptest! {
    #[test]
    fn the_index_finds_what_trying_every_pod_finds(
        pods in prop::collection::vec(any_pod(), 0..12),
        written in any_selector(),
    ) {
        let selector: Selector = from_value(written.clone()).expect("it is a selector");
        let tried: Vec<u32> = with_pods(&fleet(&pods), |pods| {
            pods.columns.rows().filter(|row| selector.matches(&pods.labels(*row))).collect()
        });
        prop_assert_eq!(selected(&pods, "trade", written), tried);
    }
}
