//! `SidecarSets`: containers that are injected into pods of other workloads.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    held::owners_spec,
    labels::LabelIndex,
    owner::uid,
    pod::{OncePerText, PodAnnotations, PodSpec},
    priority::{Priority, ScatterTerm},
    scaled::{IntOrPercent, Resolved, Rounding},
    selector::{Labels, Selector},
    strategy::old_replicas,
};
use crate::{batch::flags, fleet::PodRow};

/// What of a `SidecarSet` decides how its containers are updated.
#[derive(Clone, Debug, PartialEq)]
pub struct SidecarSet {
    /// `metadata.name`; it lives in the cluster, not in a namespace.
    pub name: Box<str>,
    /// `metadata.uid`
    pub uid: u128,
    /// Pods that it is injected into.
    pub selector: Selector,
    /// Namespaces of those pods; `None`: every one.
    pub namespaces: Option<Selector>,
    /// The one namespace of those pods (v1alpha1 only).
    pub namespace: Option<Box<str>>,
    /// Ordinary containers that it injects.
    pub containers: Vec<Sidecar>,
    /// Init containers that it injects. They take part in the hash, but a live pod keeps them.
    pub init_containers: Vec<Sidecar>,
    /// `updateStrategy.type` is `NotUpdate`: live pods keep what they have.
    pub not_update: bool,
    /// `updateStrategy.paused`
    pub paused: bool,
    /// Of the matched pods, those that are updated; `None`: every one.
    pub updated: Option<Selector>,
    /// Which pods go first.
    pub priority: Priority,
    /// Which pods are spread among the others.
    pub scatter: Vec<ScatterTerm>,
    /// The hash of its containers.
    pub hash: Box<str>,
    /// The hash of its containers with all images blank.
    pub hash_without_image: Box<str>,
    max_unavailable: IntOrPercent,
    partition: IntOrPercent,
}

/// A container that a `SidecarSet` injects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// Name.
    pub name: Box<str>,
    /// Image.
    pub image: Box<str>,
    /// It is injected twice, as `<name>-1` and `<name>-2`.
    pub hot_upgrade: bool,
}

/// A document cannot be read as a `SidecarSet`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SidecarSet {name}: {problem}; correct the object in the cluster")]
pub struct SidecarSetError {
    /// `metadata.name`
    pub name: String,
    /// What is wrong.
    pub problem: String,
}

impl SidecarSet {
    /// Reads a document of v1alpha1 or v1beta1.
    pub fn read(document: &Value) -> Result<Self, SidecarSetError> {
        let name = text(&document["metadata"]["name"]);
        Self::try_read(document).map_err(|problem| SidecarSetError {
            name: name.to_owned(),
            problem,
        })
    }

    fn try_read(document: &Value) -> Result<Self, String> {
        let metadata = &document["metadata"];
        let spec = &*owners_spec(metadata, &document["spec"]);
        let strategy = &spec["updateStrategy"];
        let said = |error: serde_json::Error| error.to_string();
        let annotation = |key: &str| text(&metadata["annotations"][key]).into();
        let namespace = text(&spec["namespace"]);
        Ok(Self {
            name: text(&metadata["name"]).into(),
            uid: uid(text(&metadata["uid"])).ok_or("metadata.uid is not a UUID")?,
            selector: Selector::deserialize(&spec["selector"]).map_err(said)?,
            namespaces: Option::deserialize(&spec["namespaceSelector"]).map_err(said)?,
            namespace: (!namespace.is_empty()).then(|| namespace.into()),
            containers: sidecars(&spec["containers"]),
            init_containers: sidecars(&spec["initContainers"]),
            not_update: strategy["type"] == "NotUpdate",
            paused: strategy["paused"] == true,
            updated: Option::deserialize(&strategy["selector"]).map_err(said)?,
            priority: Priority::read(&strategy["priorityStrategy"]).map_err(said)?,
            scatter: ScatterTerm::read(&strategy["scatterStrategy"]).map_err(said)?,
            hash: annotation("kruise.io/sidecarset-hash"),
            hash_without_image: annotation("kruise.io/sidecarset-hash-without-image"),
            max_unavailable: amount(strategy, "maxUnavailable", 1, IntOrPercent::legacy)?,
            partition: amount(strategy, "partition", 0, IntOrPercent::strict)?,
        })
    }

    /// How many of the `matched` pods its controller takes at once, over all workloads
    /// (`openkruise/kruise pkg/controller/sidecarset calculateUpgradeCount`).
    #[must_use]
    pub fn max_unavailable(&self, matched: u32) -> Resolved {
        self.max_unavailable
            .explain("maxUnavailable", matched, Rounding::Up)
    }

