//! Lower bounds on the makespan.

use super::network::{Direction, LANES, Network};

/// No schedule is shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The longest chain of precedences.
    pub critical_path: u32,
    /// The most that the work on a resource takes: what has to be held of it by some activities,
    /// at full capacity, between the earliest start of any of them and what has to follow each.
    pub energy: u32,
}

impl Bound {
    /// The larger of both.
    #[must_use]
    pub fn makespan(self) -> u32 {
        self.critical_path.max(self.energy)
    }
}

/// What an activity has to do with a resource.
#[derive(Clone, Copy)]
struct Work {
    /// Earliest start.
    head: u32,
    /// Time that has to follow its finish.
    rest: u32,
    /// Units times duration.
    energy: u64,
}

/// The bound of a project.
#[must_use]
pub fn bound(network: &Network) -> Bound {
    let tails = network.tails(Direction::Forward);
    let heads = network.tails(Direction::Backward);
    let mut works = vec![Vec::new(); network.capacities.len()];
    for activity in network.walk(Direction::Forward) {
        let duration = network.durations[activity];
        for hold in network.holds.get(activity) {
            for lane in 0..LANES {
                let units = (hold.units >> (32 * lane)) as u32;
                if units > 0 && duration > 0 {
                    works[hold.block as usize * LANES + lane].push(Work {
                        head: heads[activity] - duration,
                        rest: tails[activity] - duration,
                        energy: u64::from(units) * u64::from(duration),
                    });
                }
            }
        }
    }
    let energies = works.iter_mut().zip(&network.capacities);
    Bound {
        critical_path: tails.into_iter().max().unwrap_or(0),
        energy: energies
            .map(|(works, &capacity)| energy(works, capacity))
            .max()
            .unwrap_or(0),
    }
}

/// Over the activities that start late, for each meaning of late; then over those after whose
/// finish much has to follow.
fn energy(works: &mut [Work], capacity: u32) -> u32 {
    let late = by(works, capacity, |work| (work.head, work.rest));
    late.max(by(works, capacity, |work| (work.rest, work.head)))
}

fn by(works: &mut [Work], capacity: u32, ends: impl Fn(&Work) -> (u32, u32)) -> u32 {
    works.sort_unstable_by_key(|work| std::cmp::Reverse(ends(work)));
    let (mut energy, mut least, mut bound) = (0, u32::MAX, 0);
    for work in works {
        let (near, far) = ends(work);
        energy += work.energy;
        least = least.min(far);
        let held = energy.div_ceil(capacity.into());
        bound = bound.max(u64::from(near) + held + u64::from(least));
    }
    bound as u32
}
