//! The order that `OpenKruise` starts from: what serves least goes first.

use std::cmp::Reverse;

use crate::{batch::flags, fleet::PodRow, kube::pod::PodsOf};

/// The rank, and the name of those that the controller cannot tell apart.
pub(super) fn key(row: PodRow, pods: PodsOf<'_>) -> impl Ord + use<'_> {
    (rank(row, pods), pods.name(row))
}

/// The smaller, the earlier: unassigned; Pending, Unknown, Running; not Ready; Ready for less
/// time; more restarts; newer (`kubernetes pkg/controller ActivePods.Less`, which
/// `openkruise/kruise pkg/controller/cloneset/core GetPodsSortFunc` uses).
pub(super) fn rank(row: PodRow, pods: PodsOf<'_>) -> impl Ord + use<> {
    let at = row as usize;
    let ready = pods.columns.has(row, flags::READY);
    let ready_since = if ready {
        newer_first(pods.columns.ready_since_s[at])
    } else {
        Reverse(0)
    };
    (
        pods.is_assigned(row),
        phase(row, pods),
        ready,
        ready_since,
        Reverse(pods.columns.restarts[at]),
        newer_first(pods.columns.created_s[at]),
    )
}

/// Pending, then Unknown, then Running; a phase that the controllers do not rank is as Pending.
pub(super) fn phase(row: PodRow, pods: PodsOf<'_>) -> u8 {
    let columns = pods.columns;
    match () {
        () if columns.has(row, flags::RUNNING) => 2,
        () if columns.has(row, flags::PENDING) || columns.is_finished(row) => 0,
        () => 1,
    }
}

/// Later times go first, and a time that is not known before all (`afterOrZero`).
pub(super) fn newer_first(seconds: u32) -> Reverse<u32> {
    Reverse(if seconds == 0 { u32::MAX } else { seconds })
}
