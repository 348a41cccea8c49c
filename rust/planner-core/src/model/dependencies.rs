//! Which groups wait for which others, and for how many of their moves.

use std::collections::BTreeMap;

use super::ledger::Ledger;
use crate::{
    diff::{WorkloadChanges, target::names},
    fleet::PodRow,
    kube::scaled::{IntOrPercent, Rounding},
    request::{Request, WorkloadRef},
    schedule::problem::{GroupIdx, Precedence},
};

/// Dependencies between the groups. How many moves of the first have to be done follows from how
/// many of its pods are at the target and serve already.
/// Also what people should know of the dependencies.
pub(super) fn precedences(
    ledger: &Ledger<'_>,
    request: &Request,
    groups: &[WorkloadChanges],
) -> (Vec<Precedence>, Vec<String>) {
    let (mut precedences, mut warnings) = (Vec::new(), Vec::new());
    let by_name = by_name(ledger, groups);
    let matching = |reference: &WorkloadRef| matching(ledger, groups, &by_name, reference);
    for dependency in &request.spec.dependencies {
        let waiting = matching(&dependency.workload);
        if waiting.is_empty() && known(ledger, &dependency.workload) == 0 {
            let name = text(&dependency.workload);
            warnings.push(format!(
                "dependency of {name}: no such workload in the fleet"
            ));
        }
        let ready = dependency.ready.unwrap_or(IntOrPercent::Percent(100));
        for reference in &dependency.after {
            let firsts = matching(reference);
            let name = format!("{} after {}", text(&dependency.workload), text(reference));
            if firsts.is_empty() && known(ledger, reference) == 0 {
                warnings.push(format!("dependency {name}: no such workload in the fleet"));
            }
            for before in firsts {
                let count = moves_needed(ledger, &groups[before as usize], ready);
                let after = waiting
                    .iter()
                    .filter(|after| **after != before && count > 0);
                precedences.extend(after.map(|after| Precedence {
                    name: name.clone().into(),
                    before,
                    after: *after,
                    count,
                }));
            }
        }
    }
    (precedences, warnings)
}

fn text(reference: &WorkloadRef) -> String {
    format!("{}/{}", reference.namespace, reference.name)
}

fn known(ledger: &Ledger<'_>, reference: &WorkloadRef) -> usize {
    ledger
        .inventory
        .workloads
        .iter()
        .filter(|workload| names(reference, workload))
        .count()
}

/// Groups by the namespace and name of their workload.
type ByName<'a> = BTreeMap<(&'a str, &'a str), Vec<GroupIdx>>;

fn by_name<'a>(ledger: &Ledger<'a>, groups: &[WorkloadChanges]) -> ByName<'a> {
    let inventory = ledger.inventory;
    let mut by_name = ByName::new();
    for (group, index) in groups.iter().zip(0..) {
        let workload = &inventory.workloads[group.workload as usize];
        let name = (&*workload.namespace, &*workload.name);
        by_name.entry(name).or_default().push(index);
    }
    by_name
}

fn matching(
    ledger: &Ledger<'_>,
    groups: &[WorkloadChanges],
    by_name: &ByName<'_>,
    reference: &WorkloadRef,
) -> Vec<GroupIdx> {
    let workload = |index: &GroupIdx| {
        let group = &groups[*index as usize];
        &ledger.inventory.workloads[group.workload as usize]
    };
    let found = by_name.get(&(&*reference.namespace, &*reference.name));
    let found = found.into_iter().flatten().copied();
    found
        .filter(|index| names(reference, workload(index)))
        .collect()
}

/// Moves of a group that have to be done until enough of its pods are at the target and serve.
fn moves_needed(ledger: &Ledger<'_>, group: &WorkloadChanges, ready: IntOrPercent) -> u32 {
    let inventory = ledger.inventory;
    let pods = inventory.pods[group.workload as usize].len() as u32;
    let needed = ready.resolve(pods, Rounding::Up).min(pods);
    let (_, view) = inventory.cluster_of(group.workload);
    let serves = |row: &&PodRow| view.cluster.pods.is_ready(**row);
    let done = group.at_target.iter().filter(serves).count() as u32;
    needed.saturating_sub(done)
}
