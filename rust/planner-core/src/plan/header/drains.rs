//! Each node that is drained: how many pods leave it, and when it is empty.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Scene;
use crate::{fleet::PodRow, inventory::ClusterIdx};

#[derive(Serialize)]
pub(super) struct DrainedNode<'a> {
    cluster: &'a str,
    name: &'a str,
    moves: u32,
    stays: u32,
    /// After which it is empty; never, when pods stay.
    wave: Option<u32>,
}

impl Scene<'_> {
    /// By cluster and name.
    pub(super) fn drains(&self) -> Vec<DrainedNode<'_>> {
        let texts = &self.inventory.fleet.texts;
        let mut nodes: BTreeMap<(&str, &str), DrainedNode<'_>> = BTreeMap::new();
        for (index, view) in (0..).zip(&self.inventory.clusters) {
            for node in self.changes.drained.nodes(index) {
                let drained = DrainedNode {
                    cluster: view.name,
                    name: texts.text(node),
                    moves: 0,
                    stays: 0,
                    wave: Some(0),
                };
                nodes.insert((view.name, drained.name), drained);
            }
        }
        if nodes.is_empty() {
            return Vec::new();
        }
        let place = |cluster: ClusterIdx, row: PodRow| {
            let view = &self.inventory.clusters[cluster as usize];
            (view.name, texts.text(view.cluster.pods.node[row as usize]))
        };
        for (cluster, row, wave) in &self.assigned.leave {
            if let Some(node) = nodes.get_mut(&place(*cluster, *row)) {
                node.moves += 1;
                node.wave = node.wave.max(Some(*wave));
            }
        }
        let drained = &self.changes.drained;
        for pod in &self.changes.unmovable {
            if drained.leaves(self.inventory, pod.cluster, pod.row)
                && let Some(node) = nodes.get_mut(&place(pod.cluster, pod.row))
            {
                node.stays += 1;
            }
        }
        for node in nodes.values_mut().filter(|node| node.stays > 0) {
            node.wave = None;
        }
        nodes.into_values().collect()
    }
}
