//! What is read of a pod; everything else of it is skipped without being built.

use serde::Deserialize;

use super::text::{Pairs, Text};

/// A pod as the API server sends it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pod<'a> {
    #[serde(borrow, default)]
    pub api_version: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub metadata: Metadata<'a>,
    #[serde(borrow, default)]
    pub spec: Spec<'a>,
    #[serde(borrow, default)]
    pub status: Status<'a>,
}

/// `metadata`, of any object.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata<'a> {
    #[serde(borrow, default)]
    pub name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub namespace: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub uid: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub resource_version: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub creation_timestamp: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub deletion_timestamp: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub labels: Option<Pairs<'a, Text<'a>>>,
    #[serde(borrow, default)]
    pub annotations: Option<Pairs<'a, Text<'a>>>,
    #[serde(borrow, default)]
    pub owner_references: Option<Vec<OwnerReference<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference<'a> {
    #[serde(borrow)]
    pub api_version: Text<'a>,
    #[serde(borrow)]
    pub kind: Text<'a>,
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub uid: Text<'a>,
    #[serde(default)]
    pub controller: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec<'a> {
    #[serde(borrow, default)]
    pub node_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub containers: Vec<Container<'a>>,
    #[serde(borrow, default)]
    pub init_containers: Option<Vec<Container<'a>>>,
    #[serde(borrow, default)]
    pub readiness_gates: Option<Vec<ReadinessGate<'a>>>,
    #[serde(default)]
    pub termination_grace_period_seconds: Option<i64>,
    #[serde(borrow, default)]
    pub volumes: Option<Vec<Volume<'a>>>,
    #[serde(borrow, default)]
    pub overhead: Option<Quantities<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    pub image: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub restart_policy: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub env: Option<Vec<Variable<'a>>>,
    #[serde(borrow, default)]
    pub resources: Option<Resources<'a>>,
}

/// An environment variable; its value gets no further than a digest.
#[derive(Debug, Deserialize)]
pub struct Variable<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    pub value: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub struct Resources<'a> {
    #[serde(borrow, default)]
    pub requests: Option<Quantities<'a>>,
}

#[derive(Debug, Deserialize)]
pub struct Quantities<'a> {
    #[serde(borrow, default)]
    pub cpu: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub memory: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadinessGate<'a> {
    #[serde(borrow)]
    pub condition_type: Text<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume<'a> {
    #[serde(borrow, default)]
    pub empty_dir: Option<&'a serde_json::value::RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status<'a> {
    #[serde(borrow, default)]
    pub phase: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub conditions: Option<Vec<Condition<'a>>>,
    #[serde(borrow, default)]
    pub container_statuses: Option<Vec<ContainerStatus<'a>>>,
    #[serde(borrow, default)]
    pub init_container_statuses: Option<Vec<ContainerStatus<'a>>>,
}

/// A condition, of any object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    #[serde(borrow)]
    pub status: Text<'a>,
    #[serde(borrow, default)]
    pub last_transition_time: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerStatus<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    pub image: Option<Text<'a>>,
    #[serde(borrow, default, rename = "imageID")]
    pub image_id: Option<Text<'a>>,
    #[serde(default)]
    pub ready: bool,
    #[serde(default)]
    pub restart_count: i32,
}
