//! The serial schedule generation scheme, from either end.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::network::{Direction, Network};
use super::profile::Profile;

/// When each activity starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Of each activity of the project, in units of time from the beginning.
    pub starts: Vec<u32>,
    /// The last finish.
    pub makespan: u32,
}

impl Schedule {
    pub(super) fn of(network: &Network, direction: Direction, starts: &Starts) -> Self {
        let mut at = starts.at.clone();
        if direction == Direction::Backward {
            starts.mirrored(network, &mut at);
        }
        Self {
            starts: network.named(&at),
            makespan: starts.makespan,
        }
    }
}

/// Start times by number, as counted from the end at which the schedule was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Starts {
    pub makespan: u32,
    pub at: Vec<u32>,
}

impl Starts {
    /// The same schedule, seen from the other end.
    pub fn mirrored(&self, network: &Network, into: &mut Vec<u32>) {
        into.clear();
        let from_the_end = |(&start, &duration)| self.makespan - start - duration;
        into.extend(self.at.iter().zip(&network.durations).map(from_the_end));
    }
}

/// The schedule in which each activity, in the order of their priorities, the least first, starts
/// as early (or going backward: finishes as late) as the precedences and those before it allow.
/// `priorities` has one value an activity, less than 2^32.
#[must_use]
pub fn generate(network: &Network, direction: Direction, priorities: &[u32]) -> Schedule {
    let mut generator = Generator::new(network);
    generator.arrange(direction, &mut network.numbered(priorities));
    Schedule::of(network, direction, &generator.build(direction))
}

/// Makes schedules of one network and keeps what it needs for that.
#[derive(Clone, Debug)]
pub(super) struct Generator<'a> {
    pub network: &'a Network,
    profiles: Vec<Profile>,
    order: Vec<u64>,
    /// Schedules made so far.
    pub made: u64,
}

impl<'a> Generator<'a> {
    pub fn new(network: &'a Network) -> Self {
        Self {
            network,
            profiles: network.blocks.iter().map(|&b| Profile::new(b)).collect(),
            order: Vec::with_capacity(network.activities()),
            made: 0,
        }
    }

    /// Puts the activities in the order of their keys. A key less than that of an activity which
    /// has to come first is raised to it; equal keys go in the order of the network.
    pub fn arrange(&mut self, direction: Direction, keys: &mut [u32]) {
        self.order.clear();
        for activity in self.network.walk(direction) {
            let before = self.network.before(direction, activity).iter();
            let least = before.map(|&b| keys[b as usize]).max().unwrap_or(0);
            keys[activity] = keys[activity].max(least);
            let rank = ranked(direction, activity as u32);
            self.order
                .push(u64::from(keys[activity]) << 32 | u64::from(rank));
        }
        self.order.sort_unstable();
    }

    /// A digest of the order in which activities are.
    pub fn digest(&self, direction: Direction) -> u64 {
        let mut hasher = FxHasher::default();
        hasher.write_u8(direction as u8);
        for &place in &self.order {
            hasher.write_u32(place as u32);
        }
        hasher.finish()
    }

    /// One schedule: activities in the order in which they are, each as early as the precedences
    /// and those placed before it allow (Kelley, in: Industrial Scheduling, 1963).
    pub fn build(&mut self, direction: Direction) -> Starts {
        let mut starts = Starts {
            makespan: 0,
            at: vec![0; self.network.activities()],
        };
        self.profiles.iter_mut().for_each(Profile::clear);
        for i in 0..self.order.len() {
            let activity = ranked(direction, self.order[i] as u32);
            let finish = self.place(direction, activity as usize, &mut starts);
            starts.makespan = starts.makespan.max(finish);
        }
        self.made += 1;
        starts
    }

    #[inline]
    fn place(&mut self, direction: Direction, activity: usize, starts: &mut Starts) -> u32 {
        let network = self.network;
        let duration = network.durations[activity];
        let before = network.before(direction, activity).iter();
        let finish = |&b: &u32| starts.at[b as usize] + network.durations[b as usize];
        let mut start = before.map(finish).max().unwrap_or(0);
        let holds = network.holds.get(activity);
        if duration > 0 && !holds.is_empty() {
            start = self.first_fit(start, duration, activity);
            for hold in holds {
                self.profiles[hold.block as usize].take(start, duration, hold.units);
            }
        }
        starts.at[activity] = start;
        start + duration
    }

    /// The first time from `earliest` on that suits all blocks of resources.
    fn first_fit(&self, earliest: u32, duration: u32, activity: usize) -> u32 {
        let holds = self.network.holds.get(activity);
        let mut start = earliest;
        // As long as a block puts the start off, those before it have to be asked again.
        let (mut at, mut suited) = (0, 0);
        while suited < holds.len() {
            let hold = &holds[at];
            let first = self.profiles[hold.block as usize].first_fit(start, duration, hold.units);
            suited = if first == start { suited + 1 } else { 1 };
            start = first;
            at = (at + 1) % holds.len();
        }
        start
    }
}

/// The rank of an activity among those of the same key, and back.
fn ranked(direction: Direction, number: u32) -> u32 {
    match direction {
        Direction::Forward => number,
        Direction::Backward => u32::MAX - number,
    }
}
