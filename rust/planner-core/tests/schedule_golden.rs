//! One worked example, small enough to follow by hand.
#![allow(missing_docs, reason = "test")]

use std::fmt::Write;

use planner_core::schedule::problem::{
    Cohort, Cohorts, Group, Order, Precedence, Problem, Resource, Stage,
};
use planner_core::schedule::{Goal, Held, Schedule, conflict, solve};

/// Payment goes first, with a canary; checkout waits for half of it; the database goes from its
/// last ordinal, and one of its pods can never move: the budget of its node is full for good.
fn shop() -> Problem {
    let resource = |name: &str, limit, down| Resource {
        name: name.into(),
        limit,
        down,
        is_place: false,
    };
    let cohort = |count, takes: &'static [u32], releases: &'static [u32], seconds: u64| Cohort {
        count,
        takes,
        releases,
        duration_ms: seconds * 1000,
    };
    let stage = |until, soak_ms| Stage { until, soak_ms };
    let canary = vec![stage(1, 60_000), stage(7, 0)];
    let group = |name: &str, order, cohorts: Vec<Cohort<'_>>, stages| Group {
        name: name.into(),
        cohorts: cohorts.into_iter().collect(),
        order,
        stages,
        calendars: vec![],
        needs: vec![],
    };
    Problem {
        resources: vec![
            resource("fleet", 4, 1),
            resource("pdb/payment", 3, 1),
            resource("pdb/database", 1, 0),
            resource("node/7", 1, 1),
        ],
        pools: (0..4).collect(),
        groups: vec![
            group(
                "payment",
                Order::Free,
                vec![cohort(1, &[], &[0, 1], 30), cohort(6, &[0, 1], &[], 30)],
                canary,
            ),
            group(
                "checkout",
                Order::Free,
                vec![cohort(5, &[0], &[], 20)],
                vec![],
            ),
            group(
                "database",
                Order::Strict,
                vec![
                    cohort(2, &[0, 2], &[], 90),
                    cohort(1, &[0, 2, 3], &[], 90),
                    cohort(1, &[0, 2], &[], 90),
                ],
                vec![],
            ),
        ],
        precedences: vec![Precedence {
            name: "checkout after payment".into(),
            before: 0,
            after: 1,
            count: 4,
        }],
        calendars: vec![],
        rates: vec![],
        phases: vec![],
        gangs: vec![],
        streaming: false,
    }
}

fn table(problem: &Problem, schedule: &Schedule) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for chunk in &schedule.chunks {
        let held = match chunk.held {
            Held::Resource(r) => format!("{} was full", problem.resources[r as usize].name),
            Held::Precedence(p) => problem.precedences[p as usize].name.to_string(),
            other => format!("{other:?}"),
        };
        let at = chunk.wave as usize - 1;
        let (start, end) = (schedule.starts_ms[at] / 1000, schedule.ends_ms[at] / 1000);
        let name = &problem.groups[chunk.group as usize].name;
        let (wave, cohort, count) = (chunk.wave, chunk.cohort, chunk.count);
        writeln!(
            text,
            "{wave} {start:>3}..{end:<3} {name}/{cohort} x{count}: {held}"
        )?;
    }
    for left in &schedule.left {
        let name = &problem.groups[left.group as usize].name;
        writeln!(
            text,
            "left {name}/{} x{}: {:?}",
            left.cohort, left.count, left.blocker
        )?;
    }
    writeln!(
        text,
        "waves: {}",
        schedule.bound.waves_proof.sentence(problem)
    )?;
    writeln!(text, "time: {}", schedule.bound.ms_proof.sentence(problem))?;
    writeln!(text, "fleet: {:?}", schedule.headroom[0])?;
    let tightest = schedule
        .tightest(problem)
        .map(|r| &problem.resources[r as usize].name);
    writeln!(text, "tightest: {tightest:?}")?;
    Ok(text)
}

