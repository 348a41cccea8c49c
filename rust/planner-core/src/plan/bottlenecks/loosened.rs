//! The problem of a plan with one unit more.

use super::units::Unit;
use crate::{
    model::{Model, size_stages},
    request::Request,
    schedule::{Laid, Schedule, problem::Problem, problem::Stage, solve_laid},
};

/// A soak shorter by this is a unit.
pub(super) const SOAK_UNIT_MS: u64 = 60_000;

/// Solves the problem of a model without stages, with those of the request and a unit more.
/// Also gives the problem that was solved.
pub(super) fn solve(model: &Model, request: &Request, unit: Option<Unit>) -> (Problem, Schedule) {
    let mut problem = model.problem.clone();
    problem.pools.clear(); // What the waves leave is told of the plan itself.
    match unit {
        Some(Unit::Budget(budget)) => {
            let resources = problem.resources.iter_mut().zip(&model.problem.pools);
            for (resource, _) in resources.filter(|(_, of)| **of == budget) {
                resource.limit += 1;
            }
        }
        Some(Unit::Sooner(first)) => each_alike(&mut problem, first, |count| count - 1),
        Some(Unit::Without(first)) => each_alike(&mut problem, first, |_| 0),
        Some(Unit::Unordered(sequence)) => {
            let phases = problem.phases.iter_mut().zip(&model.phases);
            for (phase, _) in phases.filter(|(_, of)| of.index == sequence) {
                phase.follows = false;
            }
        }
        Some(Unit::Rate(rate)) => problem.rates[rate as usize].per_s += 1,
        _ => {}
    }
    let mut laid = Laid::of(&problem);
    size_stages(&mut problem, &mut laid, request, |stages| match unit {
        Some(Unit::Soak(stage)) => {
            let soak_ms = &mut stages[stage as usize].soak_ms;
            *soak_ms = soak_ms.saturating_sub(SOAK_UNIT_MS);
        }
        Some(Unit::Size(stage)) => enlarge(stages, stage as usize),
        _ => {}
    });
    let schedule = solve_laid(&problem, laid, 1);
    (problem, schedule)
}

/// Changes what the precedences wait for that are named like one of them.
fn each_alike(problem: &mut Problem, first: u32, count: impl Fn(u32) -> u32) {
    let name = problem.precedences[first as usize].name.clone();
    let alike = problem.precedences.iter_mut().filter(|it| it.name == name);
    alike.for_each(|it| it.count = count(it.count));
}

/// Lets a stage hold a move more if it holds one; those after it begin later or not at all.
fn enlarge(stages: &mut [Stage], at: usize) {
    let before = at.checked_sub(1).map_or(0, |before| stages[before].until);
    if stages[at].until > before {
        let until = stages[at].until.saturating_add(1);
        for stage in &mut stages[at..] {
            stage.until = stage.until.max(until);
        }
    }
}
