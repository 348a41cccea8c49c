//! What a run of a plan has to know before its next step: how far each workload is, which pods
//! may go now, and whether those that went are back.

pub mod images;
mod pods;
mod room;
mod settled;

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::{
    diff::{Drained, WorkloadChanges, compare},
    fleet::{Fleet, PodRow},
    inventory::Inventory,
    model::{Ledger, pose_without_stages},
    observe::uid_text,
    plan::PlanError,
    request::Request,
};

use pods::Pods;
use settled::Settled;

/// How many names stand for the pods of a workload that are not back.
const EXAMPLES: usize = 3;

/// What a run asks.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Question {
    /// Pods that were let go and may not be taken by their controllers yet: cluster and uid.
    pub let_go: Vec<(String, String)>,
    /// Pods that are to go next, the most urgent first: cluster and uid.
    pub due: Vec<(String, String)>,
    /// Workloads whose pods that have to move are listed: cluster, namespace, kind, name.
    pub list: BTreeSet<(String, String, String, String)>,
}

/// What a run learns.
#[derive(Debug, Serialize)]
pub struct Checkpoint {
    /// Position of the log.
    pub position: u64,
    /// Every workload that the request speaks of.
    pub workloads: Vec<Standing>,
    /// Every `SidecarSet` that the request changes.
    pub sidecar_sets: Vec<SidecarStanding>,
    /// Of the budgets of the pods that were asked for.
    pub tightest: Option<Tightest>,
    /// In the order of [`Question::let_go`].
    pub let_go: Vec<PodStanding>,
    /// In the order of [`Question::due`].
    pub due: Vec<PodStanding>,
}

/// How far a `SidecarSet` is.
#[derive(Debug, Serialize)]
pub struct SidecarStanding {
    /// Its cluster.
    pub cluster: String,
    /// Its name.
    pub name: String,
    /// Pods at another version that its controller would change, also those that no workload of
    /// the request owns.
    pub behind: u32,
}

/// A budget that has little room.
#[derive(Debug, Serialize)]
pub struct Tightest {
    /// For example `pdb/trade/cart`.
    pub name: String,
    /// Pods that are down or let go.
    pub taken: u32,
    /// Pods that may be.
    pub limit: u32,
}

/// How far a workload is.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// Cluster, namespace, kind and name.
    pub place: (String, String, String, String),
    /// Whether its controller goes by priority although its pods have ordinals.
    pub unordered: bool,
    /// `spec.replicas`, or the nodes that a `DaemonSet` wants.
    pub replicas: u32,
    /// Pods that are there and not leaving.
    pub pods: u32,
    /// Pods that have to move and can.
    pub movable: u32,
    /// They, and those that cannot.
    pub behind: u32,
    /// Of them, pods whose application differs, whether it can change or not.
    pub old: u32,
    /// Pods at the target.
    pub at_target: u32,
    /// Pods at the target that do not serve for long enough yet, pods that are leaving, and, where
    /// nodes are drained, pods that do not serve and are held at another version.
    pub unsettled: u32,
    /// Names of a few of those.
    pub examples: Vec<String>,
    /// Uids of pods that have to move and can, in the order in which its controller takes them.
    /// Only of workloads that were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<String>,
}

/// How a pod is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PodStanding {
    /// `gone`, `leaving`, `here` (it has to move and can), `done` (at the target and back),
    /// `settling` (at the target, not back yet), `kept` (it has to move and cannot).
    pub state: &'static str,
    /// Whether its application differs, of pods that are `here`: otherwise its sidecars do.
    pub old: bool,
    /// Whether it serves.
    pub serves: bool,
    /// The budget that has no room for it, or the dependency that it waits for
    /// (`dependency:trade/cart after trade/payment`), of pods that are due.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub held_by: String,
    /// Its namespace; empty when it is gone.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its label `controller-revision-hash`.
    pub revision: String,
    /// Its node.
    pub node: String,
    /// Its `resourceVersion`.
    pub version: String,
    /// Its deletion cost.
    pub deletion_cost: i32,
}