    /// How many pods at the end of the waiting ones stay old; resolved over the `matched` ones.
    #[must_use]
    pub fn partition_old(&self, matched: u32) -> u32 {
        old_replicas(self.partition, matched)
    }

    /// Whether it covers pods of this namespace, given the namespace's labels.
    #[must_use]
    pub fn covers(&self, namespace: &str, labels: &(impl Labels + ?Sized)) -> bool {
        self.namespace
            .as_deref()
            .is_none_or(|only| only == namespace)
            && self
                .namespaces
                .as_ref()
                .is_none_or(|selector| selector.matches(labels))
    }

    /// Rows of the pods that it counts and updates: active, selected, injected, and with all its
    /// containers (`openkruise/kruise pkg/controller/sidecarset getMatchingPods`). `namespaces` are
    /// the labels of the cluster's namespaces.
    #[must_use]
    pub fn matched(
        &self,
        index: &LabelIndex<'_>,
        namespaces: &BTreeMap<Box<str>, BTreeMap<Box<str>, Box<str>>>,
    ) -> Vec<PodRow> {
        let unlabelled = BTreeMap::new();
        let mut rows = index.rows_of_namespaces(&self.selector, |namespace| {
            self.covers(namespace, namespaces.get(namespace).unwrap_or(&unlabelled))
        });
        let (pods, mut has_sidecars) = (index.pods(), OncePerText::default());
        rows.retain(|row| {
            let find =
                || self.is_injected(pods.annotations(*row)) && self.is_consistent(pods.spec(*row));
            !pods.columns.has(*row, flags::DELETING) && has_sidecars.ask(pods.columns, *row, find)
        });
        rows
    }

    /// Whether the pod was injected when it was made; live pods never are.
    #[must_use]
    pub fn is_injected(&self, annotations: &PodAnnotations) -> bool {
        annotations.sidecar_sets.contains(&self.name)
    }

    /// Whether the pod has all its containers (`pkg/control/sidecarcontrol
    /// IsPodConsistentWithSidecarSet`).
    #[must_use]
    pub fn is_consistent(&self, pod: &PodSpec) -> bool {
        let has = |name: &str| pod.container(name).is_some();
        let mut sidecars = self.containers.iter();
        sidecars.all(|sidecar| {
            if sidecar.hot_upgrade {
                sidecar.names_in_pod().iter().all(|name| has(name))
            } else {
                has(&sidecar.name)
            }
        })
    }

    /// Whether the pod is at the set's present hash (`IsPodSidecarUpdated`).
    #[must_use]
    pub fn is_updated(&self, annotations: &PodAnnotations) -> bool {
        annotations.sidecar_hashes.get(&self.name) == Some(&self.hash)
    }

    /// Whether its containers in the pod can get other images without a new pod: nothing but
    /// images may differ from what was injected (`IsSidecarSetUpgradable`). A request that changes
    /// images only leaves this as it is.
    #[must_use]
    pub fn is_upgradable(&self, annotations: &PodAnnotations) -> bool {
        let at = annotations.sidecar_hashes_without_image.get(&self.name);
        at == Some(&self.hash_without_image)
    }
}

impl Sidecar {
    /// The names of its containers in a pod.
    #[must_use]
    pub fn names_in_pod(&self) -> Vec<Box<str>> {
        if self.hot_upgrade {
            vec![
                format!("{}-1", self.name).into(),
                format!("{}-2", self.name).into(),
            ]
        } else {
            vec![self.name.clone()]
        }
    }
}

fn sidecars(list: &Value) -> Vec<Sidecar> {
    let containers = list.as_array().into_iter().flatten();
    let sidecar = |container: &Value| Sidecar {
        name: text(&container["name"]).into(),
        image: text(&container["image"]).into(),
        hot_upgrade: container["upgradeStrategy"]["upgradeType"] == "HotUpgrade",
    };
    containers.map(sidecar).collect()
}

fn amount(
    strategy: &Value,
    field: &str,
    default: i32,
    reading: fn(&Value) -> Result<IntOrPercent, super::scaled::NotAnAmount>,
) -> Result<IntOrPercent, String> {
    let value = strategy.get(field).filter(|value| !value.is_null());
    let read = value.map_or(Ok(IntOrPercent::Int(default)), reading);
    read.map_err(|error| format!("updateStrategy.{field}: {error}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
