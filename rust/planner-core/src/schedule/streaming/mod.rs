//! When each move begins if nobody waits for a wave to be over.
//!
//! A serial schedule generation scheme (Kolisch 1996) over time: moves in the order of the waves, each
//! as soon as its resources, its group's order, stages and calendars, its precedences and its rates
//! let it. Without holes that are filled later a resource is the times at which its units are free,
//! and no move begins later than its wave would: by then all units that the waves before took are
//! free, and the wave's own moves leave one for it.
//!
//! A second pass goes by the starts of the first, which moves some to the left and none to the right.

mod bound;
mod groups;
mod rates;
mod units;

use std::cmp::Reverse;

use self::bound::bound;
use self::groups::Groups;
use self::rates::Rates;
use self::units::Units;
use super::bound::Bound;
use super::calendar::first_fit;
use super::chains::Chains;
use super::flat::Flat;
use super::pace::Pace;
use super::problem::Problem;
use super::proof::Proof;
use super::rows::Rows;
use super::waves::{Step, Waves};

/// Moves of a chunk that begin together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When, in milliseconds from the start of the first wave.
    pub start_ms: u64,
    /// How many.
    pub count: u32,
}

/// A schedule without barriers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streaming {
    /// By chunk of the schedule, in the order of their starts.
    runs: Rows<Run>,
    /// When the last move ends, in milliseconds from the start of the first wave.
    pub ms: u64,
    /// No schedule of these moves takes less, with barriers or without.
    pub bound_ms: u64,
    /// Why not.
    pub proof: Proof,
}

impl Streaming {
    /// When the moves of a chunk begin.
    #[must_use]
    pub fn runs(&self, chunk: usize) -> &[Run] {
        self.runs.row(chunk)
    }

    /// Over the moves of `waves`, whose bound is `waves_bound`.
    pub(super) fn of(
        problem: &Problem,
        flat: &Flat,
        pace: &Pace,
        waves: &Waves,
        waves_bound: &Bound,
    ) -> Self {
        let chains = Chains::streaming(flat, pace);
        let bound = || bound(flat, pace, &chains, waves_bound);
        let scene = Scene::of(problem, flat, &chains, waves);
        let ((bound_ms, proof), made) = rayon::join(bound, || scene.best());
        assert!(bound_ms <= made.ms, "less time than the bound allows");
        let mut runs = Rows::with_capacity(waves.steps.len(), waves.steps.len());
        let mut made_runs = made.runs;
        made_runs.sort_unstable_by_key(|(step, run)| (*step, run.start_ms));
        let mut each = made_runs.into_iter().peekable();
        for step in 0..waves.steps.len() as u32 {
            while let Some((_, run)) = each.next_if(|(of, _)| *of == step) {
                runs.push_value(run);
            }
            runs.push_row([]);
        }
        Self {
            runs,
            ms: made.ms,
            bound_ms,
            proof,
        }
    }
}

/// Moves of a step, by its place among the steps of the waves.
type RunOf = (u32, Run);

/// What a pass made.
struct Made {
    runs: Vec<RunOf>,
    ms: u64,
}

/// What a pass reads.
struct Scene<'a> {
    flat: &'a Flat,
    waves: &'a Waves,
    /// Of each group, how it stands among those that could go at once: who has most behind it goes
    /// first, and of several the first by name.
    ranks: Vec<u32>,
}

impl<'a> Scene<'a> {
    fn of(problem: &Problem, flat: &'a Flat, chains: &Chains, waves: &'a Waves) -> Self {
        let mut groups: Vec<usize> = (0..flat.groups()).collect();
        let name = |group: usize| &problem.groups[group].name;
        groups.sort_unstable_by_key(|&group| (Reverse(chains.ms.span[group]), name(group)));
        let mut ranks = vec![0; groups.len()];
        for (rank, group) in (0..).zip(groups) {
            ranks[group] = rank;
        }
        Self { flat, waves, ranks }
    }

