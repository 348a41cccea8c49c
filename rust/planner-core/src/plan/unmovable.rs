//! Pods that can never move: which rule forbids it, and what would help.

use super::{PlanError, assign::cohort_starts, torn::Torn};
use crate::{
    diff::{Change, Diff, STAGES_END, Unmovable, behind},
    fleet::PodRow,
    inventory::{ClusterIdx, Inventory, NO_WORKLOAD},
    model::{Budget, Model, ROOM},
    schedule::{Blocker, Goal, Left, Schedule, conflict, problem::Group},
};

/// Lists what the schedule had to leave.
pub(super) fn add_left(
    inventory: &Inventory<'_>,
    model: &Model,
    left: &[Left],
    changes: &mut Diff,
) {
    let torn = Torn::of(model);
    for (at, of) in left.iter().enumerate() {
        let info = &model.groups[of.group as usize];
        let (reason, remedy) = why(inventory, &torn, of);
        for change in changes_left(model, left, at) {
            changes.unmovable.push(Unmovable {
                cluster: info.cluster,
                row: change.row,
                workload: info.workload,
                reason: reason.clone(),
                remedy: remedy.clone(),
            });
        }
    }
    changes
        .unmovable
        .sort_by_key(|pod| (pod.cluster, pod.workload, pod.row));
}

fn why(inventory: &Inventory<'_>, torn: &Torn<'_>, left: &Left) -> (String, String) {
    let model = torn.model;
    match left.blocker {
        Blocker::Resource(resource) => {
            let budget = model.budget(resource);
            let name = model.resource_name(resource);
            let down = model.problem.resources[resource as usize].down;
            let limit = model.problem.resources[resource as usize].limit;
            let rule = if limit == 0 {
                "allows no disruption"
            } else {
                "has no room left"
            };
            let taken = if down > 0 {
                format!("; {down} of its pods are down")
            } else {
                String::new()
            };
            (
                format!("budget {name} {rule}: {}{taken}", budget.resolved),
                remedy(budget, &name, limit),
            )
        }
        Blocker::Precedence(index) => {
            let precedence = &model.problem.precedences[index as usize];
            let before = &model.problem.groups[precedence.before as usize].name;
            (
                format!("dependency {}: {before} never gets there", precedence.name),
                format!("make {before} movable and healthy, or ask for a smaller `ready`"),
            )
        }
        Blocker::Order(cohort) => {
            let info = &model.groups[left.group as usize];
            let group = &model.problem.groups[left.group as usize];
            let row = info.changes[start_of(group, cohort)].row;
            let view = &inventory.clusters[info.cluster as usize];
            behind(view.cluster.pods.name(row))
        }
        Blocker::Phase(phase) => {
            let name = &model.problem.phases[phase as usize].name;
            let before = &model.problem.phases[phase as usize - 1].name;
            (
                format!("sequence {name} waits for {before}, which is never over"),
                format!("see what keeps pods of {before}; what others depend on has to go first"),
            )
        }
        Blocker::Gang(gang) => torn.why(gang),
        Blocker::Calendar(calendar) => {
            let name = &model.problem.calendars[calendar as usize].name;
            (
                format!("{name} leaves no time for it, or for what goes first"),
                format!("let {name} leave more time"),
            )
        }
        Blocker::Stage => (
            STAGES_END.to_owned(),
            "let the last stage be 100% of the workload".to_owned(),
        ),
    }
}

fn remedy(budget: &Budget, name: &str, limit: u32) -> String {
    match budget.source {
        "workload" => "repair its pods that are down, or raise its maxUnavailable".to_owned(),
        "surge" | ROOM if limit == 0 => {
            "make room on its nodes, or let its maxUnavailable be at least 1".to_owned()
        }
        "ResourceQuota" => {
            format!("raise the hard limits of {name}, or let maxUnavailable be at least 1")
        }
        "PodDisruptionBudget" | "PodUnavailableBudget" if limit == 0 => loosen(budget, name),
        "request" if limit == 0 => format!("give {name} an absolute maxUnavailable of at least 1"),
        _ => format!("raise {name}, or repair its pods that are down"),
    }
}

