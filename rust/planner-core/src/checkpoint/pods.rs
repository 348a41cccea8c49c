//! The pods that a run asks for by uid, and how each of them is.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::{PodStanding, Question, settled::Settled};
use crate::{
    batch::flags,
    diff::Diff,
    fleet::PodRow,
    inventory::{ClusterIdx, Inventory},
    kube::owner::uid,
};

/// Cluster and row of a pod.
pub(super) type Place = (ClusterIdx, PodRow);

pub(super) struct Pods<'a> {
    inventory: &'a Inventory<'a>,
    /// What is known of each pod that exists.
    states: HashMap<Place, State, FxBuildHasher>,
}

/// How a pod is, and whether its application differs.
type State = (&'static str, bool);

impl<'a> Pods<'a> {
    pub(super) fn of(inventory: &'a Inventory<'a>, question: &Question) -> Self {
        let mut pods = Self {
            inventory,
            states: HashMap::default(),
        };
        for asked in question.let_go.iter().chain(&question.due) {
            if let Some(place) = pods.place(asked) {
                pods.states.insert(place, ("kept", false));
            }
        }
        pods
    }

    fn place(&self, (cluster, pod): &(String, String)) -> Option<Place> {
        let views = &self.inventory.clusters;
        let at = views.binary_search_by(|view| view.name.cmp(cluster)).ok()?;
        let of = views[at].cluster;
        Some((at as ClusterIdx, of.row(uid(pod)?)?))
    }

    /// Reads off the changes how the pods are.
    pub(super) fn read(&mut self, changes: &Diff, settled: &Settled<'_>) {
        for of in &changes.workloads {
            let (cluster, _) = self.inventory.cluster_of(of.workload);
            for change in &of.changes {
                if let Some(state) = self.states.get_mut(&(cluster, change.row)) {
                    *state = ("here", change.application);
                }
            }
            for row in &of.at_target {
                if let Some(state) = self.states.get_mut(&(cluster, *row)) {
                    let is_back = settled.is_back(of.workload, *row);
                    *state = (if is_back { "done" } else { "settling" }, false);
                }
            }
        }
    }

    /// How pods are, in their order, each with its place; a pod that is gone has none.
    pub(super) fn standings(
        &self,
        asked: &[(String, String)],
    ) -> Vec<(Option<Place>, PodStanding)> {
        asked
            .iter()
            .map(|it| {
                let place = self.place(it);
                (place, place.map_or_else(gone, |place| self.standing(place)))
            })
            .collect()
    }

    fn standing(&self, place: Place) -> PodStanding {
        let (cluster, row) = place;
        let pods = self.inventory.pods_of(cluster);
        let at = row as usize;
        let leaves = pods.columns.has(row, flags::DELETING);
        let (state, old) = self.states[&place];
        PodStanding {
            state: if leaves { "leaving" } else { state },
            old,
            serves: pods.columns.is_ready(row),
            held_by: String::new(),
            namespace: pods
                .texts
                .text(pods.columns.class(row).namespace)
                .to_owned(),
            name: pods.name(row).to_owned(),
            revision: pods.texts.text(pods.columns.class(row).revision).to_owned(),
            node: pods.node(row).to_owned(),
            version: pods.columns.resource_version[at].to_string(),
            deletion_cost: pods.annotations(row).deletion_cost,
        }
    }
}

fn gone() -> PodStanding {
    PodStanding {
        state: "gone",
        ..PodStanding::default()
    }
}
