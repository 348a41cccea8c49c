//! Laws of gangs over random problems: all of one go in one wave, or none.
#![allow(missing_docs, reason = "test")]

mod schedule_common;

use std::collections::{BTreeMap, BTreeSet};

use planner_core::schedule::problem::{Gang, Group, Order, Problem};
use planner_core::schedule::{ConstraintId, Goal, conflict, reachable, solve, solve_laid};
use planner_core::schedule::{Held, Laid};
use proptest::prelude::*;
use schedule_common::{
    can, check, check_held, fewest_waves, left_of, problems, regang, settled, slow_left,
    timed_problems, with_only,
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
        let moves: u32 = problem.groups.iter().flat_map(|g| g.cohorts.counts()).sum();
        prop_assume!(moves <= 9);
        let schedule = solve(&problem);
        let optimum = fewest_waves(&problem, &left_of(&problem));
        prop_assert!(schedule.bound.waves <= optimum, "{:?}", schedule.bound);
        prop_assert!(optimum <= schedule.waves);
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
        let problem = settled(problem);
        let left = reachable(&problem).left;
        let goal: Vec<Goal> =
            left.iter().map(|l| Goal { group: l.group, cohort: l.cohort }).collect();
        for goal in goal.chunks(2).chain([&goal[..]]) {
            let found: BTreeSet<ConstraintId> = conflict(&problem, goal).into_iter().collect();
            prop_assert_eq!(found.is_empty(), goal.is_empty());
            if !goal.is_empty() {
                prop_assert!(!can(&with_only(&problem, &found), goal));
            }
            for member in &found {
                let mut fewer = found.clone();
                fewer.remove(member);
                prop_assert!(can(&with_only(&problem, &fewer), goal), "without {:?}", member);
            }
        }
    }
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
