//! What a node says of itself, and what its pods may ask for.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::observe::parse_milli;

/// What pods ask of nodes: thousandths of CPUs, of bytes, and of pods.
pub type Amounts = [i128; 3];

/// What tells which node it is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    labels: BTreeMap<Box<str>, Box<str>>,
}

/// What tells how much room it has; read by itself, so that nothing in it hides the labels.
#[derive(Deserialize)]
struct Roomy {
    #[serde(default)]
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    unschedulable: bool,
}

#[derive(Deserialize)]
struct Status {
    allocatable: Allocatable,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Allocatable {
    cpu: Box<str>,
    memory: Box<str>,
    pods: Box<str>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: Box<str>,
    status: Box<str>,
}

/// The labels of a node, from its document; none where they cannot be read.
#[must_use]
pub fn labels(document: &str) -> BTreeMap<Box<str>, Box<str>> {
    let named: Named = serde_json::from_str(document).unwrap_or_default();
    named.metadata.labels
}

/// What the pods of a node may ask for, from its document; nothing while no pod is put there,
/// `None` when that is not known.
#[must_use]
pub fn room(document: &str) -> Option<Amounts> {
    let Roomy { spec, status } = serde_json::from_str(document).ok()?;
    let is_ready = |it: &Condition| &*it.kind == "Ready" && &*it.status == "True";
    if spec.unschedulable || !status.conditions.iter().any(is_ready) {
        return Some([0; 3]);
    }
    let Allocatable { cpu, memory, pods } = status.allocatable;
    let [cpu, memory, pods] = [cpu, memory, pods].map(|it| parse_milli(&it).map(i128::from));
    Some([cpu?, memory?, pods?])
}
