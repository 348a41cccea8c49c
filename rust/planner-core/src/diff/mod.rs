//! What has to change: for each workload the pods that differ from the target, the kind of move
//! that each needs by its controller's own rules, and what cannot move and why.

mod drain;
mod pod;
pub mod report;
mod room;
mod sidecars;
mod sorting;
pub mod target;
mod warnings;
mod workload;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hash},
};

pub use drain::{Drained, Leaves};
use hashbrown::{HashMap, HashSet, HashTable, hash_table::Entry};
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use crate::{
    fleet::PodRow,
    inventory::{ClusterIdx, Inventory, WorkloadIdx},
    kube::{order::Binding, revision::Revisions, scaled::Resolved, workload::Workload},
    request::{Request, WorkloadRef},
};

/// How a pod is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Containers restart, the pod stays.
    InPlace,
    /// The controller deletes the pod and makes a new one.
    Recreate,
    /// The controller makes a new pod first; the old one goes when the new one is ready.
    Surge,
    /// We evict the pod; its controller makes a new one.
    Evict,
    /// We delete the pod; its controller makes a new one.
    Delete,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 5] = [
        Self::InPlace,
        Self::Recreate,
        Self::Surge,
        Self::Evict,
        Self::Delete,
    ];

    /// As the interface spells it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::InPlace => "in-place",
            Self::Recreate => "recreate",
            Self::Surge => "surge",
            Self::Evict => "evict",
            Self::Delete => "delete",
        }
    }
}

/// Workloads that one core compares at once.
const WORKLOADS_AT_ONCE: usize = 256;

/// Index into [`Diff::containers`].
pub type ContainersIdx = u32;

/// One pod that has to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Row in the pods of the workload's cluster.
    pub row: PodRow,
    /// How.
    pub kind: Kind,
    /// Which containers change to which image.
    pub containers: ContainersIdx,
    /// Bit i: the move changes containers of the i-th sidecar target of the request.
    pub sidecars: u32,
    /// Whether containers of the workload itself change.
    pub application: bool,
    /// Whether the pod is at the target after the move (false when a partition keeps a part back).
    pub completes: bool,
    /// Whether the move empties a node.
    pub leaves: Leaves,
}

impl WorkloadChanges {
    /// Whether a pod differs from the target and stays as it is.
    #[must_use]
    pub fn is_kept(&self, row: PodRow) -> bool {
        let is_it = |change: &Change| change.row == row;
        !self.at_target.contains(&row) && !self.changes.iter().any(is_it)
    }
}

impl Change {
    /// Disruptions that it spares as the pod is moved once for several reasons: its application, its
    /// sidecars, its node.
    #[must_use]
    pub fn saves(&self) -> u32 {
        let leaves = u32::from(self.leaves != Leaves::No);
        let reasons = self.sidecars.count_ones() + u32::from(self.application) + leaves;
        reasons.saturating_sub(1)
    }
}

/// The changes of one workload, in the order in which its controller takes the pods.
#[derive(Debug)]
pub struct WorkloadChanges {
    /// Which.
    pub workload: WorkloadIdx,
    /// In order.
    pub changes: Vec<Change>,
    /// Changes of pods that are listed as unmovable; see [`Diff::keep_back`].
    pub kept: Vec<Change>,
    /// Whether that order binds.
    pub binding: Binding,
    /// Pods of the workload that differ, those that cannot move included.
    pub differ: u32,
    /// Of them, those whose application is at the target and that are not leaving already.
    pub current: u32,
    /// Pods of the workload that are at the target.
    pub at_target: Vec<PodRow>,
    /// Why pods are made anew although the policy prefers in place.
    pub why_recreate: Vec<String>,
    /// Whether the request speaks of it, and not only of nodes on which it may have pods.
    pub named: bool,
}

/// A pod that differs from the target and gets no move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmovable {
    /// Its cluster.
    pub cluster: ClusterIdx,
    /// Its row there.
    pub row: PodRow,
    /// Its workload, if it has one.
    pub workload: WorkloadIdx,
    /// Why.
    pub reason: String,
    /// What would help.
    pub remedy: String,
}

/// Why something cannot move, and what would help.
pub type Obstacle = (String, String);

/// Why a pod waits for ever, and what would help: its controller does not pass over one before it.
#[must_use]
pub fn behind(pod: &str) -> Obstacle {
    (
        format!("its controller takes {pod} first, which cannot move"),
        format!("see why {pod} cannot move"),
    )
}

/// The reason of pods at which the stages of the request stop.
pub const STAGES_END: &str = "the stages end before it";

impl Unmovable {
    /// Whether the request itself leaves the pod where it is: no rule is in its way.
    #[must_use]
    pub fn is_left_out(&self) -> bool {
        [pod::EXCLUDED, STAGES_END].contains(&self.reason.as_str())
    }
}

/// A sidecar set that changes in one cluster.
#[derive(Clone, Debug)]
pub struct SidecarSetChange {
    /// Its cluster.
    pub cluster: ClusterIdx,
    /// Its bit in [`Change::sidecars`].
    pub bit: u32,
    /// Its name.
    pub name: String,
    /// Pods that it takes down at once.
    pub limit: Resolved,
    /// Pods at its target that are down.
    pub down: u32,
    /// Pods that differ and that its controller would change, whoever owns them.
    pub behind: u32,
}

/// Everything that has to change.
#[derive(Debug, Default)]
pub struct Diff {
    /// Workloads that the request speaks of, in the order of the inventory.
    pub workloads: Vec<WorkloadChanges>,
    /// Pods that differ and cannot move.
    pub unmovable: Vec<Unmovable>,
    /// Sidecar sets that change.
    pub sidecar_sets: Vec<SidecarSetChange>,
    /// Image by container, each different set once.
    pub containers: Vec<BTreeMap<String, String>>,
    /// Where each set is.
    known_containers: HashTable<ContainersIdx>,
    /// What people should know.
    pub warnings: Vec<String>,
    /// Nodes that are drained.
    pub drained: Drained,
}

