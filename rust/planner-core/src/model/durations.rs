//! How long a move takes: as runs before saw it, else as pods that are there started, else as a rule.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{diff::Kind, kube::workload::Workload};

/// From the new image in the spec to a Ready container, where no start was seen.
const RESTART_MS: u64 = 15_000;
/// From a new pod to a Ready one (scheduling, pull, start), where no start was seen.
const START_MS: u64 = 30_000;
/// What a termination takes at most of its grace period, as a rule.
const TERMINATION_MAX_MS: u64 = 30_000;
const GRACE_S_DEFAULT: u64 = 30;

/// What runs before saw: milliseconds of a move by its kind, by workload
/// (`cluster/namespace/kind/name`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Durations(BTreeMap<Box<str>, BTreeMap<Box<str>, u64>>);

/// Those of one workload.
#[derive(Clone, Copy, Debug)]
pub(super) struct DurationsOf<'a> {
    workload: &'a Workload<'a>,
    seen: Option<&'a BTreeMap<Box<str>, u64>>,
    start_ms: Option<u64>,
}

impl Durations {
    /// Those of a workload; `start_ms` as [`Starts::ms`](super::starts::Starts::ms) has it.
    pub(super) fn of<'a>(
        &'a self,
        workload: &'a Workload<'_>,
        start_ms: Option<u64>,
    ) -> DurationsOf<'a> {
        // Names cost more than what they find where nothing was seen.
        let is_known = !self.0.is_empty();
        let seen = is_known.then(|| self.0.get(&*workload.place())).flatten();
        DurationsOf {
            workload,
            seen,
            start_ms,
        }
    }
}

impl DurationsOf<'_> {
    /// Milliseconds until the pod (or the one in its place) is available again.
    pub(super) fn ms(self, kind: Kind) -> u64 {
        let available_ms = u64::from(self.workload.min_ready_s) * 1000;
        let seen = self.seen.and_then(|seen| seen.get(kind.text()));
        match seen {
            // What was seen has the time in it that a pod has to be Ready; it may be longer by now.
            Some(seen) => (*seen).max(available_ms),
            None => available_ms + rule(self.workload, kind, self.start_ms).ms(),
        }
    }
}

/// What is expected of a move of which nobody has seen how long it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// A grace period: it takes so long, or is cut off there.
    pub grace_ms: u64,
    /// The start of a pod or container.
    pub start_ms: u64,
}

impl Rule {
    fn ms(self) -> u64 {
        self.grace_ms + self.start_ms
    }
}

/// What is expected of a move where pods took `start_ms` to start, or nobody saw how long. A restart
/// does what a start does, but for scheduling and for init containers.
pub(super) fn rule(workload: &Workload, kind: Kind, start_ms: Option<u64>) -> Rule {
    let (grace_ms, unseen_ms) = match kind {
        Kind::InPlace => (
            u64::from(workload.strategy.grace_in_place_s) * 1000,
            RESTART_MS,
        ),
        Kind::Surge => (0, START_MS),
        Kind::Recreate | Kind::Evict | Kind::Delete => (termination_ms(workload), START_MS),
    };
    Rule {
        grace_ms,
        start_ms: start_ms.unwrap_or(unseen_ms),
    }
}

fn termination_ms(workload: &Workload) -> u64 {
    let grace = workload.outline.grace_s;
    (grace.unwrap_or(GRACE_S_DEFAULT) * 1000).min(TERMINATION_MAX_MS)
}
