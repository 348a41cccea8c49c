//! Laws of schedules without barriers, over random problems: every rule is kept, no schedule is longer
//! than with barriers, and no bound is above the best of all schedules that there are.
#![expect(clippy::unwrap_used, reason = "tests")]

mod schedule_common;
mod streaming_common;

use std::collections::BTreeMap;

use planner_core::schedule::problem::Problem;
use planner_core::schedule::{Proof, Schedule, Unit, solve};
use proptest::prelude::*;
use schedule_common::{problems, timed_problems};
use streaming_common::{Move, check, moves_of, streaming};

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