impl Diff {
    /// The index of a set of containers; only a new one costs texts of its own.
    fn containers_idx<T>(&mut self, containers: BTreeMap<T, T>) -> ContainersIdx
    where
        T: AsRef<str> + Into<String> + Hash,
    {
        let known = &self.containers;
        let is_same = |index: &ContainersIdx| {
            let pairs = known[*index as usize].iter();
            let pairs = pairs.map(|(name, image)| (&**name, &**image));
            pairs.eq(containers
                .iter()
                .map(|(name, image)| (name.as_ref(), image.as_ref())))
        };
        let entry =
            self.known_containers
                .entry(FxBuildHasher.hash_one(&containers), is_same, |index| {
                    FxBuildHasher.hash_one(&known[*index as usize])
                });
        match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let index = self.containers.len() as ContainersIdx;
                entry.insert(index);
                let owned = containers.into_iter();
                let owned = owned.map(|(name, image)| (name.into(), image.into()));
                self.containers.push(owned.collect());
                index
            }
        }
    }

    /// Appends what was found in other workloads, part by part, its sets of containers by the
    /// indices of here.
    fn absorb(&mut self, mut parts: Vec<Self>) {
        let here: Vec<Vec<ContainersIdx>> = parts
            .iter_mut()
            .map(|part| {
                let containers = std::mem::take(&mut part.containers).into_iter();
                containers.map(|each| self.containers_idx(each)).collect()
            })
            .collect();
        parts.par_iter_mut().zip(here).for_each(|(part, here)| {
            let workloads = part.workloads.iter_mut();
            for change in workloads.flat_map(|workload| &mut workload.changes) {
                change.containers = here[change.containers as usize];
            }
        });
        for part in parts {
            self.workloads.extend(part.workloads);
            self.unmovable.extend(part.unmovable);
        }
    }

    /// Takes pods that were listed as unmovable since out of the changes.
    pub fn keep_back(&mut self) {
        let listed = self.unmovable.iter().map(|pod| (pod.workload, pod.row));
        let listed: HashSet<(WorkloadIdx, PodRow), FxBuildHasher> = listed.collect();
        for each in &mut self.workloads {
            let is_listed = |change: &mut Change| listed.contains(&(each.workload, change.row));
            each.kept = each.changes.extract_if(.., is_listed).collect();
        }
    }

    /// Disruptions that all changes together spare.
    #[must_use]
    pub fn disruptions_saved(&self) -> u64 {
        let changes = self.workloads.iter().flat_map(|workload| &workload.changes);
        changes.map(|change| u64::from(change.saves())).sum()
    }
}

/// Of each workload, whether a dependency of the request waits for it.
fn awaited(inventory: &Inventory<'_>, request: &Request) -> Vec<bool> {
    let mut by_name: HashMap<(&str, &str), Vec<&WorkloadRef>, FxBuildHasher> = HashMap::default();
    for reference in request.spec.dependencies.iter().flat_map(|it| &it.after) {
        let name = (&*reference.namespace, &*reference.name);
        by_name.entry(name).or_default().push(reference);
    }
    let is_awaited = |workload: &Workload<'_>| {
        let named = by_name.get(&(&*workload.namespace, &*workload.name));
        named.is_some_and(|its| its.iter().any(|it| target::names(it, workload)))
    };
    inventory.workloads.iter().map(is_awaited).collect()
}

/// Compares a fleet with the target of a request, for people.
///
/// `inventory` was read with the manifests of the request laid over the observed workloads.
#[must_use]
pub fn diff(inventory: &Inventory<'_>, request: &Request) -> Diff {
    let mut diff = compare(inventory, request);
    diff.workloads.retain(|each| each.named || each.differ > 0);
    diff.warnings
        .extend(room::warnings(inventory, &diff.drained));
    diff
}

/// The same for a run: with workloads of which no pod has to leave a node, and of which the request
/// says nothing else. When pods have left, it has to see who comes in their place.
#[must_use]
pub fn compare(inventory: &Inventory<'_>, request: &Request) -> Diff {
    let mut diff = Diff::default();
    let rules = target::ImageRules::of(request);
    let sidecars = sidecars::SidecarTargets::new(inventory, request, &mut diff);
    let drained = Drained::of(inventory, request, &mut diff.warnings);
    let clusters = inventory.clusters.iter();
    let mut revisions: Vec<Revisions<'_>> = clusters
        .map(|view| Revisions::of(inventory.fleet, view.cluster))
        .collect();
    for (index, workload) in (0..).zip(&inventory.workloads) {
        let (cluster, _) = inventory.cluster_of(index);
        revisions[cluster as usize].tell(workload, inventory.observed_template(index));
    }
    let view = workload::View {
        inventory,
        request,
        rules: &rules,
        sidecars: &sidecars,
        drained: &drained,
        awaited: &awaited(inventory, request),
    };
    let parts: Vec<Diff> = (0..inventory.workloads.len() as WorkloadIdx)
        .into_par_iter()
        .fold_chunks(WORKLOADS_AT_ONCE, Diff::default, |mut part, index| {
            workload::diff_workload(&view, &revisions, index, &mut part);
            part
        })
        .collect();
    diff.absorb(parts);
    pod::diff_orphans(inventory, &rules, &sidecars, &drained, &mut diff);
    diff.drained = drained;
    rules.warn_unused(inventory, &mut diff.warnings);
    diff.warn_of_controllers(inventory);
    diff
}
