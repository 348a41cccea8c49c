//! How urgent moves are: how long what comes after them takes, soaks and all.

use super::{Run, RunOf};
use crate::schedule::chains::{Chains, Needs, soaks_ms, successors};
use crate::schedule::flat::Flat;
use crate::schedule::pace::Pace;
use crate::schedule::waves::Waves;

/// What urgency is read off.
pub(super) struct Urgency<'a> {
    pub flat: &'a Flat,
    pub pace: &'a Pace,
    /// [`Chains::streaming`].
    pub chains: &'a Chains,
    pub needs: &'a Needs,
}

impl Urgency<'_> {
    /// Every move, the most urgent first. Who waits for a move is less urgent than that is.
    pub fn queue(&self, waves: &Waves) -> Vec<RunOf> {
        let mut done = vec![0; self.flat.groups()];
        let mut queue = Vec::with_capacity(waves.steps.len());
        for step in waves
            .steps
            .chunk_by(|a, b| (a.wave, a.group) == (b.wave, b.group))
        {
            let group = step[0].group as usize;
            let start_ms = u64::MAX - self.ms(group, done[group]);
            for each in step {
                let count = each.count;
                queue.push((queue.len() as u32, Run { start_ms, count }));
                done[group] += count;
            }
        }
        queue
    }

    /// The least time from when so many moves of a group are done to the end of all that waits for it.
    fn ms(&self, group: usize, done: u32) -> u64 {
        let low = self.needs.shortest_ms(group);
        let own_ms = |count: u32| {
            let waves = self.pace.waves(group, count) + 1 - self.pace.waves(group, done + 1);
            let soaks_ms = soaks_ms(self.flat, group, count) - soaks_ms(self.flat, group, done + 1);
            u64::from(waves) * low + soaks_ms
        };
        let after = successors(self.flat, group).filter(|(_, count)| *count > done);
        let after = after.map(|(after, count)| own_ms(count) + self.chains.ms.span[after]);
        after.fold(own_ms(self.pace.total[group]), u64::max)
    }
}
