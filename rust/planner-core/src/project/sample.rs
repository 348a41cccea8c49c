//! Where a search begins: orders drawn at random, in favour of what is urgent.

use fastrand::Rng;

use super::network::{Direction, Network};

/// Keys of an order by regret-based biased random sampling (Drexl, Management Science 37, 1991)
/// with the latest finish time as priority: of the activities that can come next, each as
/// probable as its latest finish is before the latest of them, plus one.
///
/// `tails` are those of the network in this direction.
pub(super) fn sampled(
    network: &Network,
    direction: Direction,
    tails: &[u32],
    rng: &mut Rng,
) -> Vec<u32> {
    let n = network.activities();
    let mut waits: Vec<usize> = (0..n).map(|a| network.before(direction, a).len()).collect();
    let mut eligible: Vec<usize> = (0..n).filter(|&a| waits[a] == 0).collect();
    let mut keys = vec![0; n];
    let mut place = 0;
    // The less has to follow its finish, the later it may be.
    let rest = |activity: usize| tails[activity] - network.durations[activity];
    while let Some(least) = eligible.iter().map(|&a| rest(a)).min() {
        let weight = |&a: &usize| u64::from(rest(a) - least) + 1;
        let mut drawn = rng.u64(0..eligible.iter().map(weight).sum());
        let next = eligible.iter().position(|activity| {
            let hit = drawn < weight(activity);
            drawn = drawn.saturating_sub(weight(activity));
            hit
        });
        let activity = eligible.swap_remove(next.expect("drawn from the sum of the weights"));
        keys[activity] = place;
        place += 1;
        for &after in network.after(direction, activity) {
            waits[after as usize] -= 1;
            if waits[after as usize] == 0 {
                eligible.push(after as usize);
            }
        }
    }
    keys
}
