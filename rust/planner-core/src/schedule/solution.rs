//! The schedule: which moves go in which wave, and why not in the wave before.

use rayon::prelude::*;

use super::bound::Bound;
use super::chains::Chains;
use super::flat::Flat;
use super::laid::Laid;
use super::pace::Pace;
use super::priority::Priority;
use super::problem::{GroupIdx, Problem, ResourceIdx};
use super::rates::Lasting;
use super::reach::{Blocker, Left};
use super::replay::{Held, Replayed, replay};
use super::search::Search;
use super::streaming::Streaming;
use super::waves::Ground;

/// Moves of one cohort in one wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Their group.
    pub group: GroupIdx,
    /// Their cohort within the group.
    pub cohort: u32,
    /// The wave, from 1.
    pub wave: u32,
    /// How many, at least 1.
    pub count: u32,
    /// What kept them from the wave before.
    pub held: Held,
}

/// A schedule of every move that can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How many waves.
    pub waves: u32,
    /// By wave, group and cohort; at most one for each three.
    pub chunks: Vec<Chunk>,
    /// What can never be done, by group and cohort.
    pub left: Vec<Left>,
    /// When the soaks before each wave are over; later starts wait for calendars.
    pub ready_ms: Vec<u64>,
    /// When each wave starts, in milliseconds from the start of the first.
    pub starts_ms: Vec<u64>,
    /// When each wave ends.
    pub ends_ms: Vec<u64>,
    /// Units that each wave leaves, by pool and wave; of a pool with several resources the least.
    /// Empty without pools.
    /// Below 0 where more is down than the limit.
    pub headroom: Vec<Vec<i64>>,
    /// No schedule of these moves is better than this.
    pub bound: Bound,
    /// The same without barriers, if the problem asks for it; its moves go in the order of the waves.
    pub streaming: Option<Streaming>,
}

/// Schedules every move that can be done: in few waves, then in little time, then early.
#[must_use]
pub fn solve(problem: &Problem) -> Schedule {
    solve_laid(problem, Laid::of(problem), 1)
}

/// As [`solve`], of a problem that is laid flat already, with its stages.
///
/// `starts` is how often the search begins: 0 for its first rules alone, 1 as a rule, and more for
/// a schedule that is never worse and may be better. The same number gives the same schedule.
#[must_use]
pub fn solve_laid(problem: &Problem, Laid { flat, reachable }: Laid, starts: u32) -> Schedule {
    let flat = flat.only(&reachable.moves);
    let pace = Pace::of(&flat, &reachable.down);
    let chains = Chains::of(&flat, &pace);
    let priority = Priority::of(problem, &flat, &pace, &chains);
    let ground = Ground {
        flat: &flat,
        pace: &pace,
        priority: &priority,
    };
    // The first schedule does not ask how good it could be.
    let (bound, search) = rayon::join(
        || Bound::of(&flat, &pace, &chains),
        || Search::begin(ground),
    );
    let bound = if search.is_proved(&bound) {
        bound
    } else {
        bound.closer(&flat, &pace, &chains)
    };
    let mut waves = search.finish(&chains, &bound, starts);
    let mut left = reachable.left;
    let (flat, bound) = if waves.undone.is_empty() {
        (flat, bound)
    } else {
        add_undone(problem, &flat, &waves.undone, &mut left);
        without(flat, &waves.undone)
    };
    assert!(
        bound.waves <= waves.count(),
        "fewer waves than the bound allows"
    );
    let by_wave = waves.steps.par_chunk_by_mut(|a, b| a.wave == b.wave);
    by_wave.for_each(|wave| wave.sort_unstable_by_key(|step| step.cohort));
    let Replayed { held, headroom } = replay(problem, &flat, &waves);
    let streaming = problem.streaming.then(|| {
        let pace = Pace::of(&flat, &flat.down_after());
        Streaming::of(problem, &flat, &pace, &waves, &bound)
    });
    let chunks = waves.steps.iter().zip(held).map(|(step, held)| Chunk {
        group: step.group,
        cohort: step.cohort - flat.cohorts_of(step.group as usize).start as u32,
        wave: step.wave,
        count: step.count,
        held,
    });
    Schedule {
        waves: waves.count(),
        chunks: chunks.collect(),
        left,
        headroom,
        bound,
        streaming,
        ready_ms: waves.ready_ms,
        starts_ms: waves.starts_ms,
        ends_ms: waves.ends_ms,
    }
}

