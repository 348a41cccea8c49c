//! Tries one priority rule after the other and keeps the best schedule.

use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use fastrand::Rng;
use rayon::prelude::*;

use super::bound::Bound;
use super::chains::{Chains, successors};
use super::priority::{First, Patience, Queue, Rule};
use super::waves::{Ground, Waves, pass};

/// Cohorts that all passes after the first may go through together. It bounds the time spent on
/// large problems and leaves small ones every try.
const EFFORT: usize = 3_000_000;
/// Fewest and most passes after the first, however large or small the problem.
const TRIES: (usize, usize) = (8, 73);
/// Of those, passes for less time: a quarter, but no more than there are rules for it.
const TRIES_FOR_TIME: usize = 4;
/// Most passes of the first rules alone, where a plan is wanted soon.
const TRIES_SOON: usize = 2;
/// Passes that learn from those before, at least: where there are few tries the later rules are left
/// out for their sake.
const TRIES_LEARNT: usize = 4;
/// Fewest and most passes after the first where calendars say when groups may move: there are no more
/// rules.
const TRIES_IN_CALENDARS: (usize, usize) = (2, 9);

/// Rules that are tried at the same time. Not as many as there are cores, on which no schedule may
/// depend: once one of them reaches the bound, the others were tried in vain.
const AT_ONCE: usize = 2;

/// Waves that a group may be lifted by, by lot, when the search begins anew: 0 to one less.
const LIFTS: u32 = 3;
/// How long a wave counts beside the soaks before a group, in thousandths of what waves take.
const AS_LONG: u64 = 1000;
/// And as long when the search begins anew.
const LONGER: RangeInclusive<u64> = 250..=4000;

/// Finds a schedule of all moves of `flat`, each of which must be possible.
#[derive(Clone)]
pub(crate) struct Search<'a> {
    ground: Ground<'a>,
    in_order: Arc<Queue>,
    by_place: OnceLock<Arc<Queue>>,
    best: Waves,
    best_rule: Rule,
    /// Passes that may still be made.
    tries: usize,
}

/// How good a schedule can be, and what makes it so.
#[derive(Clone, Copy)]
struct Goal<'a> {
    chains: &'a Chains,
    bound: &'a Bound,
}

impl<'a> Search<'a> {
    /// A first schedule, by the plainest rule.
    pub fn begin(ground: Ground<'a>) -> Self {
        let Ground { flat, pace, .. } = ground;
        let in_order = ground.priority.in_order(flat, pace);
        let rule = Rule {
            first: First::Level,
            by_place: false,
            target: None,
            patience: None,
            boost: vec![0; flat.groups()],
            lots: None,
        };
        Self {
            best: pass(ground, &in_order, &rule),
            ground,
            in_order: Arc::new(in_order),
            by_place: OnceLock::new(),
            best_rule: rule,
            tries: 0,
        }
    }

    /// The best schedule of the rules; stops as soon as one reaches the bound.
    ///
    /// What is tried with fewer starts is tried first with more, so no schedule is worse for them.
    pub fn finish(mut self, chains: &Chains, bound: &Bound, starts: u32) -> Waves {
        if self.ground.flat.is_timed() {
            self.within_calendars(bound);
            return self.best;
        }
        let goal = Goal { chains, bound };
        let (least, most) = TRIES;
        let tries = (EFFORT / self.ground.flat.cohorts().max(1)).clamp(least, most);
        let for_time = (tries / 4).clamp(1, TRIES_FOR_TIME);
        let for_waves = tries - for_time;
        let plain = self.best_rule.clone();
        self.tries = match starts {
            0 => for_waves.min(TRIES_SOON),
            _ => for_waves,
        };
        self.fewer_waves(&plain, goal);
        if starts > 0 {
            self.tries = for_time;
            self.less_time(&self.best_rule.clone(), AS_LONG, bound);
        }
        if self.best.count() <= bound.waves && self.best.ms() <= bound.ms {
            return self.best;
        }
        let anew = (1..starts).into_par_iter().map(|start| {
            let mut search = self.clone();
            search.begin_anew(&plain, start, (for_waves, for_time), goal);
            search.best
        });
        anew.reduce_with(|a, b| if b.cost() < a.cost() { b } else { a })
            .unwrap_or(self.best)
    }

    /// Looks for fewer waves, then for less time, from elsewhere: groups are lifted by lot, from a
    /// seed of the start, and waves wait for more or less of a soak.
    fn begin_anew(
        &mut self,
        plain: &Rule,
        start: u32,
        (for_waves, for_time): (usize, usize),
        goal: Goal<'_>,
    ) {
        let seed = u64::from(start) << u32::BITS;
        let mut rng = Rng::with_seed(seed);
        let mut rule = self.best_rule.clone();
        for boost in &mut rule.boost {
            *boost += rng.u32(..LIFTS);
        }
        self.tries = for_waves;
        self.squeak(plain, rule.clone(), seed, goal);
        self.tries = for_time;
        self.less_time(&rule, rng.u64(LONGER), goal.bound);
    }

    /// Whether all moves are made in so few waves that no bound can be above them.
    pub fn is_proved(&self, bound: &Bound) -> bool {
        self.best.undone.is_empty() && self.best.count() <= bound.waves
    }

