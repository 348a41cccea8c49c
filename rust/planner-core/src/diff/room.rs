//! Whether the pods that leave drained nodes find room on the others.

use std::collections::BTreeMap;

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;
use serde::Deserialize;

use super::Drained;
use crate::{
    fleet::{Object, PodRow, Symbol},
    inventory::{ClusterIdx, Inventory},
    observe::parse_milli,
    resource::Resource,
};

/// What pods ask of nodes: thousandths of CPUs, of bytes, and of pods.
type Amounts = [i128; 3];

const UNITS: [(&str, i128); 3] = [
    ("CPUs", 1_000),
    ("GiB of memory", 1_000 << 30),
    ("pods", 1_000),
];

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    unschedulable: bool,
}

#[derive(Deserialize)]
struct Status {
    allocatable: Allocatable,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Allocatable {
    cpu: Box<str>,
    memory: Box<str>,
    pods: Box<str>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: Box<str>,
    status: Box<str>,
}

impl Node {
    /// What its pods may ask for; nothing while no pod is put there, `None` when that is not known.
    fn room(&self) -> Option<Amounts> {
        let mut conditions = self.status.conditions.iter();
        let is_ready = conditions.any(|it| &*it.kind == "Ready" && &*it.status == "True");
        if self.spec.unschedulable || !is_ready {
            return Some([0; 3]);
        }
        let Allocatable { cpu, memory, pods } = &self.status.allocatable;
        let [cpu, memory, pods] = [cpu, memory, pods].map(|it| parse_milli(it).map(i128::from));
        Some([cpu?, memory?, pods?])
    }
}

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
        left.insert(node.name, room_of(inventory, node)?);
    }
    let pods = inventory.pods_of(cluster);
    let request = |row: PodRow| {
        let requests = pods.spec(row).requests;
        [
            requests.cpu.into(),
            i128::from(requests.memory) * 1_000,
            1_000,
        ]
    };
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

fn room_of(inventory: &Inventory<'_>, node: &Object) -> Option<Amounts> {
    let read: Node = serde_json::from_str(inventory.fleet.document(node)).ok()?;
    read.room()
}

fn add(to: &mut Amounts, what: Amounts, times: i128) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += what * times;
    }
}
