//! What the tests of schedules without barriers share: a slow and plain check of every rule.
#![allow(clippy::unwrap_used, reason = "tests")]

use planner_core::schedule::problem::{Order, Problem};
use planner_core::schedule::{Schedule, solve};

use crate::schedule_common::phases_before;

/// A move of a schedule without barriers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub group: usize,
    pub cohort: usize,
    pub start: u64,
    pub end: u64,
}

pub fn moves_of(problem: &Problem, schedule: &Schedule) -> Vec<Move> {
    let streaming = schedule.streaming.as_ref().unwrap();
    let mut moves = Vec::new();
    for (at, chunk) in schedule.chunks.iter().enumerate() {
        let (group, cohort) = (chunk.group as usize, chunk.cohort as usize);
        let lasts = problem.groups[group].cohorts.get(cohort).duration_ms;
        let starts: Vec<u64> = streaming
            .runs(at)
            .iter()
            .flat_map(|run| vec![run.start_ms; run.count as usize])
            .collect();
        assert_eq!(starts.len(), chunk.count as usize, "{chunk:?}");
        moves.extend(starts.into_iter().map(|start| Move {
            group,
            cohort,
            start,
            end: start + lasts,
        }));
    }
    moves
}

/// Checks every rule of the moves; pods that are down and have no move here stay down. Calendars have
/// to leave a move the time that is planned, however long it takes.
pub fn check(problem: &Problem, moves: &[Move]) -> Result<(), String> {
    let phases = |it: &Move| problem.groups[it.group].cohorts.phases(it.cohort);
    for each in moves {
        let group = &problem.groups[each.group];
        let earlier = phases(each)
            .iter()
            .flat_map(|phase| phases_before(problem, *phase));
        for phase in earlier {
            let mut its = moves.iter().filter(|it| phases(it).contains(&phase));
            if its.any(|it| it.end > each.start) {
                return Err(format!("{each:?} begins before phase {phase} is over"));
            }
        }
        for &r in group.cohorts.get(each.cohort).takes {
            let (down, taken) = taken(problem, moves, r, each.start);
            if down + taken > problem.resources[r as usize].limit {
                return Err(format!("{each:?} takes resource {r}: {down} + {taken}"));
            }
        }
        for p in &problem.precedences {
            let is_done = |it: &&Move| it.group == p.before as usize && it.end <= each.start;
            let done = moves.iter().filter(is_done).count();
            if p.after as usize == each.group && done < p.count as usize {
                return Err(format!("{each:?} does not wait for {}", p.name));
            }
        }
        for &calendar in &group.calendars {
            let mut open = problem.calendars[calendar as usize].open.iter();
            let planned_end = each.start + group.cohorts.get(each.cohort).duration_ms;
            if !open.any(|it| it.start <= each.start && planned_end <= it.end) {
                return Err(format!("{each:?} is outside calendar {calendar}"));
            }
        }
    }
    for (g, group) in problem.groups.iter().enumerate() {
        let mut its: Vec<Move> = moves.iter().filter(|it| it.group == g).copied().collect();
        its.sort_by_key(|it| (it.start, it.cohort));
        let is_passed = |pair: &[Move]| pair[0].cohort > pair[1].cohort;
        if group.order == Order::Strict && its.windows(2).any(is_passed) {
            return Err(format!("{} does not go in order", group.name));
        }
        check_stages(group, &its)?;
        let started = |at: u64| its.iter().filter(|it| it.start <= at).count();
        let is_early = |it: &&Move| started(it.start) <= group.cohorts.ahead(it.cohort) as usize;
        if problem.calendars.is_empty()
            && let Some(early) = its
                .iter()
                .find(|it| is_early(it) && group.cohorts.ahead(it.cohort) > 0)
        {
            return Err(format!("{early:?} is too early"));
        }
    }
    check_rates(problem, moves)
}

/// Pods that are down on a resource at a time, and moves that take from it.
fn taken(problem: &Problem, moves: &[Move], r: u32, at: u64) -> (u32, u32) {
    let cohort = |it: &Move| problem.groups[it.group].cohorts.get(it.cohort);
    let back = moves
        .iter()
        .filter(|it| cohort(it).releases.contains(&r) && it.end <= at);
    let going = moves.iter().filter(|it| it.start <= at && at < it.end);
    let taken = going.filter(|it| cohort(it).takes.contains(&r)).count() as u32;
    let down = problem.resources[r as usize].down;
    (down.saturating_sub(back.count() as u32), taken)
}

fn check_stages(
    group: &planner_core::schedule::problem::Group,
    its: &[Move],
) -> Result<(), String> {
    let mut from = 0;
    for stage in &group.stages {
        let until = (stage.until as usize).min(its.len());
        if until > from && until < its.len() {
            let end = its[..until].iter().map(|it| it.end).max().unwrap();
            if its[until].start < end + stage.soak_ms {
                return Err(format!("{} goes on before {}", group.name, stage.until));
            }
        }
        from = from.max(until);
    }
    Ok(())
}

fn check_rates(problem: &Problem, moves: &[Move]) -> Result<(), String> {
    for (r, rate) in problem.rates.iter().enumerate() {
        let mut its: Vec<(u64, u64)> = Vec::new();
        for each in moves {
            let needs = problem.groups[each.group].needs.iter();
            let need = needs.filter(|it| it.rate as usize == r);
            its.extend(need.map(|need| (each.start, u64::from(need.units))));
        }
        its.sort_unstable();
        for (at, (end, _)) in its.iter().enumerate() {
            for from in 0..=at {
                let begin = if from == 0 { 0 } else { its[from - 1].0 };
                let units: u64 = its[from..=at].iter().map(|it| it.1).sum();
                // Times are rounded to milliseconds.
                if (end - begin + 1) * u64::from(rate.per_s) < units * 1000 {
                    return Err(format!("{}: {units} units in {begin}..{end}", rate.name));
                }
            }
        }
    }
    Ok(())
}

/// The problem that asks for streaming, and its schedule.
pub fn streaming(mut problem: Problem) -> (Problem, Schedule) {
    problem.streaming = true;
    let schedule = solve(&problem);
    (problem, schedule)
}
