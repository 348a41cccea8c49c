//! The least time of a schedule without barriers, and what proves it.
//!
//! What holds of waves holds here of slots: cut time, from where moves may begin, into slots as long
//! as the shortest of them. Moves that begin in one slot are under way together when the last of them
//! begins, so they would fit into a wave, and what waits for a move begins in a later slot. So there
//! are no fewer slots than waves. Beside that the longest move takes its time; the moves on a resource
//! take as much room and time as all of them together; and the moves of a rate begin at it.

use crate::schedule::bound::{Bound, chain, later, link, rates};
use crate::schedule::chains::{Chains, Needs};
use crate::schedule::flat::Flat;
use crate::schedule::joins::Joins;
use crate::schedule::load::{Load, Loads};
use crate::schedule::pace::Pace;
use crate::schedule::proof::{Begun, ChainLink, Proof, Unit};
use crate::schedule::timed_bound::timed;

/// The bound in milliseconds; `chains` are [`Chains::streaming`].
pub(super) fn bound(flat: &Flat, pace: &Pace, chains: &Chains, waves: &Bound) -> (u64, Proof) {
    let needs = Needs::of(flat);
    let link = |group, moves| streaming_link(flat, pace, group, moves);
    let found = chain(&chains.ms, flat, pace, Unit::Streaming, link);
    let joins = Joins::chains(flat, pace, chains);
    let loads = Loads::of(flat, pace, chains, &joins);
    let mut found = later(found, |best| {
        loads.ms_by(best, |loads, room| least_ms(loads, room))
    });
    let mut argue = |(ms, proof): (u64, Proof)| {
        if ms > found.0 {
            found = (ms, proof);
        }
    };
    let least = |group, count| needs.streaming_ms(flat, pace, group, count);
    if let Some(proved) = timed(flat, pace, chains, least, link) {
        argue(proved);
    }
    for begun in rates(flat, pace) {
        let shortest_ms = shortest_ms(flat, |group| goes_by(flat, group, begun));
        argue((begun.ms + shortest_ms, Proof::Rate { begun, shortest_ms }));
    }
    let shortest_ms = shortest_ms(flat, |_| true);
    let slots = Proof::Waves {
        shortest_ms,
        begun: None,
        why: Box::new(waves.waves_proof.clone()),
    };
    argue((u64::from(waves.waves) * shortest_ms, slots));
    found
}

/// The least time of these moves, `room` at a time: that of all together shared by so many, and so
/// many one after the other of the shortest.
fn least_ms(loads: &[Load], room: u32) -> u64 {
    let each = || loads.iter().map(|it| (u64::from(it.count), it.duration_ms));
    let sum: u64 = each().map(|(count, duration_ms)| count * duration_ms).sum();
    let moves: u64 = each().map(|(count, _)| count).sum();
    let shortest_ms = each().map(|(_, duration_ms)| duration_ms).min();
    let room = u64::from(room);
    sum.div_ceil(room)
        .max(moves.div_ceil(room) * shortest_ms.unwrap_or(0))
}

fn goes_by(flat: &Flat, group: usize, begun: Begun) -> bool {
    flat.needs(group).iter().any(|it| it.rate == begun.rate)
}

/// The shortest move of these groups.
fn shortest_ms(flat: &Flat, is_one: impl Fn(usize) -> bool) -> u64 {
    let groups = (0..flat.groups()).filter(|&group| is_one(group));
    let cohorts = groups.flat_map(|group| flat.cohorts_of(group));
    let used = cohorts.filter(|&c| flat.count[c] > 0);
    used.map(|c| flat.duration_ms[c]).min().unwrap_or(0)
}

/// As [`link`]; the first of its moves may have waited for its rate before it could begin.
fn streaming_link(flat: &Flat, pace: &Pace, group: usize, moves: u32) -> ChainLink {
    ChainLink {
        begun_ms: flat.spread_ms(group, moves),
        ..link(flat, pace, group, moves)
    }
}
