//! Whether the pods that leave drained nodes find room on the others.

use std::collections::BTreeMap;

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::Drained;
use crate::{
    fleet::{PodRow, Symbol},
    inventory::{ClusterIdx, Inventory},
    kube::node::{self, Amounts},
    resource::Resource,
};

const UNITS: [(&str, i128); 3] = [
    ("CPUs", 1_000),
    ("GiB of memory", 1_000 << 30),
    ("pods", 1_000),
];

/// Says of each cluster what is short when its drained nodes are empty. That the sum fits is not
/// enough for every pod to find a place, but without it some cannot.
pub(super) fn warnings(inventory: &Inventory<'_>, drained: &Drained) -> Vec<String> {
    let clusters = 0..inventory.clusters.len() as ClusterIdx;
    let short = |cluster: ClusterIdx| {
        let (asked, room) = asked_and_left(inventory, drained, cluster)?;
        let name = inventory.clusters[cluster as usize].name;
        let mut amounts = UNITS.iter().zip(asked.into_iter().zip(room));
        let ((unit, size), (asked, room)) = amounts.find(|(_, (asked, room))| asked > room)?;
        let [asked, room] = [asked, room.max(0)].map(|it| it as f64 / *size as f64);
        Some(format!(
            "{name}: pods that leave drained nodes ask for {asked:.1} {unit} and the other nodes \
             have room for {room:.1}, so some will wait for a place; add nodes or drain fewer"
        ))
    };
    let drained = clusters.filter(|cluster| drained.has_any(*cluster));
    drained.filter_map(short).collect()
}

/// What the pods that leave ask for, and what the nodes that stay have left.
fn asked_and_left(
    inventory: &Inventory<'_>,
    drained: &Drained,
    cluster: ClusterIdx,
) -> Option<(Amounts, Amounts)> {
    let view = &inventory.clusters[cluster as usize];
    let away: HashSet<Symbol, FxBuildHasher> = drained.nodes(cluster).collect();
    let nodes = view.cluster.objects.get(&Resource::Nodes)?;
    let stays = nodes.values().filter(|node| !away.contains(&node.name));
    let mut left: BTreeMap<Symbol, Amounts> = BTreeMap::new();
    for node in stays {
        let document = inventory.fleet.document(node);
        left.insert(node.name, node::room(document)?);
    }
    let pods = inventory.pods_of(cluster);
    let request = |row: PodRow| pods.spec(row).requests.amounts();
    let mut asked = [0; 3];
    for row in view.cluster.pods.rows() {
        if drained.leaves(inventory, cluster, row) {
            add(&mut asked, request(row), 1);
        } else if !view.cluster.pods.is_finished(row)
            && let Some(left) = left.get_mut(&view.cluster.pods.node[row as usize])
        {
            add(left, request(row), -1);
        }
    }
    let mut room = [0; 3];
    for each in left.into_values() {
        add(&mut room, each.map(|it| it.max(0)), 1);
    }
    Some((asked, room))
}

fn add(to: &mut Amounts, what: Amounts, times: i128) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += what * times;
    }
}
