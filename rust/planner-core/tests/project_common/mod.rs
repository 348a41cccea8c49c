//! Random projects, and a check of schedules that goes through time unit by unit.
#![allow(missing_docs, dead_code, reason = "test")]

use planner_core::project::Schedule;
use planner_core::project::problem::{Activity, Demand, Precedence, Project};
use proptest::prelude::*;

pub fn activity(duration: u32, demands: &[u32]) -> Activity {
    let demands = (0..)
        .zip(demands)
        .map(|(resource, &units)| Demand { resource, units });
    Activity {
        duration,
        demands: demands.collect(),
    }
}

pub fn after(pairs: &[(u32, u32)]) -> Vec<Precedence> {
    let each = pairs.iter();
    each.map(|&(before, after)| Precedence { before, after })
        .collect()
}

/// Projects of at most so many activities, over more resources than fit side by side.
pub fn projects(most: usize) -> impl Strategy<Value = Project> {
    (0..=most, prop::collection::vec(1_u32..8, 0..7)).prop_flat_map(|(n, capacities)| {
        let demands: Vec<_> = capacities.iter().map(|&c| 0..=c).collect();
        let activities = prop::collection::vec((0_u32..6, demands), n);
        let pairs = prop::collection::vec((0..n.max(1), 1..n.max(2)), 0..2 * n + 1);
        let reversed = any::<bool>();
        (activities, pairs, reversed).prop_map(move |(activities, pairs, reversed)| {
            let n = n as u32;
            let named = |a: u32| if reversed { n - 1 - a } else { a };
            let pairs = pairs.iter().map(|&(a, b)| (a as u32, b as u32));
            let pairs = pairs.filter(|&(a, b)| a != b && a.max(b) < n);
            let pairs: Vec<_> = pairs
                .map(|(a, b)| (named(a.min(b)), named(a.max(b))))
                .collect();
            Project {
                activities: activities.iter().map(|(d, r)| activity(*d, r)).collect(),
                capacities: capacities.clone(),
                precedences: after(&pairs),
            }
        })
    })
}

/// Asserts that a schedule keeps every rule.
pub fn check(project: &Project, schedule: &Schedule) {
    let finish = |a: usize| schedule.starts[a] + project.activities[a].duration;
    let n = project.activities.len();
    assert_eq!(schedule.starts.len(), n);
    assert_eq!(schedule.makespan, (0..n).map(finish).max().unwrap_or(0));
    for p in &project.precedences {
        assert!(
            finish(p.before as usize) <= schedule.starts[p.after as usize],
            "{p:?}"
        );
    }
    for time in 0..schedule.makespan {
        let mut held = vec![0; project.capacities.len()];
        for a in (0..n).filter(|&a| schedule.starts[a] <= time && time < finish(a)) {
            for demand in &project.activities[a].demands {
                held[demand.resource as usize] += demand.units;
            }
        }
        let fits = held.iter().zip(&project.capacities).all(|(h, c)| h <= c);
        assert!(fits, "{held:?} are held at {time}");
    }
}
