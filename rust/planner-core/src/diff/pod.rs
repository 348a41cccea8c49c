//! Pods that are left out, and pods without a workload that could make them anew.

use crate::{
    fleet::PodRow,
    inventory::{ClusterIdx, Inventory, NO_WORKLOAD},
    kube::{labels::is_derived, pod::PodsOf, selector::Selector},
    request::Request,
};

use super::{Diff, Drained, Obstacle, Unmovable, sidecars::SidecarTargets, target::ImageRules};

/// The pods of one cluster that the request excludes.
pub(super) struct Excluded<'a> {
    pods: PodsOf<'a>,
    /// Those that tell no two pods of the same labels apart, and the others.
    shared: Vec<&'a Selector>,
    single: Vec<&'a Selector>,
}

impl<'a> Excluded<'a> {
    pub(super) fn new(
        inventory: &'a Inventory<'a>,
        cluster: ClusterIdx,
        request: &'a Request,
    ) -> Self {
        let selectors = request.spec.exclude.iter();
        let (single, shared) = selectors
            .map(|exclude| &exclude.selector)
            .partition(|selector| is_derived(selector));
        Self {
            pods: inventory.pods_of(cluster),
            shared,
            single,
        }
    }

    /// Whether the pod and all that carry the same labels are excluded.
    pub(super) fn holds_class(&self, row: PodRow) -> bool {
        self.holds(&self.shared, row)
    }

    /// Whether the pod is excluded by itself.
    pub(super) fn holds_single(&self, row: PodRow) -> bool {
        self.holds(&self.single, row)
    }

    fn holds(&self, selectors: &[&Selector], row: PodRow) -> bool {
        let mut selectors = selectors.iter();
        selectors.any(|selector| selector.matches(&self.pods.labels(row)))
    }
}

/// The reason of pods that the request excludes.
pub(super) const EXCLUDED: &str = "excluded by the request";

/// Why an excluded pod does not move.
pub(super) fn excluded() -> Obstacle {
    (
        EXCLUDED.to_owned(),
        "take it out of spec.exclude".to_owned(),
    )
}

/// Lists pods that no workload owns, if the request speaks of their containers or nodes.
pub(super) fn diff_orphans(
    inventory: &Inventory<'_>,
    rules: &ImageRules<'_>,
    sidecars: &SidecarTargets,
    drained: &Drained,
    diff: &mut Diff,
) {
    for (cluster, view) in inventory.clusters.iter().enumerate() {
        let pods = &view.cluster.pods;
        let read = inventory.pods_of(cluster as ClusterIdx);
        for row in pods
            .rows()
            .filter(|row| view.workload_of[*row as usize] == NO_WORKLOAD)
        {
            let at = cluster as ClusterIdx;
            let mut containers = read.spec(row).containers.iter();
            let differs = containers.any(|it| rules.changes(&it.image))
                || (sidecars.has_any(at) && sidecars.part(at, read, row).bits(true) != 0)
                || drained.leaves(inventory, at, row);
            if pods.is_finished(row) || !differs {
                continue;
            }
            let owner = view.unsupported.get(&pods.class(row).owner);
            let reason = owner.map_or_else(
                || "it has no controller that would make it anew".to_owned(),
                |kind| format!("the planner does not move pods of a {kind}"),
            );
            diff.unmovable.push(Unmovable {
                cluster: at,
                row,
                workload: NO_WORKLOAD,
                reason,
                remedy: "change it by hand, or run it as a workload".to_owned(),
            });
        }
    }
}
