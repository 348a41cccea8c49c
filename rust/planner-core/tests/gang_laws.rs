//! Laws of gangs over random problems: all of one go in one wave, or none.
#![allow(missing_docs, reason = "test")]

mod schedule_common;

use std::collections::BTreeMap;

use planner_core::schedule::problem::{
    Calendar, Cohort, Cohorts, Gang, Group, Order, Problem, Resource,
};
use planner_core::schedule::{ConstraintId, Goal, Held, Laid, conflict, solve, solve_laid};
use proptest::prelude::*;
use schedule_common::{
    check, check_conflicts, check_held, check_optimum, left_of, problems, regang, slow_left,
    timed_problems,
};

const GANGS: u32 = 3;

/// With gangs of the cohorts that take something, by a byte of each; another byte may tear one.
fn ganged(mut problem: Problem, bytes: &[u8]) -> Problem {
    let is_torn = |at: u32| bytes[0] == at as u8;
    let gang = |at: u32| Gang {
        name: format!("gang {at}").into(),
        is_torn: is_torn(at),
    };
    problem.gangs = (0..GANGS).map(gang).collect();
    let mut bytes = bytes.iter().cycle();
    regang(&mut problem, |_| {
        let byte = u32::from(*bytes.next().expect("they go round"));
        (byte % 6 < GANGS).then_some(byte % 6)
    });
    problem.groups.iter_mut().for_each(stage_with_gangs);
    problem
}

/// No stage ends within a gang.
fn stage_with_gangs(group: &mut Group) {
    let counts = group.cohorts.counts();
    let gang = |at: usize| group.cohorts.gang(at);
    if group.order == Order::Free {
        let mut moves: BTreeMap<u32, u32> = BTreeMap::new();
        for (at, count) in counts.iter().enumerate() {
            if let Some(gang) = gang(at) {
                *moves.entry(gang).or_default() += count;
            }
        }
        if moves.values().any(|count| *count > 1) {
            group.stages.clear();
        }
        return;
    }
    let mut begin = 0;
    while begin < counts.len() {
        let goes_on = |at: &usize| gang(*at).is_some() && gang(*at) == gang(begin);
        let end = begin + 1 + (begin + 1..counts.len()).take_while(goes_on).count();
        let moves = |end: usize| counts[..end].iter().sum::<u32>();
        let (first, last) = (moves(begin), moves(end));
        if gang(begin).is_some() {
            let within = group
                .stages
                .iter_mut()
                .filter(|it| first < it.until && it.until < last);
            within.for_each(|stage| stage.until = last);
        }
        begin = end;
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 18)
}

fn ganged_problems(groups: usize, resources: usize, count: u32) -> impl Strategy<Value = Problem> {
    (problems(groups, resources, count), bytes())
        .prop_map(|(problem, bytes)| ganged(problem, &bytes))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_schedule_keeps_every_rule(problem in ganged_problems(6, 5, 3)) {
        let schedule = solve(&problem);
        prop_assert_eq!(check(&problem, &schedule), Ok(()));
        prop_assert_eq!(check_held(&problem, &schedule), Ok(()));
    }

    #[test]
    fn a_schedule_keeps_every_calendar(problem in timed_problems(6, 5, 3), bytes in bytes()) {
        let problem = ganged(problem, &bytes);
        let schedule = solve(&problem);
        prop_assert_eq!(check(&problem, &schedule), Ok(()));
        prop_assert_eq!(check_held(&problem, &schedule), Ok(()));
    }

    #[test]
    fn what_is_left_is_what_single_moves_and_gangs_cannot_do(problem in ganged_problems(6, 4, 3)) {
        prop_assert_eq!(left_of(&problem), slow_left(&problem));
    }

    #[test]
    fn the_optimum_lies_between_bound_and_schedule(problem in ganged_problems(3, 3, 2)) {
        check_optimum(&problem)?;
    }

    #[test]
    fn more_starts_are_never_worse(problem in ganged_problems(6, 5, 3), more in 2_u32..6) {
        let costs = [0, 1, more].map(|starts| {
            let schedule = solve_laid(&problem, Laid::of(&problem), starts);
            assert_eq!(check(&problem, &schedule), Ok(()));
            (schedule.waves, schedule.ms())
        });
        prop_assert!(costs.is_sorted_by(|less, more| more <= less), "{:?}", costs);
    }

    #[test]
    fn a_conflict_rules_the_goal_out_and_needs_every_member(problem in ganged_problems(6, 4, 3)) {
        check_conflicts(problem)?;
    }
}

/// The last waits for the one before it, which waits for the first, whose gang is not complete
/// before the last.
#[test]
fn a_conflict_follows_an_order_to_its_beginning() {
    let mut group = Group {
        name: "cart".into(),
        order: Order::Strict,
        ..Group::default()
    };
    for gang in [Some(0), None, Some(0)] {
        group.cohorts.push(Cohort {
            count: 1,
            duration_ms: 1000,
            takes: &[],
            releases: &[],
        });
        group.cohorts.put_in_gang(gang);
    }
    let gangs = vec![Gang {
        name: "pair".into(),
        is_torn: false,
    }];
    let problem = Problem {
        groups: vec![group],
        gangs,
        ..Problem::default()
    };
    let last = Goal {
        group: 0,
        cohort: 2,
    };
    let expected = [ConstraintId::Order(0), ConstraintId::Gang(0)];
    assert_eq!(conflict(&problem, &[last]), expected);
}

#[test]
fn gangs_are_in_the_problems_of_these_laws() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut held = 0;
    for _ in 0..200 {
        let tree = ganged_problems(6, 5, 3).new_tree(&mut runner).unwrap();
        let schedule = solve(&proptest::strategy::ValueTree::current(&tree));
        held += schedule
            .chunks
            .iter()
            .filter(|it| matches!(it.held, Held::Gang(_)))
            .count();
    }
    assert!(held > 0);
}

/// A group of one move that takes from one resource.
fn one(name: &str, resource: u32, gang: Option<u32>, duration_ms: u64) -> Group {
    let mut cohorts = Cohorts::default();
    cohorts.push(Cohort {
        count: 1,
        takes: &[resource],
        releases: &[],
        duration_ms,
    });
    cohorts.put_in_gang(gang);
    Group {
        name: name.into(),
        cohorts,
        ..Group::default()
    }
}

/// One of the gang would fit and takes long, the other has no room beside the first group: a group
/// that has a second of time goes beside that all the same.
#[test]
fn a_gang_without_room_takes_no_time_of_the_wave() {
    let resource = |(name, limit): (&str, u32)| Resource {
        name: name.into(),
        limit,
        down: 0,
        is_place: false,
    };
    let mut hurried = one("hurried", 1, None, 1_000);
    hurried.calendars = vec![0];
    let problem = Problem {
        resources: [("narrow", 1), ("wide", 5)].map(resource).into(),
        groups: vec![
            one("first", 0, None, 1_000),
            one("gang, long", 1, Some(0), 10_000),
            one("gang, narrow", 0, Some(0), 1_000),
            hurried,
        ],
        gangs: vec![Gang {
            name: "gang".into(),
            is_torn: false,
        }],
        calendars: vec![Calendar {
            name: "a second".into(),
            open: vec![0..1_500, 100_000..200_000],
        }],
        ..Problem::default()
    };
    let schedule = solve(&problem);
    assert_eq!(check(&problem, &schedule), Ok(()));
    assert_eq!((schedule.waves, schedule.ms()), (2, 11_000));
}
