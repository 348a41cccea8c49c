//! Which pods move together: those of a namespace with the same value of a label.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{
    diff::{Diff, Unmovable, WorkloadChanges},
    fleet::PodRow,
    inventory::{ClusterIdx, Inventory},
    kube::selector::Labels,
    request::{self, Request},
    schedule::problem::{Gang, GangIdx},
};

/// What a gang of the problem stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GangOf {
    /// Its entry in the request, by its place there.
    pub entry: usize,
    /// Why it cannot move as a whole, where that is not for the scheduler to find.
    pub torn_by: Option<String>,
}

/// The gangs of a fleet, and who is of them.
#[derive(Debug, Default)]
pub(super) struct Gangs {
    pub posed: Vec<Gang>,
    pub stand_for: Vec<GangOf>,
    /// Names of the entries of the request.
    pub entries: Vec<String>,
    /// By workload of the diff and by change; nothing without gangs.
    of: Vec<Vec<Option<GangIdx>>>,
    known: BTreeMap<Key, GangIdx>,
}

/// An entry of the request, a cluster, a namespace there, and a value of the label.
type Key = (usize, ClusterIdx, String, String);

/// The gangs of the changes of one workload.
#[derive(Clone, Debug, Default)]
pub(super) struct InGangs(Vec<Option<GangIdx>>);

impl InGangs {
    /// The gang of a change.
    pub fn of(&self, change: usize) -> Option<GangIdx> {
        self.0.get(change).copied().flatten()
    }
}

impl Gangs {
    /// Of the pods that serve and differ; who is alone is of no gang.
    pub fn of(inventory: &Inventory<'_>, request: &Request, diff: &Diff) -> Self {
        let entries = &request.spec.gangs;
        if entries.is_empty() {
            return Self::default();
        }
        let key = |cluster, row| key_of(inventory, entries, cluster, row);
        let of_workload = |changes: &WorkloadChanges| {
            let (cluster, _) = inventory.cluster_of(changes.workload);
            let changes = changes.changes.iter();
            changes.map(|it| key(cluster, it.row)).collect::<Vec<_>>()
        };
        let keys: Vec<Vec<Option<Key>>> = diff.workloads.par_iter().map(of_workload).collect();
        let stays = diff.unmovable.iter().filter(|pod| !pod.is_left_out());
        let stays: Vec<(Key, &Unmovable)> = stays
            .filter_map(|pod| Some((key(pod.cluster, pod.row)?, pod)))
            .collect();
        let mut members: BTreeMap<&Key, u32> = BTreeMap::new();
        let all = keys.iter().flatten().flatten();
        for key in all.chain(stays.iter().map(|(key, _)| key)) {
            *members.entry(key).or_default() += 1;
        }
        members.retain(|_, count| *count > 1);
        let mut gangs = Self {
            entries: entries.iter().map(|it| it.name.clone()).collect(),
            ..Self::default()
        };
        for key in members.into_keys() {
            gangs
                .known
                .insert(key.clone(), gangs.posed.len() as GangIdx);
            let (entry, cluster, namespace, value) = key;
            let (name, cluster) = (
                &entries[*entry].name,
                inventory.clusters[*cluster as usize].name,
            );
            gangs.posed.push(Gang {
                name: format!("{name}: {cluster}/{namespace}/{value}").into(),
                is_torn: false,
            });
            gangs.stand_for.push(GangOf {
                entry: *entry,
                torn_by: None,
            });
        }
        let number = |key: Option<Key>| key.and_then(|key| gangs.known.get(&key).copied());
        let numbers = |keys: Vec<Option<Key>>| keys.into_iter().map(number).collect();
        gangs.of = keys.into_iter().map(numbers).collect();
        for (key, pod) in stays {
            gangs.tear_of(&key, || cannot_move(inventory, pod));
        }
        gangs
    }

    /// Those of a workload of the diff.
    pub fn of_workload(&self, at: usize) -> InGangs {
        InGangs(self.of.get(at).cloned().unwrap_or_default())
    }

    /// Tears the gangs of pods that were refused.
    pub fn tear(&mut self, inventory: &Inventory<'_>, request: &Request, refused: &[Unmovable]) {
        if self.posed.is_empty() {
            return;
        }
        for pod in refused {
            if let Some(key) = key_of(inventory, &request.spec.gangs, pod.cluster, pod.row) {
                self.tear_of(&key, || cannot_move(inventory, pod));
            }
        }
    }

    fn tear_of(&mut self, key: &Key, why: impl Fn() -> String) {
        if let Some(&gang) = self.known.get(key) {
            self.posed[gang as usize].is_torn = true;
            let of = &mut self.stand_for[gang as usize];
            of.torn_by.get_or_insert_with(why);
        }
    }
}

/// The gang of a pod, if it serves: the first entry that it matches and whose label it has.
fn key_of(
    inventory: &Inventory<'_>,
    entries: &[request::Gang],
    cluster: ClusterIdx,
    row: PodRow,
) -> Option<Key> {
    let pods = inventory.pods_of(cluster);
    if !pods.columns.is_ready(row) {
        return None;
    }
    let labels = pods.labels(row);
    let found = entries.iter().enumerate().find_map(|(at, entry)| {
        let selector = entry.selector.as_ref();
        let is_of = selector.is_none_or(|selector| selector.matches(&labels));
        let value = labels.get(&entry.label_key).filter(|_| is_of)?;
        Some((at, value.to_owned()))
    });
    let (entry, value) = found?;
    let namespace = inventory
        .fleet
        .texts
        .text(pods.columns.class(row).namespace);
    Some((entry, cluster, namespace.to_owned(), value))
}

fn cannot_move(inventory: &Inventory<'_>, pod: &Unmovable) -> String {
    let pods = inventory.pods_of(pod.cluster).columns;
    format!("{} cannot move: {}", pods.name(pod.row), pod.reason)
}
