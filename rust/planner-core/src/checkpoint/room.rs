//! Which pods may go now: every budget has room for them beside those that are down, whoever took
//! them down, and those that were let go.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::{PodStanding, Tightest, pods::Place};
use crate::{
    model::Model,
    schedule::problem::{Cohort, ResourceIdx},
};

type Asked = (Option<Place>, PodStanding);

/// Names the budget that has no room for a pod that is due, first come, first served. Gives the
/// budget of these pods that has the least room left.
pub(super) fn hold(model: &Model, let_go: &[Asked], due: &mut [Asked]) -> Option<Tightest> {
    let cohorts = cohorts(model, let_go.iter().chain(due.iter()));
    let mut taken: Vec<u32> = model.problem.resources.iter().map(|it| it.down).collect();
    let of = |(place, pod): &Asked| {
        let waits = pod.state == "here";
        place
            .filter(|_| waits)
            .and_then(|place| cohorts.get(&place).copied())
    };
    for cohort in let_go.iter().filter_map(of) {
        take(&mut taken, cohort);
    }
    for pod in due {
        let Some(cohort) = of(pod) else { continue };
        let is_full = |resource: &&ResourceIdx| {
            let at = **resource as usize;
            taken[at] >= model.problem.resources[at].limit
        };
        match cohort.takes.iter().find(is_full) {
            Some(full) => pod.1.held_by = model.resource_name(*full),
            None => take(&mut taken, cohort),
        }
    }
    let all = cohorts.values().flat_map(|cohort| cohort.takes);
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

fn take(taken: &mut [u32], cohort: Cohort<'_>) {
    for resource in cohort.takes {
        taken[*resource as usize] += 1;
    }
}

/// The cohort of each pod that has to move.
fn cohorts<'m, 'a>(
    model: &'m Model,
    asked: impl Iterator<Item = &'a Asked>,
) -> HashMap<Place, Cohort<'m>, FxBuildHasher> {
    let mut wanted: HashMap<Place, Option<Cohort<'m>>, FxBuildHasher> = asked
        .filter_map(|(place, _)| Some(((*place)?, None)))
        .collect();
    for (group, of) in model.problem.groups.iter().zip(&model.groups) {
        let each = group.cohorts.iter();
        let cohorts = each.flat_map(|cohort| std::iter::repeat_n(cohort, cohort.count as usize));
        for (change, cohort) in of.changes.iter().zip(cohorts) {
            if let Some(found) = wanted.get_mut(&(of.cluster, change.row)) {
                *found = Some(cohort);
            }
        }
    }
    wanted
        .into_iter()
        .filter_map(|(place, found)| Some((place, found?)))
        .collect()
}
