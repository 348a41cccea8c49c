//! When each move begins if nobody waits for a wave to be over.
//!
//! A serial schedule generation scheme (Kolisch 1996) over time: moves in the order of the waves, each
//! as soon as its resources, its group's order, stages and calendars, its precedences and its rates
//! let it. Of a single unit, such as a node's, what is left between two moves is filled; of several
//! it is not, so that they are no more than the times at which they are free. No move begins later
//! than its wave would: by then all units that the waves before took are free, and the wave's own
//! moves leave one for it.
//!
//! Another pass goes by the starts of the one before, which moves some to the left and none to the
//! right. Where that is longer than the bound, moves are tried in the order of their urgency, too.

mod bound;
mod groups;
mod rates;
mod rehearsal;
mod spans;
mod units;
mod urgency;

use std::cmp::Reverse;

use self::bound::bound;
use self::groups::Groups;
use self::rates::Rates;
pub use self::rehearsal::{Gone, Leg, Rehearsal};
use self::units::Units;
use self::urgency::Urgency;
use super::bound::Bound;
use super::calendar::first_fit;
use super::chains::{Chains, Needs};
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
        let scene = Scene::of(problem, flat, &chains, waves);
        let (bound_ms, proof) = bound(flat, pace, &chains, waves_bound);
        let made = scene.best(pace, &chains, bound_ms);
        let made = made.expect("waves keep every rule");
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
    /// The order in which moves began.
    queue: Vec<RunOf>,
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

    /// Every move, in the order of its wave.
    fn by_wave(&self) -> Vec<RunOf> {
        let steps = self.waves.steps.iter().zip(0..);
        let runs = steps.map(|(step, at)| {
            let (start_ms, count) = (step.wave.into(), step.count);
            (at, Run { start_ms, count })
        });
        runs.collect()
    }

    /// The shortest of what the passes make; `None` when the waves break a rule.
    fn best(&self, pace: &Pace, chains: &Chains, bound_ms: u64) -> Option<Made> {
        let best = self.settled(self.by_wave(), bound_ms)?;
        if best.ms == bound_ms {
            return Some(best);
        }
        // Time goes by while groups soak, of which waves know little.
        let urgency = Urgency {
            flat: self.flat,
            pace,
            chains,
            needs: &Needs::of(self.flat),
        };
        let by_urgency = self.settled(urgency.queue(self.waves), bound_ms);
        let shorter = by_urgency.filter(|made| made.ms < best.ms);
        Some(shorter.unwrap_or(best))
    }

    /// A pass, and others by the starts of the one before for as long as they get shorter.
    fn settled(&self, queue: Vec<RunOf>, bound_ms: u64) -> Option<Made> {
        let mut made = self.pass(queue)?;
        while made.ms > bound_ms {
            let next = self.pass(made.runs.clone())?;
            if next.ms >= made.ms {
                break;
            }
            made = next;
        }
        Some(made)
    }

    /// Moves in the order of a queue: by its starts, which are times or whatever grows like them.
    /// `None`: it has a move before others for which that waits.
    fn pass(&self, mut queue: Vec<RunOf>) -> Option<Made> {
        let Self { flat, waves, ranks } = self;
        queue.sort_by_cached_key(|(at, run)| {
            let step = waves.steps[*at as usize];
            let (group, cohort) = (step.group as usize, step.cohort as usize);
            // Those of its group for which it waits go before it.
            let waits = !flat.strict[group] && flat.ahead(cohort) > 0;
            (run.start_ms, ranks[group], step.wave, waits, cohort)
        });
        let (mut pass, mut runs, mut ms) = (Pass::new(flat), Vec::new(), 0);
        for (at, run) in &queue {
            let step = waves.steps[*at as usize];
            let mut left = run.count;
            while left > 0 {
                let lasts_ms = flat.duration_ms[step.cohort as usize];
                let run = pass.begin(step, left, lasts_ms, 0)?;
                ms = ms.max(run.start_ms + lasts_ms);
                left -= run.count;
                runs.push((*at, run));
            }
        }
        Some(Made { runs, ms, queue })
    }
}

struct Pass<'a> {
    flat: &'a Flat,
    units: Vec<Units>,
    groups: Groups<'a>,
    rates: Rates,
}

impl<'a> Pass<'a> {
    fn new(flat: &'a Flat) -> Self {
        let resources = flat.limit.iter().zip(&flat.down);
        Self {
            flat,
            units: resources.map(|(l, d)| Units::new(*l, *d)).collect(),
            groups: Groups::new(flat),
            rates: Rates::new(&flat.per_s),
        }
    }

    /// Begins moves of a step that take so long, as many as can begin first, up to `most`, and none
    /// before `from_ms`; `None` when none ever can.
    fn begin(&mut self, step: Step, most: u32, lasts_ms: u64, from_ms: u64) -> Option<Run> {
        let takes = self.flat.takes.row(step.cohort as usize);
        self.begin_taking(takes, step, most, (lasts_ms, from_ms))
    }

    /// The same of moves that take these of the resources of their cohort: the others have room for
    /// all that may go until everything is over.
    fn begin_taking(
        &mut self,
        takes: &[u32],
        step: Step,
        most: u32,
        (lasts_ms, from_ms): (u64, u64),
    ) -> Option<Run> {
        let (group, cohort) = (step.group as usize, step.cohort as usize);
        let needs = self.flat.needs(group);
        let ready_ms = self.groups.ready_ms(group, cohort)?.max(from_ms);
        let start_ms = self.begin_ms(step, takes, ready_ms, lasts_ms)?;
        // Those that go by a rate begin one after the other.
        let most = if needs.is_empty() { most } else { 1 };
        let room = |most, &r: &u32| self.units[r as usize].until(start_ms, most);
        let count = takes.iter().fold(most, room);
        let end_ms = start_ms + lasts_ms;
        for &r in takes {
            self.units[r as usize].take(start_ms, end_ms, count);
        }
        for &r in self.flat.releases.row(cohort) {
            self.units[r as usize].give_back(end_ms, count);
        }
        self.rates.begin(needs, start_ms);
        let run = Run { start_ms, count };
        self.groups.begin(group, cohort, run, end_ms);
        Some(run)
    }

    /// The first time from `from_ms` on at which resources, calendars and rates let a move begin that
    /// takes so long. Calendars have to leave it the time that is planned.
    fn begin_ms(&self, step: Step, takes: &[u32], from_ms: u64, lasts_ms: u64) -> Option<u64> {
        let (group, cohort) = (step.group as usize, step.cohort as usize);
        let planned_ms = self.flat.duration_ms[cohort];
        let mut start_ms = from_ms;
        loop {
            let mut next_ms = start_ms;
            for &r in takes {
                next_ms = self.units[r as usize].fit_ms(next_ms, lasts_ms)?;
            }
            if let Some(open) = self.flat.open(group) {
                next_ms = first_fit(open, next_ms, planned_ms)?;
            }
            next_ms = self.rates.next_ms(self.flat.needs(group), next_ms);
            if next_ms == start_ms {
                return Some(start_ms);
            }
            start_ms = next_ms;
        }
    }
}
