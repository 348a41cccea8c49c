//! The order in which a Deployment's old pods go.

use std::{cmp::Reverse, collections::BTreeMap};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::active::phase;
use crate::{
    batch::flags,
    fleet::{PodRow, Symbol},
    kube::{pod::PodsOf, revision::Revisions, workload::Workload},
};

/// What has to be known of all pods of a Deployment to rank one.
pub(super) struct Ranking<'a> {
    workload: &'a Workload<'a>,
    pods: PodsOf<'a>,
    /// The place of each revision label, oldest `ReplicaSet` first.
    ages: BTreeMap<Symbol, u32>,
    /// Pods of the Deployment on each node.
    on_node: HashMap<Symbol, u32, FxBuildHasher>,
}

impl<'a> Ranking<'a> {
    pub(super) fn of(
        workload: &'a Workload<'a>,
        all: &[PodRow],
        pods: PodsOf<'a>,
        revisions: &Revisions<'_>,
    ) -> Self {
        let mut ages = BTreeMap::new();
        let mut on_node = HashMap::with_capacity_and_hasher(all.len(), FxBuildHasher);
        for row in all {
            let revision = pods.columns.class(*row).revision;
            let age = || revisions.age(workload.uid, pods.texts.text(revision)) as u32;
            ages.entry(revision).or_insert_with(age);
            if !pods.columns.has(*row, flags::DELETING) && !pods.columns.is_finished(*row) {
                *on_node.entry(pods.columns.node[*row as usize]).or_insert(0) += 1;
            }
        }
        Self {
            workload,
            pods,
            ages,
            on_node,
        }
    }

    /// The smaller, the earlier.
    ///
    /// Unavailable pods of all old sets go before available ones, each from the oldest set on
    /// (`kubernetes pkg/controller/deployment cleanupUnhealthyReplicas,
    /// scaleDownOldReplicaSetsForRollingUpdate`). Within a set (`pkg/controller
    /// ActivePodsWithRanks.Less`): unassigned; Pending, Unknown, Running; not Ready; lower deletion
    /// cost; more pods of the Deployment on its node; Ready for less time, more restarts, newer,
    /// where times within a power of two of each other are equal and then the uid decides.
    pub(super) fn key(&self, row: PodRow) -> impl Ord + use<> {
        let (at, pods) = (row as usize, self.pods);
        let columns = pods.columns;
        let ready = columns.has(row, flags::READY);
        let ready_age = if ready {
            self.age_rank(columns.ready_since_s[at])
        } else {
            0
        };
        let age = self.ages.get(&columns.class(row).revision).copied();
        let crowd = self.on_node.get(&columns.node[at]).copied();
        (
            (
                pods.is_available(row, self.workload.min_ready_s),
                age.unwrap_or(u32::MAX),
            ),
            (pods.is_assigned(row), phase(row, pods), ready),
            (pods.annotations(row).deletion_cost, Reverse(crowd)),
            (
                ready_age,
                Reverse(columns.restarts[at]),
                self.age_rank(columns.created_s[at]),
            ),
            columns.uid[at],
        )
    }

    /// The logarithm of the time that has passed, as `logarithmicRankDiff` takes it: whole powers
    /// of two of nanoseconds, -1 when none has. A time that is not known comes before all.
    fn age_rank(&self, since_s: u32) -> i8 {
        let passed_ms = self.pods.now_ms - i64::from(since_s) * 1000;
        match u64::try_from(passed_ms) {
            _ if since_s == 0 => -2,
            Ok(passed_ms) if passed_ms > 0 => (passed_ms as f64 * 1e6).log2() as i8,
            _ => -1,
        }
    }
}
