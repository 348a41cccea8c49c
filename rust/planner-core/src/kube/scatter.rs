//! Spreading some pods evenly among the others.
//!
//! `openkruise/kruise pkg/util/updatesort scatterSort`, with its habits: nothing happens when at
//! most one pod matches or at most one does not, and the last pod that matches goes last of all.

use super::{pod::PodsOf, priority::ScatterTerm, selector::Labels};
use crate::fleet::PodRow;

/// Reorders `waiting`; `all` are the pods of the workload, whose density counts as well.
#[must_use]
pub fn scatter(
    terms: &[ScatterTerm],
    mut waiting: Vec<PodRow>,
    all: &[PodRow],
    pods: PodsOf<'_>,
) -> Vec<PodRow> {
    for term in by_frequency(terms, &waiting, pods) {
        waiting = scatter_by(&term, waiting, all, pods);
    }
    waiting
}

/// The terms with every `*` replaced by the values that the pods carry, as a `SidecarSet` allows
/// (`openkruise/kruise pkg/controller/sidecarset parseUpdateScatterTerms`). Values come in order:
/// the controller takes them as its cache does.
#[must_use]
pub fn expand(terms: &[ScatterTerm], all: &[PodRow], pods: PodsOf<'_>) -> Vec<ScatterTerm> {
    let mut expanded: Vec<ScatterTerm> = Vec::new();
    for term in terms {
        let mut values = vec![term.value.clone()];
        if &*term.value == "*" {
            let seen = all
                .iter()
                .filter_map(|row| Some(pods.labels(*row).get(&term.key)?.into()));
            values = seen.collect();
            values.sort_unstable();
            values.dedup();
        }
        for value in values {
            let term = ScatterTerm {
                key: term.key.clone(),
                value,
            };
            if !expanded.contains(&term) {
                expanded.push(term);
            }
        }
    }
    expanded
}

/// Terms that match most pods first; of several, those that match none drop out.
fn by_frequency(terms: &[ScatterTerm], waiting: &[PodRow], pods: PodsOf<'_>) -> Vec<ScatterTerm> {
    if let [only] = terms {
        return vec![only.clone()];
    }
    let matching = |term: &ScatterTerm| {
        waiting
            .iter()
            .filter(|row| is_match(term, **row, pods))
            .count()
    };
    let mut counted: Vec<_> = terms
        .iter()
        .map(|term| (matching(term), term))
        .filter(|(count, _)| *count > 0)
        .collect();
    counted.sort_by(|(a, _), (b, _)| b.cmp(a));
    counted.into_iter().map(|(_, term)| term.clone()).collect()
}

fn is_match(term: &ScatterTerm, row: PodRow, pods: PodsOf<'_>) -> bool {
    pods.labels(row).get(&term.key).unwrap_or_default() == &*term.value
}

fn scatter_by(
    term: &ScatterTerm,
    waiting: Vec<PodRow>,
    all: &[PodRow],
    pods: PodsOf<'_>,
) -> Vec<PodRow> {
    let (mut matched, others): (Vec<PodRow>, Vec<PodRow>) =
        waiting.iter().partition(|row| is_match(term, **row, pods));
    if matched.len() <= 1 || others.len() <= 1 {
        return waiting;
    }
    let last = matched.pop();
    let all_matched = all.iter().filter(|row| is_match(term, **row, pods)).count();
    let total = Counts {
        matched: all_matched.saturating_sub(1).max(matched.len()),
        others: (all.len() - all_matched).max(others.len()),
    };
    let groups = Groups::of(
        total,
        Counts {
            matched: matched.len(),
            others: others.len(),
        },
    );
    let (ahead, others) = others.split_at(groups.ahead);
    let mut ordered = ahead.to_vec();
    let (mut matched, mut others) = (&matched[..], others);
    for _ in 0..groups.count {
        take(&mut matched, groups.size.matched, &mut ordered);
        take(&mut others, groups.size.others, &mut ordered);
    }
    ordered.extend(matched.iter().chain(others).chain(&last));
    ordered
}

fn take(from: &mut &[PodRow], size: usize, to: &mut Vec<PodRow>) {
    let (taken, left) = from.split_at(size.min(from.len()));
    to.extend(taken);
    *from = left;
}

/// Pods that match a term and pods that do not; both at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    matched: usize,
    others: usize,
}

impl Counts {
    fn others_per_matched(self) -> f32 {
        self.others as f32 / self.matched as f32
    }

    /// As many groups as there are of the rarer; sizes to the nearest.
    fn grouped(self) -> (usize, Self) {
        let count = self.matched.min(self.others);
        let size = |pods: usize| (2 * pods + count) / (2 * count);
        (
            count,
            Self {
                matched: size(self.matched),
                others: size(self.others),
            },
        )
    }
}

/// How the two kinds of pods alternate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Groups {
    count: usize,
    size: Counts,
    /// Pods that do not match and go before the first group.
    ahead: usize,
}

impl Groups {
    /// When fewer of the waiting pods match than of all pods, those are as dense as among all, and
    /// what does not match beyond that goes first.
    fn of(total: Counts, waiting: Counts) -> Self {
        if total.others_per_matched() >= waiting.others_per_matched() {
            let (count, size) = waiting.grouped();
            return Self {
                count,
                size,
                ahead: 0,
            };
        }
        let (_, size) = total.grouped();
        let count = (waiting.matched / size.matched).min(waiting.others / size.others);
        Self {
            count,
            size,
            ahead: waiting.others - count * size.others,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Groups};

    fn counts(matched: usize, others: usize) -> Counts {
        Counts { matched, others }
    }

    #[test]
    fn waiting_pods_alternate_by_their_own_density() {
        let groups = Groups::of(counts(3, 7), counts(3, 7));
        assert_eq!(
            groups,
            Groups {
                count: 3,
                size: counts(1, 2),
                ahead: 0
            }
        );
        let reverse = Groups::of(counts(7, 3), counts(7, 3));
        assert_eq!(
            reverse,
            Groups {
                count: 3,
                size: counts(2, 1),
                ahead: 0
            }
        );
    }

    #[test]
    fn rare_pods_wait_until_they_are_as_dense_as_among_all() {
        let groups = Groups::of(counts(4, 8), counts(2, 8));
        assert_eq!(
            groups,
            Groups {
                count: 2,
                size: counts(1, 2),
                ahead: 4
            }
        );
    }
}
