//! Which pods may go now: what they wait for is at the target and serves, and every budget has room
//! for them beside those that are down, whoever took them down, and those that were let go.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::{PodStanding, Tightest, pods::Place};
use crate::{
    model::Model,
    schedule::problem::{Cohort, GroupIdx, Problem, ResourceIdx},
};

type Asked = (Option<Place>, PodStanding);

/// Names what a pod that is due waits for: a dependency that does not hold now, or a budget that has
/// no room, first come, first served. Gives the budget of these pods that has the least room left.
pub(super) fn hold(model: &Model, let_go: &[Asked], due: &mut [Asked]) -> Option<Tightest> {
    let cohorts = cohorts(model, let_go.iter().chain(due.iter()));
    let mut taken: Vec<u32> = model.problem.resources.iter().map(|it| it.down).collect();
    let of = |(place, pod): &Asked| {
        let waits = pod.state == "here";
        place
            .filter(|_| waits)
            .and_then(|place| cohorts.get(&place).copied())
    };
    for (_, cohort) in let_go.iter().filter_map(of) {
        take(&mut taken, cohort);
    }
    for pod in due {
        let Some((group, cohort)) = of(pod) else {
            continue;
        };
        if let Some(dependency) = open_dependency(&model.problem, group) {
            pod.1.held_by = format!("dependency:{dependency}");
            continue;
        }
        let is_full = |resource: &&ResourceIdx| {
            let at = **resource as usize;
            taken[at] >= model.problem.resources[at].limit
        };
        match cohort.takes.iter().find(is_full) {
            Some(full) => pod.1.held_by = model.resource_name(*full),
            None => take(&mut taken, cohort),
        }
    }
    let all = cohorts.values().flat_map(|(_, cohort)| cohort.takes);
    let room = |resource: &&ResourceIdx| {
        let at = **resource as usize;
        let limit = model.problem.resources[at].limit;
        (limit.saturating_sub(taken[at]), **resource)
    };
    let tightest = *all.min_by_key(room)?;
    Some(Tightest {
        name: model.resource_name(tightest),
        taken: taken[tightest as usize],
        limit: model.problem.resources[tightest as usize].limit,
    })
}

/// A dependency of a group that does not hold: moves of the other one are still to be done.
fn open_dependency(problem: &Problem, group: GroupIdx) -> Option<&str> {
    let mut all = problem.precedences.iter();
    let open = all.find(|it| it.after == group && it.count > 0)?;
    Some(&open.name)
}

fn take(taken: &mut [u32], cohort: Cohort<'_>) {
    for resource in cohort.takes {
        taken[*resource as usize] += 1;
    }
}

/// The group and the cohort of each pod that has to move.
fn cohorts<'m, 'a>(
    model: &'m Model,
    asked: impl Iterator<Item = &'a Asked>,
) -> HashMap<Place, (GroupIdx, Cohort<'m>), FxBuildHasher> {
    let mut wanted: HashMap<Place, Option<(GroupIdx, Cohort<'m>)>, FxBuildHasher> = asked
        .filter_map(|(place, _)| Some(((*place)?, None)))
        .collect();
    let groups = model.problem.groups.iter().zip(&model.groups);
    for (index, (group, of)) in (0..).zip(groups) {
        let each = group.cohorts.iter();
        let cohorts = each.flat_map(|cohort| std::iter::repeat_n(cohort, cohort.count as usize));
        for (change, cohort) in of.changes.iter().zip(cohorts) {
            if let Some(found) = wanted.get_mut(&(of.cluster, change.row)) {
                *found = Some((index, cohort));
            }
        }
    }
    wanted
        .into_iter()
        .filter_map(|(place, found)| Some((place, found?)))
        .collect()
}
