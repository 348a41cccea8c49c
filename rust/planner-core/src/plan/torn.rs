//! Why gangs cannot move as a whole, and what would help.

use std::collections::BTreeMap;

use crate::{
    model::{Model, torn_by_stages},
    schedule::problem::{GangIdx, ResourceIdx},
};

/// What is known of every gang, found once for all of them.
pub(super) struct Torn<'m> {
    pub model: &'m Model,
    /// What all moves of each gang take together.
    takes: Vec<BTreeMap<ResourceIdx, u32>>,
    /// A group whose stages would tear it.
    by_stages: BTreeMap<GangIdx, usize>,
}

impl<'m> Torn<'m> {
    pub fn of(model: &'m Model) -> Self {
        let mut torn = Self {
            model,
            takes: vec![BTreeMap::new(); model.gangs.len()],
            by_stages: BTreeMap::new(),
        };
        for (at, group) in model.problem.groups.iter().enumerate() {
            for gang in torn_by_stages(group) {
                torn.by_stages.entry(gang).or_insert(at);
            }
            for (at, gang) in group.cohorts.in_gangs() {
                let cohort = group.cohorts.get(at);
                for resource in cohort.takes {
                    let taken = torn.takes[gang as usize].entry(*resource);
                    *taken.or_default() += cohort.count;
                }
            }
        }
        torn
    }

    /// Of a gang that cannot.
    pub fn why(&self, gang: GangIdx) -> (String, String) {
        let (why, remedy) = self.told(gang as usize);
        let name = &self.model.problem.gangs[gang as usize].name;
        (
            format!("its gang {name} cannot move as a whole: {why}"),
            remedy,
        )
    }

    fn told(&self, gang: usize) -> (String, String) {
        let problem = &self.model.problem;
        if let Some(why) = &self.model.gangs[gang].torn_by {
            let remedy = "see to that, or leave it out of gangs".to_owned();
            return (why.clone(), remedy);
        }
        if problem.gangs[gang].is_torn {
            let name = &problem.groups[self.by_stages[&(gang as GangIdx)]].name;
            let remedy = "leave out the stages, or one of both out of its gang".to_owned();
            return (format!("the stages of {name} would tear it"), remedy);
        }
        let is_short = |(r, moves): &(&ResourceIdx, &u32)| {
            let of = &problem.resources[**r as usize];
            of.limit < of.down.saturating_add(**moves)
        };
        match self.takes[gang].iter().find(is_short) {
            Some((resource, moves)) => {
                let name = self.model.resource_name(*resource);
                let resolved = &self.model.budget(*resource).resolved;
                (
                    format!("its pods take {moves} of budget {name} at once ({resolved})"),
                    format!("let {name} allow {moves}, or make its gangs smaller"),
                )
            }
            None => (
                "its pods wait for each other, or for one that cannot move".to_owned(),
                "see what keeps the others of it, or leave it out of gangs".to_owned(),
            ),
        }
    }
}
