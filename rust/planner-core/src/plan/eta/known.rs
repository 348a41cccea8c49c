//! How long moves take, by workload and kind.

use hashbrown::{HashMap, hash_map::Entry};

use crate::{
    diff::Kind,
    inventory::{Inventory, WorkloadIdx},
    model::{Spread, Spreads, Starts},
};

/// All rules of thumb are off together.
pub(super) const RULES: u32 = 0;

/// What is known of how long a move takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub spread: Spread,
    /// Which median is its: [`RULES`], or that of its workload and kind.
    pub median: u32,
}

/// What is known of those that were asked about.
pub(super) struct Knowing<'a> {
    inventory: &'a Inventory<'a>,
    spreads: &'a Spreads,
    starts: Starts<'a>,
    found: HashMap<(WorkloadIdx, usize), Known>,
    /// How many medians may be off, each by itself.
    pub medians: u32,
}

impl<'a> Knowing<'a> {
    pub fn new(inventory: &'a Inventory<'a>, spreads: &'a Spreads) -> Self {
        Self {
            inventory,
            spreads,
            starts: Starts::of(inventory),
            found: HashMap::new(),
            medians: 0,
        }
    }

    pub fn of(&mut self, at: WorkloadIdx, kind: Kind) -> Known {
        match self.found.entry((at, kind as usize)) {
            Entry::Occupied(it) => *it.get(),
            Entry::Vacant(it) => {
                let workload = &self.inventory.workloads[at as usize];
                let (spread, is_seen) = self.spreads.of(workload, kind, self.starts.ms(at));
                self.medians += u32::from(is_seen);
                let median = if is_seen { self.medians } else { RULES };
                *it.insert(Known { spread, median })
            }
        }
    }
}
