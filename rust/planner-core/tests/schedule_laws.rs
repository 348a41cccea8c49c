//! Laws of the scheduler over random problems.
#![allow(missing_docs, reason = "test")]

mod schedule_common;

use planner_core::schedule::problem::{Calendar, Cohort, Cohorts, Problem};
use planner_core::schedule::{
    Laid, PhasePart, Proof, bound, conflict, reachable, solve, solve_laid,
};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;
use schedule_common::{
    check, check_conflicts, check_held, check_optimum, left_of, problems, settled, slow_left,
    timed_problems,
};

/// The value that the proof adds up to.
fn proved(proof: &Proof, waves: u32) -> u64 {
    match proof {
        Proof::Nothing => 0,
        Proof::Chain { links, unit } => links.iter().map(|link| link.least(*unit)).sum(),
        Proof::Resource {
            moves,
            room,
            head,
            tail,
            ..
        } => {
            let middle = (moves - head.moves - tail.moves).div_ceil(*room);
            u64::from(head.waves + middle + tail.waves)
        }
        Proof::Between { room, between, .. } => between.waves(*room).into(),
        Proof::Phases { parts } => parts.iter().map(PhasePart::waves).sum(),
        Proof::ResourceTime {
            head_ms,
            moves_ms,
            tail_ms,
            ..
        } => head_ms + moves_ms + tail_ms,
        Proof::Calendar { ms, .. } => *ms,
        Proof::Begun { begun, why } => begun.ms + proved(why, waves),
        Proof::Rate { .. } => panic!("it is about moves without barriers"),
        Proof::Waves {
            shortest_ms, begun, ..
        } => shortest_ms * u64::from(waves) + begun.map_or(0, |it| it.ms),
    }
}

