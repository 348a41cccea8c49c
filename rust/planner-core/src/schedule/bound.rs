//! Lower bounds on waves and on time, each with what proves it.
//!
//! Over the moves that can be done at all. Four arguments, the largest wins:
//! - a group alone: its stages, and in each wave no more than its budgets ever have room for;
//! - a chain of precedences: such groups one after the other;
//! - a resource: so many moves take from it, so many at once, and only few of them can go in the
//!   first or in the last waves because of what comes before or after them;
//! - calendars (time only): a chain whose waves lie inside what is open.

use super::chains::{Chains, Ends, durations_ms, soaks_ms, successors};
use super::flat::Flat;
use super::load::Loads;
use super::pace::{Pace, stage_sizes};
use super::problem::Problem;
use super::proof::{ChainLink, Proof, Unit};
use super::reach::Reachable;
use super::timed_bound::timed;

/// No schedule has fewer waves, and none takes less time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The fewest waves.
    pub waves: u32,
    /// Why not fewer.
    pub waves_proof: Proof,
    /// The least time in milliseconds.
    pub ms: u64,
    /// Why not less.
    pub ms_proof: Proof,
}

/// The bound over the moves of `reachable`, which must be of the same problem.
#[must_use]
pub fn bound(problem: &Problem, reachable: &Reachable) -> Bound {
    let flat = Flat::of(problem).only(&reachable.moves);
    let pace = Pace::of(&flat, &reachable.down);
    let chains = Chains::of(&flat, &pace);
    Bound::of(&flat, &pace, &chains)
}

impl Bound {
    pub(crate) fn of(flat: &Flat, pace: &Pace, chains: &Chains) -> Self {
        let loads = Loads::of(flat, pace, chains);
        let ((waves, waves_proof), (mut ms, mut ms_proof)) = rayon::join(
            || {
                let chain = chain(&chains.waves, flat, pace, Unit::Waves);
                later(chain, |best| loads.waves(best as u32))
            },
            || {
                let chain = chain(&chains.ms, flat, pace, Unit::Milliseconds);
                later(chain, |best| loads.ms(best))
            },
        );
        if let Some((timed_ms, proof)) = timed(flat, pace, chains)
            && timed_ms > ms
        {
            (ms, ms_proof) = (timed_ms, proof);
        }
        let used = (0..flat.cohorts()).filter(|&c| flat.count[c] > 0);
        let shortest_ms = used.map(|c| flat.duration_ms[c]).min().unwrap_or(0);
        if waves * shortest_ms > ms {
            ms = waves * shortest_ms;
            ms_proof = Proof::Waves {
                shortest_ms,
                why: Box::new(waves_proof.clone()),
            };
        }
        Self {
            waves: waves as u32,
            waves_proof,
            ms,
            ms_proof,
        }
    }
}

/// The first, or what `other` finds above it.
fn later(first: (u64, Proof), other: impl Fn(u64) -> Option<(u64, Proof)>) -> (u64, Proof) {
    other(first.0).unwrap_or(first)
}

/// The longest chain of groups; a chain of one is a group alone.
fn chain<T>(ends: &Ends<T>, flat: &Flat, pace: &Pace, unit: Unit) -> (u64, Proof)
where
    T: Copy + Into<u64>,
{
    let length = |group: usize| ends.span[group].into();
    let mut best: Option<usize> = None;
    for group in 0..flat.groups() {
        let above = best.map_or(0, length);
        if length(group) > above {
            best = Some(group);
        }
    }
    let Some(first) = best else {
        return (0, Proof::Nothing);
    };
    let mut links = Vec::new();
    let mut at = Some(first);
    while let Some(group) = at {
        let next = ends.next[group].map(|next| next as usize);
        let waited_for = successors(flat, group).filter(|(after, _)| Some(*after) == next);
        let most = waited_for.map(|(_, count)| count).max();
        debug_assert_eq!(
            next.is_none(),
            most.is_none(),
            "a chain goes by precedences"
        );
        let link = link(flat, pace, group, most.unwrap_or(pace.total[group]));
        debug_assert_eq!(link.least(unit), length(group) - next.map_or(0, length));
        links.push(link);
        at = next;
    }
    (length(first), Proof::Chain { links, unit })
}

/// What the first `moves` moves of a group need, and why.
pub(super) fn link(flat: &Flat, pace: &Pace, group: usize, moves: u32) -> ChainLink {
    let (shortest_ms, longest_ms) = durations_ms(flat, group);
    let waves = pace.waves(group, moves);
    let all = moves >= pace.total[group];
    ChainLink {
        group: group as u32,
        moves,
        waves,
        stages: stage_sizes(flat, group, pace.total[group]),
        room: pace
            .tightest(flat, group, moves)
            .filter(|(least, _)| *least >= waves)
            .map(|(_, room)| room),
        shortest_ms,
        longest_ms: if all { longest_ms } else { shortest_ms },
        soaks_ms: soaks_ms(flat, group, moves),
    }
}
