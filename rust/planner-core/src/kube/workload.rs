//! A workload: an object whose controller keeps pods of one template.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use super::{
    held::owners_spec,
    owner::uid,
    partial::{AroundTemplate, only},
    pod::PodSpec,
    scaled::Resolved,
    selector::Selector,
    strategy::{PodUpdatePolicy, Strategy, StrategyError},
    template::{Outline, Template},
};
use crate::resource::Resource;

/// What of a workload's document decides how its pods are updated.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload<'f> {
    /// Which of the six kinds.
    pub resource: Resource,
    /// Cluster.
    pub cluster: Box<str>,
    /// `metadata.namespace`
    pub namespace: Box<str>,
    /// `metadata.name`
    pub name: Box<str>,
    /// `metadata.uid`
    pub uid: u128,
    /// `spec.replicas` (1 when absent); of `DaemonSets` `status.desiredNumberScheduled`.
    pub replicas: u32,
    /// Seconds that a pod has to be Ready to be available.
    pub min_ready_s: u32,
    /// `spec.selector`
    pub selector: Selector,
    /// `spec.template`
    pub template: Template<'f>,
    /// What of the template every plan needs.
    pub outline: Outline,
    /// How the controller replaces pods.
    pub strategy: Strategy,
    /// The revision that the controller updates to, when it has seen the present spec: a name
    /// (`StatefulSets`, `CloneSets`) or a bare hash (Advanced `DaemonSets`). Deployments and
    /// native `DaemonSets` do not tell.
    pub update_revision: Option<Box<str>>,
    /// `podManagementPolicy` is not `Parallel` (`StatefulSets` only).
    pub ordered_ready: bool,
    /// `spec.ordinals.start`
    pub first_ordinal: u32,
    /// `metadata.deletionTimestamp` is set.
    pub deleting: bool,
}

/// A document cannot be read as a workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{workload}: {problem}; correct the object in the cluster or the request's manifest")]
pub struct WorkloadError {
    /// For example `hangzhou/trade/CloneSet/cart`.
    pub workload: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with the document of a workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The strategy.
    #[error("update strategy: {0}")]
    Strategy(#[from] StrategyError),
    /// The selector.
    #[error("selector: {0}")]
    Selector(String),
    /// The template.
    #[error("template: {0}")]
    Template(String),
    /// The uid.
    #[error("metadata.uid is not a UUID")]
    Uid,
}

/// A document whose template stays text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(default)]
    api_version: Value,
    #[serde(default, deserialize_with = "metadata_fields")]
    metadata: Value,
    #[serde(borrow)]
    spec: Option<AroundTemplate<'a>>,
    #[serde(default, deserialize_with = "status_fields")]
    status: Value,
}

/// What a [`Workload`] is told by the metadata.
fn metadata_fields<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    only(
        &[
            "annotations",
            "deletionTimestamp",
            "generation",
            "name",
            "namespace",
            "uid",
        ],
        from,
    )
}

/// What a [`Workload`] is told by the status.
fn status_fields<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    only(
        &[
            "daemonSetHash",
            "desiredNumberScheduled",
            "observedGeneration",
            "updateRevision",
        ],
        from,
    )
}

impl<'f> Workload<'f> {
    /// The kinds of workload that the planner moves pods of.
    pub const RESOURCES: [Resource; 6] = [
        Resource::Deployments,
        Resource::StatefulSets,
        Resource::DaemonSets,
        Resource::CloneSets,
        Resource::AdvancedStatefulSets,
        Resource::AdvancedDaemonSets,
    ];

    /// Reads a document of one of [`Self::RESOURCES`].
    pub fn read(
        resource: Resource,
        cluster: &str,
        document: &Value,
    ) -> Result<Self, WorkloadError> {
        let template = Template::from(&document["spec"]["template"]);
        Self::read_around(resource, cluster, document, template)
    }