    /// No fewer waves are possible, or there is no more time to look for them.
    fn is_settled(&self, bound: &Bound) -> bool {
        self.best.count() <= bound.waves || self.tries == 0
    }

    /// Tries rules at the same time, as many as there are tries for, and keeps the best schedule.
    /// Gives of each its number of waves and the last wave of each group.
    fn attempt(&mut self, rules: &[Rule]) -> Vec<(u32, Vec<u32>)> {
        let rules = &rules[..rules.len().min(self.tries)];
        let made: Vec<Waves> = rules.par_iter().map(|rule| self.pass(rule)).collect();
        self.tries -= rules.len();
        let mut ends = Vec::with_capacity(rules.len());
        for (rule, waves) in rules.iter().zip(made) {
            ends.push((waves.count(), waves.last.clone()));
            if waves.cost() < self.best.cost() {
                self.best = waves;
                self.best_rule = rule.clone();
            }
        }
        ends
    }

    /// The schedule of a rule.
    fn pass(&self, rule: &Rule) -> Waves {
        let Ground {
            flat,
            pace,
            priority,
        } = self.ground;
        let by_place = || Arc::new(priority.by_place(flat, pace));
        let drawn = rule.lots.map(|seed| priority.by_lot(flat, pace, seed));
        let queue = match &drawn {
            Some(queue) => queue,
            None if rule.by_place => self.by_place.get_or_init(by_place),
            None => &self.in_order,
        };
        pass(self.ground, queue, rule)
    }

    fn fewer_waves(&mut self, plain: &Rule, goal: Goal<'_>) {
        let target = Some(goal.bound.waves);
        let rules = [
            (First::Order, false, None),
            (First::Level, true, None),
            (First::Order, true, target),
            (First::Pressure, true, target),
            (First::Duration, true, None),
        ];
        let rules = rules.map(|(first, by_place, target)| Rule {
            first,
            by_place,
            target,
            ..plain.clone()
        });
        let has_time = self.tries >= rules.len() + TRIES_LEARNT;
        let rules = if has_time {
            &rules[..]
        } else {
            &rules[..TRIES_SOON]
        };
        for rules in rules.chunks(AT_ONCE) {
            if self.is_settled(goal.bound) {
                return;
            }
            self.attempt(rules);
        }
        self.squeak(plain, self.best_rule.clone(), 0, goal);
    }

    /// Lifts the groups that end last, and those they wait for, and tries again; in turn with lots
    /// among groups of the same level and among their cohorts, from this seed on.
    fn squeak(&mut self, plain: &Rule, mut rule: Rule, seed: u64, goal: Goal<'_>) {
        for (lift, seed) in (0..5).map(|power| 1 << power).cycle().zip(seed..) {
            if self.is_settled(goal.bound) {
                return;
            }
            let by_lot = Rule {
                lots: Some(seed),
                ..plain.clone()
            };
            rule.target = rule.target.map(|_| self.best.count() - 1);
            let ends = self.attempt(&[by_lot, rule.clone()]);
            let [_, (count, last)] = &ends[..] else {
                return;
            };
            for &group in goal.chains.order.iter().rev() {
                let group = group as usize;
                let own = rule.boost[group] + if last[group] == *count { lift } else { 0 };
                let behind = successors(self.ground.flat, group).map(|(g, _)| rule.boost[g]);
                rule.boost[group] = own.max(behind.max().unwrap_or(0));
            }
        }
    }

    /// Less time where calendars say when groups may move: who is served first, and whom a wave
    /// waits for.
    fn within_calendars(&mut self, bound: &Bound) {
        let plain = self.best_rule.clone();
        let tries = EFFORT / self.ground.flat.cohorts().max(1);
        let (least, most) = TRIES_IN_CALENDARS;
        self.tries = tries.clamp(least, most);
        for target in [None, Some(0), Some(bound.waves)] {
            let patience = target.map(|target| Patience {
                target,
                wave_ms: u64::MAX,
            });
            let is_done = self.best.undone.is_empty() && self.best.ms() <= bound.ms;
            if is_done || self.tries == 0 {
                return;
            }
            let firsts = [First::Level, First::Duration, First::Order];
            self.attempt(&firsts.map(|first| Rule {
                first,
                patience,
                ..plain.clone()
            }));
        }
    }

    /// With as many waves, less waiting for soaks: of waves so many thousandths of their mean count
    /// as long as a soak.
    fn less_time(&mut self, fixed: &Rule, as_long: u64, bound: &Bound) {
        if self
            .ground
            .flat
            .stages
            .values()
            .iter()
            .all(|stage| stage.soak_ms == 0)
        {
            return;
        }
        // Each goes by the best schedule so far, so they go one after the other.
        for first in [fixed.first, First::Level, First::Order, First::Duration] {
            let target = self.best.count();
            if self.best.ms() <= bound.ms || self.tries == 0 {
                return;
            }
            let waves = self.best.starts_ms.iter().zip(&self.best.ends_ms);
            let busy_ms: u64 = waves.map(|(start, end)| end - start).sum();
            let wave_ms = busy_ms / u64::from(target) * as_long / AS_LONG;
            let patience = Some(Patience { target, wave_ms });
            self.attempt(&[Rule {
                first,
                patience,
                ..fixed.clone()
            }]);
        }
    }
}
