//! How many moves can go in the first or the last waves.

use super::proof::Edge;

/// The steps' value after so many waves.
pub(super) fn step(steps: &[u32], waves: u32) -> u32 {
    match (waves, steps) {
        (0, _) | (_, []) => 0,
        _ => steps[(waves as usize).min(steps.len()) - 1],
    }
}

/// The most moves of all loads after 0, 1, .. waves, until there are no more.
pub(super) fn curve<L>(
    loads: &[L],
    count: impl Fn(&L) -> u32,
    most: impl Fn(&L, u32) -> u32,
) -> Vec<u32> {
    let mut sums = vec![0];
    for load in loads {
        let (mut wave, mut before) = (0, 0);
        while before < count(load) {
            wave += 1;
            if sums.len() <= wave as usize {
                sums.push(0);
            }
            let now = most(load, wave).min(count(load));
            sums[wave as usize] += now - before;
            before = now;
        }
    }
    for at in 1..sums.len() {
        sums[at] += sums[at - 1];
    }
    sums
}

/// The run of waves at one end that wastes most of the resource's room: of all runs of at most
/// `waves` in which not all moves fit, the one with the largest `waves * room - moves`.
/// A wave of the run has `room_in(wave)` for moves, and `most` are ready for it altogether.
pub(super) fn edge(
    (moves, room): (u32, u32),
    (most, waves): (&[u32], usize),
    room_in: impl Fn(u32) -> u32,
) -> Edge {
    let (mut best, mut best_waste, mut sum) = (Edge::default(), 0, 0);
    for wave in 1..=waves as u32 {
        let ready = most.get(wave as usize).copied().unwrap_or(moves);
        sum = (sum + room_in(wave)).min(ready);
        let waste = i64::from(wave) * i64::from(room) - i64::from(sum);
        if sum < moves && waste > best_waste {
            (best, best_waste) = (
                Edge {
                    waves: wave,
                    moves: sum,
                },
                waste,
            );
        }
    }
    best
}
