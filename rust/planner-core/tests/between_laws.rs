//! Laws of what budgets prove between first and last waves, over small problems whose groups wait
//! for several others of the same budgets.
#![allow(missing_docs, reason = "test")]

mod schedule_common;

use planner_core::schedule::problem::{
    Cohort, Cohorts, Group, Order, Precedence, Problem, Resource,
};
use planner_core::schedule::{Between, Proof, Schedule, solve};
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use schedule_common::{check, fewest_waves, left_of};

/// Moves of a group, one of which may be down, and what they take.
type Drawn = (u32, bool, Vec<u32>);

/// Up to so many groups, each of which waits for some of those before it, for all of their moves or
/// for some, and takes from one budget of two or from both.
fn crossed(groups: usize, count: u32) -> impl Strategy<Value = Problem> {
    let takes = prop_oneof![3 => subsequence(vec![0, 1], 1), 1 => Just(vec![0, 1])];
    let group = (1..=count, prop::bool::weighted(0.2), takes);
    let links = prop::collection::vec((any::<bool>(), 1..=2 * count), groups * groups);
    let groups = prop::collection::vec(group, 3..=groups);
    (groups, links, 1..=2_u32, 1..=2_u32).prop_map(|(drawn, links, one, two)| {
        let pairs = (0..drawn.len()).flat_map(|after| (0..after).map(move |it| (it, after)));
        let links = pairs.zip(links).filter(|(_, (waits, _))| *waits);
        let links = links.map(|((before, after), (_, count))| Precedence {
            name: format!("{after} after {before}").into(),
            before: before as u32,
            after: after as u32,
            count: count.min(drawn[before].0),
        });
        let down = |r: u32| drawn.iter().filter(|it| it.1 && it.2.contains(&r)).count() as u32;
        let resource = |(r, limit): (u32, u32)| Resource {
            name: format!("resource {r}").into(),
            limit: limit.max(down(r)),
            down: down(r),
            is_place: false,
        };
        Problem {
            resources: [(0, one), (1, two)].map(resource).into(),
            precedences: links.collect(),
            groups: drawn.iter().map(group_of).collect(),
            ..Problem::default()
        }
    })
}

fn group_of((count, is_down, takes): &Drawn) -> Group {
    let of = |count, takes, releases| Cohort {
        count,
        takes,
        releases,
        duration_ms: 1000,
    };
    let down = u32::from(*is_down);
    let mut cohorts = Cohorts::default();
    if *count > down {
        cohorts.push(of(count - down, takes, &[]));
    }
    if *is_down {
        cohorts.push(of(1, &[], takes));
    }
    Group {
        name: format!("{count} on {takes:?}").into(),
        cohorts,
        order: Order::Free,
        stages: vec![],
        calendars: vec![],
        needs: vec![],
    }
}

/// The moves on a resource that a schedule makes between its first and its last waves.
fn made(problem: &Problem, schedule: &Schedule, resource: u32, between: Between) -> u32 {
    let last = schedule.waves.saturating_sub(between.tail_waves);
    let inside = between.head_waves + 1..=last;
    let chunks = schedule
        .chunks
        .iter()
        .filter(|it| inside.contains(&it.wave));
    let taking = chunks.filter(|it| {
        let cohorts = &problem.groups[it.group as usize].cohorts;
        cohorts.get(it.cohort as usize).takes.contains(&resource)
    });
    taking.map(|it| it.count).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_between_does_so_in_every_schedule(problem in crossed(6, 4)) {
        let schedule = solve(&problem);
        prop_assert_eq!(check(&problem, &schedule), Ok(()));
        prop_assert!(schedule.bound.waves <= schedule.waves);
        if let Proof::Between { resource, moves, room, between } = schedule.bound.waves_proof {
            prop_assert_eq!(between.waves(room), schedule.bound.waves);
            prop_assert!(between.moves <= moves);
            prop_assert!(made(&problem, &schedule, resource, between) >= between.moves);
        }
    }

    #[test]
    fn no_schedule_has_fewer_waves(problem in crossed(5, 3)) {
        let moves: u32 = problem.groups.iter().flat_map(|it| it.cohorts.counts()).sum();
        prop_assume!(moves <= 10);
        let bound = solve(&problem).bound;
        let fewest = fewest_waves(&problem, &left_of(&problem));
        prop_assert!(bound.waves <= fewest, "{:?}", bound);
    }
}

/// The laws would hold of a bound that never looks between.
#[test]
fn some_of_these_are_proved_by_what_lies_between() {
    let mut runner = TestRunner::deterministic();
    let mut draw = |groups, count| {
        let drawn = crossed(groups, count).new_tree(&mut runner).expect("one");
        let proof = solve(&drawn.current()).bound.waves_proof;
        matches!(proof, Proof::Between { .. })
    };
    let many = (0..500).filter(|_| draw(6, 4)).count();
    let few = (0..500).filter(|_| draw(5, 3)).count();
    assert!(many >= 30 && few >= 10, "{many} and {few} of 500");
}

/// Five of a group go one after the other, then two groups of four, then five of another; with the
/// two goes one of eight in the same budget, which waits for nobody.
#[test]
fn who_can_go_at_both_ends_makes_up_for_nobody() {
    let resource = |name: &str, limit| Resource {
        name: name.into(),
        limit,
        down: 0,
        is_place: false,
    };
    let group = |name: &str, count, takes: &[u32]| Group {
        name: name.into(),
        cohorts: std::iter::once(Cohort {
            count,
            takes,
            releases: &[],
            duration_ms: 1000,
        })
        .collect(),
        order: Order::Free,
        stages: vec![],
        calendars: vec![],
        needs: vec![],
    };
    let link = |before, after, count| Precedence {
        name: format!("{after} after {before}").into(),
        before,
        after,
        count,
    };
    let problem = Problem {
        resources: vec![resource("one", 1), resource("two", 2), resource("end", 1)],
        groups: vec![
            group("first", 5, &[0]),
            group("left", 4, &[1]),
            group("right", 4, &[1]),
            group("last", 5, &[2]),
            group("any", 8, &[1]),
        ],
        precedences: vec![link(0, 1, 5), link(0, 2, 5), link(1, 3, 4), link(2, 3, 4)],
        ..Problem::default()
    };
    let schedule = solve(&problem);
    assert_eq!((schedule.waves, schedule.bound.waves), (14, 14));
    assert_eq!(
        schedule.bound.waves_proof.sentence(&problem),
        "two has room for 2 of 16 moves at once, at least 8 of them neither in the first 5 waves \
         nor in the last 5 waves: 14 waves."
    );
}
