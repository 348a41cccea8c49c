//! Controllers that go by ordinals do not pass over a pod that cannot move.

use crate::{
    diff::{Change, Obstacle, behind},
    fleet::PodRow,
    kube::{order, pod::PodsOf, workload::Workload},
};

/// How far the controller of a workload gets.
pub(super) struct Walk {
    is_walked: bool,
    stopped_at: Option<PodRow>,
}

impl Walk {
    pub fn of(workload: &Workload<'_>) -> Self {
        Self {
            is_walked: order::is_walked(workload),
            stopped_at: None,
        }
    }

    /// Stops at a pod that cannot move.
    pub fn stop_at(&mut self, change: &Change) {
        if self.is_walked && change.application {
            self.stopped_at = self.stopped_at.or(Some(change.row));
        }
    }

    /// Why a pod cannot move that comes later.
    pub fn stopped_before(&self, change: &Change, pods: PodsOf<'_>) -> Option<Obstacle> {
        let before = self.stopped_at.filter(|_| change.application)?;
        Some(behind(pods.name(before)))
    }
}
