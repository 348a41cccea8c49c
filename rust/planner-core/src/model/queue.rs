//! Who of a workload certainly goes before whom.

use crate::{
    batch::flags,
    diff::Change,
    fleet::PodRow,
    kube::{order, pod::PodsOf, workload::Workload},
    schedule::problem::ResourceIdx,
};

/// Pods of a workload that wait for no room, in the order in which its controller takes them.
pub(super) struct Queue<'a> {
    workload: &'a Workload<'a>,
    pods: PodsOf<'a>,
    last: Option<PodRow>,
    /// Pods so far, and those of them before all that are like the last one.
    seen: u32,
    before: u32,
}

impl<'a> Queue<'a> {
    pub fn of(workload: &'a Workload<'a>, pods: PodsOf<'a>) -> Self {
        Self {
            workload,
            pods,
            last: None,
            seen: 0,
            before: 0,
        }
    }

    /// Puts a pod behind the others, and gives how many of them certainly go before it.
    ///
    /// It does so when it takes from nothing.
    pub fn ahead_of(&mut self, change: &Change, takes: &[ResourceIdx]) -> u32 {
        let (row, pods) = (change.row, self.pods);
        let waits = !takes.is_empty() || pods.columns.has(row, flags::DELETING);
        if waits || !change.application || !order::is_ranked(self.workload, row, pods) {
            return 0;
        }
        let last = self.last.replace(row);
        if !last.is_some_and(|last| order::are_alike(self.workload, last, row, pods)) {
            self.before = self.seen;
        }
        self.seen += 1;
        self.before
    }
}
