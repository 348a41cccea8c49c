//! Which units are worth a try: those of what alone holds a move up.

use std::collections::BTreeMap;

use crate::{
    model::{BudgetIdx, Model},
    plan::header::takers,
    request::Request,
    schedule::{
        Blocker, Held, Schedule,
        problem::{Problem, RateIdx},
    },
};

/// One unit more of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    /// One pod more at once, at each place of the budget.
    Budget(BudgetIdx),
    /// One pod fewer to wait for, in each precedence named like this one.
    Sooner(u32),
    /// No precedence named like this one.
    Without(u32),
    /// A minute less after a stage.
    Soak(u32),
    /// One move more in a stage of every workload.
    Size(u32),
    /// One write a second more.
    Rate(RateIdx),
    /// No sequence, by its place among those of the request.
    Unordered(u32),
}

/// A unit that may save something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    pub unit: Unit,
    /// Moves that it holds up.
    pub holds: u64,
    /// Those among them of workloads that end last or prove the bound.
    critical: u64,
}

/// Why a unit is not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// It holds nothing up.
    Free,
    /// Whatever it holds up another budget holds up too: always this one, if there is one.
    Together(Option<BudgetIdx>),
}

/// Every unit: those to try, the most promising first, and the others.
#[derive(Debug, Default)]
pub(super) struct Units {
    pub tries: Vec<Try>,
    pub idle: Vec<(Unit, Idle)>,
    /// Moves that only the order of their workload's controller holds up.
    pub ordered: u64,
    /// Moves that wait for a window or the end of a freeze.
    pub windowed: u64,
}

/// Moves that something holds up.
#[derive(Clone, Debug, Default)]
struct Weight {
    holds: u64,
    critical: u64,
    /// Budgets that were full whenever this one was with others; absent when it never was.
    together: Option<Vec<BudgetIdx>>,
}

impl Weight {
    fn add(&mut self, moves: u32, critical: bool) {
        self.holds += u64::from(moves);
        self.critical += u64::from(critical) * u64::from(moves);
    }
}

/// What every budget, dependency and stage holds up.
struct Weights {
    budgets: Vec<Weight>,
    /// By name, with the first precedence of that name.
    dependencies: BTreeMap<Box<str>, (u32, Weight)>,
    stages: Vec<Weight>,
    sequences: Vec<Weight>,
    ordered: u64,
    windowed: u64,
}

impl Units {
    /// Weighs every unit by the schedule of the problem, which has the stages of the request.
    pub fn of(model: &Model, problem: &Problem, schedule: &Schedule, request: &Request) -> Self {
        let weights = Weights::of(model, problem, schedule, request);
        let mut units = Self {
            ordered: weights.ordered,
            windowed: weights.windowed,
            ..Self::default()
        };
        let taken = takers(model);
        for (index, weight) in (0..).zip(&weights.budgets) {
            if !taken[index as usize].is_empty() {
                units.add(Unit::Budget(index), weight);
            }
        }
        for (first, weight) in weights.dependencies.values() {
            units.add(Unit::Sooner(*first), weight);
            if weight.holds > 0 {
                units.add(Unit::Without(*first), weight);
            }
        }
        let last = weights.stages.len().saturating_sub(1);
        for (at, weight) in weights.stages.iter().enumerate() {
            let soaks = problem.groups.iter().any(|it| it.stages[at].soak_ms > 0);
            if at < last && soaks {
                units.add(Unit::Soak(at as u32), weight);
            }
            if at < last || weight.holds > 0 {
                units.add(Unit::Size(at as u32), weight);
            }
        }
        for (sequence, weight) in (0..).zip(&weights.sequences) {
            units.add(Unit::Unordered(sequence), weight);
        }
        units.add_rates(problem, schedule);
        let most = |it: &Try| (std::cmp::Reverse((it.critical, it.holds)), it.unit);
        units.tries.sort_unstable_by_key(most);
        units
    }

    /// Adds every rate; it holds up the moves of the waves that it makes longer.
    fn add_rates(&mut self, problem: &Problem, schedule: &Schedule) {
        for (rate, paced) in (0..).zip(schedule.paced(problem)) {
            let weight = Weight {
                holds: paced.holds,
                critical: paced.holds,
                together: None,
            };
            self.add(Unit::Rate(rate), &weight);
        }
    }

    fn add(&mut self, unit: Unit, weight: &Weight) {
        if weight.holds > 0 {
            self.tries.push(Try {
                unit,
                holds: weight.holds,
                critical: weight.critical,
            });
        } else {
            let together = weight.together.as_ref();
            let idle = together.map_or(Idle::Free, |all| Idle::Together(all.first().copied()));
            self.idle.push((unit, idle));
        }
    }
}

