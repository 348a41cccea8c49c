//! How much of some resources is free at what time.

use super::network::{GUARDS, Lanes};

/// The free units of one block of resources, by events: from `times[i]` until `times[i + 1]`,
/// and from the last one on, `free[i]` units. Four resources are compared at once: in
/// `(free | guards) - demand` the guard bit of a lane survives where the demand fits.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    capacity: Lanes,
    times: Vec<u32>,
    free: Vec<Lanes>,
}

impl Profile {
    pub fn new(capacity: Lanes) -> Self {
        Self {
            capacity,
            times: vec![0],
            free: vec![capacity],
        }
    }

    /// Everything is free again.
    pub fn clear(&mut self) {
        self.times.clear();
        self.times.push(0);
        self.free.clear();
        self.free.push(self.capacity);
    }

    /// The first time from `earliest` on at which `units` are free for `duration`, at least 1.
    /// The units are at most the capacity.
    #[inline]
    pub fn first_fit(&self, earliest: u32, duration: u32, units: Lanes) -> u32 {
        let mut start = earliest;
        let mut i = self.at(earliest);
        while i < self.times.len() && self.times[i] < start + duration {
            if ((self.free[i] | GUARDS) - units) & GUARDS != GUARDS {
                start = self.times[i + 1];
            }
            i += 1;
        }
        start
    }

    /// Takes units from `start` for `duration`, where they are free.
    #[inline]
    pub fn take(&mut self, start: u32, duration: u32, units: Lanes) {
        let first = self.split(self.at(start), start);
        let finish = start + duration;
        let mut i = first;
        while i < self.times.len() && self.times[i] < finish {
            self.free[i] -= units;
            i += 1;
        }
        if self.times.get(i) != Some(&finish) {
            let before = self.free[i - 1] + units;
            self.times.insert(i, finish);
            self.free.insert(i, before);
        }
    }

    /// The segment in which a time is.
    #[inline]
    fn at(&self, time: u32) -> usize {
        self.times.partition_point(|&t| t <= time) - 1
    }

    /// The segment that begins at `time`, made if `time` is inside segment `at`.
    #[inline]
    fn split(&mut self, at: usize, time: u32) -> usize {
        if self.times[at] == time {
            return at;
        }
        self.times.insert(at + 1, time);
        self.free.insert(at + 1, self.free[at]);
        at + 1
    }
}
