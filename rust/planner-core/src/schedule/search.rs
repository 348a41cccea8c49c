//! Tries one priority rule after the other and keeps the best schedule.

use super::bound::Bound;
use super::chains::{Chains, successors};
use super::priority::{First, Patience, Queue, Rule};
use super::waves::{Ground, Waves, pass};

/// Cohorts that all passes after the first may go through together. It bounds the time spent on
/// large problems (three more passes over a million cohorts) and leaves small ones every try.
const EFFORT: usize = 3_000_000;
/// Fewest and most passes after the first, however large or small the problem.
const TRIES: (usize, usize) = (2, 73);
/// Of those, passes for less time: a quarter, but no more than there are rules for it.
const TRIES_FOR_TIME: usize = 4;
/// Most passes after the first where calendars say when groups may move: there are no more rules.
const TRIES_IN_CALENDARS: usize = 9;

/// Finds a schedule of all moves of `flat`, each of which must be possible.
pub(crate) struct Search<'a> {
    ground: Ground<'a>,
    in_order: Queue,
    by_place: Option<Queue>,
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
            in_order,
            by_place: None,
            best_rule: rule,
            tries: 0,
        }
    }

    /// The best schedule of the rules; stops as soon as one reaches the bound.
    pub fn finish(mut self, chains: &Chains, bound: &Bound) -> Waves {
        if self.ground.flat.is_timed() {
            self.within_calendars(bound);
            return self.best;
        }
        let goal = Goal { chains, bound };
        let (least, most) = TRIES;
        let tries = (EFFORT / self.ground.flat.cohorts().max(1)).clamp(least, most);
        let for_time = (tries / 4).clamp(1, TRIES_FOR_TIME);
        self.tries = tries - for_time;
        self.fewer_waves(goal);
        self.tries = for_time;
        self.less_time(bound);
        self.best
    }

    /// No fewer waves are possible, or there is no more time to look for them.
    fn is_settled(&self, bound: &Bound) -> bool {
        self.best.count() <= bound.waves || self.tries == 0
    }

    /// Runs a rule, keeps its schedule if it is better, and gives the last wave of each group.
    fn attempt(&mut self, rule: &Rule) -> (u32, Vec<u32>) {
        let Ground {
            flat,
            pace,
            priority,
        } = self.ground;
        let drawn = rule.lots.map(|seed| priority.by_lot(flat, pace, seed));
        let queue = match &drawn {
            Some(queue) => queue,
            None if rule.by_place => self
                .by_place
                .get_or_insert_with(|| priority.by_place(flat, pace)),
            None => &self.in_order,
        };
        self.tries -= 1;
        let waves = pass(self.ground, queue, rule);
        let result = (waves.count(), waves.last.clone());
        if waves.cost() < self.best.cost() {
            self.best = waves;
            self.best_rule = rule.clone();
        }
        result
    }

    fn fewer_waves(&mut self, goal: Goal<'_>) {
        let plain = self.best_rule.clone();
        let target = Some(goal.bound.waves);
        let rules = [
            (First::Order, false, None),
            (First::Level, true, None),
            (First::Order, true, target),
            (First::Pressure, true, target),
            (First::Duration, true, None),
        ];
        for (first, by_place, target) in rules {
            if self.is_settled(goal.bound) {
                return;
            }
            self.attempt(&Rule {
                first,
                by_place,
                target,
                ..plain.clone()
            });
        }
        self.squeak(&plain, self.best_rule.clone(), goal);
    }

    /// Lifts the groups that end last, and those they wait for, and tries again; in turn with lots
    /// among groups of the same level and among their cohorts.
    fn squeak(&mut self, plain: &Rule, mut rule: Rule, goal: Goal<'_>) {
        for (lift, seed) in (0..5).map(|power| 1 << power).cycle().zip(0..) {
            if self.is_settled(goal.bound) {
                return;
            }
            let by_lot = Rule {
                lots: Some(seed),
                ..plain.clone()
            };
            self.attempt(&by_lot);
            if self.is_settled(goal.bound) {
                return;
            }
            rule.target = rule.target.map(|_| self.best.count() - 1);
            let (count, last) = self.attempt(&rule);
            for &group in goal.chains.order.iter().rev() {
                let group = group as usize;
                let own = rule.boost[group] + if last[group] == count { lift } else { 0 };
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
        self.tries = tries.clamp(TRIES.0, TRIES_IN_CALENDARS);
        for target in [None, Some(0), Some(bound.waves)] {
            let patience = target.map(|target| Patience {
                target,
                wave_ms: u64::MAX,
            });
            for first in [First::Level, First::Duration, First::Order] {
                let is_done = self.best.undone.is_empty() && self.best.ms() <= bound.ms;
                if is_done || self.tries == 0 {
                    return;
                }
                self.attempt(&Rule {
                    first,
                    patience,
                    ..plain.clone()
                });
            }
        }
    }

    /// With as many waves, less waiting for soaks.
    fn less_time(&mut self, bound: &Bound) {
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
        let fixed = self.best_rule.clone();
        for first in [fixed.first, First::Level, First::Order, First::Duration] {
            let target = self.best.count();
            if self.best.ms() <= bound.ms || self.tries == 0 {
                return;
            }
            let waves = self.best.starts_ms.iter().zip(&self.best.ends_ms);
            let busy_ms: u64 = waves.map(|(start, end)| end - start).sum();
            let wave_ms = busy_ms / u64::from(target);
            let patience = Some(Patience { target, wave_ms });
            self.attempt(&Rule {
                first,
                patience,
                ..fixed.clone()
            });
        }
    }
}
