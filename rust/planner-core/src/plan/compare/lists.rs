//! Budgets, dependencies, unmovable pods and warnings of two plans.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    Both,
    header::{self, Header, Workload},
};

/// A budget that is not the same in both plans.
#[derive(Serialize)]
pub(super) struct Budget<'a> {
    name: &'a str,
    cluster: Option<&'a str>,
    limit: Both<u32>,
    resolved: Both<&'a str>,
    /// Waves in which it is full.
    full_waves: Both<usize>,
}

/// Budgets that came, went or have another limit.
pub(super) fn budgets<'a>(before: &'a Header<'_>, after: &'a Header<'_>) -> Vec<Budget<'a>> {
    let by_name = |header: &'a Header<'_>| {
        let key = |budget: &'a header::Budget<'_>| (&*budget.name, budget.cluster.as_deref());
        let pairs = header.budgets.iter().map(|it| (key(it), it));
        pairs.collect::<BTreeMap<_, _>>()
    };
    let full = |budget: &header::Budget<'_>| budget.headroom.iter().filter(|it| **it <= 0).count();
    let pairs = joined(by_name(before), by_name(after)).into_iter();
    let different = pairs.filter(|(_, pair)| {
        let of = |it: Option<&header::Budget<'_>>| it.map(|it| (it.limit, it.resolved.to_string()));
        of(pair.before) != of(pair.after)
    });
    different
        .map(|((name, cluster), pair)| Budget {
            name,
            cluster,
            limit: pair.map(|it| it.limit),
            resolved: pair.map(|it| &*it.resolved),
            full_waves: pair.map(full),
        })
        .collect()
}

/// A dependency between two workloads that is not the same in both plans.
#[derive(Serialize)]
pub(super) struct Dependency<'a> {
    name: &'a str,
    /// The one that goes first.
    first: &'a Workload<'a>,
    /// The one that waits.
    waits: &'a Workload<'a>,
    /// Moves of the first that have to be done.
    moves: Both<u32>,
}

/// Dependencies that came, went or ask for another number of moves.
pub(super) fn dependencies<'a>(
    before: &'a Header<'_>,
    after: &'a Header<'_>,
) -> Vec<Dependency<'a>> {
    let by_name = |header: &'a Header<'_>| {
        let of = |index: usize| &header.workloads[index];
        let key = |it: &'a header::Dependency<'_>| (&*it.name, of(it.before), of(it.after));
        let pairs = header.dependencies.iter().map(|it| (key(it), it.moves));
        pairs.collect::<BTreeMap<_, _>>()
    };
    let pairs = joined(by_name(before), by_name(after)).into_iter();
    let different = pairs.filter(|(_, moves)| moves.before != moves.after);
    different
        .map(|((name, first, waits), moves)| Dependency {
            name,
            first,
            waits,
            moves,
        })
        .collect()
}

/// Pods that cannot be moved in one of the plans only, or for another reason.
#[derive(Serialize)]
pub(super) struct Unmovable<'a> {
    came: Vec<&'a header::Unmovable<'a>>,
    went: Vec<&'a header::Unmovable<'a>>,
    changed: Vec<ChangedReason<'a>>,
}

/// A pod that cannot be moved in either plan, for another reason.
#[derive(Serialize)]
pub(super) struct ChangedReason<'a> {
    #[serde(flatten)]
    pod: &'a header::Unmovable<'a>,
    reason_before: &'a str,
}

/// Pods that cannot be moved, by what became of them.
pub(super) fn unmovable<'a>(before: &'a Header<'_>, after: &'a Header<'_>) -> Unmovable<'a> {
    let by_name = |header: &'a Header<'_>| {
        let key = |it: &'a header::Unmovable<'_>| (&*it.cluster, &*it.namespace, &*it.pod);
        let pairs = header.unmovable.iter().map(|it| (key(it), it));
        pairs.collect::<BTreeMap<_, _>>()
    };
    let mut found = Unmovable {
        came: Vec::new(),
        went: Vec::new(),
        changed: Vec::new(),
    };
    for pair in joined(by_name(before), by_name(after)).into_values() {
        match (pair.before, pair.after) {
            (Some(pod), None) => found.went.push(pod),
            (None, Some(pod)) => found.came.push(pod),
            (Some(old), Some(pod)) if old.reason != pod.reason => {
                let reason_before = &*old.reason;
                found.changed.push(ChangedReason { pod, reason_before });
            }
            _ => {}
        }
    }
    found
}

/// Warnings of one of the plans only.
#[derive(Serialize)]
pub(super) struct Warnings<'a> {
    came: Vec<&'a str>,
    went: Vec<&'a str>,
}

/// Warnings, by what became of them.
pub(super) fn warnings<'a>(before: &'a Header<'_>, after: &'a Header<'_>) -> Warnings<'a> {
    let only = |one: &'a [Cow<'_, str>], other: &'a [Cow<'_, str>]| {
        let known: BTreeSet<&str> = other.iter().map(|it| &**it).collect();
        let new = one.iter().map(|it| &**it).filter(|it| !known.contains(it));
        new.collect()
    };
    Warnings {
        came: only(&after.warnings, &before.warnings),
        went: only(&before.warnings, &after.warnings),
    }
}

/// What both plans have under each key.
fn joined<K: Ord, V: Copy>(before: BTreeMap<K, V>, after: BTreeMap<K, V>) -> BTreeMap<K, Both<V>> {
    let mut all: BTreeMap<K, Both<V>> = BTreeMap::new();
    for (key, value) in before {
        all.entry(key).or_default().before = Some(value);
    }
    for (key, value) in after {
        all.entry(key).or_default().after = Some(value);
    }
    all
}
