//! What one pod is, as typed values instead of texts.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::Deserialize;
use serde_json::Value;

use super::{
    labels::{PodLabels, SharedLabels},
    node::Amounts,
    parsed::Parsed,
};
use crate::fleet::{Class, Cluster, Fleet, Interner, PodRow, Pods, Symbol};

/// The column `spec` of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    /// Ordinary containers.
    pub containers: Vec<Container>,
    /// Init containers; those that restart always are native sidecars.
    pub init_containers: Vec<Container>,
    /// Conditions that have to be True for the pod to be Ready.
    pub readiness_gates: Vec<Box<str>>,
    /// Seconds from the begin of termination to its end by force.
    #[serde(rename = "terminationGracePeriodSeconds")]
    pub grace_s: Option<u32>,
    /// What the pod reserves on its node.
    pub requests: Requests,
}

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Its name in the pod.
    pub name: Box<str>,
    /// The image it should run.
    #[serde(default)]
    pub image: Box<str>,
    /// `Always` marks a native sidecar.
    #[serde(default)]
    pub restart_policy: Option<Box<str>>,
    /// A salted digest of its environment.
    #[serde(default)]
    pub digest: Option<Box<str>>,
}

/// What a pod reserves on its node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Requests {
    /// Millicores.
    pub cpu: u64,
    /// Bytes.
    pub memory: u64,
}

impl Requests {
    /// The same beside what nodes have room for; a pod is one.
    #[must_use]
    pub fn amounts(self) -> Amounts {
        [self.cpu.into(), i128::from(self.memory) * 1_000, 1_000]
    }
}

/// What the annotations of a pod say to the planner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodAnnotations {
    /// `SidecarSets` that were injected.
    pub sidecar_sets: Vec<Box<str>>,
    /// The hash of each injected `SidecarSet` that the pod is at.
    pub sidecar_hashes: BTreeMap<Box<str>, Box<str>>,
    /// The same without images.
    pub sidecar_hashes_without_image: BTreeMap<Box<str>, Box<str>>,
    /// `controller.kubernetes.io/pod-deletion-cost`, 0 when absent.
    pub deletion_cost: i32,
    /// `pub.kruise.io/no-protect` says true.
    pub unprotected: bool,
}

impl PodSpec {
    /// Reads the column; a text that is none is an empty spec, for the log checks what it stores.
    #[must_use]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The ordinary container of this name.
    #[must_use]
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers
            .iter()
            .find(|container| &*container.name == name)
    }

    /// Whether Kruise can take the pod out of service before it changes it in place.
    #[must_use]
    pub fn has_in_place_gate(&self) -> bool {
        self.readiness_gates
            .iter()
            .any(|gate| &**gate == "InPlaceUpdateReady")
    }
}

impl PodAnnotations {
    /// Reads the column, a JSON object.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let all: BTreeMap<Box<str>, Value> = serde_json::from_str(text).unwrap_or_default();
        let text = |key: &str| all.get(key).and_then(Value::as_str).unwrap_or_default();
        let injected = text("kruise.io/sidecarset-injected-list");
        let hashes = |key: &str| all.get(key).map(sidecar_hashes).unwrap_or_default();
        Self {
            sidecar_sets: injected
                .split(',')
                .filter(|name| !name.is_empty())
                .map(Into::into)
                .collect(),
            sidecar_hashes: hashes("kruise.io/sidecarset-hash"),
            sidecar_hashes_without_image: hashes("kruise.io/sidecarset-hash-without-image"),
            deletion_cost: text("controller.kubernetes.io/pod-deletion-cost")
                .parse()
                .unwrap_or(0),
            unprotected: text(super::budget::NO_PROTECTION) == "true",
        }
    }
}

/// Hashes by `SidecarSet`: the annotation is JSON within text, `{set: {"hash": ..}}` or, from old
/// versions, `{set: hash}` (`openkruise/kruise pkg/control/sidecarcontrol
/// GetPodSidecarSetUpgradeSpecInAnnotations`).
fn sidecar_hashes(annotation: &Value) -> BTreeMap<Box<str>, Box<str>> {
    let within = annotation
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    let sets: Value = within.unwrap_or_else(|| annotation.clone());
    let hash = |set: &Value| {
        set.as_str()
            .or_else(|| set["hash"].as_str())
            .map(Into::into)
    };
    let sets = sets.as_object().into_iter().flatten();
    sets.filter_map(|(name, set)| Some((name.as_str().into(), hash(set)?)))
        .collect()
}

/// Every different text of the pods of a fleet, parsed.
#[derive(Clone, Debug, Default)]
pub struct PodTexts<'f> {
    specs: Parsed<PodSpec>,
    annotations: Parsed<PodAnnotations>,
    labels: Parsed<SharedLabels<'f>>,
}

impl<'f> PodTexts<'f> {
    /// Parses what the pods of the fleet say.
    #[must_use]
    pub fn of(fleet: &'f Fleet) -> Self {
        let texts = &fleet.texts;
        let column = |of: fn(&Class) -> Symbol| {
            let clusters = fleet.clusters.values();
            let classes = clusters.flat_map(|cluster| cluster.pods.classes.all());
            classes.map(of)
        };
        let specs = || Parsed::of(column(|class| class.spec), texts, PodSpec::read);
        let annotations = || {
            let column = column(|class| class.annotations);
            Parsed::of(column, texts, PodAnnotations::read)
        };
        let labels = || Parsed::of(column(|class| class.labels), texts, SharedLabels::read);
        let ((specs, annotations), labels) =
            rayon::join(|| rayon::join(specs, annotations), labels);
        Self {
            specs,
            annotations,
            labels,
        }
    }
}

