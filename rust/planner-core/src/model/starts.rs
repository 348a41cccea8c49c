//! How long the pods that are there took to start.

use std::sync::OnceLock;

use crate::{
    fleet::{PodRow, Pods},
    inventory::{Inventory, WorkloadIdx},
};

/// So many pods tell how long a start takes.
const STARTS_MIN: usize = 3;
/// What took longer became Ready again, or its rollout has failed: `progressDeadlineSeconds` of a
/// Deployment that does not set it.
const START_MAX_S: u32 = 600;

/// How long the pods that are there took to start, by workload, else by cluster.
#[derive(Debug)]
pub(crate) struct Starts<'a> {
    inventory: &'a Inventory<'a>,
    /// Asked for only where a workload has too few pods that tell.
    clusters: Vec<OnceLock<Option<u64>>>,
}

impl<'a> Starts<'a> {
    pub(crate) fn of(inventory: &'a Inventory<'a>) -> Self {
        let clusters = inventory.clusters.iter().map(|_| OnceLock::new());
        Self {
            inventory,
            clusters: clusters.collect(),
        }
    }

    /// Milliseconds from a new pod of a workload to a Ready one; `None`: too few pods tell.
    pub(crate) fn ms(&self, workload: WorkloadIdx) -> Option<u64> {
        let (cluster, view) = self.inventory.cluster_of(workload);
        let pods = &view.cluster.pods;
        let own = self.inventory.pods[workload as usize].iter().copied();
        start_ms(pods, own).or_else(|| {
            *self.clusters[cluster as usize].get_or_init(|| start_ms(pods, pods.rows()))
        })
    }
}

/// The median from `creationTimestamp` to the last transition of `Ready`, of pods that serve and
/// never restarted.
///
/// A pod that was not Ready for a while shows too much, and none too little; a median stands that
/// of up to half of them, and what is above [`START_MAX_S`] was no start. Both times are whole
/// seconds, so that a start within one second counts as one.
fn start_ms(pods: &Pods, rows: impl Iterator<Item = PodRow>) -> Option<u64> {
    let seen = rows.filter(|row| pods.is_ready(*row)).filter_map(|row| {
        let at = row as usize;
        let is_told = pods.created_s[at] > 0 && pods.restarts[at] == 0;
        let took = pods.ready_since_s[at].checked_sub(pods.created_s[at]);
        took.filter(|took| is_told && *took <= START_MAX_S)
    });
    let mut seen: Vec<u32> = seen.collect();
    if seen.len() < STARTS_MIN {
        return None;
    }
    let middle = seen.len() / 2;
    let (_, median, _) = seen.select_nth_unstable(middle);
    Some(u64::from((*median).max(1)) * 1000)
}

#[cfg(test)]
mod tests {
    use super::start_ms;
    use crate::{batch::flags, fleet::Pods};

    /// Pods that are Ready: so many seconds after they were made, with so many restarts.
    fn pods(seen: &[(u32, u16)]) -> Pods {
        let made_s = 1_700_000_000;
        Pods {
            live: vec![true; seen.len()],
            uid: (0..).zip(seen).map(|(uid, _)| uid).collect(),
            created_s: vec![made_s; seen.len()],
            ready_since_s: seen.iter().map(|(took, _)| made_s + took).collect(),
            restarts: seen.iter().map(|(_, restarts)| *restarts).collect(),
            flags: vec![flags::READY; seen.len()],
            ..Pods::default()
        }
    }

    fn start_of(pods: &Pods) -> Option<u64> {
        start_ms(pods, pods.rows())
    }

    #[test]
    fn a_start_takes_as_long_as_half_of_the_pods_took() {
        assert_eq!(start_of(&pods(&[(40, 0), (8, 0), (9, 0)])), Some(9000));
        assert_eq!(start_of(&pods(&[(0, 0), (0, 0), (0, 0)])), Some(1000));
    }

    #[test]
    fn pods_that_tell_something_else_tell_nothing() {
        let flapped = [(8, 0), (9, 0), (10, 0), (601, 0), (9000, 0), (99_000, 0)];
        assert_eq!(start_of(&pods(&flapped)), Some(9000));
        let restarted = [(8, 0), (9, 0), (10, 0), (300, 1), (300, 2), (300, 3)];
        assert_eq!(start_of(&pods(&restarted)), Some(9000));
        let mut down = pods(&[(8, 0), (9, 0), (10, 0), (300, 0), (300, 0), (300, 0)]);
        down.flags[3..].fill(0);
        assert_eq!(start_of(&down), Some(9000));
        down.flags[3..].fill(flags::READY | flags::DELETING);
        assert_eq!(start_of(&down), Some(9000));
    }

    #[test]
    fn two_pods_are_too_few_and_without_times_nothing_is_told() {
        assert_eq!(start_of(&pods(&[(8, 0), (9, 0)])), None);
        let mut untold = pods(&[(8, 0), (9, 0), (10, 0)]);
        untold.created_s.fill(0);
        assert_eq!(start_of(&untold), None);
        let mut earlier = pods(&[(8, 0), (9, 0), (10, 0)]);
        earlier.ready_since_s.fill(1);
        assert_eq!(start_of(&earlier), None);
    }
}
