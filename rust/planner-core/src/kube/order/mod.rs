//! In which order the controller of a workload takes its pods.
//!
//! Controllers leave ties to the order of their cache, which nobody can know; here the name decides,
//! so that the same fleet gives the same order. Restarts are the sum over containers, where the
//! controllers look at the container with the most.

mod active;
mod scale_in;

use std::cmp::Reverse;

use super::{
    pod::PodsOf,
    priority::Priority,
    revision::Revisions,
    scatter::{expand, scatter},
    sidecar::SidecarSet,
    workload::{Workload, ordinal},
};
use crate::{fleet::PodRow, resource::Resource};

/// Whether the order binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A pod never goes before one that comes earlier.
    Strict,
    /// Earlier pods are preferred.
    Free,
}

/// Whether the order of this workload's pods binds: it does where they go by ordinal.
#[must_use]
pub fn binding(workload: &Workload) -> Binding {
    match workload.resource {
        Resource::StatefulSets => Binding::Strict,
        Resource::AdvancedStatefulSets if !workload.strategy.unordered => Binding::Strict,
        _ => Binding::Free,
    }
}

/// Whether its controller walks from the highest ordinal down: it stops at a pod that differs and
/// cannot change. With `OnDelete` nobody walks.
#[must_use]
pub fn is_walked(workload: &Workload) -> bool {
    binding(workload) == Binding::Strict && !workload.strategy.on_delete
}

/// The `waiting` pods of a workload in the order in which its controller takes them. `all` are its
/// pods, waiting or not.
#[must_use]
pub fn order(
    workload: &Workload,
    waiting: &[PodRow],
    all: &[PodRow],
    pods: PodsOf<'_>,
    revisions: &Revisions<'_>,
) -> Vec<PodRow> {
    let mut waiting = waiting.to_vec();
    match workload.resource {
        Resource::CloneSets => return clone_set(workload, waiting, all, pods),
        Resource::StatefulSets => waiting.sort_by_cached_key(|row| from_the_top(*row, pods)),
        Resource::AdvancedStatefulSets => {
            waiting.sort_by_cached_key(|row| from_the_top(*row, pods));
            if workload.strategy.unordered {
                by_priority(&workload.strategy.priority, &mut waiting, pods);
            }
        }
        Resource::Deployments => {
            waiting.sort_by_cached_key({
                let ranking = scale_in::Ranking::of(workload, all, pods, revisions);
                move |row| ranking.key(*row)
            });
        }
        // Nodes by name from the end (`openkruise/kruise pkg/controller/daemonset
        // filterDaemonPodsNodeToUpdate`).
        Resource::AdvancedDaemonSets => {
            waiting.sort_by_cached_key(|row| (Reverse(pods.node(*row)), pods.name(*row)));
        }
        // The native controller goes through a Go map, in no order at all.
        _ => waiting.sort_by_cached_key(|row| (pods.node(*row), pods.name(*row))),
    }
    waiting
}

/// `openkruise/kruise pkg/controller/cloneset/sync SortUpdateIndexes`: the base order, then
/// priority, then scatter, and in front the pods whose update has begun.
fn clone_set(
    workload: &Workload,
    mut waiting: Vec<PodRow>,
    all: &[PodRow],
    pods: PodsOf<'_>,
) -> Vec<PodRow> {
    waiting.sort_by_cached_key(|row| active::key(*row, pods));
    by_priority(&workload.strategy.priority, &mut waiting, pods);
    let mut waiting = scatter(&workload.strategy.scatter, waiting, all, pods);
    waiting.sort_by_key(|row| !has_begun(*row, pods));
    waiting
}

fn has_begun(row: PodRow, pods: PodsOf<'_>) -> bool {
    pods.lifecycle(row) == "PreparingUpdate"
}

/// Whether the controller of a workload takes this pod by its rank alone, so that whoever has a
/// lower one goes before it: a `CloneSet` that scatters nothing does, but for pods whose update has
/// begun.
#[must_use]
pub fn is_ranked(workload: &Workload, row: PodRow, pods: PodsOf<'_>) -> bool {
    workload.resource == Resource::CloneSets
        && workload.strategy.scatter.is_empty()
        && !has_begun(row, pods)
}

/// Whether two pods have the same rank, so that nobody knows which of them goes first.
#[must_use]
pub fn are_alike(workload: &Workload, a: PodRow, b: PodRow, pods: PodsOf<'_>) -> bool {
    let rank = |row| {
        let priority = workload.strategy.priority.rank(&pods.labels(row));
        (priority, active::rank(row, pods))
    };
    rank(a) == rank(b)
}

/// The `waiting` pods of a `SidecarSet` in the order in which its controller takes them; `matched`
/// are all its pods (`openkruise/kruise pkg/controller/sidecarset SortUpdateIndexes`).
#[must_use]
pub fn sidecar_order(
    set: &SidecarSet,
    waiting: &[PodRow],
    matched: &[PodRow],
    pods: PodsOf<'_>,
) -> Vec<PodRow> {
    let mut waiting = waiting.to_vec();
    waiting.sort_by_cached_key(|row| active::key(*row, pods));
    by_priority(&set.priority, &mut waiting, pods);
    scatter(&expand(&set.scatter, matched, pods), waiting, matched, pods)
}

/// Within a priority the order stays as it is.
fn by_priority(priority: &Priority, waiting: &mut [PodRow], pods: PodsOf<'_>) {
    if !priority.is_empty() {
        waiting.sort_by_cached_key(|row| priority.rank(&pods.labels(*row)));
    }
}

/// The highest ordinal first (`kubernetes pkg/controller/statefulset
/// updateStatefulSetAfterInvariantEstablished`); a pod without ordinal is not the set's own and
/// goes last.
fn from_the_top(row: PodRow, pods: PodsOf<'_>) -> (Reverse<Option<u32>>, &str) {
    let name = pods.name(row);
    (Reverse(ordinal(name)), name)
}
