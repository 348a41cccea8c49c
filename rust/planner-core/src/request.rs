//! The upgrade request, as the front door has checked and normalised it.
//!
//! Keys, enums and texts were validated before they come here; what does not parse is a
//! programming error of the caller and is told as such.

use serde::Deserialize;
use serde_json::Value;

use crate::kube::{scaled::IntOrPercent, selector::Selector};

/// What the fleet should become, and under which rules.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// Everything that was asked for.
    pub spec: Spec,
}

/// The body of a request.
#[derive(Debug, Deserialize)]
pub struct Spec {
    /// The final state; what is not named stays as it is.
    #[serde(default)]
    pub target: Target,
    /// Whether moves begin without waiting for the wave before to be over.
    #[serde(default)]
    pub streaming: bool,
    /// Which workloads wait for which.
    #[serde(default)]
    pub dependencies: Vec<Dependency>,
    /// Pods that go before others, wherever they are.
    #[serde(default)]
    pub sequences: Vec<Sequence>,
    /// Pods that move together.
    #[serde(default)]
    pub gangs: Vec<Gang>,
    /// Budgets besides those found in the clusters.
    #[serde(default)]
    pub budgets: Vec<Budget>,
    /// Steps that each workload goes through.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// How fast moves may begin.
    #[serde(default)]
    pub rates: Vec<Rate>,
    /// Pods that do not move.
    #[serde(default)]
    pub exclude: Vec<Exclude>,
}

/// The final state.
#[derive(Debug, Default, Deserialize)]
pub struct Target {
    /// New images of containers.
    #[serde(default)]
    pub images: Vec<Image>,
    /// New images of sidecars.
    #[serde(default)]
    pub sidecars: Vec<Sidecar>,
    /// Whole desired workloads, as documents.
    #[serde(default)]
    pub manifests: Vec<Value>,
    /// Nodes that no pod is to be left on.
    #[serde(default)]
    pub drain: Vec<Drain>,
}

/// Nodes, by name or by their labels, of one cluster or of all.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drain {
    /// Cluster, every one when left out.
    pub cluster: Option<String>,
    /// Name of a node.
    pub name: Option<String>,
    /// Labels of nodes.
    pub selector: Option<Selector>,
    /// Whether pods with an emptyDir volume are evicted too.
    #[serde(default)]
    pub delete_empty_dir_data: bool,
}

impl Drain {
    /// Whether its nodes may be of this cluster.
    #[must_use]
    pub fn may_be_of(&self, cluster: &str) -> bool {
        self.cluster.as_deref().is_none_or(|it| it == cluster)
    }
}

/// Either every container with the repository `from`, or one container of one workload.
#[derive(Debug, Deserialize)]
pub struct Image {
    /// A repository, without tag and digest.
    pub from: Option<String>,
    /// The workload whose container changes.
    pub workload: Option<WorkloadRef>,
    /// The container of that workload.
    pub container: Option<String>,
    /// The image to run.
    pub to: String,
}

/// A container of a `SidecarSet`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sidecar {
    /// Name of the `SidecarSet`, in every cluster that has it.
    pub sidecar_set: String,
    /// Its container.
    pub container: String,
    /// The image to run.
    pub to: String,
}

/// Names a workload, or every workload of that name where kind or cluster are left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WorkloadRef {
    /// Cluster, every one when left out.
    pub cluster: Option<String>,
    /// Kind, every one when left out.
    pub kind: Option<String>,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// A workload that waits for others.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    /// The one that waits.
    pub workload: WorkloadRef,
    /// Those it waits for.
    pub after: Vec<WorkloadRef>,
    /// How much of them has to be done.
    pub ready: Option<IntOrPercent>,
}

/// Pods that go one phase after the other: for `each` of something, or as `phases` say.
#[derive(Debug, Deserialize)]
pub struct Sequence {
    /// Unique in the request.
    pub name: String,
    /// One sequence for each of these.
    #[serde(default)]
    pub scope: Scope,
    /// A phase for each of these, by name.
    pub each: Option<Each>,
    /// The phases; what is of none comes last.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// Whether only pods that leave drained nodes are of it.
    #[serde(default)]
    pub drained: bool,
}

/// Pods of a namespace that move together, those with the same value of a label.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gang {
    /// Unique in the request.
    pub name: String,
    /// The label.
    pub label_key: String,
    /// Of which pods; all when left out.
    pub selector: Option<Selector>,
}

/// What the phases of a sequence are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Each {
    /// A node.
    Node,
    /// A zone, in whichever cluster.
    Zone,
    /// A cluster.
    Cluster,
}

