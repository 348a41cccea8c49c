//! Waves that lie inside what calendars have open.
//!
//! A wave begins at one instant for all its groups, and ends before the first of them closes. It
//! begins as soon as anybody can move (and those are ready whom the rule waits for); when nobody can, at the
//! next instant at which something changes. Moves for which no time is left stay undone.

use super::{Pass, Patience};
use crate::schedule::calendar::{closes, first_fit, opens_after};

/// The wave that is being filled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub start_ms: u64,
    /// When the first of its groups closes.
    closes_ms: u64,
}

impl Span {
    pub fn at(start_ms: u64) -> Self {
        Self {
            start_ms,
            closes_ms: u64::MAX,
        }
    }

    /// What lies between its begin and the first of its groups to close, with one that closes then.
    fn within_ms(&self, closes_ms: u64) -> u64 {
        self.closes_ms.min(closes_ms).saturating_sub(self.start_ms)
    }

    /// Takes a group that closes then.
    pub fn close(&mut self, closes_ms: u64) {
        self.closes_ms = self.closes_ms.min(closes_ms);
    }
}

impl Pass<'_> {
    /// Fills the next wave; false when none is possible any more.
    pub(super) fn timed_wave(&mut self) -> bool {
        let wave = self.waves.count() + 1;
        let begun = self.waves.steps.len();
        self.room.copy_from_slice(&self.begin);
        let active = std::mem::take(&mut self.active);
        let mut next_ms = Some(self.timed_start_ms(&active, wave));
        while let Some(start_ms) = next_ms {
            self.span = Span::at(start_ms);
            self.lasting.clear();
            self.fill_all(&active, start_ms, wave);
            if self.waves.steps.len() > begun {
                break;
            }
            next_ms = self.changes_after(&active, start_ms);
        }
        self.active = active;
        if next_ms.is_some() {
            self.close(begun, wave);
        }
        next_ms.is_some()
    }

    /// How many of so many moves of a cohort the wave can hold before anybody closes.
    pub(super) fn inside(&self, group: usize, cohort: usize, moves: u32, closes_ms: u64) -> u32 {
        let (flat, within_ms) = (self.ground.flat, self.span.within_ms(closes_ms));
        let (needs, duration_ms) = (flat.needs(group), flat.duration_ms[cohort]);
        self.lasting.most(needs, duration_ms, moves, within_ms)
    }

    /// When the group closes, of which a wave may hold moves that begins at this instant.
    pub(super) fn closes_ms(&self, group: usize) -> Option<u64> {
        match self.ground.flat.open(group) {
            Some(open) => closes(open, self.span.start_ms),
            None => Some(u64::MAX),
        }
    }

    /// The first instant at which somebody can move and those are ready whom the rule waits for.
    fn timed_start_ms(&self, active: &[u32], wave: u32) -> u64 {
        let now_ms = self.now_ms();
        let begins = active.iter().filter_map(|&g| self.begins_ms(g, now_ms));
        let start_ms = begins.min().unwrap_or(now_ms);
        let Some(Patience { target, .. }) = self.rule.patience else {
            return start_ms;
        };
        let hurried = |&&group: &&u32| wave + self.groups[group as usize].level > target;
        let hurried = active.iter().filter(hurried);
        let ready = hurried.filter_map(|&g| self.begins_ms(g, now_ms));
        ready.max().unwrap_or(0).max(start_ms)
    }

    /// The first instant at which the group is ready and its next move lies inside what is open.
    fn begins_ms(&self, group: u32, now_ms: u64) -> Option<u64> {
        let state = &self.groups[group as usize];
        let from_ms = state.ready_ms.max(now_ms);
        let flat = self.ground.flat;
        let first = self.queue[state.first as usize].cohort as usize;
        match flat.open(group as usize) {
            Some(open) => {
                let one_ms = flat.duration_ms[first] + flat.begun_ms(group as usize, 1);
                first_fit(open, from_ms, one_ms)
            }
            None => Some(from_ms),
        }
    }

    /// The next instant at which a group gets ready or opens.
    fn changes_after(&self, active: &[u32], at_ms: u64) -> Option<u64> {
        let change = |&group: &u32| {
            let state = &self.groups[group as usize];
            let ready = (state.ready_ms > at_ms).then_some(state.ready_ms);
            let open = self.ground.flat.open(group as usize);
            let opens = open.and_then(|open| opens_after(open, at_ms.max(state.ready_ms)));
            ready.into_iter().chain(opens).min()
        };
        active.iter().filter_map(change).min()
    }
}
