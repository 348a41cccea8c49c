//! Lower bounds on waves and on time, each with what proves it.
//!
//! Over the moves that can be done at all. Six arguments, the largest wins:
//! - a group alone: its stages, and in each wave no more than its budgets ever have room for;
//! - a chain of precedences: such groups one after the other;
//! - a resource: so many moves take from it, so many at once, and only few of them can go in the
//!   first or in the last waves because of what comes before or after them; in waves also group by
//!   group what can go in neither, where joins of several chains count as well;
//! - phases (waves only): the fewest waves that a resource leaves each, one after the other;
//! - a rate (time only): what waves of a chain or all waves last, beside the time in which all moves
//!   of the rate begin;
//! - calendars (time only): a chain whose waves lie inside what is open.

use super::chains::{Chains, Ends, Needs, durations_ms, soaks_ms, successors};
use super::flat::Flat;
use super::joins::Joins;
use super::load::Loads;
use super::pace::{Pace, stage_sizes};
use super::phase_bound::phased;
use super::problem::Problem;
use super::proof::{Begun, ChainLink, Proof, Unit};
use super::rates::begun_ms;
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
    Bound::of(&flat, &pace, &chains).closer(&flat, &pace, &chains)
}

impl Bound {
    /// By all arguments but what has to go between, which costs more than the others together.
    pub(crate) fn of(flat: &Flat, pace: &Pace, chains: &Chains) -> Self {
        let joins = Joins::chains(flat, pace, chains);
        let loads = Loads::of(flat, pace, chains, &joins);
        let ((mut waves, mut waves_proof), (mut ms, mut ms_proof)) = rayon::join(
            || {
                let link = |group, moves| link(flat, pace, group, moves);
                let chain = chain(&chains.waves, flat, pace, Unit::Waves, link);
                later(chain, |best| loads.waves(best as u32))
            },
            || {
                let link = |group, moves| link(flat, pace, group, moves);
                let chain = chain(&chains.ms, flat, pace, Unit::Milliseconds, link);
                later(chain, |best| loads.ms(best))
            },
        );
        if let Some((phased, proof)) = phased(flat, pace)
            && phased > waves
        {
            (waves, waves_proof) = (phased, proof);
        }
        if let Some((timed_ms, proof)) = Self::timed(flat, pace, chains)
            && timed_ms > ms
        {
            (ms, ms_proof) = (timed_ms, proof);
        }
        for begun in rates(flat, pace) {
            let (paced_ms, proof) = paced(flat, pace, chains, begun);
            if paced_ms > ms {
                (ms, ms_proof) = (paced_ms, proof);
            }
        }
        let bound = Self {
            waves: waves as u32,
            waves_proof,
            ms,
            ms_proof,
        };
        bound.in_waves(flat, pace)
    }

    /// The same, and by what has to go between. Nobody has to ask who has a schedule of so many waves.
    pub(crate) fn closer(self, flat: &Flat, pace: &Pace, chains: &Chains) -> Self {
        let joins = Joins::of(flat, pace, chains);
        let loads = Loads::of(flat, pace, chains, &joins);
        let Some((waves, waves_proof)) = loads.between(self.waves) else {
            return self;
        };
        let bound = Self {
            waves: waves as u32,
            waves_proof,
            ..self
        };
        bound.in_waves(flat, pace)
    }

    /// In time no less than its waves take.
    fn in_waves(mut self, flat: &Flat, pace: &Pace) -> Self {
        let used = (0..flat.cohorts()).filter(|&c| flat.count[c] > 0);
        let shortest_ms = used.map(|c| flat.duration_ms[c]).min().unwrap_or(0);
        let slowest = |it: &Begun| (it.ms, std::cmp::Reverse(it.rate));
        let begun = rates(flat, pace).max_by_key(slowest);
        let waves_ms = u64::from(self.waves) * shortest_ms + begun.map_or(0, |it| it.ms);
        if waves_ms > self.ms {
            self.ms = waves_ms;
            self.ms_proof = Proof::Waves {
                shortest_ms,
                begun,
                why: Box::new(self.waves_proof.clone()),
            };
        }
        self
    }

    fn timed(flat: &Flat, pace: &Pace, chains: &Chains) -> Option<(u64, Proof)> {
        let needs = Needs::of(flat);
        let least = |group, count| needs.ms(flat, pace, group, count);
        let link = |group, moves| link(flat, pace, group, moves);
        timed(flat, pace, chains, least, link)
    }
}

/// Of each rate by which any group goes, when all moves of such have begun.
pub(super) fn rates(flat: &Flat, pace: &Pace) -> impl Iterator<Item = Begun> {
    let mut sums = vec![(0_u32, 0_u64); flat.per_s.len()];
    for group in 0..flat.groups() {
        for need in flat.needs(group) {
            let (moves, units) = &mut sums[need.rate as usize];
            *moves += pace.total[group];
            *units += need.of(pace.total[group]);
        }
    }
    let each = sums.into_iter().zip(&flat.per_s).zip(0..);
    let each = each.map(|(((moves, units), &per_s), rate)| Begun {
        rate,
        moves,
        units,
        ms: begun_ms(units, per_s),
    });
    each.filter(|it| it.moves > 0)
}

/// The longest chain of groups that go by one rate, beside the time in which all moves of the rate
/// begin: a wave of such a group lasts as long as its move after all others there have begun. Soaks
/// may lie beside other waves, and so may waves of groups of another rate.
fn paced(flat: &Flat, pace: &Pace, chains: &Chains, begun: Begun) -> (u64, Proof) {
    let needs = Needs::of(flat);
    let is_its = |group| flat.needs(group).iter().any(|it| it.rate == begun.rate);
    let least = |group, count| {
        let waves_ms = needs.waves_ms(pace, group, count);
        if is_its(group) { waves_ms } else { 0 }
    };
    let ends = Ends::of(flat, pace, &chains.order, least);
    let bare = |group, moves| {
        let link = link(flat, pace, group, moves);
        let part = u64::from(is_its(group));
        ChainLink {
            shortest_ms: link.shortest_ms * part,
            longest_ms: link.longest_ms * part,
            soaks_ms: 0,
            begun_ms: 0,
            ..link
        }
    };
    let (ms, why) = chain(&ends, flat, pace, Unit::Milliseconds, bare);
    let why = Box::new(why);
    (ms + begun.ms, Proof::Begun { begun, why })
}

/// The first, or what `other` finds above it.
pub(super) fn later(
    first: (u64, Proof),
    other: impl Fn(u64) -> Option<(u64, Proof)>,
) -> (u64, Proof) {
    other(first.0).unwrap_or(first)
}

/// The longest chain of groups; a chain of one is a group alone.
pub(super) fn chain<T>(
    ends: &Ends<T>,
    flat: &Flat,
    pace: &Pace,
    unit: Unit,
    link: impl Fn(usize, u32) -> ChainLink,
) -> (u64, Proof)
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
        let link = link(group, most.unwrap_or(pace.total[group]));
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
        begun_ms: flat.begun_ms(group, moves),
    }
}
