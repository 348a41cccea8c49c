//! The diff for reading: by workload and kind of move.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Change, Diff, WorkloadChanges};
use crate::{
    inventory::{Inventory, NO_WORKLOAD},
    time::rfc3339,
};

/// The report that `planner diff` prints.
#[must_use]
pub fn report(inventory: &Inventory<'_>, diff: &Diff) -> Value {
    let differ = diff
        .workloads
        .iter()
        .map(|each| u64::from(each.differ))
        .sum::<u64>();
    let orphans = diff
        .unmovable
        .iter()
        .filter(|pod| pod.workload == NO_WORKLOAD)
        .count() as u64;
    let moves = diff.workloads.iter().flat_map(|each| &each.changes);
    let workloads = diff.workloads.iter().filter(|each| each.differ > 0);
    json!({
        "apiVersion": "planner/v1",
        "kind": "Diff",
        "position": inventory.fleet.position,
        "time": rfc3339(inventory.fleet.now_ms),
        "totals": {
            "differ": differ + orphans,
            "moves": moves.clone().count(),
            "unmovable": diff.unmovable.len(),
            "kinds": kinds(moves),
            "disruptions_saved": diff.disruptions_saved(),
        },
        "workloads": workloads.map(|each| workload(inventory, diff, each)).collect::<Vec<_>>(),
        "unmovable": unmovable(inventory, diff),
        "warnings": diff.warnings,
    })
}

fn workload(inventory: &Inventory<'_>, diff: &Diff, changes: &WorkloadChanges) -> Value {
    let workload = &inventory.workloads[changes.workload as usize];
    let mut containers = BTreeMap::new();
    let all = changes.changes.iter().chain(&changes.kept);
    let mut sets: Vec<u32> = all.map(|change| change.containers).collect();
    sets.sort_unstable();
    sets.dedup();
    for set in sets {
        containers.extend(&diff.containers[set as usize]);
    }
    json!({
        "cluster": &*workload.cluster,
        "namespace": &*workload.namespace,
        "kind": workload.kind(),
        "name": &*workload.name,
        "pods": inventory.pods[changes.workload as usize].len(),
        "differ": changes.differ,
        "kinds": kinds(changes.changes.iter()),
        "containers": containers,
        "why_recreate": changes.why_recreate,
        "unmovable": changes.differ as usize - changes.changes.len(),
    })
}

fn kinds<'a>(changes: impl Iterator<Item = &'a Change>) -> Value {
    let mut kinds = BTreeMap::new();
    for change in changes {
        *kinds.entry(change.kind).or_insert(0_u64) += 1;
    }
    kinds
        .into_iter()
        .map(|(kind, count)| (kind.text().to_owned(), json!(count)))
        .collect()
}

/// A pod that cannot move, as the interface lists it.
#[derive(Debug, Serialize)]
pub struct UnmovablePod<'a> {
    cluster: &'a str,
    namespace: &'a str,
    pod: &'a str,
    workload: Option<KindAndName<'a>>,
    reason: &'a str,
    remedy: &'a str,
}

#[derive(Debug, Serialize)]
struct KindAndName<'a> {
    kind: &'static str,
    name: &'a str,
}

/// Pods that cannot move.
#[must_use]
pub fn unmovable<'a>(inventory: &'a Inventory<'_>, diff: &'a Diff) -> Vec<UnmovablePod<'a>> {
    let texts = &inventory.fleet.texts;
    let all = diff.unmovable.iter();
    all.map(|pod| {
        let view = &inventory.clusters[pod.cluster as usize];
        let workload = (pod.workload != NO_WORKLOAD).then(|| {
            let workload = &inventory.workloads[pod.workload as usize];
            KindAndName {
                kind: workload.kind(),
                name: &workload.name,
            }
        });
        UnmovablePod {
            cluster: view.name,
            namespace: texts.text(view.cluster.pods.class(pod.row).namespace),
            pod: view.cluster.pods.name(pod.row),
            workload,
            reason: &pod.reason,
            remedy: &pod.remedy,
        }
    })
    .collect()
}
