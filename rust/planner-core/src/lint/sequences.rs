//! Sequences by which moves wait for each other in a circle.

use std::collections::BTreeMap;

use super::{Finding, Posed};
use crate::schedule::{Blocker, ConstraintId, Goal, Left, conflict, problem::PhaseIdx, reachable};

impl Posed<'_> {
    /// Sequences that keep moves from ever being made: what goes first waits, by a dependency, the
    /// order of a workload or another sequence, for what comes after it.
    pub(super) fn sequences(&self, left: &[Left]) -> Vec<Finding> {
        let mut first: BTreeMap<u32, (PhaseIdx, Goal)> = BTreeMap::new();
        for each in left {
            if let Blocker::Phase(phase) = each.blocker {
                let (group, cohort) = (each.group, each.cohort);
                let sequence = self.model.phases[phase as usize].index;
                let goal = Goal { group, cohort };
                first.entry(sequence).or_insert((phase, goal));
            }
        }
        let found = first.into_iter();
        found
            .map(|(sequence, (phase, goal))| self.circle(left, sequence, phase, goal))
            .collect()
    }

    fn circle(&self, left: &[Left], sequence: u32, phase: PhaseIdx, goal: Goal) -> Finding {
        let problem = &self.model.problem;
        let is_own = |phase: PhaseIdx| self.model.phases[phase as usize].index == sequence;
        let constraints = conflict(problem, &[goal]).into_iter();
        let others = constraints
            .filter(|it| !matches!(it, ConstraintId::Phase(phase) if is_own(*phase)))
            .map(|it| self.model.constraint_name(it));
        let others: Vec<String> = others.collect();
        let mut without = problem.clone();
        for (at, phase) in (0..).zip(&mut without.phases) {
            phase.follows &= !is_own(at);
        }
        let count = |left: &[Left]| left.iter().map(|it| u64::from(it.count)).sum::<u64>();
        let moves = match count(left) - count(&reachable(&without).left) {
            0 => "moves that others keep too".to_owned(),
            1 => "1 move".to_owned(),
            moves => format!("{moves} moves"),
        };
        let [first, then] = [phase - 1, phase].map(|at| &problem.phases[at as usize].name);
        Finding {
            rule: "waits-in-a-circle",
            path: format!("sequences.{}", self.model.phases[phase as usize].sequence),
            message: format!(
                "{moves} can never be made: {then} waits for {first}, and something of that for \
                 what comes later, by {}",
                others.join(", ")
            ),
            remedy: "let what others wait for be of an earlier phase, or take one of these out"
                .to_owned(),
        }
    }
}
