//! What a node says of itself, and what its pods may ask for.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::observe::parse_milli;

/// What pods ask of nodes: thousandths of CPUs, of bytes, and of pods.
pub type Amounts = [i128; 3];

/// A node of which pods can be put on others; what it does not say is empty.
#[derive(Debug, Default)]
pub struct Node {
    /// `metadata.labels`
    pub labels: BTreeMap<Box<str>, Box<str>>,
    unschedulable: bool,
    ready: bool,
    allocatable: Option<Allocatable>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    labels: BTreeMap<Box<str>, Box<str>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    unschedulable: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    allocatable: Option<Allocatable>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
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

impl Node {
    /// Reads a document as it was appended.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let Document {
            metadata,
            spec,
            status,
        } = serde_json::from_str(text).unwrap_or_default();
        let is_ready = |it: &Condition| &*it.kind == "Ready" && &*it.status == "True";
        Self {
            labels: metadata.labels,
            unschedulable: spec.unschedulable,
            ready: status.conditions.iter().any(is_ready),
            allocatable: status.allocatable,
        }
    }

    /// What its pods may ask for; nothing while no pod is put there, `None` when that is not known.
    #[must_use]
    pub fn room(&self) -> Option<Amounts> {
        let Allocatable { cpu, memory, pods } = self.allocatable.as_ref()?;
        if self.unschedulable || !self.ready {
            return Some([0; 3]);
        }
        let [cpu, memory, pods] = [cpu, memory, pods].map(|it| parse_milli(it).map(i128::from));
        Some([cpu?, memory?, pods?])
    }
}
