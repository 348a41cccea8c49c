//! What a pass made, and what it is worth.

/// Moves of one cohort in one wave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub cohort: u32,
    pub group: u32,
    pub wave: u32,
    pub count: u32,
}

/// What a pass made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waves {
    /// By wave.
    pub steps: Vec<Step>,
    /// When all groups of each wave were through with their soaks.
    pub ready_ms: Vec<u64>,
    pub starts_ms: Vec<u64>,
    pub ends_ms: Vec<u64>,
    /// The last wave of each group, 0 without moves.
    pub last: Vec<u32>,
    /// Moves for which calendars leave no time, of each cohort; empty when there are none.
    pub undone: Vec<u32>,
    /// Whether calendars say when groups may move.
    pub(super) is_timed: bool,
}

impl Waves {
    /// Waves of which nobody asks when they are.
    pub fn of(steps: Vec<Step>) -> Self {
        Self {
            steps,
            ..Self::default()
        }
    }

    pub fn count(&self) -> u32 {
        self.ends_ms.len() as u32
    }

    /// Fewest waves, then least time, then earliest moves. With calendars time comes first: a
    /// wave more costs less than a night more.
    pub fn cost(&self) -> [u64; 4] {
        let undone = self.undone.iter().copied().map(u64::from).sum();
        let (waves, ms) = (u64::from(self.count()), self.ms());
        let finish = |step: &Step| u64::from(step.wave) * u64::from(step.count);
        let sum = self.steps.iter().map(finish).sum();
        if self.is_timed {
            [undone, ms, waves, sum]
        } else {
            [undone, waves, ms, sum]
        }
    }

    /// When the last wave ends.
    pub fn ms(&self) -> u64 {
        self.ends_ms.last().copied().unwrap_or(0)
    }
}
