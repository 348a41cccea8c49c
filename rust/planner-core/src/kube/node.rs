//! What a node says of itself, and what its pods may ask for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::placing::Taint;
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
    taints: Option<Vec<Taint>>,
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
    #[serde(flatten)]
    others: BTreeMap<Box<str>, Value>,
}

/// A node as a place for new pods.
#[derive(Debug)]
pub struct Place {
    /// `metadata.labels`
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// `spec.taints`
    pub taints: Vec<Taint>,
    /// Whether it is Ready, and not cordoned.
    pub is_open: bool,
    /// What all of its pods together may ask for.
    pub allocatable: Amounts,
    /// The same of other resources, in thousandths.
    pub others: BTreeMap<Box<str>, u64>,
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
    let roomy: Roomy = serde_json::from_str(document).ok()?;
    if !roomy.is_open() {
        return Some([0; 3]);
    }
    roomy.status.allocatable.amounts()
}

impl Place {
    /// Reads a node's document; `None` when what it has room for is not known.
    #[must_use]
    pub fn read(document: &str) -> Option<Self> {
        let roomy: Roomy = serde_json::from_str(document).ok()?;
        let is_open = roomy.is_open();
        let others = roomy.status.allocatable.others.iter();
        let others = others.map(|(name, it)| Some((name.clone(), parse_milli(it.as_str()?)?)));
        Some(Self {
            labels: labels(document),
            is_open,
            allocatable: roomy.status.allocatable.amounts()?,
            others: others.collect::<Option<_>>()?,
            taints: roomy.spec.taints.unwrap_or_default(),
        })
    }
}

impl Roomy {
    fn is_open(&self) -> bool {
        let is_ready = |it: &Condition| &*it.kind == "Ready" && &*it.status == "True";
        !self.spec.unschedulable && self.status.conditions.iter().any(is_ready)
    }
}

impl Allocatable {
    fn amounts(&self) -> Option<Amounts> {
        let own = [&self.cpu, &self.memory, &self.pods];
        let [cpu, memory, pods] = own.map(|it| parse_milli(it).map(i128::from));
        Some([cpu?, memory?, pods?])
    }
}
