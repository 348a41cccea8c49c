//! Whether a pod at the target is back: it serves for long enough, and its containers truly run what
//! its spec says.
//!
//! A revision label is no proof: with a grace period the label comes before the image, and a pod whose
//! containers start in batches has images still to come (`openkruise/kruise pkg/util/inplaceupdate
//! DefaultCheckInPlaceUpdateCompleted`).

use std::{cell::RefCell, collections::BTreeMap};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::Deserialize;

use crate::{
    fleet::{PodRow, Symbol},
    inventory::{Inventory, WorkloadIdx},
    kube::pod::{PodSpec, PodsOf},
    resource::Resource,
};

/// Asks each combination of texts once.
pub(super) struct Settled<'a> {
    inventory: &'a Inventory<'a>,
    known: RefCell<HashMap<[Symbol; 3], bool, FxBuildHasher>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "apps.kruise.io/inplace-update-state")]
    update: Option<Update>,
    #[serde(rename = "apps.kruise.io/inplace-update-grace")]
    grace: Option<serde_json::Value>,
    #[serde(rename = "kruise.io/sidecarset-inplace-update-state")]
    sidecars: BTreeMap<Box<str>, Update>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Update {
    last_container_statuses: BTreeMap<Box<str>, Last>,
    next_container_images: Option<BTreeMap<Box<str>, Box<str>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Last {
    #[serde(rename = "imageID")]
    image_id: Box<str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    name: Box<str>,
    image: Box<str>,
    #[serde(rename = "imageID")]
    image_id: Box<str>,
}

impl<'a> Settled<'a> {
    pub(super) fn of(inventory: &'a Inventory<'a>) -> Self {
        Self {
            inventory,
            known: RefCell::default(),
        }
    }

    /// Whether a pod at the target serves for long enough with the containers of its spec.
    pub(super) fn is_back(&self, workload: WorkloadIdx, row: PodRow) -> bool {
        let (cluster, _) = self.inventory.cluster_of(workload);
        let pods = self.inventory.pods_of(cluster);
        let workload = &self.inventory.workloads[workload as usize];
        let serves = match workload.resource {
            Resource::CloneSets => pods.is_clone_set_available(row, workload.min_ready_s),
            _ => pods.is_available(row, workload.min_ready_s),
        };
        serves && self.runs_its_spec(pods, row)
    }

    fn runs_its_spec(&self, pods: PodsOf<'_>, row: PodRow) -> bool {
        let class = pods.columns.class(row);
        let key = [class.annotations, class.spec, class.status];
        let [annotations, _, status] = key.map(|symbol| pods.texts.text(symbol));
        let find = || runs(annotations, pods.spec(row), status);
        *self.known.borrow_mut().entry(key).or_insert_with(find)
    }
}

fn runs(annotations: &str, spec: &PodSpec, status: &str) -> bool {
    let said: Annotations = serde_json::from_str(annotations).unwrap_or_default();
    let statuses: Vec<Status> = serde_json::from_str(status).unwrap_or_default();
    let mut updates = said.update.iter().chain(said.sidecars.values());
    said.grace.is_none() && updates.all(|update| update.is_complete(spec, &statuses))
}

impl Update {
    /// The image moved, or is what the spec says: a new tag of the same digest moves nothing, and a
    /// runtime may call an image otherwise than the spec does.
    fn is_complete(&self, spec: &PodSpec, statuses: &[Status]) -> bool {
        let next = self.next_container_images.as_ref();
        let is_done = |name: &str, before: &Last| {
            let Some(status) = statuses.iter().find(|status| *status.name == *name) else {
                return false;
            };
            let wanted = spec.container(name).map(|it| &*it.image);
            status.image_id != before.image_id || wanted.is_none_or(|it| is_same(it, &status.image))
        };
        let mut before = self.last_container_statuses.iter();
        next.is_none_or(BTreeMap::is_empty) && before.all(|(name, last)| is_done(name, last))
    }
}

/// Without a tag an image is `latest`.
fn is_same(wanted: &str, runs: &str) -> bool {
    wanted == runs || (!wanted.contains(':') && runs.strip_suffix(":latest") == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::{PodSpec, runs};

    const STATE: &str = r#"{"apps.kruise.io/inplace-update-state":
        {"revision":"r","lastContainerStatuses":{"main":{"imageID":"sha256:1"}}}}"#;

    fn pod(spec: &str, status: &str, image_id: &str) -> (PodSpec, String) {
        let spec = format!(r#"{{"containers":[{{"name":"main","image":"{spec}"}}]}}"#);
        let status = format!(r#"[{{"name":"main","image":"{status}","imageID":"{image_id}"}}]"#);
        (PodSpec::read(&spec), status)
    }

    #[test]
    fn a_pod_that_was_made_so_runs_its_spec() {
        let (spec, status) = pod("cart:2", "sha256:2", "sha256:2");
        assert!(runs("{}", &spec, &status));
    }

    #[test]
    fn an_update_is_over_when_the_image_moved_or_is_the_one_of_the_spec() {
        let (spec, status) = pod("cart:2", "cart:1", "sha256:1");
        assert!(!runs(STATE, &spec, &status));
        let (spec, status) = pod("cart:2", "another name", "sha256:2");
        assert!(runs(STATE, &spec, &status));
        let (spec, status) = pod("cart:2", "cart:2", "sha256:1");
        assert!(runs(STATE, &spec, &status), "two tags of one digest");
        let (spec, status) = pod("cart", "cart:latest", "sha256:1");
        assert!(runs(STATE, &spec, &status));
    }

    #[test]
    fn a_grace_period_and_a_batch_to_come_are_waited_for() {
        let (spec, status) = pod("cart:2", "cart:2", "sha256:2");
        let grace = r#"{"apps.kruise.io/inplace-update-grace":{"revision":"r","graceSeconds":5}}"#;
        assert!(!runs(grace, &spec, &status));
        let next = STATE.replace(
            r#""revision":"r","#,
            r#""nextContainerImages":{"log":"log:2"},"#,
        );
        assert!(!runs(&next, &spec, &status));
    }
}
