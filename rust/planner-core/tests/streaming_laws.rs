//! Laws of schedules without barriers, over random problems: every rule is kept, no schedule is longer
//! than with barriers, and no bound is above the best of all schedules that there are.
#![expect(clippy::unwrap_used, reason = "tests")]

mod schedule_common;

use std::collections::BTreeMap;

use planner_core::schedule::problem::{Order, Problem};
use planner_core::schedule::{Proof, Schedule, Unit, solve};
use proptest::prelude::*;
use schedule_common::{phases_before, problems, timed_problems};

/// A move of a schedule without barriers.
#[derive(Clone, Copy, Debug)]
struct Move {
    group: usize,
    cohort: usize,
    start: u64,
    end: u64,
}

fn moves_of(problem: &Problem, schedule: &Schedule) -> Vec<Move> {
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

/// Checks every rule of the moves; pods that are down and have no move here stay down.
fn check(problem: &Problem, moves: &[Move]) -> Result<(), String> {
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
            if !open.any(|it| it.start <= each.start && each.end <= it.end) {
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

/// What a proof adds up to.
fn proved(proof: &Proof, waves: u32) -> u64 {
    match proof {
        Proof::Nothing => 0,
        Proof::Chain { links, unit } => {
            assert_eq!(*unit, Unit::Streaming);
            links.iter().map(|link| link.least(*unit)).sum()
        }
        Proof::ResourceTime {
            head_ms,
            moves_ms,
            tail_ms,
            ..
        } => head_ms + moves_ms + tail_ms,
        Proof::Calendar { ms, .. } => *ms,
        Proof::Rate { begun, shortest_ms } => begun.ms + shortest_ms,
        Proof::Waves {
            shortest_ms,
            begun: None,
            ..
        } => u64::from(waves) * shortest_ms,
        other => panic!("{other:?} is about barriers"),
    }
}

fn streaming(mut problem: Problem) -> (Problem, Schedule) {
    problem.streaming = true;
    let schedule = solve(&problem);
    (problem, schedule)
}

fn holds(problem: Problem) -> Result<(), TestCaseError> {
    let (problem, schedule) = streaming(problem);
    let found = schedule.streaming.as_ref().unwrap();
    let moves = moves_of(&problem, &schedule);
    prop_assert_eq!(check(&problem, &moves), Ok(()));
    prop_assert_eq!(moves.iter().map(|it| it.end).max().unwrap_or(0), found.ms);
    // Of a wave whose moves go by several rates nobody asks whether they can begin at all of them in
    // the time of the slowest.
    prop_assert!(problem.rates.len() > 1 || found.ms <= schedule.ms());
    prop_assert!(found.bound_ms <= found.ms);
    prop_assert_eq!(proved(&found.proof, schedule.bound.waves), found.bound_ms);
    let sentence = found.proof.sentence(&problem);
    prop_assert!(sentence.ends_with('.'), "{}", sentence);
    let (waves, without) = (
        solve(&Problem {
            streaming: false,
            ..problem
        }),
        schedule,
    );
    prop_assert_eq!(waves.chunks, without.chunks);
    Ok(())
}

/// The least time of all schedules without barriers, or none when there are too many of them.
///
/// Among those in which each move, in some order, begins as early as the ones before it allow is one
/// of the shortest (an active schedule: Sprecher, Kolisch, Drexl 1995).
fn least_ms(problem: &Problem, schedule: &Schedule) -> Option<u64> {
    let all = moves_of(problem, schedule);
    let mut waiting: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    for each in &all {
        *waiting.entry((each.group, each.cohort)).or_default() += 1;
    }
    if all.len() > 6 {
        return None;
    }
    let mut least = u64::MAX;
    let mut moves = Vec::new();
    extend(problem, &mut waiting, &mut moves, &mut least);
    Some(least)
}

fn extend(
    problem: &Problem,
    waiting: &mut BTreeMap<(usize, usize), u32>,
    moves: &mut Vec<Move>,
    least: &mut u64,
) {
    let kinds: Vec<(usize, usize)> = waiting
        .iter()
        .filter(|it| *it.1 > 0)
        .map(|it| *it.0)
        .collect();
    let end = moves.iter().map(|it| it.end).max().unwrap_or(0);
    if kinds.is_empty() || end >= *least {
        *least = end.min(*least);
        return;
    }
    for (group, cohort) in kinds {
        let of = &problem.groups[group];
        let lasts = of.cohorts.get(cohort).duration_ms;
        // A move begins at the start, when another ends or begins, or when a soak is over.
        let soaks = || of.stages.iter().map(|it| it.soak_ms).chain([0]);
        let mut starts: Vec<u64> = moves
            .iter()
            .flat_map(|it| soaks().map(|soak| it.end + soak))
            .collect();
        starts.extend(moves.iter().map(|it| it.start).chain([0]));
        starts.sort_unstable();
        starts.dedup();
        for start in starts {
            moves.push(Move {
                group,
                cohort,
                start,
                end: start + lasts,
            });
            if check(problem, moves).is_ok() {
                *waiting.get_mut(&(group, cohort)).unwrap() -= 1;
                extend(problem, waiting, moves, least);
                *waiting.get_mut(&(group, cohort)).unwrap() += 1;
                moves.pop();
                break;
            }
            moves.pop();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn moves_keep_every_rule_without_barriers(problem in problems(6, 5, 9)) {
        holds(problem)?;
    }

    #[test]
    fn moves_keep_every_calendar_without_barriers(problem in timed_problems(6, 5, 9)) {
        holds(problem)?;
    }

    #[test]
    fn the_shortest_of_all_lies_between_bound_and_schedule(mut problem in problems(3, 3, 2)) {
        problem.rates.clear();
        problem.groups.iter_mut().for_each(|group| group.needs.clear());
        let (problem, schedule) = streaming(problem);
        let found = schedule.streaming.as_ref().unwrap();
        let least = least_ms(&problem, &schedule);
        prop_assume!(least.is_some());
        prop_assert!(found.bound_ms <= least.unwrap(), "{:?}", found.proof);
        prop_assert!(least.unwrap() <= found.ms);
    }
}
