//! How urgent moves are: how long what comes after them takes, soaks and all.

use std::ops::Range;

use super::{Run, RunOf};
use crate::schedule::chains::{Chains, Needs, soaks_ms, successors};
use crate::schedule::flat::Flat;
use crate::schedule::pace::Pace;
use crate::schedule::waves::{Step, Waves};

/// What urgency is read off.
pub(super) struct Urgency<'a> {
    pub flat: &'a Flat,
    pub pace: &'a Pace,
    /// [`Chains::streaming`].
    pub chains: &'a Chains,
    pub needs: &'a Needs,
}

/// How often those are looked for that bring back what others wait for, who bring back what still
/// others wait for.
const HURRIES: u32 = 16;

/// The moves of a group in one wave.
struct Part {
    steps: Range<usize>,
    /// Moves of the group in the waves before.
    done: u32,
    /// The smaller, the more urgent.
    key: u64,
}

impl Urgency<'_> {
    /// Every move, the most urgent first. Who waits for a move is less urgent than that is.
    pub fn queue(&self, waves: &Waves) -> Vec<RunOf> {
        let mut parts = self.parts(waves);
        let mut hurries = HURRIES;
        while hurries > 0 && self.hurry(waves, &mut parts) {
            hurries -= 1;
        }
        let mut queue = Vec::with_capacity(waves.steps.len());
        for part in parts.into_iter().flatten() {
            for at in part.steps {
                let (start_ms, count) = (part.key, waves.steps[at].count);
                queue.push((at as u32, Run { start_ms, count }));
            }
        }
        queue
    }

    /// By group, and by wave.
    fn parts(&self, waves: &Waves) -> Vec<Vec<Part>> {
        let mut done = vec![0; self.flat.groups()];
        let mut parts: Vec<Vec<Part>> = done.iter().map(|_| Vec::new()).collect();
        let mut begin = 0;
        let by_group = |a: &Step, b: &Step| (a.wave, a.group) == (b.wave, b.group);
        for steps in waves.steps.chunk_by(by_group) {
            let group = steps[0].group as usize;
            parts[group].push(Part {
                steps: begin..begin + steps.len(),
                done: done[group],
                key: u64::MAX - self.ms(group, done[group]),
            });
            begin += steps.len();
            done[group] += steps.iter().map(|step| step.count).sum::<u32>();
        }
        parts
    }

    /// Whoever brings back what others wait for, where nothing is left, is more urgent than they are,
    /// and so is all that has to go before. Says whether that made any more urgent.
    fn hurry(&self, waves: &Waves, parts: &mut [Vec<Part>]) -> bool {
        let mut hurried = false;
        let mut urgent = vec![u64::MAX; self.flat.resources()];
        for part in parts.iter().flatten() {
            for step in &waves.steps[part.steps.clone()] {
                for &r in self.flat.takes.row(step.cohort as usize) {
                    let key = &mut urgent[r as usize];
                    *key = part.key.min(*key);
                }
            }
        }
        let mut first = vec![u64::MAX; self.flat.groups()];
        for &group in self.chains.order.iter().rev() {
            let group = group as usize;
            for part in parts[group].iter_mut().rev() {
                let steps = waves.steps[part.steps.clone()].iter();
                let back = steps.flat_map(|step| self.flat.releases.row(step.cohort as usize));
                let scarce =
                    back.filter(|&&r| self.flat.limit[r as usize] <= self.flat.down[r as usize]);
                let back = scarce.map(|&r| urgent[r as usize].saturating_sub(1));
                let after = successors(self.flat, group).filter(|(_, count)| *count > part.done);
                let after = after.map(|(after, _)| first[after].saturating_sub(1));
                let key = back.chain(after).fold(part.key.min(first[group]), u64::min);
                hurried |= key < part.key;
                (part.key, first[group]) = (key, key);
            }
        }
        hurried
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
