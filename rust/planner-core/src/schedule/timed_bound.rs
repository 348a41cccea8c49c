//! The least time of a schedule whose groups may move only when calendars are open.
//!
//! A relaxation as in [`super::chains`]: each group is alone with those that it waits for. Its waves,
//! each as long as its shortest move, lie inside what its calendars have open, and it needs no
//! less time from the first of them than it would need without calendars.

use super::calendar::{ends, first_fit};
use super::chains::{Chains, Needs, successors};
use super::flat::Flat;
use super::pace::Pace;
use super::problem::GroupIdx;
use super::proof::{ChainLink, Proof};

/// The bound and what proves it; `None` without calendars. `needed_ms` is what the first moves of a
/// group need, without calendars, and `link` says why.
pub(crate) fn timed(
    flat: &Flat,
    pace: &Pace,
    chains: &Chains,
    needed_ms: impl Fn(usize, u32) -> u64,
    link: impl Fn(usize, u32) -> ChainLink,
) -> Option<(u64, Proof)> {
    if !flat.is_timed() {
        return None;
    }
    let needs = Needs::of(flat);
    let mut begin_ms = vec![0; flat.groups()];
    let mut waits_for: Vec<Option<(GroupIdx, u32)>> = vec![None; flat.groups()];
    let mut last: Option<(u64, GroupIdx)> = None;
    for &group in &chains.order {
        let at = group as usize;
        let end_ms = |count| {
            let waves = u64::from(pace.waves(at, count));
            let waves = (waves, needs.shortest_ms(at), needed_ms(at, count));
            end_ms(flat, at, count, waves, begin_ms[at])
        };
        let all_ms = end_ms(pace.total[at]);
        let after: Vec<(usize, u32, u64)> = successors(flat, at)
            .map(|(after, count)| (after, count, end_ms(count)))
            .collect();
        if pace.total[at] > 0 && last.is_none_or(|(ms, _)| all_ms > ms) {
            last = Some((all_ms, group));
        }
        for (after, count, ms) in after {
            if ms > begin_ms[after] {
                begin_ms[after] = ms;
                waits_for[after] = Some((group, count));
            }
        }
    }
    let (ms, group) = last?;
    let last = Some((group, pace.total[group as usize]));
    let before = std::iter::successors(last, |(group, _)| waits_for[*group as usize]);
    let links = before.map(|(group, moves)| link(group as usize, moves));
    let mut links: Vec<ChainLink> = links.collect();
    links.reverse();
    Some((ms, Proof::Calendar { links, ms }))
}

/// When the first `count` moves of a group can be done, none of which begins before `from_ms`: in so
/// many waves, each so long, and not before `least_ms` have passed since the first of them.
fn end_ms(
    flat: &Flat,
    group: usize,
    count: u32,
    (waves, shortest_ms, least_ms): (u64, u64, u64),
    from_ms: u64,
) -> u64 {
    if count == 0 {
        return from_ms;
    }
    let Some(open) = flat.open(group) else {
        return from_ms + least_ms;
    };
    let first_ms = first_fit(open, from_ms, shortest_ms).unwrap_or(from_ms);
    let inside_ms = ends(open, from_ms, waves, shortest_ms).unwrap_or(from_ms);
    inside_ms.max(first_ms + least_ms)
}
