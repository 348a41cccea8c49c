//! Room for pods that surge: how many new ones find a place on the nodes beside all that is there.

mod shared;

use std::collections::BTreeMap;

use hashbrown::HashMap;
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use super::{ledger::Ledger, limits::Limits};
use crate::{
    batch::flags,
    diff::{Change, Diff, Drained, Kind, Obstacle, WorkloadChanges},
    fleet::{PodRow, Symbol},
    inventory::{ClusterIdx, Inventory, WorkloadIdx},
    kube::{
        asking::Asking,
        node::{Amounts, Place},
        placing::Placing,
        workload::Workload,
    },
    resource::Resource,
};
pub use shared::ROOM;

/// The nodes of a cluster, by name.
struct Site<'a> {
    nodes: Vec<Node<'a>>,
    by_name: HashMap<Symbol, usize, FxBuildHasher>,
}

struct Node<'a> {
    name: &'a str,
    place: Place,
    /// What its pods leave of it.
    free: Amounts,
    /// Whether new pods are put there.
    is_open: bool,
}

/// A workload that surges.
struct Guest<'a> {
    /// Its place among the workloads of the diff.
    at: usize,
    cluster: ClusterIdx,
    changes: &'a WorkloadChanges,
    asks: Asking,
    placing: Placing,
}

/// Lets no more pods surge at once than find room: of each workload alone, and of those together
/// that may be on the same nodes. Where nodes were not observed, or something of them or of a template
/// cannot be read, nothing is known and `maxSurge` stays what it is.
pub(super) fn fit(ledger: &mut Ledger<'_>, diff: &Diff, limits: &mut [Limits]) {
    let surging = (0..limits.len()).filter(|at| limits[*at].surge.is_some());
    let surging: Vec<usize> = surging.collect();
    if surging.is_empty() {
        return;
    }
    let inventory = ledger.inventory;
    let cluster_of = |at: &usize| inventory.cluster_of(diff.workloads[*at].workload).0;
    let mut sites: BTreeMap<ClusterIdx, Option<Site<'_>>> =
        surging.iter().map(|at| (cluster_of(at), None)).collect();
    sites
        .par_iter_mut()
        .for_each(|(cluster, site)| *site = Site::read(inventory, &diff.drained, *cluster));
    let guests: Vec<Guest<'_>> = surging
        .par_iter()
        .filter(|at| sites[&cluster_of(at)].is_some())
        .filter_map(|at| Guest::read(inventory, *at, &diff.workloads[*at]))
        .collect();
    let found: Vec<Found> = guests
        .par_iter()
        .map(|guest| {
            let site = sites[&guest.cluster].as_ref();
            guest.find(inventory, site.expect("guests have one"))
        })
        .collect();
    for (guest, found) in guests.iter().zip(found) {
        limits[guest.at].make_room(found, &guest.asks);
    }
    let sites = sites.iter();
    for (cluster, site) in sites.filter_map(|(cluster, site)| Some((*cluster, site.as_ref()?))) {
        for shared in shared::budgets(inventory, cluster, site, &guests, limits) {
            let resource = ledger.enter(shared.budget);
            for at in shared.takers {
                limits[at].rooms.push(resource);
            }
        }
    }
}

/// What room a workload finds.
pub(super) enum Found {
    /// So many of its pods fit on the nodes at once.
    Fit(u32),
    /// Pods beside which their nodes have no room, and why they cannot surge.
    Stuck(BTreeMap<PodRow, Obstacle>),
}

impl<'a> Site<'a> {
    /// The nodes with what is free on them; `None` where that is not known.
    fn read(inventory: &'a Inventory<'a>, drained: &Drained, cluster: ClusterIdx) -> Option<Self> {
        let fleet = inventory.fleet;
        let view = &inventory.clusters[cluster as usize];
        let objects = view.cluster.objects.get(&Resource::Nodes)?.values();
        let read = objects.collect::<Vec<_>>().into_par_iter().map(|object| {
            let place = Place::read(fleet.document(object))?;
            Some((object.name, place))
        });
        let mut read: Vec<(Symbol, Place)> = read.collect::<Option<_>>()?;
        if read.is_empty() {
            return None;
        }
        read.sort_unstable_by_key(|(name, _)| fleet.texts.text(*name));
        let by_name = read.iter().enumerate().map(|(at, (name, _))| (*name, at));
        let by_name: HashMap<Symbol, usize, FxBuildHasher> = by_name.collect();
        let nodes = read.into_iter().map(|(name, place)| Node {
            name: fleet.texts.text(name),
            free: place.allocatable,
            is_open: place.is_open,
            place,
        });
        let mut site = Self {
            nodes: nodes.collect(),
            by_name,
        };
        for name in drained.nodes(cluster) {
            if let Some(at) = site.by_name.get(&name) {
                site.nodes[*at].is_open = false;
            }
        }
        for row in view.cluster.pods.rows() {
            let node = site.by_name.get(&view.cluster.pods.node[row as usize]);
            if let Some(at) = node.filter(|_| !view.cluster.pods.is_finished(row)) {
                let taken = requests(inventory, cluster, row);
                let free = site.nodes[*at].free.iter_mut().zip(taken);
                free.for_each(|(free, taken)| *free -= taken);
            }
        }
        Some(site)
    }
}

