//! How urgent a group is, and whom a wave waits for.

use super::{Pass, Patience};

impl Pass<'_> {
    /// The level of the group at this point.
    pub(super) fn level(&self, group: usize) -> u32 {
        let state = &self.groups[group];
        let level = self
            .ground
            .priority
            .level(self.ground.pace, group, state.done);
        if self.rule.by_place {
            level.max(self.queue[state.first as usize].level)
        } else {
            level
        }
    }

    /// The soaks that are before the group, in waves, if the rule looks at them.
    pub(super) fn soaks(&self, group: usize) -> u32 {
        let Some(patience) = self.rule.patience else {
            return 0;
        };
        let stages = &self.ground.flat.stages.row(group)[self.groups[group].stage as usize..];
        let soak_ms: u64 = stages[..stages.len() - 1]
            .iter()
            .map(|stage| stage.soak_ms)
            .sum();
        u32::try_from(soak_ms / patience.wave_ms.max(1))
            .unwrap_or(u32::MAX / 4)
            .min(u32::MAX / 4)
    }

    /// Groups whose soak ends later than this stay out of the wave.
    pub(super) fn open_ms(&self, active: &[u32], wave: u32) -> u64 {
        let Some(Patience { target, .. }) = self.rule.patience else {
            return u64::MAX;
        };
        let hurried = |&&group: &&u32| wave + self.groups[group as usize].level > target;
        let hurried = active
            .iter()
            .filter(hurried)
            .map(|&g| self.groups[g as usize].ready_ms);
        hurried.max().unwrap_or(0).max(self.now_ms())
    }
}