/// Says of moves for which calendars leave no time what keeps them from being done.
fn add_undone(problem: &Problem, flat: &Flat, undone: &[u32], left: &mut Vec<Left>) {
    let is_undone = |group: u32| flat.cohorts_of(group as usize).any(|c| undone[c] > 0);
    // A group that may always move is left only because of others.
    let none = problem.groups.iter().zip(0..).find_map(|(of, group)| {
        let calendar = of.calendars.first().copied();
        calendar.filter(|_| is_undone(group))
    });
    let none = none.expect("only a calendar leaves no time");
    for (group, of) in (0..).zip(&problem.groups) {
        let cohorts = flat.cohorts_of(group as usize);
        let calendar = of.calendars.first().copied().unwrap_or(none);
        for cohort in cohorts.clone().filter(|&c| undone[c] > 0) {
            left.push(Left {
                group,
                cohort: (cohort - cohorts.start) as u32,
                count: undone[cohort],
                blocker: Blocker::Calendar(calendar),
            });
        }
    }
    left.sort_unstable_by_key(|left| (left.group, left.cohort));
}

/// What remains of a problem when these moves are left, and its bound.
fn without(flat: Flat, undone: &[u32]) -> (Flat, Bound) {
    let done: Vec<u32> = flat.count.iter().zip(undone).map(|(c, u)| c - u).collect();
    let flat = flat.only(&done);
    let pace = Pace::of(&flat, &flat.down_after());
    let chains = Chains::of(&flat, &pace);
    let bound = Bound::of(&flat, &pace, &chains).closer(&flat, &pace, &chains);
    (flat, bound)
}

/// What a schedule has of one rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paced {
    /// Moves that go by it.
    pub moves: u64,
    /// What they need of it.
    pub units: u64,
    /// Those of waves that were shorter without it.
    pub holds: u64,
    /// By how much all waves together were, in milliseconds.
    pub adds_ms: u64,
}

impl Schedule {
    /// What each rate costs.
    #[must_use]
    pub fn paced(&self, problem: &Problem) -> Vec<Paced> {
        let mut paced = vec![Paced::default(); problem.rates.len()];
        if paced.is_empty() {
            return paced;
        }
        let mut lasting = Lasting::of(problem.rates.iter().map(|it| it.per_s));
        for wave in self.chunks.chunk_by(|a, b| a.wave == b.wave) {
            lasting.clear();
            for chunk in wave {
                let group = &problem.groups[chunk.group as usize];
                let duration_ms = group.cohorts.get(chunk.cohort as usize).duration_ms;
                lasting.add(&group.needs, duration_ms, chunk.count);
            }
            for (rate, paced) in paced.iter_mut().enumerate() {
                let (of, adds_ms) = (lasting.paced()[rate], lasting.adds_ms(rate));
                paced.moves += of.moves;
                paced.units += of.units;
                paced.holds += if adds_ms > 0 { of.moves } else { 0 };
                paced.adds_ms += adds_ms;
            }
        }
        paced
    }

    /// The time of the whole schedule in milliseconds.
    #[must_use]
    pub fn ms(&self) -> u64 {
        self.ends_ms.last().copied().unwrap_or(0)
    }

    /// When all that goes on is over: with barriers or, where the problem asks for it, without.
    #[must_use]
    pub fn last_end_ms(&self) -> u64 {
        self.streaming.as_ref().map_or(self.ms(), |it| it.ms)
    }

    /// No schedule of these moves is over sooner.
    #[must_use]
    pub fn least_ms(&self) -> u64 {
        let streaming = self.streaming.as_ref();
        streaming.map_or(self.bound.ms, |it| it.bound_ms)
    }

    /// When the moves of a chunk are over.
    #[must_use]
    pub fn end_ms(&self, problem: &Problem, chunk: usize) -> u64 {
        let of = self.chunks[chunk];
        let Some(streaming) = &self.streaming else {
            return self.ends_ms[of.wave as usize - 1];
        };
        let cohorts = &problem.groups[of.group as usize].cohorts;
        let last = streaming.runs(chunk).last().expect("no chunk is empty");
        last.start_ms + cohorts.get(of.cohort as usize).duration_ms
    }

    /// The resource that held most moves back, the first by name of several.
    #[must_use]
    pub fn tightest(&self, problem: &Problem) -> Option<ResourceIdx> {
        let mut held = vec![0_u64; problem.resources.len()];
        for chunk in &self.chunks {
            if let Held::Resource(r) = chunk.held {
                held[r as usize] += u64::from(chunk.count);
            }
        }
        let name = |r: ResourceIdx| std::cmp::Reverse(&problem.resources[r as usize].name);
        let holding = (0..).zip(held).filter(|(_, moves)| *moves > 0);
        holding
            .max_by_key(|&(r, moves)| (moves, name(r)))
            .map(|(r, _)| r)
    }
}
