//! What is wrong with a fleet before anything is done to it: each trouble with its object, what it
//! means, and what would help.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    batch::flags,
    fleet::PodRow,
    inventory::{ClusterIdx, Inventory, NO_WORKLOAD},
    model::{Ledger, budgets::PDB},
};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Trouble {
    /// The cluster.
    pub cluster: String,
    /// What kind of trouble, for programs.
    pub reason: &'static str,
    /// The object, for example `pdb/search/ranker`.
    pub object: String,
    /// What is wrong, for people.
    pub text: String,
    /// What would help.
    pub remedy: String,
    /// Pods that it concerns.
    pub pods: u32,
}

/// Everything that is wrong, by cluster and reason.
pub(super) fn troubles(inventory: &Inventory<'_>) -> Vec<Trouble> {
    let mut found = Vec::new();
    budgets(inventory, &mut found);
    for cluster in 0..inventory.clusters.len() as ClusterIdx {
        orphans(inventory, cluster, &mut found);
        stuck(inventory, cluster, &mut found);
    }
    workloads(inventory, &mut found);
    found.sort();
    found
}

/// Budgets that forbid every disruption, and pods under two budgets at once.
fn budgets(inventory: &Inventory<'_>, found: &mut Vec<Trouble>) {
    let mut ledger = Ledger::new(inventory);
    ledger.read_cluster_budgets();
    for text in ledger.warnings().iter().cloned() {
        found.push(Trouble {
            cluster: String::new(),
            reason: "budget-unreadable",
            object: String::new(),
            text,
            remedy: "correct the object".to_owned(),
            pods: 0,
        });
    }
    let charges = ledger.sorted_charges();
    let name = |budget: u32| ledger.budgets()[budget as usize].name.as_str();
    let mut pods_of = vec![0_u32; ledger.budgets().len()];
    let mut pairs: BTreeMap<(ClusterIdx, Vec<u32>), u32> = BTreeMap::new();
    for (cluster, view) in inventory.clusters.iter().enumerate() {
        for row in view.cluster.pods.rows() {
            let budgets = charges[cluster]
                .of(row)
                .iter()
                .map(|it| ledger.budget_of(*it));
            let all: Vec<u32> = budgets.collect();
            for budget in &all {
                pods_of[*budget as usize] += 1;
            }
            let is_pdb = |budget: &u32| ledger.budgets()[*budget as usize].source == PDB;
            let disruption: Vec<u32> = all.into_iter().filter(is_pdb).collect();
            if disruption.len() > 1 {
                *pairs
                    .entry((cluster as ClusterIdx, disruption))
                    .or_default() += 1;
            }
        }
    }
    for (index, budget) in ledger.budgets().iter().enumerate() {
        let view = &inventory.clusters[budget.cluster.unwrap_or(0) as usize];
        if budget.limit <= budget.down {
            found.push(forbidding(view.name, budget, pods_of[index]));
        }
    }
    for ((cluster, budgets), pods) in pairs {
        let names: Vec<&str> = budgets.iter().map(|budget| name(*budget)).collect();
        found.push(Trouble {
            cluster: inventory.clusters[cluster as usize].name.to_owned(),
            reason: "two-disruption-budgets",
            object: names.join(" and "),
            text: format!("{pods} pods are under both, and cannot be evicted"),
            remedy: "narrow the selector of one of them".to_owned(),
            pods,
        });
    }
}

fn forbidding(cluster: &str, budget: &crate::model::Budget, pods: u32) -> Trouble {
    let (reason, text, remedy) = if budget.limit == 0 {
        (
            "budget-forbids-all",
            format!("no pod may ever be disrupted: {}", budget.resolved),
            "let it allow at least one pod",
        )
    } else {
        (
            "budget-used-up",
            format!(
                "{} of its pods are down, as many as it allows: {}",
                budget.down, budget.resolved
            ),
            "repair the pods that are down",
        )
    };
    Trouble {
        cluster: cluster.to_owned(),
        reason,
        object: budget.name.clone(),
        text,
        remedy: remedy.to_owned(),
        pods,
    }
}

