//! When the units of a resource are free.

use std::collections::{BTreeMap, BinaryHeap};

use super::spans::Spans;

/// The units of one resource that moves may take.
#[derive(Clone, Debug)]
pub(super) enum Units {
    /// A single one, such as that of a node: what is left between two moves is filled.
    One(Spans),
    /// Any number of them: what has lain idle is not.
    Many(Many),
}

impl Units {
    /// Of a limit, of which so many are down at the start.
    pub fn new(limit: u32, down: u32) -> Self {
        if (limit, down) == (1, 0) {
            Self::One(Spans::default())
        } else {
            Self::Many(Many::new(limit, down))
        }
    }

    /// The first time from `from_ms` on at which one is free for so long; `None` before any is back.
    pub fn fit_ms(&self, from_ms: u64, lasts_ms: u64) -> Option<u64> {
        match self {
            Self::One(spans) => Some(spans.fit(from_ms, lasts_ms)),
            Self::Many(many) => many.first_ms().map(|first_ms| first_ms.max(from_ms)),
        }
    }

    /// How many are free at a time that fits, up to `most`.
    pub fn until(&self, at_ms: u64, most: u32) -> u32 {
        match self {
            Self::One(_) => most.min(1),
            Self::Many(many) => many.until(at_ms, most),
        }
    }

    /// Takes so many from then to then.
    pub fn take(&mut self, start_ms: u64, end_ms: u64, count: u32) {
        match self {
            Self::One(spans) => spans.add(start_ms, end_ms),
            Self::Many(many) => many.take(start_ms, end_ms, count),
        }
    }

    /// So many that were down at the start are back at this time.
    pub fn give_back(&mut self, at_ms: u64, count: u32) {
        if let Self::Many(many) = self {
            many.give_back(at_ms, count);
        }
    }
}

/// Units by when they are free.
#[derive(Clone, Debug, Default)]
pub(super) struct Many {
    free: BTreeMap<u64, u32>,
    /// How many that are down have not been told to be back.
    down: u32,
    /// How many more are down than may be: so many have to come back before any is free.
    owed: u32,
    /// When the first of them come back.
    back: BinaryHeap<u64>,
}

impl Many {
    fn new(limit: u32, down: u32) -> Self {
        let free = limit.saturating_sub(down);
        Self {
            free: (free > 0).then_some((0, free)).into_iter().collect(),
            down,
            owed: down.saturating_sub(limit),
            back: BinaryHeap::new(),
        }
    }

    fn first_ms(&self) -> Option<u64> {
        self.free.first_key_value().map(|(first_ms, _)| *first_ms)
    }

    fn until(&self, at_ms: u64, most: u32) -> u32 {
        let mut free = 0;
        for count in self.free.range(..=at_ms).map(|(_, count)| *count) {
            free += count;
            if free >= most {
                return most;
            }
        }
        free
    }

    /// Takes those that became free last.
    fn take(&mut self, start_ms: u64, end_ms: u64, count: u32) {
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

    fn give_back(&mut self, at_ms: u64, count: u32) {
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
    use super::Many;

    #[test]
    fn what_is_owed_is_paid_by_the_first_to_come_back_in_whichever_order_it_is_told() {
        for order in [[30, 10, 20], [10, 20, 30], [20, 30, 10]] {
            let mut units = Many::new(2, 4);
            for at_ms in order {
                units.give_back(at_ms, 1);
            }
            assert_eq!(
                (units.first_ms(), units.until(40, 9)),
                (Some(30), 1),
                "{order:?}"
            );
        }
    }

    #[test]
    fn who_takes_leaves_what_has_been_free_longest() {
        let mut units = Many::new(2, 0);
        units.take(0, 50, 1);
        units.take(60, 70, 1);
        assert_eq!((units.first_ms(), units.until(69, 9)), (Some(0), 1));
    }
}
