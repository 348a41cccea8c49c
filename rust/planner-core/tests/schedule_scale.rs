//! A fleet with a budget on every node: a million cohorts of one move each.
//!
//! `cargo test --release -p planner-core --test schedule_scale -- --ignored --nocapture`
#![allow(missing_docs, reason = "test")]

use std::time::Instant;

use planner_core::schedule::problem::{
    Cohort, Cohorts, Group, Order, Precedence, Problem, Resource, Stage,
};
use planner_core::schedule::{bound, reachable, solve};

/// `SplitMix64`: a fleet must be the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// `pods` in `groups` on `nodes`; node budgets of 2, workload budgets of 10 %, a fleet budget of
/// 3 %, a pod in 50 down before, a dependency for every tenth group, stages for every third.
fn fleet(pods: usize, groups: usize, nodes: usize) -> Problem {
    let mut dice = Dice(11);
    let mut problem = Problem::default();
    let resource = |name: String, limit| Resource {
        name: name.into(),
        limit,
        down: 0,
        is_place: true,
    };
    let each = pods / groups;
    problem
        .resources
        .push(resource("fleet".to_owned(), pods as u32 * 3 / 100));
    problem
        .resources
        .extend((0..nodes).map(|n| resource(format!("node/{n}"), 2)));
    for g in 0..groups {
        let size = (each / 2 + dice.below(each)).max(1) as u32;
        let own = problem.resources.len() as u32;
        problem
            .resources
            .push(resource(format!("workload/{g}"), (size / 10).max(1)));
        problem
            .resources
            .push(resource(format!("pdb/{g}"), (size / 8).max(1)));
        let mut cohorts = Cohorts::default();
        for _ in 0..size {
            let node = 1 + dice.below(nodes) as u32;
            let all = vec![0, node, own, own + 1];
            let duration_ms = 30_000 + 15_000 * dice.below(3) as u64;
            let is_down = dice.below(50) == 0;
            if is_down {
                for &r in &all {
                    problem.resources[r as usize].down += 1;
                }
            }
            let (takes, releases) = if is_down {
                (vec![], all)
            } else {
                (all, vec![])
            };
            cohorts.push(Cohort {
                count: 1,
                takes: &takes,
                releases: &releases,
                duration_ms,
            });
        }
        let soak_ms = 600_000;
        let stages = if g % 3 == 0 {
            vec![
                Stage { until: 1, soak_ms },
                Stage {
                    until: size,
                    soak_ms: 0,
                },
            ]
        } else {
            vec![]
        };
        let order = if g % 20 == 0 {
            Order::Strict
        } else {
            Order::Free
        };
        problem.groups.push(Group {
            name: format!("group/{g}").into(),
            cohorts,
            order,
            stages,
            calendars: vec![],
            needs: Vec::new(),
        });
        if g % 10 == 9 {
            let (before, after) = (g as u32 - 5, g as u32);
            let count = problem.groups[before as usize].cohorts.len() as u32;
            let name = format!("{after} after {before}").into();
            problem.precedences.push(Precedence {
                name,
                before,
                after,
                count,
            });
        }
    }
    problem
}

#[test]
fn a_large_fleet_is_scheduled_whole() {
    let problem = fleet(5_000, 40, 300);
    let schedule = solve(&problem);
    let moves: usize = problem.groups.iter().map(|g| g.cohorts.len()).sum();
    let done: u32 = schedule.chunks.iter().map(|c| c.count).sum();
    let left: u32 = schedule.left.iter().map(|l| l.count).sum();
    assert_eq!((done + left) as usize, moves);
    assert!(
        schedule.waves <= schedule.bound.waves + 2,
        "{:?}",
        schedule.bound
    );
}

#[test]
#[ignore = "prints times of a release build"]
#[allow(clippy::print_stdout, reason = "its purpose")]
fn a_million_moves_on_fifty_thousand_nodes() {
    let problem = fleet(1_000_000, 3_000, 50_000);
    let start = Instant::now();
    let reachable = reachable(&problem);
    println!(
        "reachable {:?}, {} left",
        start.elapsed(),
        reachable.left.len()
    );
    let start = Instant::now();
    let bound = bound(&problem, &reachable);
    println!(
        "bound {:?}: {}",
        start.elapsed(),
        bound.waves_proof.sentence(&problem)
    );
    println!("  and {}", bound.ms_proof.sentence(&problem));
    let start = Instant::now();
    let schedule = solve(&problem);
    println!(
        "solve {:?}: {} waves, bound {}",
        start.elapsed(),
        schedule.waves,
        bound.waves
    );
    println!("{} s, bound {} s", schedule.ms() / 1000, bound.ms / 1000);
}