#[test]
fn the_shop_is_upgraded_in_waves() {
    let problem = shop();
    insta::assert_snapshot!(table(&problem, &solve(&problem)).unwrap(), @r#"
    1   0..90  payment/0 x1: Nothing
    1   0..90  database/0 x1: Nothing
    2 150..240 payment/1 x3: Stage(0)
    2 150..240 database/0 x1: pdb/database was full
    3 240..270 payment/1 x3: fleet was full
    3 240..270 checkout/0 x1: checkout after payment
    4 270..290 checkout/0 x4: fleet was full
    left database/1 x1: Resource(3)
    left database/2 x1: Order(1)
    waves: One waits for the other: payment (2 waves), then checkout (2 waves): 4 waves.
    time: database alone needs 180 s by its own stages, order and budgets.
    fleet: [2, 0, 0, 0]
    tightest: Some("fleet")
    "#);
}

#[test]
fn the_last_database_pod_conflicts_with_its_order_and_the_node() {
    let found = conflict(
        &shop(),
        &[Goal {
            group: 2,
            cohort: 2,
        }],
    );
    insta::assert_debug_snapshot!(found, @"
    [
        Resource(
            3,
        ),
        Order(
            2,
        ),
    ]
    ");
}

/// Two workloads of which one waits for the other, and places that both or only one need.
fn places(order: [u32; 3]) -> Problem {
    let known = [
        ("place 0", 4, true),
        ("fleet", 4, false),
        ("place 2", 1, true),
    ];
    let resource = |old: u32| {
        let (name, limit, is_place) = known[old as usize];
        Resource {
            name: name.into(),
            limit,
            down: 0,
            is_place,
        }
    };
    let group = |name: &str, order_of, cohorts: &[(u32, &[u32])], stages: &[u32]| {
        let cohorts = cohorts.iter().map(|(count, takes)| {
            let place = |old: &u32| order.iter().position(|it| it == old).expect("all") as u32;
            let mut takes: Vec<u32> = takes.iter().map(place).collect();
            takes.sort_unstable();
            (*count, takes)
        });
        let mut all = Cohorts::default();
        for (count, takes) in cohorts {
            all.push(Cohort {
                count,
                takes: &takes,
                releases: &[],
                duration_ms: 1000,
            });
        }
        let stage = |&until: &u32| Stage {
            until,
            soak_ms: if until == 2 { 1000 } else { 0 },
        };
        Group {
            name: name.into(),
            cohorts: all,
            order: order_of,
            stages: stages.iter().map(stage).collect(),
            calendars: vec![],
            needs: vec![],
        }
    };
    Problem {
        resources: order.into_iter().map(resource).collect(),
        groups: vec![
            group("waits", Order::Strict, &[(3, &[1])], &[1, 3]),
            group("large", Order::Strict, &[(5, &[0, 1]), (6, &[0, 1])], &[]),
            group(
                "first",
                Order::Free,
                &[(1, &[2]), (2, &[0]), (1, &[1, 2])],
                &[2, 4],
            ),
        ],
        precedences: vec![Precedence {
            name: "waits after first".into(),
            before: 2,
            after: 0,
            count: 2,
        }],
        ..Problem::default()
    }
}

#[test]
fn lots_do_not_depend_on_the_order_of_resources() {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let found = orders.map(|order| {
        let schedule = solve(&places(order));
        (schedule.waves, schedule.ms())
    });
    assert_eq!(found, [found[0]; 6]);
}

/// A canary has room for one of two pods that are down; on the node of the second everybody waits.
#[test]
fn who_is_down_goes_first_where_most_wait() {
    let node = |name: &str, down| Resource {
        name: name.into(),
        limit: 1,
        down,
        is_place: true,
    };
    let cohort = |count, takes: &'static [u32], releases: &'static [u32]| Cohort {
        count,
        takes,
        releases,
        duration_ms: 1000,
    };
    let group = |name: &str, cohorts: Vec<Cohort<'_>>, until: &[u32]| Group {
        name: name.into(),
        cohorts: cohorts.into_iter().collect(),
        order: Order::Free,
        stages: until
            .iter()
            .map(|&until| Stage { until, soak_ms: 0 })
            .collect(),
        calendars: vec![],
        needs: vec![],
    };
    let problem = Problem {
        resources: vec![node("node/1", 1), node("node/2", 1)],
        pools: vec![0, 0],
        groups: vec![
            group(
                "canary",
                vec![cohort(1, &[], &[0]), cohort(1, &[], &[1])],
                &[1, 2],
            ),
            group(
                "crowd",
                vec![cohort(1, &[0], &[]), cohort(4, &[1], &[])],
                &[],
            ),
        ],
        ..Problem::default()
    };
    let schedule = solve(&problem);
    assert_eq!((schedule.waves, schedule.bound.waves), (5, 5));
}