/// An answer that follows from a pod's spec and annotations, found once for each pair of them:
/// there are few, and pods that share them mostly lie beside each other.
#[derive(Debug, Default)]
pub struct OncePerText {
    known: HashMap<(Symbol, Symbol), bool, FxBuildHasher>,
    last: Option<((Symbol, Symbol), bool)>,
}

impl OncePerText {
    /// The answer for a pod, by `find` if it is not known.
    pub fn ask(&mut self, columns: &Pods, row: PodRow, find: impl FnOnce() -> bool) -> bool {
        let class = columns.class(row);
        let key = (class.spec, class.annotations);
        match self.last {
            Some((last, answer)) if last == key => answer,
            _ => {
                let answer = *self.known.entry(key).or_insert_with(find);
                self.last = Some((key, answer));
                answer
            }
        }
    }
}

/// The pods of one cluster at one time, with their texts parsed.
#[derive(Clone, Copy, Debug)]
pub struct PodsOf<'a> {
    /// The columns.
    pub columns: &'a Pods,
    /// Every text.
    pub texts: &'a Interner,
    /// Time of the fleet, milliseconds UTC.
    pub now_ms: i64,
    parsed: &'a PodTexts<'a>,
}

impl<'a> PodsOf<'a> {
    /// The pods of a cluster of the fleet whose texts were parsed.
    #[must_use]
    pub fn new(fleet: &'a Fleet, cluster: &'a Cluster, parsed: &'a PodTexts<'a>) -> Self {
        Self {
            columns: &cluster.pods,
            texts: &fleet.texts,
            now_ms: fleet.now_ms,
            parsed,
        }
    }

    /// What the pod runs.
    #[must_use]
    pub fn spec(&self, row: PodRow) -> &'a PodSpec {
        self.parsed.specs.get(self.columns.class(row).spec)
    }

    /// What its annotations say.
    #[must_use]
    pub fn annotations(&self, row: PodRow) -> &'a PodAnnotations {
        let annotations = self.columns.class(row).annotations;
        self.parsed.annotations.get(annotations)
    }

    /// Labels that it shares with other pods, by the symbol of the column.
    #[must_use]
    pub(super) fn shared_labels(&self, labels: Symbol) -> &'a SharedLabels<'a> {
        self.parsed.labels.get(labels)
    }

    /// The place in its life that [`super::state::LIFECYCLE`] says, empty without one.
    #[must_use]
    pub fn lifecycle(&self, row: PodRow) -> &'a str {
        let shared = self.shared_labels(self.columns.class(row).labels);
        shared.lifecycle().unwrap_or_default()
    }

    /// All its labels.
    #[must_use]
    pub fn labels(&self, row: PodRow) -> PodLabels<'a> {
        let class = self.columns.class(row);
        PodLabels {
            shared: self.shared_labels(class.labels),
            name: self.columns.name(row),
            revision: self.texts.text(class.revision),
            flags: self.columns.flags[row as usize],
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self, row: PodRow) -> &'a str {
        self.columns.name(row)
    }

    /// Whether it has a node.
    #[must_use]
    pub fn is_assigned(&self, row: PodRow) -> bool {
        self.columns.node[row as usize] != Symbol::default()
    }

    /// Its node, empty while unassigned.
    #[must_use]
    pub fn node(&self, row: PodRow) -> &'a str {
        self.texts.text(self.columns.node[row as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::{PodAnnotations, PodSpec};

    #[test]
    fn a_spec_is_read_from_its_column() {
        let spec = PodSpec::read(
            r#"{"containers": [{"name": "main", "image": "cart:1", "digest": "ab"}],
                "initContainers": [{"name": "mesh", "image": "mesh:1", "restartPolicy": "Always"}],
                "readinessGates": ["InPlaceUpdateReady"], "terminationGracePeriodSeconds": 30,
                "requests": {"cpu": 150, "memory": 1024}}"#,
        );
        assert_eq!(&*spec.container("main").unwrap().image, "cart:1");
        assert_eq!(spec.container("mesh"), None);
        assert!(spec.has_in_place_gate());
        assert_eq!((spec.grace_s, spec.requests.cpu), (Some(30), 150));
    }

    #[test]
    fn sidecar_hashes_are_read_in_every_form_they_have_had() {
        let forms = [
            r#"{"kruise.io/sidecarset-hash": "{\"mesh\":{\"hash\":\"h1\",\"sidecarList\":[]}}"}"#,
            r#"{"kruise.io/sidecarset-hash": "{\"mesh\":\"h1\"}"}"#,
            r#"{"kruise.io/sidecarset-hash": {"mesh": {"hash": "h1"}}}"#,
        ];
        for form in forms {
            let hashes = PodAnnotations::read(form).sidecar_hashes;
            assert_eq!(hashes.get("mesh").map(|hash| &**hash), Some("h1"), "{form}");
        }
    }

    #[test]
    fn annotations_are_empty_until_something_is_said() {
        assert_eq!(
            PodAnnotations::read(r#"{"redacted": "00ff"}"#),
            PodAnnotations::default()
        );
        let said = PodAnnotations::read(
            r#"{"controller.kubernetes.io/pod-deletion-cost": "-7",
                "pub.kruise.io/no-protect": "true",
                "kruise.io/sidecarset-injected-list": "log-tail,mesh-proxy"}"#,
        );
        assert_eq!((said.deletion_cost, said.unprotected), (-7, true));
        assert_eq!(said.sidecar_sets, ["log-tail".into(), "mesh-proxy".into()]);
    }
}