/// What a new pod of a workload asks for: what the template says, and no less than any pod of the
/// workload does: only in those is what was injected into them, or given to them by default.
pub(super) fn asking(inventory: &Inventory<'_>, workload: WorkloadIdx) -> Option<Asking> {
    let (cluster, _) = inventory.cluster_of(workload);
    let mut asks = Asking::of(&inventory.workloads[workload as usize].template)?;
    for row in &inventory.pods[workload as usize] {
        let own = requests(inventory, cluster, *row);
        let most = asks.amounts.iter_mut().zip(own);
        most.for_each(|(most, own)| *most = (*most).max(own));
    }
    Some(asks)
}

/// What a pod takes of its node.
pub(super) fn requests(inventory: &Inventory<'_>, cluster: ClusterIdx, row: PodRow) -> Amounts {
    inventory.pods_of(cluster).spec(row).requests.amounts()
}

impl<'a> Guest<'a> {
    fn read(inventory: &Inventory<'_>, at: usize, changes: &'a WorkloadChanges) -> Option<Self> {
        let workload = &inventory.workloads[changes.workload as usize];
        let (cluster, _) = inventory.cluster_of(changes.workload);
        Some(Self {
            at,
            cluster,
            changes,
            asks: asking(inventory, changes.workload)?,
            placing: workload.template.spec().ok()?,
        })
    }

    fn workload<'i>(&self, inventory: &'i Inventory<'_>) -> &'i Workload<'i> {
        &inventory.workloads[self.changes.workload as usize]
    }

    fn find(&self, inventory: &Inventory<'_>, site: &Site<'_>) -> Found {
        let workload = self.workload(inventory);
        if workload.resource.is_daemon_set() {
            return Found::Stuck(self.stuck(inventory, site));
        }
        let enough = u64::from(workload.max_surge().value);
        let mut fit = u64::from(self.under_way(inventory, workload.replicas));
        for node in &site.nodes {
            if fit >= enough {
                break;
            }
            fit += self.slots(node);
        }
        Found::Fit(fit.min(enough) as u32)
    }

    /// How many of its pods fit on a node.
    fn slots(&self, node: &Node<'_>) -> u64 {
        match self.asks.fit_in(&node.free) {
            0 => 0,
            fit => fit.min(self.offers(node)),
        }
    }

    /// How many of its pods may be on a node, whatever is there already: what other pods take of
    /// resources other than CPU and memory was not observed.
    fn offers(&self, node: &Node<'_>) -> u64 {
        if !node.is_open || !self.placing.allows(node.name, &node.place) {
            return 0;
        }
        let offered = |name: &str| node.place.others.get(name).copied().unwrap_or(0);
        let others = self.asks.others.iter();
        let fit = others.map(|(name, asks)| offered(name) / asks).min();
        fit.unwrap_or(u64::MAX)
    }

    /// Pods beyond the replicas: they have the room already for which new ones would look.
    fn under_way(&self, inventory: &Inventory<'_>, replicas: u32) -> u32 {
        let pods = inventory.pods_of(self.cluster);
        let rows = inventory.pods[self.changes.workload as usize].iter();
        let placed =
            rows.filter(|row| pods.is_assigned(**row) && !pods.columns.has(**row, flags::DELETING));
        (placed.count() as u32).saturating_sub(replicas)
    }

    /// Its pods that serve and need a new one beside them.
    fn surged(&self, inventory: &Inventory<'_>) -> impl Iterator<Item = &Change> {
        let pods = inventory.pods_of(self.cluster).columns;
        let changes = self.changes.changes.iter();
        changes.filter(move |change| change.kind == Kind::Surge && pods.is_ready(change.row))
    }

    /// The pods of a `DaemonSet` that serve and leave no room on their nodes for their successors,
    /// which come to the same nodes, cordoned or not.
    fn stuck(&self, inventory: &Inventory<'_>, site: &Site<'_>) -> BTreeMap<PodRow, Obstacle> {
        let pods = inventory.pods_of(self.cluster).columns;
        let mut on_node: HashMap<Symbol, u32, FxBuildHasher> = HashMap::default();
        for row in &inventory.pods[self.changes.workload as usize] {
            *on_node.entry(pods.node[*row as usize]).or_default() += 1;
        }
        let stuck = self.surged(inventory).filter_map(|change| {
            let name = pods.node[change.row as usize];
            let node = &site.nodes[*site.by_name.get(&name)?];
            // Two of them: the successor is there already.
            let is_stuck = on_node[&name] == 1 && self.asks.fit_in(&node.free) == 0;
            is_stuck.then(|| (change.row, no_room(node.name, &self.asks)))
        });
        stuck.collect()
    }
}

fn no_room(node: &str, asks: &Asking) -> Obstacle {
    (
        format!(
            "{node} has no room beside it for a new pod, which asks for {}",
            asked(asks)
        ),
        format!("make room on {node}, or set the maxUnavailable of its DaemonSet to at least 1"),
    )
}

/// What a pod asks for, in words.
pub(super) fn asked(asks: &Asking) -> String {
    let [cpu, memory, _] = asks.amounts;
    format!(
        "{} CPUs and {:.2} GiB",
        cpu as f64 / 1e3,
        memory as f64 / 1e3 / f64::from(1 << 30)
    )
}
