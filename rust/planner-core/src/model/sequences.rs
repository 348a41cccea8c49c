//! Which pods go before which others, wherever they are: zones one after the other, a cluster before
//! the rest, leaders after their followers.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::ledger::Ledger;
use crate::{
    diff::{Diff, Leaves, WorkloadChanges},
    fleet::PodRow,
    inventory::{ClusterIdx, WorkloadIdx},
    kube::order::Binding,
    request::{Each, Phase as Asked, Request, Sequence},
    schedule::problem::{Phase, PhaseIdx},
};

/// What a phase of the problem stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseOf {
    /// Its sequence, by name.
    pub sequence: String,
    /// The same by its place among those of the request.
    pub index: u32,
    /// Where the sequence is kept; nothing when there is only one.
    pub place: String,
    /// Its own name.
    pub name: String,
}

/// The phases of all sequences, and what is of them.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    /// Those of a sequence one after the other.
    pub phases: Vec<Phase>,
    /// What each stands for.
    pub of_phases: Vec<PhaseOf>,
    /// Of each workload of the diff; nothing without sequences.
    of: Vec<InPhases>,
    /// What people should know.
    pub warnings: Vec<String>,
}

/// The phases of the changes of a workload.
#[derive(Clone, Debug, Default)]
pub(super) struct InPhases {
    /// By change; nothing when none is of any.
    each: Vec<Vec<PhaseIdx>>,
    /// Whether they go before the order of its controller, which evicts none of them.
    pub is_free: bool,
}

impl InPhases {
    /// The phases of a change.
    pub fn of(&self, change: usize) -> &[PhaseIdx] {
        self.each.get(change).map_or(&[], |phases| phases)
    }
}

/// A phase: its sequence, where the sequence is kept, which one, and what people call it.
type Key = (usize, String, Turn);

/// Phases that are written down go by their number, others by name.
type Turn = (usize, String);

impl Sequences {
    pub fn of(ledger: &Ledger<'_>, request: &Request, diff: &Diff) -> Self {
        let sequences = &request.spec.sequences;
        if sequences.is_empty() {
            return Self::default();
        }
        let found: Vec<Found> = diff
            .workloads
            .par_iter()
            .map(|changes| Found::of(ledger, diff, sequences, changes))
            .collect();
        let keys: BTreeSet<&Key> = found
            .iter()
            .flat_map(|it| it.keys.iter().flatten())
            .collect();
        let (mut phases, mut of_phases) = (Vec::new(), Vec::new());
        let mut known = BTreeMap::new();
        let mut before: Option<&Key> = None;
        for key in keys {
            known.insert(key, phases.len() as PhaseIdx);
            phases.push(Phase {
                name: phase_name(sequences, key).into(),
                follows: before.is_some_and(|it| (it.0, &it.1) == (key.0, &key.1)),
            });
            of_phases.push(PhaseOf {
                sequence: sequences[key.0].name.clone(),
                index: key.0 as u32,
                place: key.1.clone(),
                name: key.2.1.clone(),
            });
            before = Some(key);
        }
        let mut warnings: Vec<String> = found.iter().flat_map(|it| it.warnings.clone()).collect();
        let follows = |of: usize| {
            let mut its = known.iter().filter(|(key, _)| key.0 == of);
            its.any(|(_, phase)| phases[*phase as usize].follows)
        };
        let idle = (0..sequences.len()).filter(|of| !follows(*of));
        warnings.extend(idle.map(|of| {
            let name = &sequences[of].name;
            format!("sequence {name}: nothing goes after anything by it")
        }));
        let number = |keys: &Vec<Key>| keys.iter().map(|key| known[key]).collect();
        let of = found.iter().map(|it| InPhases {
            each: it.keys.iter().map(number).collect(),
            is_free: it.is_free,
        });
        let of = of.collect();
        Self {
            phases,
            of_phases,
            of,
            warnings,
        }
    }

    /// Those of a workload of the diff.
    pub fn of_workload(&self, at: usize) -> InPhases {
        self.of.get(at).cloned().unwrap_or_default()
    }
}

/// What people call a phase.
fn phase_name(sequences: &[Sequence], (of, place, (_, phase)): &Key) -> String {
    let name = &sequences[*of].name;
    match &**place {
        "" => format!("{name}: {phase}"),
        place => format!("{name}: {place}: {phase}"),
    }
}

/// What the changes of a workload are of.
#[derive(Default)]
struct Found {
    /// By change.
    keys: Vec<Vec<Key>>,
    is_free: bool,
    warnings: Vec<String>,
}

