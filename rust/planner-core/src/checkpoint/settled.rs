//! Whether a pod at the target is back: it serves for long enough, and its containers truly run what
//! its spec says.
//!
//! A revision label is no proof: with a grace period the label comes before the image, and a pod whose
//! containers start in batches has images still to come (`openkruise/kruise pkg/util/inplaceupdate
//! DefaultCheckInPlaceUpdateCompleted`). What of that takes the whole pod was asked when it was
//! observed, and a bit is left of it.

use std::{cell::RefCell, collections::BTreeMap};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    batch::flags,
    fleet::{PodRow, Symbol},
    inventory::{Inventory, WorkloadIdx},
    kube::inplace::runs_image,
    kube::pod::{PodSpec, PodsOf},
    resource::Resource,
};

/// Asks each combination of texts once.
pub(super) struct Settled<'a> {
    inventory: &'a Inventory<'a>,
    known: RefCell<HashMap<([Symbol; 3], bool), bool, FxBuildHasher>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "apps.kruise.io/inplace-update-state")]
    update: Option<Update>,
    /// Of before `OpenKruise` 1.0, as the other without a prefix.
    #[serde(rename = "inplace-update-state")]
    update_old: Option<Update>,
    #[serde(rename = "apps.kruise.io/inplace-update-grace")]
    grace: Option<IgnoredAny>,
    #[serde(rename = "inplace-update-grace")]
    grace_old: Option<IgnoredAny>,
    #[serde(rename = "kruise.io/sidecarset-inplace-update-state")]
    sidecars: BTreeMap<Box<str>, Update>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Update {
    last_container_statuses: BTreeMap<Box<str>, Last>,
    #[serde(rename = "updateEnvFromMetadata")]
    is_of_variables: bool,
    #[serde(rename = "updateResources")]
    is_of_resources: bool,
    next_container_images: BTreeMap<Box<str>, Box<str>>,
    next_container_ref_metadata: Vec<IgnoredAny>,
    next_container_resources: Vec<IgnoredAny>,
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
        let is_over = pods.columns.has(row, flags::IN_PLACE_UPDATE_OVER);
        let find = || runs(annotations, pods.spec(row), status, is_over);
        *self
            .known
            .borrow_mut()
            .entry((key, is_over))
            .or_insert_with(find)
    }
}

/// `is_over` says of the update of the application what was asked when the pod was observed.
fn runs(annotations: &str, spec: &PodSpec, status: &str, is_over: bool) -> bool {
    // An update that OpenKruise cannot read does not end.
    let Ok(said) = serde_json::from_str::<Annotations>(annotations) else {
        return false;
    };
    let statuses: Vec<Status> = serde_json::from_str(status).unwrap_or_default();
    let update = said.update.or(said.update_old);
    let mut sidecars = said.sidecars.values();
    said.grace.is_none()
        && said.grace_old.is_none()
        && update.is_none_or(|update| {
            let by_images = || !update.is_of_more() && update.runs_images(spec, &statuses);
            !update.is_to_go_on() && (is_over || by_images())
        })
        && sidecars.all(|update| update.runs_images(spec, &statuses))
}

impl Update {
    /// Whether it has a batch to come.
    fn is_to_go_on(&self) -> bool {
        !self.next_container_images.is_empty()
            || !self.next_container_ref_metadata.is_empty()
            || !self.next_container_resources.is_empty()
    }

    /// Whether images do not tell that it is over.
    fn is_of_more(&self) -> bool {
        self.is_of_variables || self.is_of_resources
    }

    fn runs_images(&self, spec: &PodSpec, statuses: &[Status]) -> bool {
        self.last_container_statuses.iter().all(|(name, before)| {
            let status = statuses.iter().find(|status| status.name == *name);
            let wanted = spec.container(name).map(|it| &*it.image);
            status.is_some_and(|it| runs_image(wanted, &before.image_id, &it.image, &it.image_id))
        })
    }
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
        assert!(runs("{}", &spec, &status, false));
    }

    #[test]
    fn an_update_is_over_when_the_image_moved_or_is_the_one_of_the_spec() {
        let (spec, status) = pod("cart:2", "cart:1", "sha256:1");
        assert!(!runs(STATE, &spec, &status, false));
        let (spec, status) = pod("cart:2", "another name", "sha256:2");
        assert!(runs(STATE, &spec, &status, false));
        let (spec, status) = pod("cart:2", "cart:2", "sha256:1");
        assert!(runs(STATE, &spec, &status, false), "two tags of one digest");
        let (spec, status) = pod("cart", "cart:latest", "sha256:1");
        assert!(runs(STATE, &spec, &status, false));
    }

    #[test]
    fn a_new_tag_of_one_digest_is_over_when_its_pod_said_so() {
        let (spec, status) = pod("cart:2", "sha256:0", "sha256:1");
        assert!(!runs(STATE, &spec, &status, false), "nobody told");
        assert!(runs(STATE, &spec, &status, true));
    }

    #[test]
    fn images_do_not_tell_of_variables_and_resources() {
        let (spec, status) = pod("cart:2", "cart:2", "sha256:2");
        for of in ["updateEnvFromMetadata", "updateResources"] {
            let state = STATE.replace(r#""revision""#, &format!(r#""{of}":true,"revision""#));
            assert!(!runs(&state, &spec, &status, false), "{of}");
            assert!(runs(&state, &spec, &status, true), "{of}");
        }
    }

    #[test]
    fn a_grace_period_and_a_batch_to_come_are_waited_for() {
        let (spec, status) = pod("cart:2", "cart:2", "sha256:2");
        for key in [
            "apps.kruise.io/inplace-update-grace",
            "inplace-update-grace",
        ] {
            for grace in [r#"{"revision":"r","graceSeconds":5}"#, r#""unreadable""#] {
                let grace = format!(r#"{{"{key}":{grace}}}"#);
                assert!(!runs(&grace, &spec, &status, true), "{grace}");
            }
        }
        for next in [
            r#""nextContainerImages":{"log":"log:2"}"#,
            r#""nextContainerRefMetadata":["log"]"#,
            r#""nextContainerResources":["log"]"#,
        ] {
            let next = STATE.replace(r#""revision":"r""#, next);
            assert!(!runs(&next, &spec, &status, true), "{next}");
        }
    }

    #[test]
    fn an_update_is_read_by_its_name_of_before_and_is_not_over_unread() {
        let (spec, status) = pod("cart:2", "cart:1", "sha256:1");
        let old = STATE.replace("apps.kruise.io/", "");
        assert!(!runs(&old, &spec, &status, false));
        let unread = r#"{"apps.kruise.io/inplace-update-state":"unreadable"}"#;
        assert!(!runs(unread, &spec, &status, false));
    }
}