impl Weights {
    fn of(model: &Model, problem: &Problem, schedule: &Schedule, request: &Request) -> Self {
        let mut weights = Self {
            budgets: vec![Weight::default(); model.budgets.len()],
            dependencies: BTreeMap::new(),
            stages: vec![Weight::default(); request.spec.stages.len()],
            sequences: vec![Weight::default(); request.spec.sequences.len()],
            ordered: 0,
            windowed: 0,
        };
        for (precedence, index) in problem.precedences.iter().zip(0..) {
            let first = (index, Weight::default());
            weights
                .dependencies
                .entry(precedence.name.clone())
                .or_insert(first);
        }
        let critical = critical(problem, schedule);
        let mut rooms = Rooms::of(problem);
        for wave in schedule.chunks.chunk_by(|a, b| a.wave == b.wave) {
            for chunk in wave {
                let critical = critical[chunk.group as usize];
                match chunk.held {
                    Held::Nothing | Held::Gang(_) => {}
                    Held::Phase(phase) => {
                        let sequence = model.phases[phase as usize].index as usize;
                        weights.sequences[sequence].add(chunk.count, critical);
                    }
                    Held::Order(_) => weights.ordered += u64::from(chunk.count),
                    Held::Calendar(_) => weights.windowed += u64::from(chunk.count),
                    Held::Stage(stage) => weights.stages[stage as usize].add(chunk.count, critical),
                    Held::Precedence(index) => {
                        let name = &problem.precedences[index as usize].name;
                        let (_, weight) = weights.dependencies.get_mut(name).expect("was entered");
                        weight.add(chunk.count, critical);
                    }
                    Held::Resource(_) => {
                        let group = &problem.groups[chunk.group as usize];
                        let takes = group.cohorts.get(chunk.cohort as usize).takes;
                        let full = takes.iter().filter(|r| rooms.left[**r as usize] == 0);
                        let budgets = full.map(|r| model.problem.pools[*r as usize]).collect();
                        weights.add_full(budgets, chunk.count, critical);
                    }
                }
            }
            rooms.go(problem, wave);
        }
        weights.add_left(model, problem, schedule);
        weights
    }

    /// Adds moves for which these budgets had no room in the wave before.
    fn add_full(&mut self, mut budgets: Vec<BudgetIdx>, moves: u32, critical: bool) {
        budgets.sort_unstable();
        budgets.dedup();
        if let [alone] = budgets[..] {
            self.budgets[alone as usize].add(moves, critical);
            return;
        }
        for budget in &budgets {
            let others = budgets.iter().copied().filter(|it| it != budget);
            match &mut self.budgets[*budget as usize].together {
                Some(always) => always.retain(|it| budgets.contains(it)),
                none => *none = Some(others.collect()),
            }
        }
    }

    /// Adds what can never be done: a unit may let it be done after all.
    fn add_left(&mut self, model: &Model, problem: &Problem, schedule: &Schedule) {
        for left in &schedule.left {
            match left.blocker {
                Blocker::Resource(r) => {
                    let budget = model.problem.pools[r as usize] as usize;
                    self.budgets[budget].add(left.count, false);
                }
                Blocker::Precedence(index) => {
                    let name = &problem.precedences[index as usize].name;
                    let (_, weight) = self.dependencies.get_mut(name).expect("was entered");
                    weight.add(left.count, false);
                }
                Blocker::Stage => {
                    if let Some(last) = self.stages.last_mut() {
                        last.add(left.count, false);
                    }
                }
                Blocker::Phase(phase) => {
                    let sequence = model.phases[phase as usize].index as usize;
                    self.sequences[sequence].add(left.count, false);
                }
                Blocker::Order(_) | Blocker::Gang(_) | Blocker::Calendar(_) => {}
            }
        }
    }
}

/// Groups that end with the last wave, or of which the bound's proof speaks.
fn critical(problem: &Problem, schedule: &Schedule) -> Vec<bool> {
    let mut critical = vec![false; problem.groups.len()];
    let bound = &schedule.bound;
    for group in [bound.waves_proof.through(), bound.ms_proof.through()].concat() {
        critical[group as usize] = true;
    }
    let last = schedule
        .chunks
        .iter()
        .rev()
        .take_while(|it| it.wave == schedule.waves);
    last.for_each(|it| critical[it.group as usize] = true);
    critical
}

/// What the wave before leaves of each resource.
struct Rooms {
    left: Vec<u32>,
    down: Vec<u32>,
}

impl Rooms {
    fn of(problem: &Problem) -> Self {
        Self {
            left: problem.resources.iter().map(|it| it.limit).collect(),
            down: problem.resources.iter().map(|it| it.down).collect(),
        }
    }

    fn go(&mut self, problem: &Problem, wave: &[crate::schedule::Chunk]) {
        for (left, (resource, down)) in self
            .left
            .iter_mut()
            .zip(problem.resources.iter().zip(&self.down))
        {
            *left = resource.limit.saturating_sub(*down);
        }
        for chunk in wave {
            let cohorts = &problem.groups[chunk.group as usize].cohorts;
            let cohort = cohorts.get(chunk.cohort as usize);
            for r in cohort.takes {
                self.left[*r as usize] -= chunk.count;
            }
            for r in cohort.releases {
                let down = &mut self.down[*r as usize];
                *down = down.saturating_sub(chunk.count);
            }
        }
    }
}
