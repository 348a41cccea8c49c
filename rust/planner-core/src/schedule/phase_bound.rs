//! What phases that come one after the other need: each as many waves as a resource forces on it.

use std::cmp::Reverse;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::flat::Flat;
use super::pace::Pace;
use super::proof::{PhasePart, Proof, Room};

/// The most waves that a sequence proves: those of its phases have nothing in common.
pub(super) fn phased(flat: &Flat, pace: &Pace) -> Option<(u64, Proof)> {
    let mut best: Option<(u64, Vec<PhasePart>)> = None;
    let mut parts = Vec::new();
    for (phase, room) in (0..).zip(tightest(flat, pace)) {
        if !flat.phases.follows[phase as usize] {
            parts.clear();
        }
        parts.extend(room.map(|room| PhasePart { phase, room }));
        let waves = parts.iter().map(PhasePart::waves).sum();
        if best.as_ref().is_none_or(|(most, _)| waves > *most) {
            best = Some((waves, parts.clone()));
        }
    }
    best.map(|(waves, parts)| (waves, Proof::Phases { parts }))
}

/// Of each phase that has moves, the resource that forces most waves on it, the first of several.
fn tightest(flat: &Flat, pace: &Pace) -> Vec<Option<Room>> {
    let mut taking: HashMap<(u32, u32), u32, FxBuildHasher> = HashMap::default();
    for cohort in (0..flat.cohorts()).filter(|&c| flat.count[c] > 0) {
        for &phase in flat.phases.row(cohort) {
            for &resource in flat.takes.row(cohort) {
                *taking.entry((phase, resource)).or_default() += flat.count[cohort];
            }
        }
    }
    let mut tightest: Vec<Option<Room>> = vec![None; flat.phases.follows.len()];
    for ((phase, resource), moves) in taking {
        let found = Room {
            resource,
            moves,
            room: pace.room[resource as usize],
        };
        let key = |it: &Room| (it.moves.div_ceil(it.room), Reverse(it.resource));
        let best = &mut tightest[phase as usize];
        if best.as_ref().is_none_or(|it| key(&found) > key(it)) {
            *best = Some(found);
        }
    }
    tightest
}
