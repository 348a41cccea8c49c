//! The changes of one workload in the order of its controller, and what its partition holds back.

use super::{
    Change, Diff, Leaves, Obstacle, Unmovable, WorkloadChanges, behind,
    workload::{Needs, Scene},
};
use crate::{
    fleet::PodRow,
    kube::{
        order::{self, Binding},
        workload::ordinal,
    },
};

/// The pods of a workload while they are sorted into moves and refusals.
#[derive(Default)]
pub(super) struct Sorting {
    pub changes: Vec<Change>,
    pub refused: Vec<(PodRow, Obstacle)>,
    pub at_target: Vec<PodRow>,
    pub why_recreate: Vec<String>,
    /// See [`WorkloadChanges::current`].
    pub current: u32,
}

impl Sorting {
    /// Puts the changes in order, holds back what a partition keeps, and adds all to the diff.
    pub fn finish(mut self, scene: &Scene<'_>, needs: &Needs, diff: &mut Diff) {
        let differ = self.changes.len() + self.refused.len();
        let named = scene.target.is_some() || scene.is_awaited || scene.has_sidecars();
        if differ == 0 && !named && !scene.may_leave {
            return;
        }
        let (ordered, binding) = in_order(scene, std::mem::take(&mut self.changes));
        let stopped_at = self.stopped_at(scene, needs);
        for (change, held) in hold_back(scene, ordered, stopped_at) {
            let Some(obstacle) = held else {
                self.changes.push(change);
                continue;
            };
            let need = &needs[&scene.class(change.row)];
            let rest = match (change.leaves, need.evicted) {
                (Leaves::No, _) | (_, None) => need.without_application.ok_or(obstacle),
                (_, Some(evicted)) => scene.may_be_evicted(change.row, evicted.alone),
            };
            match rest {
                Ok(rest) => self.changes.push(Change {
                    row: change.row,
                    completes: false,
                    ..rest
                }),
                Err(obstacle) => self.refused.push((change.row, obstacle)),
            }
        }
        diff.unmovable.extend(
            self.refused
                .into_iter()
                .map(|(row, (reason, remedy))| Unmovable {
                    cluster: scene.cluster,
                    row,
                    workload: scene.index,
                    reason,
                    remedy,
                }),
        );
        diff.workloads.push(WorkloadChanges {
            workload: scene.index,
            changes: self.changes,
            kept: Vec::new(),
            binding,
            differ: differ as u32,
            current: self.current,
            at_target: self.at_target,
            why_recreate: self.why_recreate,
            named,
        });
    }

    /// The pod at which a controller that goes by ordinals stops.
    fn stopped_at(&self, scene: &Scene<'_>, needs: &Needs) -> Option<PodRow> {
        if !order::is_walked(scene.workload) {
            return None;
        }
        let pods = &scene.view.cluster.pods;
        let rows = self.refused.iter().map(|(row, _)| *row);
        rows.filter(|row| needs[&scene.class(*row)].application)
            .max_by_key(|row| ordinal(pods.name(*row)))
    }
}

/// The changes in the order in which the controller takes the pods.
fn in_order(scene: &Scene<'_>, mut changes: Vec<Change>) -> (Vec<Change>, Binding) {
    let waiting: Vec<PodRow> = changes.iter().map(|change| change.row).collect();
    let all = &scene.inventory.pods[scene.index as usize];
    let pods = scene.inventory.pods_of(scene.cluster);
    let ordered = order::order(scene.workload, &waiting, all, pods, scene.revisions);
    changes.sort_unstable_by_key(|change| change.row);
    let of = |row: &PodRow| {
        let found = changes.binary_search_by_key(row, |change| change.row);
        changes[found.expect("the order holds the rows that it was given")]
    };
    (
        ordered.iter().map(of).collect(),
        order::binding(scene.workload),
    )
}

/// Says of each application change whether the partition, or a pod at which the controller stops
/// before it, keeps the pod at its old revision.
fn hold_back(
    scene: &Scene<'_>,
    changes: Vec<Change>,
    stopped_at: Option<PodRow>,
) -> Vec<(Change, Option<Obstacle>)> {
    let workload = scene.workload;
    let pods = &scene.view.cluster.pods;
    let application = changes.iter().filter(|change| change.application).count();
    let mut left = application.saturating_sub(workload.partition_old() as usize);
    let obstacle = || {
        let reason = "its partition keeps it at the old revision".to_owned();
        let place = format!("{}/{}", workload.namespace, workload.name);
        (
            reason,
            format!("lower the partition of {place}, or give a manifest with a lower one"),
        )
    };
    let mut is_held = |change: &Change| {
        if !change.application || workload.strategy.on_delete {
            return false;
        }
        if workload.is_below_partition(pods.name(change.row)) || left == 0 {
            return true;
        }
        left -= 1;
        false
    };
    let stops = stopped_at.map(|row| pods.name(row));
    let is_behind = |change: &Change| {
        let before = stops.filter(|_| change.application);
        before.filter(|stops| ordinal(pods.name(change.row)) < ordinal(stops))
    };
    changes
        .into_iter()
        .map(|change| {
            let held = is_held(&change).then(obstacle);
            (change, held.or_else(|| is_behind(&change).map(behind)))
        })
        .collect()
}