    /// The shortest of what the passes make.
    fn best(&self) -> Made {
        let steps = self.waves.steps.iter().zip(0..);
        let in_order = steps.map(|(step, at)| {
            let count = step.count;
            let start_ms = step.wave.into();
            (at, Run { start_ms, count })
        });
        let first = self.pass(in_order.collect());
        let second = self.pass(first.runs.clone());
        if second.ms < first.ms { second } else { first }
    }

    /// Moves in the order of a queue: by its starts, which are waves or times.
    fn pass(&self, mut queue: Vec<RunOf>) -> Made {
        let Self { flat, waves, ranks } = self;
        queue.sort_by_cached_key(|(at, run)| {
            let step = waves.steps[*at as usize];
            let (group, cohort) = (step.group as usize, step.cohort as usize);
            // Those of its group for which it waits go before it.
            let waits = !flat.strict[group] && flat.ahead(cohort) > 0;
            (run.start_ms, ranks[group], waits, cohort)
        });
        let mut pass = Pass::new(flat);
        for (at, run) in queue {
            pass.go(at, waves.steps[at as usize], run.count);
        }
        pass.made
    }
}

struct Pass<'a> {
    flat: &'a Flat,
    units: Vec<Units>,
    groups: Groups<'a>,
    rates: Rates,
    made: Made,
}

impl<'a> Pass<'a> {
    fn new(flat: &'a Flat) -> Self {
        let resources = flat.limit.iter().zip(&flat.down);
        Self {
            flat,
            units: resources.map(|(l, d)| Units::new(*l, *d)).collect(),
            groups: Groups::new(flat),
            rates: Rates::new(&flat.per_s),
            made: Made {
                runs: Vec::new(),
                ms: 0,
            },
        }
    }

    /// Begins moves of a step, each as soon as it can.
    fn go(&mut self, at: u32, step: Step, count: u32) {
        let (group, cohort) = (step.group as usize, step.cohort as usize);
        let duration_ms = self.flat.duration_ms[cohort];
        let takes = self.flat.takes.row(cohort);
        let needs = self.flat.needs(group);
        let mut left = count;
        while left > 0 {
            let ready_ms = self.groups.ready_ms(group, cohort);
            let free_ms = takes.iter().map(|&r| self.units[r as usize].first_ms());
            let start_ms = self.begin_ms(group, duration_ms, free_ms.fold(ready_ms, u64::max));
            // Those that go by a rate begin one after the other.
            let most = if needs.is_empty() { left } else { 1 };
            let room = |most, &r: &u32| self.units[r as usize].until(start_ms, most);
            let count = takes.iter().fold(most, room);
            let end_ms = start_ms + duration_ms;
            for &r in takes {
                self.units[r as usize].take(start_ms, end_ms, count);
            }
            for &r in self.flat.releases.row(cohort) {
                self.units[r as usize].give_back(end_ms, count);
            }
            self.rates.begin(needs, start_ms);
            let run = Run { start_ms, count };
            self.groups.begin(group, run, end_ms);
            self.made.runs.push((at, run));
            self.made.ms = end_ms.max(self.made.ms);
            left -= count;
        }
    }

    /// The first time from `from_ms` on at which calendars and rates let a move of the group begin.
    fn begin_ms(&self, group: usize, duration_ms: u64, from_ms: u64) -> u64 {
        let mut start_ms = from_ms;
        loop {
            let opens_ms = match self.flat.open(group) {
                None => start_ms,
                Some(open) => first_fit(open, start_ms, duration_ms)
                    .expect("open when its wave is, which is no earlier"),
            };
            let begun_ms = self.rates.next_ms(self.flat.needs(group), opens_ms);
            let Some(open) = self.flat.open(group) else {
                return begun_ms;
            };
            if first_fit(open, begun_ms, duration_ms) == Some(begun_ms) {
                return begun_ms;
            }
            start_ms = begun_ms;
        }
    }
}
