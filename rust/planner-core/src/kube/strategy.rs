//! How a workload's own controller replaces pods: how many at once, which not at all, how.
//!
//! Every field has its own base, rounding and fences; nothing here is shared between kinds that
//! is not shared by their controllers.

use serde_json::Value;

use super::{
    priority::{Priority, ScatterTerm},
    scaled::{IntOrPercent, NotAnAmount, Resolved, Rounding},
    selector::Selector,
};
use crate::resource::Resource;

/// Whether `OpenKruise` may change a pod in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PodUpdatePolicy {
    /// Every change makes the pod anew. The only one of the native kinds.
    #[default]
    ReCreate,
    /// In place where the change allows it, else anew.
    InPlaceIfPossible,
    /// In place or not at all.
    InPlaceOnly,
}

/// The update strategy of one workload, as written, with its rules.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a field of the API or follows from one"
)]
pub struct Strategy {
    /// The controller waits for somebody else to remove pods.
    pub on_delete: bool,
    /// Deployment of the strategy `Recreate`: all pods go before the first new one comes.
    pub all_at_once: bool,
    /// The controller does not update.
    pub paused: bool,
    /// In place or anew.
    pub policy: PodUpdatePolicy,
    /// `inPlaceUpdateStrategy.gracePeriodSeconds`: from the new revision label to the new image.
    pub grace_in_place_s: u32,
    /// Advanced `StatefulSet` with `unorderedUpdate`.
    pub unordered: bool,
    /// Which pods go first.
    pub priority: Priority,
    /// Which pods are spread among the others.
    pub scatter: Vec<ScatterTerm>,
    /// Advanced `DaemonSet`: the nodes whose pods are updated; absent: all.
    pub nodes: Option<Selector>,
    max_unavailable: Option<IntOrPercent>,
    max_surge: Option<IntOrPercent>,
    partition: Option<IntOrPercent>,
    /// `CloneSet` v1beta1 without `rollingUpdate` rounds its default the other way.
    rolling_update_absent: bool,
}

/// A field of the strategy cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    /// Not an amount.
    #[error("{field}: {source}")]
    Amount {
        /// `maxUnavailable`, `maxSurge` or `partition`.
        field: &'static str,
        /// What is wrong.
        source: NotAnAmount,
    },
    /// Not a selector or a list of terms.
    #[error("{field}: {text}")]
    Shape {
        /// The field.
        field: &'static str,
        /// What is wrong.
        text: String,
    },
}

type Reading = fn(&Value) -> Result<IntOrPercent, NotAnAmount>;

impl Strategy {
    /// Reads the strategy from a workload's document of that kind.
    pub fn read(resource: Resource, document: &Value) -> Result<Self, StrategyError> {
        let spec = &document["spec"];
        match resource {
            Resource::Deployments => Self::deployment(spec),
            Resource::CloneSets => Self::clone_set(document),
            Resource::AdvancedStatefulSets => Self::advanced_stateful_set(spec),
            Resource::AdvancedDaemonSets => Self::advanced_daemon_set(spec),
            _ => Self::native(&spec["updateStrategy"]),
        }
    }

    fn deployment(spec: &Value) -> Result<Self, StrategyError> {
        let strategy = &spec["strategy"];
        let amounts = Self::amounts(&strategy["rollingUpdate"], IntOrPercent::strict)?;
        let all_at_once = strategy["type"] == "Recreate";
        Ok(Self {
            all_at_once,
            paused: spec["paused"] == true,
            ..amounts
        })
    }

    /// `StatefulSet` and `DaemonSet`.
    fn native(strategy: &Value) -> Result<Self, StrategyError> {
        let amounts = Self::amounts(&strategy["rollingUpdate"], IntOrPercent::strict)?;
        Ok(Self {
            on_delete: strategy["type"] == "OnDelete",
            ..amounts
        })
    }

    /// v1beta1 nests under `rollingUpdate` what v1alpha1 keeps flat, where `type` is the pod
    /// update policy. A document without `apiVersion` (an item of a list) shows it by its shape.
    fn clone_set(document: &Value) -> Result<Self, StrategyError> {
        let strategy = &document["spec"]["updateStrategy"];
        let flat = match document["apiVersion"].as_str() {
            Some(version) => version.ends_with("/v1alpha1"),
            None => strategy["rollingUpdate"].is_null() && strategy["type"] != "RollingUpdate",
        };
        let rolling = if flat {
            strategy
        } else {
            &strategy["rollingUpdate"]
        };
        let policy = if flat {
            &strategy["type"]
        } else {
            &rolling["podUpdatePolicy"]
        };
        Ok(Self {
            on_delete: strategy["type"] == "OnDelete",
            policy: PodUpdatePolicy::read(policy),
            rolling_update_absent: !flat && rolling.is_null(),
            ..Self::kruise(rolling, &rolling["priorityStrategy"], IntOrPercent::legacy)?
        })
    }

