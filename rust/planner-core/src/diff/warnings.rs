//! What people should know of workloads whose controllers do not let themselves be led.

use super::{Change, Diff, Kind, WorkloadChanges};
use crate::{inventory::Inventory, kube::workload::Workload, resource::Resource};

impl Diff {
    pub(super) fn warn_of_controllers(&mut self, inventory: &Inventory<'_>) {
        for changes in &self.workloads {
            let workload = &inventory.workloads[changes.workload as usize];
            let text = cannot_stop(workload, changes).or_else(|| waits(inventory, changes));
            let named = text.map(|text| format!("{}: {text}", workload.place()));
            self.warnings.extend(named);
        }
    }
}

/// The pods of a `DaemonSet` cannot be counted out to it, and one that may only surge cannot be made
/// to wait for deletions.
fn cannot_stop(workload: &Workload<'_>, changes: &WorkloadChanges) -> Option<String> {
    let surges = |change: &Change| change.kind == Kind::Surge;
    let rolls = workload.resource == Resource::DaemonSets && changes.changes.iter().any(surges);
    rolls.then(|| {
        "it may only surge, so it cannot be stopped at a pod: in its first wave it goes on to its \
         end, within its maxSurge; a maxUnavailable would let it wait"
            .to_owned()
    })
}

/// With `OrderedReady` the controller updates nothing while a pod is not Ready, that pod included;
/// since 1.35 while as many as it may take down are not (`kubernetes
/// pkg/controller/statefulset/stateful_set_control.go updateStatefulSet,
/// updateStatefulSetAfterInvariantEstablished`).
fn waits(inventory: &Inventory<'_>, changes: &WorkloadChanges) -> Option<String> {
    let workload = &inventory.workloads[changes.workload as usize];
    let is_in_order = workload.resource == Resource::StatefulSets
        && workload.ordered_ready
        && !workload.strategy.on_delete
        && !changes.changes.is_empty();
    if !is_in_order {
        return None;
    }
    let (cluster, view) = inventory.cluster_of(changes.workload);
    let pods = inventory.pods_of(cluster);
    let rows = inventory.pods[changes.workload as usize].iter();
    let mut broken = rows.filter(|row| !pods.columns.is_ready(**row));
    let first = broken.next()?;
    let limit = workload.max_unavailable(view.server_minor).value as usize;
    (1 + broken.count() >= limit).then(|| {
        format!(
        "pod {} is not Ready, and until it is its controller updates nothing; repair it or delete it",
            pods.name(*first)
        )
    })
}
