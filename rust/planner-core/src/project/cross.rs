//! A child of two schedules.

use fastrand::Rng;

use super::generate::Starts;
use super::network::{LANES, Network};

/// What is before, in and after the window of a crossover comes in that order.
const ZONE: u32 = super::problem::LIMIT;
/// Resources are weighed in these parts of their capacity.
const PARTS: i64 = 1_000;

/// Puts a window of one schedule into another one.
#[derive(Clone, Debug)]
pub(super) struct Crossover<'a> {
    network: &'a Network,
    /// Of each activity, the sum of what it holds of each resource.
    loads: Vec<i64>,
    father: Vec<u32>,
    mother: Vec<u32>,
    /// Begin and end of activities, and how the load changes there.
    events: Vec<(u32, i64)>,
    /// Work done until each of the events, and the load from there on.
    done: Vec<(u32, i64, i64)>,
}

impl<'a> Crossover<'a> {
    pub fn new(network: &'a Network) -> Self {
        let load = |activity| {
            let holds = network.holds.get(activity).iter();
            let lanes = holds.flat_map(|h| (0..LANES).map(move |lane| (h.block as usize, lane, h)));
            let parts = lanes.map(|(block, lane, hold)| {
                let units = (hold.units >> (32 * lane)) as u32;
                let capacity = network.capacities.get(block * LANES + lane);
                capacity.map_or(0, |&c| i64::from(units) * PARTS / i64::from(c.max(1)))
            });
            parts.sum()
        };
        Self {
            network,
            loads: (0..network.activities()).map(load).collect(),
            father: Vec::new(),
            mother: Vec::new(),
            events: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Keys of a child, seen from the other end than its parents.
    ///
    /// The two-point crossover of Debels and Vanhoucke (Operations Research 55, 2007): what the
    /// father starts in a window keeps his order and comes together, between what the mother
    /// starts before and after the window; what she alone has in it is ordered by her times among
    /// his. Every other window is one where the father uses resources best (the peaks of Valls,
    /// Ballestin and Quintanilla, European Journal of Operational Research 185, 2008); as here a
    /// window is as long as a tenth to a half of his schedule.
    pub fn keys(&mut self, father: &Starts, mother: &Starts, rng: &mut Rng, keys: &mut Vec<u32>) {
        father.mirrored(self.network, &mut self.father);
        mother.mirrored(self.network, &mut self.mother);
        let makespan = father.makespan;
        let length = rng.u32(makespan / 10..=makespan / 2).max(1);
        let last = makespan - length.min(makespan);
        let begin = if rng.bool() {
            self.busiest(length, last)
        } else {
            rng.u32(0..=last)
        };
        let window = begin..begin + length;
        keys.clear();
        keys.extend(self.father.iter().zip(&self.mother).map(|(&his, &hers)| {
            if window.contains(&his) {
                ZONE + his
            } else if hers < window.start {
                hers
            } else if hers < window.end {
                ZONE + hers
            } else {
                2 * ZONE + hers
            }
        }));
    }

    /// The begin of a window of the father, at most `last`, in which most work is done; of those
    /// that begin with an activity.
    fn busiest(&mut self, length: u32, last: u32) -> u32 {
        self.integrate();
        let begins = self.father.iter().map(|&start| start.min(last));
        begins
            .map(|begin| {
                (
                    self.done_until(begin + length) - self.done_until(begin),
                    begin,
                )
            })
            .max_by_key(|&(work, begin)| (work, std::cmp::Reverse(begin)))
            .map_or(0, |(_, begin)| begin)
    }

    fn integrate(&mut self) {
        self.events.clear();
        for (activity, &start) in self.father.iter().enumerate() {
            let load = self.loads[activity];
            self.events.push((start, load));
            self.events
                .push((start + self.network.durations[activity], -load));
        }
        self.events.sort_unstable();
        self.done.clear();
        let (mut at, mut work, mut load) = (0, 0, 0);
        for &(time, change) in &self.events {
            work += load * i64::from(time - at);
            load += change;
            at = time;
            self.done.push((time, work, load));
        }
    }

    fn done_until(&self, time: u32) -> i64 {
        match self.done.partition_point(|&(at, ..)| at <= time) {
            0 => 0,
            i => {
                let (at, work, load) = self.done[i - 1];
                work + load * i64::from(time - at)
            }
        }
    }
}
