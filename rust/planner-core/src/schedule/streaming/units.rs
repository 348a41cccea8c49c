//! When the units of a resource are free.

use std::collections::{BTreeMap, BinaryHeap};

/// The units of one resource that moves may take, by when they are free.
#[derive(Clone, Debug, Default)]
pub(super) struct Units {
    free: BTreeMap<u64, u32>,
    /// How many that are down have not been told to be back.
    down: u32,
    /// How many more are down than may be: so many have to come back before any is free.
    owed: u32,
    /// When the first of them come back.
    back: BinaryHeap<u64>,
}

impl Units {
    /// Of a limit, of which so many are down at the start.
    pub fn new(limit: u32, down: u32) -> Self {
        let free = limit.saturating_sub(down);
        Self {
            free: (free > 0).then_some((0, free)).into_iter().collect(),
            down,
            owed: down.saturating_sub(limit),
            back: BinaryHeap::new(),
        }
    }

    /// When the first is free.
    ///
    /// # Panics
    /// When none ever is; the waves have room for whoever asks.
    pub fn first_ms(&self) -> u64 {
        *self.free.first_key_value().expect("waves have room").0
    }

    /// How many are free at this time, up to `most`.
    pub fn until(&self, at_ms: u64, most: u32) -> u32 {
        let mut free = 0;
        for count in self.free.range(..=at_ms).map(|(_, count)| *count) {
            free += count;
            if free >= most {
                return most;
            }
        }
        free
    }

    /// Takes so many that are free at `start_ms`, those that became so last, until `end_ms`.
    pub fn take(&mut self, start_ms: u64, end_ms: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            let last = self.free.range_mut(..=start_ms).next_back();
            let (&at_ms, free) = last.expect("so many are free");
            let taken = left.min(*free);
            *free -= taken;
            left -= taken;
            if *free == 0 {
                self.free.remove(&at_ms);
            }
        }
        *self.free.entry(end_ms).or_default() += count;
    }

    /// So many that were down at the start are back at this time.
    pub fn give_back(&mut self, at_ms: u64, count: u32) {
        let count = count.min(self.down);
        self.down -= count;
        for _ in 0..count {
            // The first to come back pay for what is owed, whenever it is told of them.
            let mut free_ms = at_ms;
            if self.owed > 0 {
                self.back.push(at_ms);
                if self.back.len() <= self.owed as usize {
                    continue;
                }
                free_ms = self.back.pop().expect("one was pushed");
            }
            *self.free.entry(free_ms).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Units;

    #[test]
    fn what_is_owed_is_paid_by_the_first_to_come_back_in_whichever_order_it_is_told() {
        for order in [[30, 10, 20], [10, 20, 30], [20, 30, 10]] {
            let mut units = Units::new(2, 4);
            order
                .into_iter()
                .for_each(|at_ms| units.give_back(at_ms, 1));
            assert_eq!((units.first_ms(), units.until(40, 9)), (30, 1), "{order:?}");
        }
    }

    #[test]
    fn who_takes_leaves_what_has_been_free_longest() {
        let mut units = Units::new(2, 0);
        units.take(0, 50, 1);
        units.take(60, 70, 1);
        assert_eq!((units.first_ms(), units.until(69, 9)), (0, 1));
    }
}