/// What makes a budget of the cluster allow something, by what is written in it.
fn loosen(budget: &Budget, name: &str) -> String {
    if budget.resolved.contains("minAvailable") {
        format!("lower the minAvailable of {name}, or run more replicas")
    } else if budget.resolved.starts_with("maxUnavailable") {
        format!("raise the maxUnavailable of {name}")
    } else if budget.resolved.contains("maxUnavailable") {
        format!("raise the maxUnavailable of {name}, or bring back the pods that are missing")
    } else {
        format!("give {name} an integer minAvailable: its pods have no controller with a scale")
    }
}

/// Left-overs of which the smallest conflict is told.
const CANDIDATES: usize = 8;

/// Why there is no plan: the smallest set of rules that conflict.
pub(super) fn infeasible(
    inventory: &Inventory<'_>,
    model: &Model,
    schedule: &Schedule,
    changes: &Diff,
) -> PlanError {
    let blocked = || changes.unmovable.iter().filter(|pod| !pod.is_left_out());
    let count = blocked().count();
    let goal = |left: &Left| Goal {
        group: left.group,
        cohort: left.cohort,
    };
    let smallest = schedule
        .left
        .iter()
        .enumerate()
        .filter(|(_, left)| !matches!(left.blocker, Blocker::Stage | Blocker::Calendar(_)))
        .take(CANDIDATES)
        .map(|(at, left)| (at, conflict(&model.problem, &[goal(left)])))
        .min_by_key(|(_, constraints)| constraints.len());
    let (pod, reason, remedy, conflict) = if let Some((at, constraints)) = smallest {
        let left = &schedule.left[at];
        let (reason, remedy) = why(inventory, &Torn::of(model), left);
        let cluster = model.groups[left.group as usize].cluster;
        let pod = name_of(
            inventory,
            cluster,
            changes_left(model, &schedule.left, at)[0].row,
        );
        let names = constraints.into_iter();
        let conflict = names.map(|it| model.constraint_name(it)).collect();
        (pod, reason, remedy, conflict)
    } else {
        // Every pod was refused before the rules of the schedule came in.
        let first = blocked().next().expect("the caller saw one").clone();
        let pod = name_of(inventory, first.cluster, first.row);
        let conflict = vec![format!("{}: {}", subject(inventory, &first), first.reason)];
        (pod, first.reason, first.remedy, conflict)
    };
    PlanError::Infeasible {
        reason: if count == 1 {
            format!("{pod} differs and cannot move: {reason}")
        } else {
            format!("{count} pods that differ cannot move, among them {pod}: {reason}")
        },
        conflict,
        remedy,
    }
}

/// The workload of a pod, or the pod that has none.
fn subject(inventory: &Inventory<'_>, pod: &Unmovable) -> String {
    if pod.workload == NO_WORKLOAD {
        return name_of(inventory, pod.cluster, pod.row);
    }
    inventory.workloads[pod.workload as usize].object()
}

fn name_of(inventory: &Inventory<'_>, cluster: ClusterIdx, row: PodRow) -> String {
    let pods = &inventory.clusters[cluster as usize].cluster.pods;
    let namespace = inventory.fleet.texts.text(pods.class(row).namespace);
    format!("{namespace}/{}", pods.name(row))
}

/// The moves of what is left at a place of the list: its controller takes a cohort from the front, and
/// what stays of it for several reasons is listed in this order.
fn changes_left<'m>(model: &'m Model, all: &[Left], at: usize) -> &'m [Change] {
    let left = &all[at];
    let is_same = |it: &&Left| (it.group, it.cohort) == (left.group, left.cohort);
    let behind = all[at + 1..].iter().take_while(is_same);
    let behind = behind.map(|it| it.count as usize).sum::<usize>();
    let (group, cohort) = (left.group as usize, left.cohort as usize);
    let of = &model.problem.groups[group];
    let end = start_of(of, left.cohort) + of.cohorts.get(cohort).count as usize - behind;
    &model.groups[group].changes[end - left.count as usize..end]
}

/// Where the changes of a cohort begin among those of its group.
fn start_of(group: &Group, cohort: u32) -> usize {
    let mut starts = cohort_starts(group);
    starts.nth(cohort as usize).expect("a cohort of its group") as usize
}
