//! Laws of project scheduling over random projects.
#![allow(missing_docs, reason = "test")]

mod project_common;

use planner_core::project::problem::Project;
use planner_core::project::{Direction, Network, bound, generate, justify, solve, solve_all};
use project_common::{check, projects};
use proptest::prelude::*;

const BOTH: [Direction; 2] = [Direction::Forward, Direction::Backward];

/// The least makespan over every order: some order gives a shortest schedule (Sprecher, Kolisch
/// and Drexl, European Journal of Operational Research 80, 1995).
fn shortest(network: &Network, project: &Project) -> u32 {
    let n = project.activities.len();
    let mut best = u32::MAX;
    let mut order: Vec<u32> = (0..n as u32).collect();
    permute(&mut order, 0, &mut |priorities| {
        best = best.min(generate(network, Direction::Forward, priorities).makespan);
    });
    best
}

fn permute(order: &mut [u32], from: usize, visit: &mut impl FnMut(&[u32])) {
    if from + 1 >= order.len() {
        return visit(order);
    }
    for i in from..order.len() {
        order.swap(from, i);
        permute(order, from + 1, visit);
        order.swap(from, i);
    }
}

proptest! {
    #[test]
    fn every_order_gives_a_schedule_that_keeps_every_rule(
        project in projects(20),
        priorities in prop::collection::vec(0_u32..30, 20),
    ) {
        let network = Network::of(&project).unwrap();
        for direction in BOTH {
            let priorities = &priorities[..project.activities.len()];
            let schedule = generate(&network, direction, priorities);
            check(&project, &schedule);
            prop_assert!(schedule.makespan >= bound(&network).makespan());
        }
    }

    #[test]
    fn justification_never_worsens(
        project in projects(20),
        priorities in prop::collection::vec(0_u32..30, 20),
    ) {
        let network = Network::of(&project).unwrap();
        for direction in BOTH {
            let schedule = generate(&network, direction, &priorities[..project.activities.len()]);
            let justified = justify(&network, &schedule);
            check(&project, &justified);
            prop_assert!(justified.makespan <= schedule.makespan);
        }
    }

    #[test]
    fn solutions_keep_every_rule_and_say_how_many_schedules_they_took(
        project in projects(20), seed: u64, schedules in 0_u64..300,
    ) {
        let network = Network::of(&project).unwrap();
        let solution = solve(&network, schedules, seed);
        check(&project, &solution.schedule);
        prop_assert_eq!(solution.bound, bound(&network));
        prop_assert!(solution.schedule.makespan >= solution.bound.makespan());
        prop_assert!((1..=schedules.max(1)).contains(&solution.schedules));
    }

    #[test]
    fn the_same_seed_gives_the_same(project in projects(20), seed: u64) {
        let network = Network::of(&project).unwrap();
        let solution = solve(&network, 200, seed);
        let together = solve_all(&[&network, &network, &network], 200, seed);
        prop_assert!(together.iter().all(|other| *other == solution));
    }

    #[test]
    fn more_schedules_are_never_worse(
        project in projects(25), seed: u64, few in 1_u64..1_500, more in 0_u64..1_500,
    ) {
        let network = Network::of(&project).unwrap();
        let short = solve(&network, few, seed);
        let long = solve(&network, few + more, seed);
        prop_assert!(long.schedule.makespan <= short.schedule.makespan);
        prop_assert!(long.schedules >= short.schedules);
    }

    #[test]
    fn small_projects_are_solved_and_bounded_by_their_shortest_schedule(
        project in projects(6), seed: u64,
    ) {
        let network = Network::of(&project).unwrap();
        let shortest = shortest(&network, &project);
        prop_assert!(bound(&network).makespan() <= shortest);
        prop_assert_eq!(solve(&network, 1_000, seed).schedule.makespan, shortest);
    }
}