/// Answers a run's question.
///
/// `request` is canonical JSON, `now_ms` the time in milliseconds UTC: pods become available without an
/// event.
pub fn checkpoint(
    fleet: &Fleet,
    request: &[u8],
    question: &Question,
    now_ms: i64,
) -> Result<Checkpoint, PlanError> {
    let request: Request =
        serde_json::from_slice(request).map_err(|error| PlanError::Request(error.to_string()))?;
    let inventory = Inventory::new(fleet, &request.spec.target.manifests).at(now_ms);
    let (mut changes, ledger) = rayon::join(
        || compare(&inventory, &request),
        || Ledger::of(&inventory, &request),
    );
    let model = pose_without_stages(ledger, &request, &mut changes);
    changes.keep_back();
    let settled = Settled::of(&inventory);
    let mut pods = Pods::of(&inventory, question);
    pods.read(&changes, &settled);
    let let_go = pods.standings(&question.let_go);
    let mut due = pods.standings(&question.due);
    let tightest = room::hold(&model, &let_go, &mut due);
    let workloads = changes
        .workloads
        .iter()
        .map(|each| standing(&inventory, &settled, &changes.drained, each, question));
    let sidecar_sets = changes.sidecar_sets.iter().map(|set| SidecarStanding {
        cluster: inventory.clusters[set.cluster as usize].name.to_owned(),
        name: set.name.clone(),
        behind: set.behind,
    });
    Ok(Checkpoint {
        position: fleet.position,
        workloads: workloads.collect(),
        sidecar_sets: sidecar_sets.collect(),
        tightest,
        let_go: let_go.into_iter().map(|(_, pod)| pod).collect(),
        due: due.into_iter().map(|(_, pod)| pod).collect(),
    })
}

fn standing(
    inventory: &Inventory<'_>,
    settled: &Settled<'_>,
    drained: &Drained,
    of: &WorkloadChanges,
    question: &Question,
) -> Standing {
    let workload = &inventory.workloads[of.workload as usize];
    let (cluster, view) = inventory.cluster_of(of.workload);
    let pods = inventory.pods_of(cluster);
    let is_leaving = |row: &&PodRow| pods.columns.has(**row, crate::batch::flags::DELETING);
    let all = &inventory.pods[of.workload as usize];
    let leaving = all.iter().filter(is_leaving);
    let stays = |row: &&PodRow| !is_leaving(row);
    let not_back = of.at_target.iter().filter(stays);
    let not_back = not_back.filter(|row| !settled.is_back(of.workload, **row));
    let leaving_new = of.at_target.iter().filter(is_leaving).count();
    let leaving_old = leaving.clone().count() - leaving_new;
    // Who comes for a pod that was evicted at its old version may be held there, and has to serve.
    let comes = all.iter().filter(stays).filter(|row| {
        drained.has_any(cluster)
            && !pods.columns.is_ready(**row)
            && !drained.leaves(inventory, cluster, **row)
            && of.is_kept(**row)
    });
    let unsettled: Vec<PodRow> = not_back.chain(leaving).chain(comes).copied().collect();
    let changes = of.changes.iter().filter(|change| stays(&&change.row));
    let place = (
        view.name.to_owned(),
        workload.namespace.to_string(),
        workload.kind().to_owned(),
        workload.name.to_string(),
    );
    let listed = question.list.contains(&place);
    let uids = changes
        .clone()
        .map(|change| uid_text(pods.columns.uid[change.row as usize]));
    let behind = of.differ - leaving_old as u32;
    Standing {
        unordered: workload.strategy.unordered,
        replicas: workload.replicas,
        pods: all.iter().filter(stays).count() as u32,
        behind,
        movable: changes.clone().count() as u32,
        old: behind - of.current,
        at_target: of.at_target.iter().filter(stays).count() as u32,
        unsettled: unsettled.len() as u32,
        examples: unsettled
            .iter()
            .take(EXAMPLES)
            .map(|row| pods.name(*row).to_owned())
            .collect(),
        moves: if listed { uids.collect() } else { Vec::new() },
        place,
    }
}
