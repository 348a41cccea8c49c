//! Fleets of one cluster, written down pod by pod.

use planner_core::{
    batch::flags,
    fleet::{self, Cluster, Fleet, Object, PodRow},
    kube::{
        pod::{PodTexts, PodsOf},
        workload::Workload,
    },
    resource::Resource,
};
use serde_json::{Value, json};

/// The time of every fleet here.
pub const NOW_S: u32 = 1_000_000;

/// A pod that has been Ready for a long time, unless a test says otherwise.
#[derive(Clone, Debug)]
pub struct Pod {
    pub name: &'static str,
    pub namespace: &'static str,
    pub node: &'static str,
    pub owner: &'static str,
    pub revision: &'static str,
    pub labels: Value,
    pub annotations: Value,
    pub spec: Value,
    pub created_s: u32,
    pub ready_since_s: u32,
    pub restarts: u16,
    pub flags: u16,
}

impl Default for Pod {
    fn default() -> Self {
        Self {
            name: "cart-0",
            namespace: "trade",
            node: "node-1",
            owner: "",
            revision: "",
            labels: json!({}),
            annotations: json!({}),
            spec: json!({"containers": [{"name": "main", "image": "cart:1"}]}),
            created_s: 1_000,
            ready_since_s: 2_000,
            restarts: 0,
            flags: flags::RUNNING | flags::READY | flags::READY_KNOWN,
        }
    }
}

/// A running pod that is not Ready.
pub fn broken(name: &'static str) -> Pod {
    Pod {
        name,
        flags: flags::RUNNING | flags::READY_KNOWN,
        ..Pod::default()
    }
}

/// A fleet of one cluster with these pods, in rows of their order.
pub fn fleet(pods: &[Pod]) -> Fleet {
    let mut fleet = Fleet {
        now_ms: i64::from(NOW_S) * 1000,
        ..Fleet::default()
    };
    let mut cluster = Cluster::default();
    let columns = &mut cluster.pods;
    for (pod, uid) in pods.iter().zip(1..) {
        let mut intern = |text: &str| fleet.texts.intern(text);
        columns.push(&fleet::Pod {
            uid,
            name: pod.name,
            node: intern(pod.node),
            class: fleet::Class {
                namespace: intern(pod.namespace),
                owner: intern(pod.owner),
                revision: intern(pod.revision),
                labels: intern(&pod.labels.to_string()),
                annotations: intern(&pod.annotations.to_string()),
                spec: intern(&pod.spec.to_string()),
                status: intern("[]"),
            },
            created_s: pod.created_s,
            ready_since_s: pod.ready_since_s,
            restarts: pod.restarts,
            flags: pod.flags,
            resource_version: 1,
        });
    }
    fleet.clusters.insert("hangzhou".into(), cluster);
    fleet
}

/// Adds an object that is not a pod.
pub fn add(fleet: &mut Fleet, resource: Resource, uid: u128, document: &Value) {
    let mut text = |field: &str| {
        let text = document["metadata"][field].as_str().unwrap_or_default();
        fleet.texts.intern(text)
    };
    let object = Object {
        namespace: text("namespace"),
        name: text("name"),
        resource_version: 1,
        document: fleet.documents.push(&document.to_string()),
    };
    let cluster = fleet
        .clusters
        .get_mut("hangzhou")
        .expect("the cluster is there");
    cluster
        .objects
        .entry(resource)
        .or_default()
        .insert(uid, object);
}

/// Runs a claim over the pods of the fleet's only cluster.
pub fn with_pods<T>(fleet: &Fleet, claim: impl FnOnce(PodsOf<'_>) -> T) -> T {
    let parsed = PodTexts::of(fleet);
    claim(PodsOf::new(fleet, &fleet.clusters["hangzhou"], &parsed))
}

/// Names of these rows.
pub fn names<'a>(rows: &[PodRow], pods: PodsOf<'a>) -> Vec<&'a str> {
    rows.iter().map(|row| pods.name(*row)).collect()
}

/// A workload `trade/w` of this kind and spec.
pub fn workload(resource: Resource, spec: &Value) -> Workload<'static> {
    let document = json!({
        "metadata": {"name": "w", "namespace": "trade",
            "uid": "00000000-0000-0000-0000-000000000007"},
        "spec": spec,
    });
    Workload::read(resource, "hangzhou", &document).expect("the fixture is a workload")
}
