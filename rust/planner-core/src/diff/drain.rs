//! Nodes that the request wants drained, and the pods that have to leave them, by the rules of
//! `kubectl drain` (`k8s.io/kubectl pkg/drain/filters.go`).

use std::collections::BTreeMap;

use hashbrown::HashMap;
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use super::{Change, Diff, Kind, Obstacle, sidecars::SidecarPart};
use crate::{
    batch::flags,
    fleet::{Object, PodRow, Symbol},
    inventory::{ClusterIdx, Inventory, NO_WORKLOAD},
    kube::node,
    request::{Drain, Request},
    resource::Resource,
};

/// Whether a move empties a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leaves {
    /// The pod may stay on its node.
    #[default]
    No,
    /// The pod is made anew anyway, and its successor comes to another node.
    Anyway,
    /// The pod is evicted to empty its node.
    Evicted,
}

/// The nodes that are to be drained.
#[derive(Debug, Default)]
pub struct Drained {
    /// By cluster: the name of a node, and whether the data of its pods may be deleted.
    nodes: Vec<HashMap<Symbol, bool, FxBuildHasher>>,
    /// By cluster: whether the request may mean nodes of it.
    meant: Vec<bool>,
}

impl Drained {
    pub(super) fn of(
        inventory: &Inventory<'_>,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Self {
        let drains = &request.spec.target.drain;
        if drains.is_empty() {
            return Self::default();
        }
        let mut named = vec![false; drains.len()];
        let clusters = inventory.clusters.iter();
        let nodes = clusters.map(|view| {
            let nodes = view.cluster.objects.get(&Resource::Nodes);
            let nodes: Vec<&Object> = nodes.into_iter().flat_map(BTreeMap::values).collect();
            let by_node = nodes
                .par_iter()
                .map(|node| naming(inventory, view.name, node, drains));
            let mut drained = HashMap::default();
            for (node, by) in nodes.iter().zip(by_node.collect::<Vec<_>>()) {
                for at in &by {
                    named[*at] = true;
                }
                if !by.is_empty() {
                    let deletes = by.iter().any(|at| drains[*at].delete_empty_dir_data);
                    drained.insert(node.name, deletes);
                }
            }
            drained
        });
        let nodes = nodes.collect();
        let unused = (0..).zip(named).filter(|(_, named)| !named);
        warnings.extend(unused.map(|(at, _): (usize, _)| format!("drain[{at}]: no node matches")));
        let may_be = |name: &str| drains.iter().any(|drain| drain.may_be_of(name));
        let meant = inventory.clusters.iter().map(|view| may_be(view.name));
        Self {
            nodes,
            meant: meant.collect(),
        }
    }

    /// Whether nodes of the cluster are drained, or were: a run goes on when the last of them is gone.
    #[must_use]
    pub fn has_any(&self, cluster: ClusterIdx) -> bool {
        self.meant.get(cluster as usize) == Some(&true)
    }

    /// The drained nodes of a cluster, in no order.
    pub fn nodes(&self, cluster: ClusterIdx) -> impl Iterator<Item = Symbol> + '_ {
        let nodes = self.nodes.get(cluster as usize).into_iter();
        nodes.flat_map(HashMap::keys).copied()
    }

    /// Whether a pod has to leave its node: no pod of a `DaemonSet`, which would come back there,
    /// none of the kubelet's own, and none that has ended.
    #[must_use]
    pub fn leaves(&self, inventory: &Inventory<'_>, cluster: ClusterIdx, row: PodRow) -> bool {
        let view = &inventory.clusters[cluster as usize];
        let pods = &view.cluster.pods;
        let workload = view.workload_of[row as usize];
        let nodes = self.nodes.get(cluster as usize);
        nodes.is_some_and(|nodes| nodes.contains_key(&pods.node[row as usize]))
            && !(pods.has(row, flags::MIRROR) || pods.is_finished(row))
            && (workload == NO_WORKLOAD
                || !inventory.workloads[workload as usize]
                    .resource
                    .is_daemon_set())
    }

    /// Why a pod cannot be evicted from its node, if it keeps data there.
    pub(super) fn obstacle(
        &self,
        inventory: &Inventory<'_>,
        cluster: ClusterIdx,
        row: PodRow,
    ) -> Option<Obstacle> {
        let pods = &inventory.clusters[cluster as usize].cluster.pods;
        let deletes = self.nodes[cluster as usize].get(&pods.node[row as usize]);
        let keeps = pods.has(row, flags::EMPTY_DIR) && deletes == Some(&false);
        keeps.then(|| {
            (
                "its emptyDir data would be deleted".to_owned(),
                "set deleteEmptyDirData of the drain to true, or move the data".to_owned(),
            )
        })
    }
}

/// How pods leave their nodes.
#[derive(Clone, Copy)]
pub(super) struct Evicted {
    /// With everything else that they need.
    pub whole: Change,
    /// When their application stays as it is.
    pub alone: Change,
}

/// How pods leave their nodes that stay or not at their application, by the move that they would
/// make without that. Who is made anew leaves by it.
pub(super) fn evicted(
    row: PodRow,
    stays: bool,
    planned: Option<&Change>,
    sidecars: &SidecarPart<'_>,
    diff: &mut Diff,
) -> Evicted {
    let alone = Change {
        row,
        kind: Kind::Evict,
        containers: diff.containers_idx(sidecars.images(true).clone()),
        sidecars: sidecars.bits(true),
        application: false,
        completes: stays,
        leaves: Leaves::Evicted,
    };
    let whole = match planned {
        Some(change) if change.kind != Kind::InPlace => Change {
            leaves: Leaves::Anyway,
            ..*change
        },
        Some(change) if change.application => {
            let mut images = diff.containers[change.containers as usize].clone();
            let anew = sidecars.images(true).iter();
            images.extend(anew.map(|(name, image)| ((*name).to_owned(), (*image).to_owned())));
            Change {
                containers: diff.containers_idx(images),
                application: true,
                completes: true,
                ..alone
            }
        }
        _ => alone,
    };
    Evicted { whole, alone }
}

/// The entries of the request that name a node.
fn naming(inventory: &Inventory<'_>, cluster: &str, node: &Object, drains: &[Drain]) -> Vec<usize> {
    let fleet = inventory.fleet;
    let name = fleet.texts.text(node.name);
    let labels = node::labels(fleet.document(node));
    let names = |drain: &Drain| {
        let by_name = drain.name.as_deref() == Some(name);
        let selector = drain.selector.as_ref();
        drain.may_be_of(cluster) && (by_name || selector.is_some_and(|it| it.matches(&labels)))
    };
    let all = drains.iter().enumerate();
    all.filter(|(_, drain)| names(drain))
        .map(|(at, _)| at)
        .collect()
}