    /// Reads the text of a document of one of [`Self::RESOURCES`].
    pub fn read_text(
        resource: Resource,
        cluster: &str,
        text: &'f str,
    ) -> Result<Self, WorkloadError> {
        let Written {
            api_version,
            metadata,
            spec,
            status,
        } = serde_json::from_str(text).expect("documents are JSON since they were appended");
        let AroundTemplate { rest, template } = spec.unwrap_or_default();
        let template = template.map_or_else(|| Template::from(&Value::Null), Template::from);
        let fields = [
            ("apiVersion", api_version),
            ("metadata", metadata),
            ("spec", Value::Object(rest)),
            ("status", status),
        ];
        let fields = fields.map(|(key, value)| (key.to_owned(), value));
        let document = Value::Object(fields.into_iter().collect());
        Self::read_around(resource, cluster, &document, template)
    }

    fn read_around(
        resource: Resource,
        cluster: &str,
        document: &Value,
        template: Template<'f>,
    ) -> Result<Self, WorkloadError> {
        let document = &owners(document);
        Self::try_read(resource, cluster, document, template).map_err(|problem| WorkloadError {
            workload: format!(
                "{cluster}/{}/{}/{}",
                text(&document["metadata"]["namespace"]),
                kind_text(resource),
                text(&document["metadata"]["name"]),
            ),
            problem,
        })
    }

    fn try_read(
        resource: Resource,
        cluster: &str,
        document: &Value,
        template: Template<'f>,
    ) -> Result<Self, Problem> {
        let (metadata, spec) = (&document["metadata"], &document["spec"]);
        let selector = serde_json::from_value(spec["selector"].clone());
        let outline = template.outline();
        Ok(Self {
            resource,
            cluster: cluster.into(),
            namespace: text(&metadata["namespace"]).into(),
            name: text(&metadata["name"]).into(),
            uid: uid(text(&metadata["uid"])).ok_or(Problem::Uid)?,
            replicas: replicas(resource, document),
            min_ready_s: min_ready_s(resource, spec),
            selector: selector.map_err(|error| Problem::Selector(error.to_string()))?,
            outline: outline.map_err(|error| Problem::Template(error.to_string()))?,
            template,
            strategy: Strategy::read(resource, document)?,
            update_revision: update_revision(
                resource,
                metadata["generation"].as_u64(),
                &document["status"],
            ),
            ordered_ready: is_stateful(resource) && spec["podManagementPolicy"] != "Parallel",
            first_ordinal: number(&spec["ordinals"]["start"]).unwrap_or(0),
            deleting: !metadata["deletionTimestamp"].is_null(),
        })
    }

    /// The kind as the planner writes it: those of `OpenKruise` that share a name with a native
    /// kind are called Advanced.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        kind_text(self.resource)
    }

    /// What people call it in its cluster: `namespace/kind/name`.
    #[must_use]
    pub fn object(&self) -> String {
        format!("{}/{}/{}", self.namespace, self.kind(), self.name)
    }

    /// What people call it in a fleet: `cluster/namespace/kind/name`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}", self.cluster, self.object())
    }

    /// How many pods the controller takes down at once; see [`Strategy::max_unavailable`].
    #[must_use]
    pub fn max_unavailable(&self, server_minor: u32) -> Resolved {
        self.strategy
            .max_unavailable(self.resource, self.replicas, server_minor)
    }

    /// How many pods the controller may make beyond the replicas.
    #[must_use]
    pub fn max_surge(&self) -> Resolved {
        self.strategy.max_surge(self.resource, self.replicas)
    }

    /// How many pods stay at the old revision, whichever they are.
    #[must_use]
    pub fn partition_old(&self) -> u32 {
        self.strategy.partition_old(self.resource, self.replicas)
    }

    /// Whether the controller would change this pod in place, if the change allows it. Advanced
    /// `DaemonSets` do so without surge only, and only pods that can be taken out of service first
    /// (`openkruise/kruise pkg/controller/daemonset rollingUpdate, canPodInPlaceUpdate`).
    #[must_use]
    pub fn may_update_in_place(&self, pod: &PodSpec) -> bool {
        let allowed = self.strategy.policy != PodUpdatePolicy::ReCreate;
        match self.resource {
            Resource::AdvancedDaemonSets => {
                allowed && self.max_surge().value == 0 && pod.has_in_place_gate()
            }
            _ => allowed,
        }
    }

    /// Whether the partition holds the pod of this name back by its ordinal. A name without an
    /// ordinal, and a kind without ordinals, is never held back.
    #[must_use]
    pub fn is_below_partition(&self, pod: &str) -> bool {
        let partition = self.strategy.partition_index(self.resource);
        is_stateful(self.resource)
            && ordinal(pod).is_some_and(|it| it.saturating_sub(self.first_ordinal) < partition)
    }
}

