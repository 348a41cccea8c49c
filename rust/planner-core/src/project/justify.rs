//! Double justification: a schedule pushed to one end of time, and then to the other.

use super::generate::{Generator, Schedule, Starts};
use super::network::{Direction, Network};

impl Generator<'_> {
    /// The activities of a schedule placed from its end, the last to finish first. It is at most
    /// as long: pushed that way one after the other, each finds at least its own place free.
    pub fn turn(&mut self, from: Direction, starts: &Starts) -> Starts {
        let mut keys = Vec::new();
        starts.mirrored(self.network, &mut keys);
        self.arrange(from.other(), &mut keys);
        self.build(from.other())
    }
}

/// Justifies a schedule to the right and then to the left (Valls, Ballestin and Quintanilla,
/// European Journal of Operational Research 165, 2005): two schedules, the latter of which is given.
#[must_use]
pub fn justify(network: &Network, schedule: &Schedule) -> Schedule {
    let starts = Starts {
        makespan: schedule.makespan,
        at: network.numbered(&schedule.starts),
    };
    let mut generator = Generator::new(network);
    let right = generator.turn(Direction::Forward, &starts);
    let left = generator.turn(Direction::Backward, &right);
    Schedule::of(network, Direction::Forward, &left)
}
