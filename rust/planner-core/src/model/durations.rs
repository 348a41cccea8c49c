//! How long a move is expected to take, until observed durations are in the log.

use crate::{diff::Kind, kube::workload::Workload};

/// From the new image in the spec to a Ready container.
const RESTART_MS: u64 = 15_000;
/// From a new pod to a Ready one: scheduling, pull, start.
const START_MS: u64 = 30_000;
/// What a termination takes at most of its grace period, as a rule.
const TERMINATION_MAX_MS: u64 = 30_000;
const GRACE_S_DEFAULT: u64 = 30;

/// Milliseconds until the pod (or the one in its place) is available again.
pub(super) fn duration_ms(workload: &Workload, kind: Kind) -> u64 {
    let available_ms = u64::from(workload.min_ready_s) * 1000;
    let moved_ms = match kind {
        Kind::InPlace => u64::from(workload.strategy.grace_in_place_s) * 1000 + RESTART_MS,
        Kind::Surge => START_MS,
        Kind::Recreate | Kind::Evict | Kind::Delete => START_MS + termination_ms(workload),
    };
    moved_ms + available_ms
}

fn termination_ms(workload: &Workload) -> u64 {
    let grace = workload.outline.grace_s;
    (grace.unwrap_or(GRACE_S_DEFAULT) * 1000).min(TERMINATION_MAX_MS)
}
