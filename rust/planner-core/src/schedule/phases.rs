//! Phases: sets of moves of any groups, one after the other.

use std::ops::Range;

use super::flat::Flat;
use super::problem::{PhaseIdx, Problem};
use super::reach::Reach;
use super::rows::Rows;

/// Which moves are of which phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phases {
    /// By cohort. No rows at all where nothing is of any phase, as in most problems.
    of: Rows<PhaseIdx>,
    /// Whether a phase waits for the one before it.
    pub follows: Vec<bool>,
    /// Moves of each phase, and of each cohort, for which later phases wait.
    moves: Vec<u32>,
    counted: Vec<u32>,
}

impl Phases {
    pub fn of(problem: &Problem) -> Self {
        let mut phases = Self {
            follows: problem.phases.iter().map(|it| it.follows).collect(),
            moves: vec![0; problem.phases.len()],
            ..Self::default()
        };
        if phases.is_empty() {
            return phases;
        }
        for cohorts in problem.groups.iter().map(|group| &group.cohorts) {
            for at in 0..cohorts.len() {
                phases.of.push_slice(cohorts.phases(at));
            }
        }
        phases
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.follows.is_empty()
    }

    /// The phases of a cohort.
    pub fn row(&self, cohort: usize) -> &[PhaseIdx] {
        if self.is_empty() {
            &[]
        } else {
            self.of.row(cohort)
        }
    }

    /// Those that a phase waits for.
    pub fn before(&self, phase: PhaseIdx) -> Range<PhaseIdx> {
        let mut first = phase;
        while self.follows[first as usize] {
            first -= 1;
        }
        first..phase
    }

    /// Counts the moves of each phase anew, of which there are so many of each cohort.
    pub fn count(&mut self, moves: &[u32]) {
        self.moves.fill(0);
        self.counted = moves[..self.of.len()].to_vec();
        for (cohort, count) in self.counted.iter().enumerate() {
            for &phase in self.of.row(cohort) {
                self.moves[phase as usize] += count;
            }
        }
    }

    /// The phases of some cohorts alone, of which so many moves still count.
    fn only(&self, cohorts: impl Iterator<Item = (usize, u32)>) -> Self {
        let mut kept = Self {
            follows: self.follows.clone(),
            moves: self.moves.clone(),
            ..Self::default()
        };
        let mut moves = Vec::new();
        for (cohort, count) in cohorts.filter(|_| !self.is_empty()) {
            let row = if count > 0 { self.of.row(cohort) } else { &[] };
            kept.of.push_slice(row);
            moves.push(count);
        }
        kept.count(&moves);
        kept
    }

    /// The phases of some cohorts, by their numbers here, when these moves of all cohorts are done.
    pub fn remainder(&self, cohorts: &[u32], done: &[u32]) -> Self {
        let left = |&cohort: &u32| {
            let cohort = cohort as usize;
            let counted = self.counted.get(cohort).copied().unwrap_or(0);
            (cohort, counted.saturating_sub(done[cohort]))
        };
        self.only(cohorts.iter().map(left))
    }
}

impl Flat {
    /// Leaves of the phases what could be done if there were none: nobody waits for a move that
    /// something else keeps from being made.
    pub fn phased(mut self) -> Self {
        if !self.phases.is_empty() {
            let phases = std::mem::take(&mut self.phases);
            let moves = Reach::run(&self).moves;
            self.phases = phases.only(moves.into_iter().enumerate());
        }
        self
    }
}

/// How far the phases are.
#[derive(Clone, Debug)]
pub(crate) struct Progress<'a> {
    phases: &'a Phases,
    /// Moves of each phase that are not over.
    left: Vec<u32>,
    open: Vec<bool>,
}

impl<'a> Progress<'a> {
    /// Nothing has been done.
    pub fn new(phases: &'a Phases) -> Self {
        let mut progress = Self {
            phases,
            left: phases.moves.clone(),
            open: phases.follows.iter().map(|follows| !follows).collect(),
        };
        for phase in 1..progress.open.len() {
            if progress.open[phase - 1] && progress.left[phase - 1] == 0 {
                progress.open[phase] = true;
            }
        }
        progress
    }

    /// The first phase of a cohort that has not begun.
    pub fn closed(&self, cohort: usize) -> Option<PhaseIdx> {
        let closed = |phase: &&PhaseIdx| !self.open[**phase as usize];
        self.phases.row(cohort).iter().find(closed).copied()
    }

    /// How many of so many moves of a cohort may go.
    pub fn most(&self, cohort: usize, moves: u32) -> u32 {
        if self.closed(cohort).is_none() {
            moves
        } else {
            0
        }
    }

    /// Moves of a cohort are over. Gives the phases that begin with that.
    pub fn end(&mut self, cohort: usize, count: u32) -> Vec<PhaseIdx> {
        let mut begun = Vec::new();
        for &phase in self.phases.row(cohort) {
            self.left[phase as usize] -= count.min(self.phases.counted[cohort]);
            let mut next = phase as usize + 1;
            while self.left[next - 1] == 0
                && self.open[next - 1]
                && self.phases.follows.get(next) == Some(&true)
                && !self.open[next]
            {
                self.open[next] = true;
                begun.push(next as PhaseIdx);
                next += 1;
            }
        }
        begun
    }
}
