//! Gangs: cohorts of any groups that go in one wave, or not at all.

use super::flat::Flat;
use super::problem::{GangIdx, Problem, ResourceIdx};
use super::rows::Rows;

/// Of no gang.
const NONE: GangIdx = GangIdx::MAX;

/// Which cohorts go together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gangs {
    /// By cohort. No values at all where nothing is of any gang, as in most problems.
    of: Vec<GangIdx>,
    /// The cohorts of each gang, ascending.
    members: Rows<u32>,
    /// Those that never go, whatever else holds.
    pub is_torn: Vec<bool>,
    /// Those whose cohorts may go one by one.
    is_loose: Vec<bool>,
}

impl Gangs {
    pub fn of(problem: &Problem) -> Self {
        let count = problem.gangs.len();
        if count == 0 {
            return Self::default();
        }
        let mut of = Vec::new();
        for cohorts in problem.groups.iter().map(|group| &group.cohorts) {
            let first = of.len();
            of.resize(first + cohorts.len(), NONE);
            for (at, gang) in cohorts.in_gangs() {
                of[first + at] = gang;
            }
        }
        Self {
            members: members(&of, count),
            of,
            is_torn: problem.gangs.iter().map(|gang| gang.is_torn).collect(),
            is_loose: vec![false; count],
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Cohorts that are known; none without gangs.
    pub fn cohorts(&self) -> usize {
        self.of.len()
    }

    /// How many cohorts each gang has.
    pub fn sizes(&self) -> Vec<usize> {
        let gangs = 0..self.members.len();
        gangs.map(|gang| self.members.row(gang).len()).collect()
    }

    /// The gang of a cohort.
    pub fn gang(&self, cohort: usize) -> Option<GangIdx> {
        let gang = self.of.get(cohort).copied().filter(|&gang| gang != NONE)?;
        (!self.is_loose[gang as usize]).then_some(gang)
    }

    /// The cohorts of a gang, group after group.
    pub fn members(&self, gang: GangIdx) -> &[u32] {
        self.members.row(gang as usize)
    }

    /// Lets the cohorts of every gang go one by one.
    pub fn loosen(&mut self) {
        self.is_loose.fill(true);
    }

    /// Holds a gang together again.
    pub fn tie(&mut self, gang: GangIdx) {
        self.is_loose[gang as usize] = false;
    }

    /// The gangs of some cohorts, by their numbers here: those of a gang are all there, or none is.
    pub fn remainder(&self, cohorts: &[u32]) -> Self {
        if self.is_empty() {
            return Self::default();
        }
        let of: Vec<GangIdx> = cohorts.iter().map(|&c| self.of[c as usize]).collect();
        Self {
            members: members(&of, self.members.len()),
            of,
            is_torn: self.is_torn.clone(),
            is_loose: self.is_loose.clone(),
        }
    }
}

impl Flat {
    /// What all moves of a gang take together, by resource.
    pub fn demand(&self, gang: GangIdx) -> Vec<(ResourceIdx, u32)> {
        let members = self.gangs.members(gang).iter();
        let takes = members.flat_map(|&cohort| {
            let count = self.count[cohort as usize];
            let takes = self.takes.row(cohort as usize).iter();
            takes.map(move |&resource| (resource, count))
        });
        let mut takes: Vec<(ResourceIdx, u32)> = takes.collect();
        takes.sort_unstable();
        takes.dedup_by(|next, sum| {
            let is_same = next.0 == sum.0;
            if is_same {
                sum.1 += next.1;
            }
            is_same
        });
        takes
    }
}

fn members(of: &[GangIdx], gangs: usize) -> Rows<u32> {
    let mut each = vec![Vec::new(); gangs];
    for (cohort, &gang) in (0..).zip(of) {
        if gang != NONE {
            each[gang as usize].push(cohort);
        }
    }
    let mut members = Rows::with_capacity(gangs, of.len());
    for its in each {
        members.push_row(its);
    }
    members
}
