//! What the fleet looks like, and what is already wrong with it.

mod trouble;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    fleet::Fleet,
    inventory::{ClusterIdx, Inventory},
    resource::Resource,
    time::rfc3339,
};

/// The report that `planner status` prints.
#[must_use]
pub fn status(fleet: &Fleet) -> Value {
    let inventory = Inventory::new(fleet, &[]);
    let clusters = 0..inventory.clusters.len() as ClusterIdx;
    json!({
        "apiVersion": "planner/v1",
        "kind": "Status",
        "position": fleet.position,
        "time": rfc3339(fleet.now_ms),
        "clusters": clusters.map(|index| cluster(&inventory, index)).collect::<Vec<_>>(),
        "trouble": trouble::troubles(&inventory),
    })
}

fn cluster(inventory: &Inventory<'_>, index: ClusterIdx) -> Value {
    let view = &inventory.clusters[index as usize];
    let pods = &view.cluster.pods;
    let active = || pods.rows().filter(|row| !pods.is_finished(*row));
    let cordoned = inventory.read_each(index, Resource::Nodes, |node| {
        node["spec"]["unschedulable"] == true
    });
    let mut workloads = BTreeMap::new();
    for workload in inventory
        .workloads
        .iter()
        .filter(|it| &*it.cluster == view.name)
    {
        *workloads.entry(workload.kind()).or_insert(0_u32) += 1;
    }
    let count = |resource: Resource| view.cluster.objects.get(&resource).map_or(0, BTreeMap::len);
    json!({
        "name": view.name,
        "version": view.version,
        "nodes": cordoned.len(),
        "nodes_unschedulable": cordoned.iter().filter(|it| **it).count(),
        "zones": view.zone_names.len(),
        "pods": active().count(),
        "down": active().filter(|row| !pods.is_ready(*row)).count(),
        "finished": pods.rows().count() - active().count(),
        "workloads": workloads,
        "budgets": {
            "PodDisruptionBudget": count(Resource::PodDisruptionBudgets),
            "PodUnavailableBudget": count(Resource::PodUnavailableBudgets),
        },
        "sidecar_sets": count(Resource::SidecarSets),
    })
}
