//! How many moves the stages of each group hold.

use std::collections::BTreeMap;

use crate::{
    request::{Request, duration_ms as parse_duration_ms},
    schedule::Laid,
    schedule::problem::{GangIdx, Group, Order, Problem, Stage},
};

/// Sizes the stages of each group by the moves that it can make at all: what no budget ever has
/// room for is no part of a tenth. `change` is done to the stages of each group.
pub(crate) fn size_stages(
    problem: &mut Problem,
    laid: &mut Laid,
    request: &Request,
    change: impl Fn(&mut [Stage]),
) {
    if request.spec.stages.is_empty() {
        return;
    }
    if tear_gangs(problem) {
        *laid = Laid::of(problem);
    }
    let mut rest = &laid.reachable().moves[..];
    for group in &mut problem.groups {
        let (own, others) = rest.split_at(group.cohorts.len());
        let all = group.cohorts.counts().iter().sum();
        group.stages = stages(request, own.iter().sum(), all);
        change(&mut group.stages);
        end_with_gangs(group, own);
        rest = others;
    }
    laid.stage(problem);
}

/// Tears gangs of which a group whose order does not bind has several moves, for its stages would; gives
/// whether there are such.
fn tear_gangs(problem: &mut Problem) -> bool {
    let torn = |group: &Group| torn_by_stages(group).collect::<Vec<_>>();
    let torn: Vec<GangIdx> = problem.groups.iter().flat_map(torn).collect();
    for gang in &torn {
        problem.gangs[*gang as usize].is_torn = true;
    }
    !torn.is_empty()
}

/// The gangs that stages of a group would tear.
pub(crate) fn torn_by_stages(group: &Group) -> impl Iterator<Item = GangIdx> {
    let mut moves: BTreeMap<GangIdx, u32> = BTreeMap::new();
    let cohorts = &group.cohorts;
    for (at, gang) in cohorts.in_gangs().filter(|_| group.order == Order::Free) {
        *moves.entry(gang).or_default() += cohorts.counts()[at];
    }
    let several = moves.into_iter().filter(|(_, count)| *count > 1);
    several.map(|(gang, _)| gang)
}

/// Lets a stage that would end within a gang, of a group whose order binds, end with it. `moves` are
/// those of each cohort that can be made.
fn end_with_gangs(group: &mut Group, moves: &[u32]) {
    let cohorts = &group.cohorts;
    if group.order == Order::Free || cohorts.in_gangs().len() == 0 {
        return;
    }
    let places: Vec<usize> = (0..cohorts.len()).collect();
    let is_one = |a: &usize, b: &usize| {
        let gang = cohorts.gang(*a);
        gang.is_some() && gang == cohorts.gang(*b)
    };
    let mut end = 0;
    for run in places.chunk_by(is_one) {
        let begin = end;
        end += run.iter().map(|&at| moves[at]).sum::<u32>();
        if cohorts.gang(run[0]).is_some() {
            let within = |stage: &&mut Stage| begin < stage.until && stage.until < end;
            let torn = group.stages.iter_mut().filter(within);
            torn.for_each(|stage| stage.until = end);
        }
    }
}

/// The stages of a group that can make `moves` of its `all` moves. A last stage of 100% ends after
/// all of them, wherever those lie that cannot be made.
fn stages(request: &Request, moves: u32, all: u32) -> Vec<Stage> {
    let mut reached = 0;
    let mut stages = Vec::with_capacity(request.spec.stages.len());
    for stage in &request.spec.stages {
        reached = stage.per_workload.ceil(moves).min(moves).max(reached);
        let soak = stage.soak.as_deref().and_then(parse_duration_ms);
        stages.push(Stage {
            until: reached,
            soak_ms: soak.unwrap_or(0),
        });
    }
    match stages.last_mut() {
        Some(last) if last.until == moves => last.until = all,
        _ => {}
    }
    stages
}
