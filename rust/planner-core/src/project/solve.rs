//! The best schedule that so many passes find.

use fastrand::Rng;
use rayon::prelude::*;

use super::bound::{Bound, bound};
use super::breed::Breed;
use super::generate::Schedule;
use super::network::Network;
use super::run::Run;

/// A schedule and how good it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The best that was found. Some activities may start later than they could.
    pub schedule: Schedule,
    /// No schedule is shorter.
    pub bound: Bound,
    /// How many schedules were made, as counted in [`super`].
    pub schedules: u64,
}

/// The best schedule of at most so many, and of at least one.
///
/// The search stops when the makespan is as low as the bound. It does not ask how many schedules
/// it may make: with the same seed the schedules of a shorter search are the first ones of a
/// longer, which is therefore never worse. One population after the other begins afresh, each
/// sized for ten times (the second: five times) the schedules of the one before.
#[must_use]
pub fn solve(network: &Network, schedules: u64, seed: u64) -> Solution {
    let bound = bound(network);
    let mut run = Run::new(network, bound, schedules);
    // Ends with None, in the middle of whatever is going on.
    let _ = search(network, &mut run, &mut Rng::with_seed(seed));
    let schedules = run.generator.made;
    let (direction, best) = run.best().expect("the first sample is always made");
    Solution {
        schedule: Schedule::of(network, direction, &best),
        bound,
        schedules,
    }
}

/// The same for many projects side by side, each on one thread and with the same seed.
#[must_use]
pub fn solve_all(networks: &[&Network], schedules: u64, seed: u64) -> Vec<Solution> {
    let each = networks.par_iter().with_max_len(1);
    each.map(|network| solve(network, schedules, seed))
        .collect()
}

fn search(network: &Network, run: &mut Run<'_>, rng: &mut Rng) -> Option<()> {
    let levels = [1_000_u64, 5_000].into_iter();
    let levels = levels.chain(std::iter::successors(Some(50_000), |l: &u64| {
        Some(l.saturating_mul(10))
    }));
    for until in levels {
        let mut breed = Breed::begin(network, run, couples(network, until), rng)?;
        breed.breed(run, until, rng)?;
    }
    Some(())
}

/// Couples of a search for so many schedules: more for longer searches, fewer for larger
/// projects, whose children take longer to get better. Measured (docs/decisions/0017).
#[expect(clippy::cast_sign_loss, reason = "a power of a count is not negative")]
fn couples(network: &Network, schedules: u64) -> usize {
    let size = 0.45 * (schedules as f64).powf(0.65);
    let large = (60.0 / network.activities().max(1) as f64).powf(0.8);
    (size * large.min(1.0)).clamp(20.0, 2_000.0) as usize
}