impl Found {
    fn of(
        ledger: &Ledger<'_>,
        diff: &Diff,
        sequences: &[Sequence],
        changes: &WorkloadChanges,
    ) -> Self {
        let binds = changes.binding == Binding::Strict;
        let mut found = Self {
            keys: vec![Vec::new(); changes.changes.len()],
            is_free: binds && changes.changes.iter().all(|it| only_leaves(diff, it)),
            ..Self::default()
        };
        let mut crosses = false;
        for (of, sequence) in sequences.iter().enumerate() {
            let at = At {
                ledger,
                diff,
                of,
                sequence,
            };
            let several = binds && at.several(changes.workload);
            crosses |= several;
            if several && !found.is_free {
                let name = ledger.inventory.workloads[changes.workload as usize].place();
                found.warnings.push(format!(
                    "sequence {}: {name} keeps its own order, for its pods are of several phases",
                    sequence.name
                ));
                continue;
            }
            for (change, keys) in changes.changes.iter().zip(&mut found.keys) {
                keys.extend(at.key(changes.workload, change.row));
            }
        }
        found.is_free &= crosses;
        found
    }
}

/// Whether nothing is asked of a pod but to leave its node.
fn only_leaves(diff: &Diff, change: &crate::diff::Change) -> bool {
    change.leaves == Leaves::Evicted && diff.containers[change.containers as usize].is_empty()
}

/// One sequence over the fleet.
struct At<'a> {
    ledger: &'a Ledger<'a>,
    diff: &'a Diff,
    of: usize,
    sequence: &'a Sequence,
}

impl At<'_> {
    /// Whether pods of a workload are of several phases of which one waits for another.
    fn several(&self, workload: WorkloadIdx) -> bool {
        let mut first: BTreeMap<String, Turn> = BTreeMap::new();
        let inventory = self.ledger.inventory;
        let (_, view) = inventory.cluster_of(workload);
        // Who is down is of no phase.
        let serves = |row: &&PodRow| view.cluster.pods.is_ready(**row);
        let rows = inventory.pods[workload as usize].iter().filter(serves);
        let mut keys = rows.filter_map(|row| self.key(workload, *row));
        keys.any(|(_, place, turn)| *first.entry(place).or_insert_with(|| turn.clone()) != turn)
    }

    /// The phase of a pod.
    fn key(&self, workload: WorkloadIdx, row: PodRow) -> Option<Key> {
        let inventory = self.ledger.inventory;
        let (cluster, _) = inventory.cluster_of(workload);
        if self.sequence.drained && !self.diff.drained.leaves(inventory, cluster, row) {
            return None;
        }
        let place = self.ledger.place_of(self.sequence.scope, cluster, row)?;
        let turn = match self.sequence.each {
            Some(each) => (0, self.each(each, cluster, row)?),
            None => self.turn(cluster, row),
        };
        Some((self.of, place, turn))
    }

    fn each(&self, each: Each, cluster: ClusterIdx, row: PodRow) -> Option<String> {
        let view = &self.ledger.inventory.clusters[cluster as usize];
        match each {
            Each::Cluster => Some(view.name.to_owned()),
            Each::Zone => self.zone(cluster, row).map(str::to_owned),
            Each::Node => {
                let node = self.node(cluster, row)?;
                Some(format!("{}/{node}", view.name))
            }
        }
    }

    fn node(&self, cluster: ClusterIdx, row: PodRow) -> Option<&str> {
        let inventory = self.ledger.inventory;
        let node = inventory.clusters[cluster as usize].cluster.pods.node[row as usize];
        Some(inventory.fleet.texts.text(node)).filter(|name| !name.is_empty())
    }

    fn zone(&self, cluster: ClusterIdx, row: PodRow) -> Option<&str> {
        let view = &self.ledger.inventory.clusters[cluster as usize];
        let zone = view.zones.get(&view.cluster.pods.node[row as usize])?;
        Some(&view.zone_names[*zone as usize])
    }

    /// The first phase that a pod matches; what matches none comes after all.
    fn turn(&self, cluster: ClusterIdx, row: PodRow) -> Turn {
        let phases = &self.sequence.phases;
        let found = phases.iter().position(|it| self.matches(it, cluster, row));
        found.map_or((phases.len(), "the rest".to_owned()), |at| {
            (at, phases[at].name.clone())
        })
    }

    fn matches(&self, phase: &Asked, cluster: ClusterIdx, row: PodRow) -> bool {
        let inventory = self.ledger.inventory;
        let view = &inventory.clusters[cluster as usize];
        let is = |wanted: &Option<String>, it: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| it == Some(wanted))
        };
        let namespace = inventory
            .fleet
            .texts
            .text(view.cluster.pods.class(row).namespace);
        let pods = inventory.pods_of(cluster);
        let selector = phase.selector.as_ref();
        is(&phase.cluster, Some(view.name))
            && is(&phase.namespace, Some(namespace))
            && is(&phase.zone, self.zone(cluster, row))
            && selector.is_none_or(|it| it.matches(&pods.labels(row)))
    }
}
