//! One project, small enough to follow by hand, and what cannot be a project.
#![allow(missing_docs, reason = "test")]

mod project_common;

use planner_core::project::problem::{Demand, LIMIT, Project, ProjectError};
use planner_core::project::{Direction, Network, Schedule, bound, generate, justify, solve};
use project_common::{activity, after, check};

/// The second activity leaves no room for the first, third and fifth, which are a chain of 8.
fn worked() -> Project {
    Project {
        activities: vec![
            activity(3, &[2, 1]),
            activity(4, &[3, 0]),
            activity(2, &[2, 1]),
            activity(2, &[1, 1]),
            activity(3, &[2, 2]),
        ],
        capacities: vec![4, 2],
        precedences: after(&[(0, 2), (1, 3), (2, 4)]),
    }
}

fn schedule(starts: [u32; 5], makespan: u32) -> Schedule {
    Schedule {
        starts: starts.to_vec(),
        makespan,
    }
}

#[test]
fn activities_start_as_early_as_their_order_allows() {
    let network = Network::of(&worked()).unwrap();
    let forward = |priorities: [u32; 5]| generate(&network, Direction::Forward, &priorities);
    assert_eq!(forward([0, 1, 2, 3, 4]), schedule([0, 3, 7, 7, 9], 12));
    assert_eq!(forward([0, 4, 2, 3, 1]), schedule([0, 8, 3, 12, 5], 14));
}

#[test]
fn from_the_end_activities_finish_as_late_as_their_order_allows() {
    let network = Network::of(&worked()).unwrap();
    let backward = generate(&network, Direction::Backward, &[4, 3, 2, 1, 0]);
    assert_eq!(backward, schedule([0, 3, 7, 7, 9], 12));
}

#[test]
fn justification_closes_the_gap_of_a_schedule() {
    let network = Network::of(&worked()).unwrap();
    // The fourth activity waits although it could go beside the third.
    let late = schedule([0, 3, 7, 12, 9], 14);
    check(&worked(), &late);
    assert_eq!(justify(&network, &late), schedule([0, 3, 7, 7, 9], 12));
}

#[test]
fn the_shortest_schedule_is_found_above_the_bound() {
    let network = Network::of(&worked()).unwrap();
    assert_eq!(bound(&network).critical_path, 8);
    assert_eq!(bound(&network).energy, 8);
    let solution = solve(&network, 100, 0);
    assert_eq!(solution.schedule.makespan, 12);
    assert_eq!(solution.schedules, 100);
}

#[test]
fn a_search_ends_with_the_schedule_that_reaches_the_bound() {
    let mut project = worked();
    project.capacities = vec![7, 4];
    let solution = solve(&Network::of(&project).unwrap(), 100, 0);
    assert_eq!(
        (solution.schedule.makespan, solution.bound.makespan()),
        (8, 8)
    );
    assert_eq!(solution.schedules, 1);
}

#[test]
fn the_energy_between_what_precedes_and_what_follows_is_a_bound() {
    // Four jobs of one machine, each between two steps that need nothing.
    let mut activities = Vec::new();
    let mut pairs = Vec::new();
    for job in 0..4 {
        activities.extend([activity(2, &[0]), activity(3, &[1]), activity(5, &[0])]);
        pairs.extend([(3 * job, 3 * job + 1), (3 * job + 1, 3 * job + 2)]);
    }
    let project = Project {
        activities,
        capacities: vec![1],
        precedences: after(&pairs),
    };
    let bound = bound(&Network::of(&project).unwrap());
    assert_eq!(
        (bound.critical_path, bound.energy, bound.makespan()),
        (10, 19, 19)
    );
}

#[test]
fn the_largest_numbers_fit() {
    let most = LIMIT - 1;
    let half = most / 2;
    let project = Project {
        activities: vec![activity(half, &[most; 5]), activity(half, &[1; 5])],
        capacities: vec![most; 5],
        precedences: vec![],
    };
    let solution = solve(&Network::of(&project).unwrap(), 10, 0);
    assert_eq!(solution.schedule.makespan, 2 * half);
}

#[test]
fn what_cannot_be_a_project_is_named() {
    let error = |change: &dyn Fn(&mut Project)| {
        let mut project = worked();
        change(&mut project);
        Network::of(&project).unwrap_err().to_string()
    };
    assert_eq!(
        error(&|p| p.precedences.extend(after(&[(4, 0)]))),
        "activities 0, 2, 4 wait for each other in a circle; take one of these precedences out"
    );
    assert_eq!(
        error(&|p| p.capacities[0] = 2),
        "activity 1 demands 3 of resource 0, whose capacity is 2; raise the capacity to 3 or lower \
         the demand"
    );
    assert_eq!(
        error(&|p| p.activities[2].demands.push(Demand {
            resource: 1,
            units: 1
        })),
        "activity 2 names resource 1 twice; add its demands up"
    );
    assert_eq!(
        error(&|p| p.activities[2].demands.push(Demand {
            resource: 2,
            units: 1
        })),
        "activity 2 demands resource 2, but there are 2"
    );
    assert_eq!(
        error(&|p| p.precedences.extend(after(&[(1, 5)]))),
        "a precedence names activity 5, but there are 5"
    );
    assert_eq!(
        error(&|p| p.activities[0].duration = u32::MAX),
        "the sum of all durations is 4294967306, and has to be less than 1073741824; count in \
         larger units"
    );
}

#[test]
fn an_activity_that_waits_for_itself_is_a_circle() {
    let mut project = worked();
    project.precedences.extend(after(&[(3, 3)]));
    assert_eq!(
        Network::of(&project).unwrap_err(),
        ProjectError::Cycle(vec![3])
    );
}