    fn advanced_stateful_set(spec: &Value) -> Result<Self, StrategyError> {
        let strategy = &spec["updateStrategy"];
        let rolling = &strategy["rollingUpdate"];
        let priority = &rolling["unorderedUpdate"]["priorityStrategy"];
        Ok(Self {
            on_delete: strategy["type"] == "OnDelete",
            policy: PodUpdatePolicy::read(&rolling["podUpdatePolicy"]),
            unordered: !rolling["unorderedUpdate"].is_null(),
            ..Self::kruise(rolling, priority, IntOrPercent::legacy)?
        })
    }

    fn advanced_daemon_set(spec: &Value) -> Result<Self, StrategyError> {
        let strategy = &spec["updateStrategy"];
        let rolling = &strategy["rollingUpdate"];
        let nodes = serde_json::from_value(rolling["selector"].clone());
        Ok(Self {
            on_delete: strategy["type"] == "OnDelete",
            policy: PodUpdatePolicy::read(&rolling["rollingUpdateType"]),
            nodes: nodes.map_err(|error| shape("selector", &error))?,
            ..Self::kruise(rolling, &Value::Null, IntOrPercent::strict)?
        })
    }

    fn kruise(rolling: &Value, priority: &Value, reading: Reading) -> Result<Self, StrategyError> {
        let grace = &rolling["inPlaceUpdateStrategy"]["gracePeriodSeconds"];
        Ok(Self {
            paused: rolling["paused"] == true,
            grace_in_place_s: seconds(grace),
            priority: Priority::read(priority)
                .map_err(|error| shape("priorityStrategy", &error))?,
            scatter: ScatterTerm::read(&rolling["scatterStrategy"])
                .map_err(|error| shape("scatterStrategy", &error))?,
            ..Self::amounts(rolling, reading)?
        })
    }

    /// The partition is read strictly by every kind.
    fn amounts(rolling: &Value, reading: Reading) -> Result<Self, StrategyError> {
        Ok(Self {
            max_unavailable: amount(rolling, "maxUnavailable", reading)?,
            max_surge: amount(rolling, "maxSurge", reading)?,
            partition: amount(rolling, "partition", IntOrPercent::strict)?,
            ..Self::default()
        })
    }

    /// How many of `total` pods (replicas, for `DaemonSets` desired nodes) the controller of this
    /// kind takes down at once. `server_minor` is the minor version of Kubernetes 1.x.
    #[must_use]
    pub fn max_unavailable(&self, resource: Resource, total: u32, server_minor: u32) -> Resolved {
        match resource {
            Resource::Deployments => self.deployment_max_unavailable(total),
            Resource::StatefulSets => self.stateful_set_max_unavailable(total, server_minor),
            Resource::AdvancedStatefulSets => self.floor_at_least_one(total),
            Resource::CloneSets => self.clone_set_max_unavailable(total),
            _ => self.daemon_set_max_unavailable(total),
        }
    }

    /// How many pods the controller may make beyond `total`. 0 for kinds without surge.
    #[must_use]
    pub fn max_surge(&self, resource: Resource, total: u32) -> Resolved {
        let default = match resource {
            Resource::Deployments if self.all_at_once => {
                return fixed(0, "maxSurge 0 (strategy Recreate)");
            }
            Resource::Deployments => IntOrPercent::Percent(25),
            Resource::CloneSets if self.paused => return fixed(0, "maxSurge 0 (paused)"),
            Resource::CloneSets | Resource::DaemonSets | Resource::AdvancedDaemonSets => {
                IntOrPercent::Int(0)
            }
            _ => return fixed(0, "maxSurge 0"),
        };
        self.max_surge
            .unwrap_or(default)
            .explain("maxSurge", total, Rounding::Up)
    }

    /// `kubernetes pkg/controller/deployment/util ResolveFenceposts, MaxUnavailable`.
    fn deployment_max_unavailable(&self, total: u32) -> Resolved {
        if self.all_at_once {
            return fixed(total, "strategy Recreate takes all pods at once");
        }
        let amount = self.max_unavailable.unwrap_or(IntOrPercent::Percent(25));
        let resolved = amount.explain("maxUnavailable", total, Rounding::Down);
        let surge = self.max_surge(Resource::Deployments, total).value;
        capped(at_least_one_without_surge(resolved, surge), total)
    }

    /// `kubernetes pkg/controller/statefulset getStatefulSetMaxUnavailable`; the field has an
    /// effect since 1.35 (gate `MaxUnavailableStatefulSet`).
    fn stateful_set_max_unavailable(&self, total: u32, server_minor: u32) -> Resolved {
        if server_minor < 35 && self.max_unavailable.is_some() {
            return fixed(1, "maxUnavailable 1 (StatefulSet before Kubernetes 1.35)");
        }
        self.floor_at_least_one(total)
    }

    /// Also `openkruise/kruise pkg/controller/statefulset rollingUpdateStatefulsetPods`.
    fn floor_at_least_one(&self, total: u32) -> Resolved {
        let amount = self.max_unavailable.unwrap_or(IntOrPercent::Int(1));
        at_least_one(amount.explain("maxUnavailable", total, Rounding::Down))
    }