/// The document with the spec as its owner wrote it.
fn owners(document: &Value) -> Cow<'_, Value> {
    match owners_spec(&document["metadata"], &document["spec"]) {
        Cow::Borrowed(_) => Cow::Borrowed(document),
        Cow::Owned(spec) => {
            let mut document = document.clone();
            document["spec"] = spec;
            Cow::Owned(document)
        }
    }
}

/// See [`Workload::kind`].
#[must_use]
pub fn kind_text(resource: Resource) -> &'static str {
    match resource {
        Resource::AdvancedStatefulSets => "AdvancedStatefulSet",
        Resource::AdvancedDaemonSets => "AdvancedDaemonSet",
        other => other.kind(),
    }
}

/// The ordinal that ends the name of a pod of a `StatefulSet`
/// (`kubernetes pkg/controller/statefulset getParentNameAndOrdinal`).
#[must_use]
pub fn ordinal(pod: &str) -> Option<u32> {
    let (_, digits) = pod.rsplit_once('-')?;
    let only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    only_digits.then(|| digits.parse().ok()).flatten()
}

fn is_stateful(resource: Resource) -> bool {
    matches!(
        resource,
        Resource::StatefulSets | Resource::AdvancedStatefulSets
    )
}

fn replicas(resource: Resource, document: &Value) -> u32 {
    if resource.is_daemon_set() {
        number(&document["status"]["desiredNumberScheduled"]).unwrap_or(0)
    } else {
        number(&document["spec"]["replicas"]).unwrap_or(1)
    }
}

/// Advanced `StatefulSets` keep `minReadySeconds` in their strategy.
fn min_ready_s(resource: Resource, spec: &Value) -> u32 {
    let seconds = match resource {
        Resource::AdvancedStatefulSets => {
            &spec["updateStrategy"]["rollingUpdate"]["minReadySeconds"]
        }
        _ => &spec["minReadySeconds"],
    };
    number(seconds).unwrap_or(0)
}

/// A part of a document of which the template alone matters.
#[derive(Deserialize)]
pub(super) struct OnlyTemplate<'a> {
    #[serde(borrow)]
    pub template: Option<&'a RawValue>,
}

/// Status speaks of the present spec only when the controller has observed its generation.
fn update_revision(
    resource: Resource,
    generation: Option<u64>,
    status: &Value,
) -> Option<Box<str>> {
    if status["observedGeneration"].as_u64() < generation {
        return None;
    }
    // Advanced DaemonSets say `daemonSetHash` in v1alpha1.
    let fields: &[&str] = match resource {
        Resource::StatefulSets | Resource::CloneSets | Resource::AdvancedStatefulSets => {
            &["updateRevision"]
        }
        Resource::AdvancedDaemonSets => &["updateRevision", "daemonSetHash"],
        _ => &[],
    };
    let mut revisions = fields.iter().map(|field| text(&status[field]));
    revisions
        .find(|revision| !revision.is_empty())
        .map(Into::into)
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