/// A phase of a sequence: pods of which all of these hold.
#[derive(Debug, Deserialize)]
pub struct Phase {
    /// Unique in the sequence.
    pub name: String,
    /// Their cluster.
    pub cluster: Option<String>,
    /// Their namespace.
    pub namespace: Option<String>,
    /// The zone of their node.
    pub zone: Option<String>,
    /// Their labels.
    pub selector: Option<Selector>,
}

/// How fast a run may write to the API server of a cluster, or of each, or make nodes of a cluster, or of
/// all, pull from a registry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rate {
    /// Unique in the request.
    pub name: String,
    /// Cluster, every one when left out.
    pub cluster: Option<String>,
    /// Writes a second, at least 1.
    pub writes_per_second: Option<u32>,
    /// Where images are pulled from, as [`registry`] has it.
    pub registry: Option<String>,
    /// Images a second, at least 1.
    pub pulls_per_second: Option<u32>,
}

/// A budget of the request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Unique in the request.
    pub name: String,
    /// Pods that it covers; all when left out.
    pub selector: Option<Selector>,
    /// One budget for each of these.
    #[serde(default)]
    pub scope: Scope,
    /// Pods that may be down at once.
    pub max_unavailable: IntOrPercent,
}

/// For each of what there is one budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// A node.
    Node,
    /// A zone of one cluster.
    Zone,
    /// A workload.
    Workload,
    /// A namespace of one cluster.
    Namespace,
    /// A cluster.
    Cluster,
    /// All clusters together.
    #[default]
    Fleet,
}

/// A step of every workload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Unique in the request.
    pub name: String,
    /// Moves of the workload that are done when the stage ends.
    pub per_workload: IntOrPercent,
    /// Time to wait before the next stage, for example `1h30m`.
    pub soak: Option<String>,
    /// `required`: a person decides before the next stage.
    pub approval: Option<String>,
}

/// Pods that do not move.
#[derive(Debug, Deserialize)]
pub struct Exclude {
    /// Which.
    pub selector: Selector,
}

/// Milliseconds of a duration such as `90s`, `10m` or `1h30m`; `None` when it is not one.
#[must_use]
pub fn duration_ms(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .filter(|at| *at > 0)?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |at| at + digits);
        let unit_ms = match &rest[digits..unit_end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let number: u64 = rest[..digits].parse().ok()?;
        total = total.checked_add(number.checked_mul(unit_ms)?)?;
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then_some(total)
}

/// The repository of an image: without tag and digest. A registry's port is not a tag.
#[must_use]
pub fn repository(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _digest)| name);
    let name_begin = image.rfind('/').map_or(0, |slash| slash + 1);
    image[name_begin..]
        .find(':')
        .map_or(image, |colon| &image[..name_begin + colon])
}

/// The registry of an image: what is before the first slash, if that is a host; else Docker's
/// (`github.com/distribution/reference splitDockerDomain`).
#[must_use]
pub fn registry(image: &str) -> &str {
    const DOCKER: &str = "docker.io";
    let Some((host, _)) = image.split_once('/') else {
        return DOCKER;
    };
    let is_host = host.contains(['.', ':']) || host == "localhost" || host.to_lowercase() != host;
    match host {
        "index.docker.io" => DOCKER,
        _ if is_host => host,
        _ => DOCKER,
    }
}

#[cfg(test)]
mod tests {
    use super::{duration_ms, registry, repository};

    #[test]
    fn an_image_without_a_host_is_of_docker() {
        for (image, of) in [
            ("nginx", "docker.io"),
            ("nginx:1.27", "docker.io"),
            ("library/nginx", "docker.io"),
            ("index.docker.io/library/nginx", "docker.io"),
            ("registry.example.com/cart:1", "registry.example.com"),
            ("registry:5000/cart", "registry:5000"),
            ("localhost/cart@sha256:00", "localhost"),
            ("Mirror/cart", "Mirror"),
        ] {
            assert_eq!(registry(image), of, "{image}");
        }
    }

    #[test]
    fn durations_add_their_units() {
        assert_eq!(duration_ms("10m"), Some(600_000));
        assert_eq!(duration_ms("1h30m"), Some(5_400_000));
        assert_eq!(duration_ms("250ms"), Some(250));
        for bad in ["", "10", "m", "10x", "-5s", "99999999999999999999h"] {
            assert_eq!(duration_ms(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_port_is_not_a_tag() {
        assert_eq!(
            repository("registry.example.com/cart:1.0.0"),
            "registry.example.com/cart"
        );
        assert_eq!(repository("localhost:5000/cart"), "localhost:5000/cart");
        assert_eq!(
            repository("localhost:5000/cart:1@sha256:ab"),
            "localhost:5000/cart"
        );
        assert_eq!(repository("nginx"), "nginx");
    }
}