    /// `openkruise/kruise pkg/controller/cloneset/sync calculateDiffsWithExpectation`: rounded up
    /// unless surge pods stand in. 0 is allowed and stops the update.
    fn clone_set_max_unavailable(&self, total: u32) -> Resolved {
        let amount = self.max_unavailable.unwrap_or(IntOrPercent::Percent(20));
        let surge = self.max_surge(Resource::CloneSets, total).value;
        let up = surge == 0 && !self.rolling_update_absent;
        amount.explain(
            "maxUnavailable",
            total,
            if up { Rounding::Up } else { Rounding::Down },
        )
    }

    /// `kubernetes pkg/controller/daemon updatedDesiredNodeCounts` and the same in `OpenKruise`.
    fn daemon_set_max_unavailable(&self, total: u32) -> Resolved {
        let amount = self.max_unavailable.unwrap_or(IntOrPercent::Int(1));
        let resolved = amount.explain("maxUnavailable", total, Rounding::Up);
        let surge = self.max_surge(Resource::DaemonSets, total).value;
        at_least_one_without_surge(resolved, surge)
    }

    /// How many pods stay at the old revision, whichever they are. 0 for kinds whose partition is
    /// an index ([`Self::partition_index`]).
    ///
    /// `openkruise/kruise pkg/util CalculatePartitionReplicas` for `CloneSets`,
    /// `sortPodsToUpdate` for unordered Advanced `StatefulSets`, and
    /// `filterDaemonPodsNodeToUpdate` for Advanced `DaemonSets`.
    #[must_use]
    pub fn partition_old(&self, resource: Resource, total: u32) -> u32 {
        let partition = self.partition.unwrap_or(IntOrPercent::Int(0));
        match resource {
            Resource::CloneSets => old_replicas(partition, total),
            Resource::AdvancedStatefulSets if self.unordered => partition.floor(total).min(total),
            Resource::AdvancedDaemonSets => partition.floor(total).min(total),
            _ => 0,
        }
    }

    /// The first index (ordinal less `ordinals.start`) whose pod may be updated, of kinds that
    /// update by ordinal.
    #[must_use]
    pub fn partition_index(&self, resource: Resource) -> u32 {
        match (resource, self.partition) {
            (Resource::StatefulSets, Some(IntOrPercent::Int(index))) => clamp(index),
            (Resource::AdvancedStatefulSets, Some(IntOrPercent::Int(index))) if !self.unordered => {
                clamp(index)
            }
            _ => 0,
        }
    }
}

impl PodUpdatePolicy {
    fn read(value: &Value) -> Self {
        match value.as_str() {
            Some("InPlaceIfPossible") => Self::InPlaceIfPossible,
            Some("InPlaceOnly") => Self::InPlaceOnly,
            _ => Self::ReCreate,
        }
    }
}

/// `openkruise/kruise pkg/util CalculatePartitionReplicas`: rounded up, but any percentage other
/// than 100% leaves at least one pod to update when there are two or more.
pub(super) fn old_replicas(partition: IntOrPercent, total: u32) -> u32 {
    let kept = partition.ceil(total);
    let is_part = matches!(partition, IntOrPercent::Percent(percent) if percent != 100);
    if is_part && total > 1 && kept == total {
        total - 1
    } else {
        kept.min(total)
    }
}

fn at_least_one(resolved: Resolved) -> Resolved {
    match resolved.value {
        0 => fixed(1, &format!("{}, at least 1", resolved.text)),
        _ => resolved,
    }
}

fn at_least_one_without_surge(resolved: Resolved, surge: u32) -> Resolved {
    match (resolved.value, surge) {
        (0, 0) => fixed(
            1,
            &format!("{}, 1 because maxSurge is 0 too", resolved.text),
        ),
        _ => resolved,
    }
}

fn capped(resolved: Resolved, total: u32) -> Resolved {
    if resolved.value <= total {
        return resolved;
    }
    fixed(total, &format!("{}, at most {total}", resolved.text))
}

fn fixed(value: u32, text: &str) -> Resolved {
    Resolved {
        value,
        text: text.to_owned(),
    }
}

fn clamp(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn seconds(value: &Value) -> u32 {
    value
        .as_u64()
        .and_then(|seconds| u32::try_from(seconds).ok())
        .unwrap_or(0)
}

fn amount(
    rolling: &Value,
    field: &'static str,
    reading: Reading,
) -> Result<Option<IntOrPercent>, StrategyError> {
    let value = rolling.get(field).filter(|value| !value.is_null());
    let read = value.map(reading).transpose();
    read.map_err(|source| StrategyError::Amount { field, source })
}

fn shape(field: &'static str, error: &serde_json::Error) -> StrategyError {
    StrategyError::Shape {
        field,
        text: error.to_string(),
    }
}
