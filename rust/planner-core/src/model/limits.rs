//! The limits of one workload's own: on what is down, and on what is surged.

use std::collections::BTreeMap;

use super::{
    budgets::Budget,
    ledger::Ledger,
    room::{Found, asked},
};
use crate::{
    diff::{Change, Kind, Leaves, Obstacle, WorkloadChanges},
    fleet::PodRow,
    inventory::WorkloadIdx,
    kube::{asking::Asking, scaled::Resolved, workload::Workload},
    resource::Resource as Kinds,
    schedule::problem::ResourceIdx,
};

/// The limits of one workload's own.
pub(super) struct Limits {
    /// On what is down.
    pub down: Budget,
    /// On what is surged, if it surges.
    pub surge: Option<Budget>,
    /// Rooms on nodes that it shares, from which its surges take too.
    pub rooms: Vec<ResourceIdx>,
    /// Why only pods that leave drained nodes have room in `down`.
    pub closed: Option<Obstacle>,
    /// Pods whose nodes have no room for their successors, and why they do not surge.
    pub stuck: BTreeMap<PodRow, Obstacle>,
}

impl Limits {
    /// What its controller would take at once.
    pub fn of(ledger: &Ledger<'_>, changes: &WorkloadChanges) -> Self {
        let inventory = ledger.inventory;
        let workload = &inventory.workloads[changes.workload as usize];
        let (cluster, view) = inventory.cluster_of(changes.workload);
        let pods = &inventory.pods[changes.workload as usize];
        let missing = workload.replicas.saturating_sub(pods.len() as u32);
        let name = workload.object();
        let (resolved, closed) = evictable(
            workload,
            workload.max_unavailable(view.server_minor),
            changes,
        );
        let is_down = |row: &&PodRow| !is_up(ledger, changes.workload, **row);
        let down = pods.iter().filter(is_down).count() as u32;
        let resolved_text = match missing {
            0 => resolved.text,
            _ => format!("{}, less {missing} pods that are missing", resolved.text),
        };
        let down = Budget {
            name: format!("workload/{name}"),
            cluster: Some(cluster),
            source: "workload",
            limit: resolved.value.saturating_sub(missing),
            resolved: resolved_text,
            down,
        };
        let surges = changes
            .changes
            .iter()
            .any(|change| change.kind == Kind::Surge);
        let surge = surges.then(|| {
            let resolved = workload.max_surge();
            Budget {
                name: format!("surge/{name}"),
                cluster: Some(cluster),
                source: "surge",
                limit: resolved.value,
                resolved: resolved.text,
                down: 0,
            }
        });
        Self {
            down,
            surge,
            rooms: Vec::new(),
            closed,
            stuck: BTreeMap::new(),
        }
    }

    /// Lets no more of its pods surge at once than find room. A new pod of a `DaemonSet` that waits
    /// for room on its node takes up `maxSurge` until it is there (`kubernetes pkg/controller/daemon
    /// rollingUpdate`), and no order says that its turn comes last.
    pub fn make_room(&mut self, found: Found, asks: &Asking) {
        let Some(surge) = &mut self.surge else {
            return;
        };
        match found {
            Found::Fit(fit) if fit < surge.limit => {
                surge.resolved = format!(
                    "{}, but {fit} fit on the nodes: each asks for {}",
                    surge.resolved,
                    asked(asks)
                );
                surge.limit = fit;
            }
            Found::Stuck(stuck) if !stuck.is_empty() => {
                let waiting = stuck.len() as u32;
                surge.resolved = format!(
                    "{}, less {waiting} for whose new pods their nodes have no room",
                    surge.resolved
                );
                surge.limit = surge.limit.saturating_sub(waiting);
                self.stuck = stuck;
            }
            Found::Fit(_) | Found::Stuck(_) => {}
        }
    }
}

/// The resources from which surges of a workload take: its own, if it surges, and rooms on nodes.
pub(super) fn enter_surges(
    ledger: &mut Ledger<'_>,
    own: Option<Budget>,
    rooms: Vec<ResourceIdx>,
) -> Vec<ResourceIdx> {
    let own = own.map(|surge| ledger.enter(surge));
    own.into_iter().chain(rooms).collect()
}

/// An eviction cannot surge, so of a workload of which nothing may be down pods leave drained nodes as
/// budgets of the cluster let them, and one at a time where none of those covers them. Its controller
/// takes none down all the same. The strategy `Recreate`, by which all may be, is for updates too.
fn evictable(
    workload: &Workload<'_>,
    limit: Resolved,
    changes: &WorkloadChanges,
) -> (Resolved, Option<Obstacle>) {
    let is_evicted = |change: &Change| change.leaves == Leaves::Evicted;
    let is_open = limit.value > 0 && !workload.strategy.all_at_once;
    if is_open || !changes.changes.iter().any(is_evicted) {
        return (limit, None);
    }
    let closed = (
        format!(
            "budget workload/{} allows no disruption: {}",
            workload.object(),
            limit.text
        ),
        "raise its maxUnavailable".to_owned(),
    );
    let resolved = Resolved {
        value: 1,
        text: format!(
            "{}, but 1 for pods that leave drained nodes under no budget of the cluster",
            limit.text
        ),
    };
    (resolved, Some(closed))
}

/// Whether a pod counts as available to its own controller.
pub(super) fn is_up(ledger: &Ledger<'_>, workload: WorkloadIdx, row: PodRow) -> bool {
    let inventory = ledger.inventory;
    let (cluster, _) = inventory.cluster_of(workload);
    let pods = inventory.pods_of(cluster);
    let workload = &inventory.workloads[workload as usize];
    match workload.resource {
        Kinds::CloneSets => pods.is_clone_set_available(row, workload.min_ready_s),
        _ => pods.is_available(row, workload.min_ready_s),
    }
}