/// The same problem with groups, resources and precedences in another order.
fn permuted(problem: &Problem, seed: u64) -> Problem {
    let order = |n: usize| {
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&i| (i as u64 + 1).wrapping_mul(seed | 1).rotate_left(17) % 97);
        order
    };
    let (groups, resources) = (order(problem.groups.len()), order(problem.resources.len()));
    let place = |order: &[usize], old: u32| {
        order
            .iter()
            .position(|&o| o == old as usize)
            .expect("an order of all") as u32
    };
    let mut new = Problem {
        resources: resources
            .iter()
            .map(|&r| problem.resources[r].clone())
            .collect(),
        pools: Vec::new(),
        groups: groups.iter().map(|&g| problem.groups[g].clone()).collect(),
        precedences: problem.precedences.iter().rev().cloned().collect(),
        calendars: problem.calendars.clone(),
        streaming: problem.streaming,
        rates: problem.rates.clone(),
        phases: problem.phases.clone(),
        gangs: problem.gangs.clone(),
    };
    for p in &mut new.precedences {
        (p.before, p.after) = (place(&groups, p.before), place(&groups, p.after));
    }
    let placed = |list: &[u32]| {
        let mut list: Vec<u32> = list.iter().map(|&r| place(&resources, r)).collect();
        list.sort_unstable();
        list
    };
    for group in &mut new.groups {
        let mut cohorts = Cohorts::default();
        for (at, cohort) in group.cohorts.iter().enumerate() {
            cohorts.push(Cohort {
                takes: &placed(cohort.takes),
                releases: &placed(cohort.releases),
                ..cohort
            });
            cohorts.put_ahead(group.cohorts.ahead(at));
            cohorts.put_in(group.cohorts.phases(at));
            cohorts.put_in_gang(group.cohorts.gang(at));
        }
        group.cohorts = cohorts;
    }
    new
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_schedule_keeps_every_rule(problem in problems(6, 5, 9)) {
        let schedule = solve(&problem);
        prop_assert_eq!(check(&problem, &schedule), Ok(()));
        prop_assert_eq!(check_held(&problem, &schedule), Ok(()));
    }

    #[test]
    fn a_schedule_keeps_every_calendar(problem in timed_problems(6, 5, 9)) {
        let schedule = solve(&problem);
        prop_assert_eq!(check(&problem, &schedule), Ok(()));
        prop_assert_eq!(check_held(&problem, &schedule), Ok(()));
        prop_assert!(schedule.bound.waves <= schedule.waves);
        prop_assert!(schedule.bound.ms <= schedule.ms(), "{:?}", schedule.bound);
        let (proof, waves) = (&schedule.bound.ms_proof, schedule.bound.waves);
        prop_assert_eq!(proved(proof, waves), schedule.bound.ms);
        let sentence = proof.sentence(&problem);
        prop_assert!(sentence.ends_with('.'), "{}", sentence);
    }

    #[test]
    fn calendars_that_stay_open_leave_nothing(mut problem in timed_problems(6, 5, 9)) {
        for calendar in &mut problem.calendars {
            calendar.open.push(1_000_000..u64::MAX / 4);
        }
        prop_assert_eq!(solve(&problem).left, reachable(&problem).left);
    }

    #[test]
    fn what_opens_later_for_all_is_done_as_much_later(problem in problems(6, 5, 9), later: u32) {
        let opening = |at: u64| {
            let mut problem = problem.clone();
            let open = std::iter::once(at..u64::MAX / 4).collect();
            problem.calendars = vec![Calendar { name: "all".into(), open }];
            for group in &mut problem.groups {
                group.calendars = vec![0];
            }
            solve(&problem)
        };
        let (now, then) = (opening(0), opening(later.into()));
        prop_assert!(now.waves == 0 || now.ms() + u64::from(later) == then.ms());
    }

    #[test]
    fn stages_that_come_later_give_the_same_schedule(problem in problems(6, 5, 9)) {
        let mut bare = problem.clone();
        for group in &mut bare.groups {
            group.stages.clear();
        }
        let mut laid = Laid::of(&bare);
        laid.stage(&problem);
        prop_assert_eq!(laid.reachable(), &reachable(&problem));
        prop_assert_eq!(solve_laid(&problem, laid, 1), solve(&problem));
    }

    #[test]
    fn a_slower_rate_never_makes_a_bound_smaller(problem in problems(6, 5, 9)) {
        let mut slower = problem.clone();
        slower.rates.iter_mut().for_each(|rate| rate.per_s = rate.per_s.div_ceil(2));
        prop_assert!(solve(&slower).bound.ms >= solve(&problem).bound.ms);
        let at_once = |mut problem: Problem| {
            problem.groups.iter_mut().for_each(|group| group.needs.clear());
            problem.rates.clear();
            solve(&problem).bound
        };
        let (with, without) = (solve(&problem).bound, at_once(problem));
        prop_assert_eq!(with.waves, without.waves);
        prop_assert!(with.ms >= without.ms);
    }

    #[test]
    fn more_starts_are_never_worse(problem in problems(6, 5, 9), more in 2_u32..6) {
        let of = |starts| solve_laid(&problem, Laid::of(&problem), starts);
        let costs = [0, 1, more, more + 3].map(|starts| {
            let schedule = of(starts);
            assert_eq!(check(&problem, &schedule), Ok(()));
            (schedule.waves, schedule.ms())
        });
        prop_assert!(costs.is_sorted_by(|less, more| more <= less), "{:?}", costs);
        let alone = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        prop_assert_eq!(of(more), alone.install(|| of(more)));
    }

    #[test]
    fn what_is_left_is_what_single_moves_cannot_do(problem in problems(6, 4, 3)) {
        prop_assert_eq!(left_of(&problem), slow_left(&problem));
    }

    #[test]
    fn the_bound_is_below_every_schedule_and_its_proof_adds_up(problem in problems(6, 4, 9)) {
        let reachable = reachable(&problem);
        let bound = bound(&problem, &reachable);
        let schedule = solve(&problem);
        prop_assert!(bound.waves <= schedule.waves);
        prop_assert!(bound.ms <= schedule.ms());
        prop_assert_eq!(&bound, &schedule.bound);
        prop_assert_eq!(proved(&bound.waves_proof, bound.waves), u64::from(bound.waves));
        prop_assert_eq!(proved(&bound.ms_proof, bound.waves), bound.ms);
        let sentence = bound.waves_proof.sentence(&problem);
        prop_assert!(sentence.ends_with('.'), "{}", sentence);
    }

    #[test]
    fn the_optimum_lies_between_bound_and_schedule(problem in problems(3, 3, 2)) {
        check_optimum(&problem)?;
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(problem in problems(6, 4, 6), seed: u64) {
        let (one, other) = (solve(&problem), solve(&permuted(&problem, seed)));
        prop_assert_eq!(one.waves, other.waves);
        prop_assert_eq!(one.ms(), other.ms());
        prop_assert_eq!(one.bound.waves, other.bound.waves);
        prop_assert_eq!(one.bound.ms, other.bound.ms);
    }

    #[test]
    fn more_room_never_makes_less_possible_nor_raises_the_bound(
        problem in problems(5, 4, 6), which: prop::sample::Index, more in 1..4_u32
    ) {
        let problem = settled(problem);
        let mut wider = problem.clone();
        let r = which.index(wider.resources.len());
        wider.resources[r].limit += more;
        let (narrow, wide) = (left_of(&problem), left_of(&wider));
        for (cohort, left) in &wide {
            prop_assert!(narrow.get(cohort) >= Some(left));
        }
        if narrow == wide {
            let of = |p: &Problem| bound(p, &reachable(p)).waves;
            prop_assert!(of(&wider) <= of(&problem));
        }
    }

    #[test]
    fn a_conflict_rules_the_goal_out_and_needs_every_member(problem in problems(6, 4, 3)) {
        check_conflicts(problem)?;
    }
}

#[test]
fn an_empty_problem_needs_no_waves() {
    let schedule = solve(&Problem::default());
    assert_eq!((schedule.waves, schedule.ms()), (0, 0));
    assert_eq!((schedule.bound.waves, schedule.bound.ms), (0, 0));
    assert_eq!(schedule.bound.waves_proof, Proof::Nothing);
    assert_eq!(conflict(&Problem::default(), &[]), []);
}