fn orphans(inventory: &Inventory<'_>, cluster: ClusterIdx, found: &mut Vec<Trouble>) {
    let view = &inventory.clusters[cluster as usize];
    let pods = &view.cluster.pods;
    for row in pods.rows() {
        let has_owner = !inventory.fleet.texts.text(pods.class(row).owner).is_empty();
        if has_owner || pods.is_finished(row) || pods.has(row, flags::MIRROR) {
            continue;
        }
        found.push(Trouble {
            cluster: view.name.to_owned(),
            reason: "no-controller",
            object: pod_name(inventory, cluster, row),
            text: "nobody makes it anew when it goes".to_owned(),
            remedy: "run it as a workload, or delete it".to_owned(),
            pods: 1,
        });
    }
}

/// Pods that are not assigned to a node, by workload: nothing that is planned mends them.
fn stuck(inventory: &Inventory<'_>, cluster: ClusterIdx, found: &mut Vec<Trouble>) {
    let view = &inventory.clusters[cluster as usize];
    let pods = &view.cluster.pods;
    let texts = &inventory.fleet.texts;
    let mut by_owner: BTreeMap<(u32, &'static str), Vec<PodRow>> = BTreeMap::new();
    for row in pods
        .rows()
        .filter(|row| !pods.is_finished(*row) && !pods.is_ready(*row))
    {
        let reason = if texts.text(pods.node[row as usize]).is_empty() {
            "unscheduled"
        } else {
            "not-ready"
        };
        by_owner
            .entry((view.workload_of[row as usize], reason))
            .or_default()
            .push(row);
    }
    for ((owner, reason), rows) in by_owner {
        let object = if owner == NO_WORKLOAD {
            pod_name(inventory, cluster, rows[0])
        } else {
            inventory.workloads[owner as usize].object()
        };
        let (what, remedy) = match reason {
            "unscheduled" => (
                "are not assigned to a node",
                "see its events: kubectl describe pod names what no node offers",
            ),
            _ => (
                "are not Ready",
                "repair or delete them; they use up the budgets of their workload",
            ),
        };
        found.push(Trouble {
            cluster: view.name.to_owned(),
            reason,
            object,
            text: format!("{} pods {what}, such as {}", rows.len(), pods.name(rows[0])),
            remedy: remedy.to_owned(),
            pods: rows.len() as u32,
        });
    }
}

/// Workloads whose own strategy stops them, and percentages that round to nothing.
fn workloads(inventory: &Inventory<'_>, found: &mut Vec<Trouble>) {
    for (index, workload) in inventory.workloads.iter().enumerate() {
        let (_, view) = inventory.cluster_of(index as u32);
        let pods = inventory.pods[index].len() as u32;
        let object = workload.object();
        let down = workload.max_unavailable(view.server_minor);
        let mut push = |reason, text: String, remedy: &str| {
            found.push(Trouble {
                cluster: view.name.to_owned(),
                reason,
                object: object.clone(),
                text,
                remedy: remedy.to_owned(),
                pods,
            });
        };
        if workload.strategy.paused {
            push(
                "paused",
                "it is paused: its controller moves nothing".to_owned(),
                "resume it",
            );
        }
        let is_written_percent = down.text.contains('%');
        // The controller itself takes 1 where there is no surge either.
        let is_nothing = down.value == 0 && down.text.contains("= 0 ");
        if pods > 0 && is_written_percent && is_nothing {
            let surge = workload.max_surge().value;
            let text = format!(
                "{} rounds to nothing, so it can only surge by {surge}",
                down.text
            );
            push("rounds-to-nothing", text, "write an integer of at least 1");
        }
    }
    for error in &inventory.unreadable {
        found.push(Trouble {
            cluster: String::new(),
            reason: "workload-unreadable",
            object: error.workload.clone(),
            text: error.problem.to_string(),
            remedy: "correct the object".to_owned(),
            pods: 0,
        });
    }
}

fn pod_name(inventory: &Inventory<'_>, cluster: ClusterIdx, row: PodRow) -> String {
    let pods = &inventory.clusters[cluster as usize].cluster.pods;
    let namespace = inventory.fleet.texts.text(pods.class(row).namespace);
    format!("{namespace}/{}", pods.name(row))
}
