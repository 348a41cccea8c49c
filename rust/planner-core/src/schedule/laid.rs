//! A problem laid flat, and which of its moves can be done: found once for whoever sizes the
//! stages and for the schedule.

use super::flat::Flat;
use super::problem::Problem;
use super::reach::{Reach, Reachable};

/// What the schedule of a problem begins with.
#[derive(Clone, Debug)]
pub struct Laid {
    pub(super) flat: Flat,
    pub(super) reachable: Reachable,
}

impl Laid {
    /// Lays a problem flat.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let flat = Flat::of(problem).phased();
        let reachable = Reach::run(&flat).into_reachable();
        Self { flat, reachable }
    }

    /// Which moves can be done.
    #[must_use]
    pub fn reachable(&self) -> &Reachable {
        &self.reachable
    }

    /// Takes the stages of `problem`, which is the same but for them: those that it had before did
    /// not end before a group's moves did.
    pub fn stage(&mut self, problem: &Problem) {
        self.flat.stage(problem);
        // Stages that hold every move put nothing out of reach.
        if !self.flat.are_all_staged() {
            if !problem.phases.is_empty() {
                self.flat = Flat::of(problem).phased();
            }
            self.reachable = Reach::run(&self.flat).into_reachable();
        }
    }
}
