//! The scheduling problem of a diff: every budget as resources, every workload as a group.

mod allowances;
pub mod budgets;
mod calendars;
mod dependencies;
mod durations;
mod gangs;
mod groups;
mod ledger;
mod limits;
mod queue;
mod quotas;
mod rates;
mod room;
mod sequences;
mod spreads;
mod stages;
mod starts;
mod walk;

pub use allowances::Allowances;
pub(crate) use allowances::Told;
pub use budgets::{Budget, BudgetIdx};
pub use calendars::{CalendarRule, Calendars};
pub use durations::Durations;
pub use gangs::GangOf;
pub use groups::GroupOf;
pub use ledger::Ledger;
pub use rates::RateOf;
pub use room::ROOM;
pub use sequences::PhaseOf;
pub use spreads::{Spread, Spreads};
pub(crate) use stages::{size_stages, torn_by_stages};
pub(crate) use starts::Starts;

use crate::{
    diff::Diff,
    request::Request,
    schedule::{
        ConstraintId, Laid,
        problem::{Problem, ResourceIdx},
    },
};

/// A problem, and what its numbers stand for.
#[derive(Debug)]
pub struct Model {
    /// For the scheduler.
    pub problem: Problem,
    /// Every budget, in the order in which they are shown; the pools of the problem.
    pub budgets: Vec<Budget>,
    /// Place of each resource whose budget has several, for example a node.
    pub places: Vec<Box<str>>,
    /// What each group of the problem stands for.
    pub groups: Vec<GroupOf>,
    /// What each phase of the problem stands for.
    pub phases: Vec<PhaseOf>,
    /// What each gang of the problem stands for.
    pub gangs: Vec<GangOf>,
    /// Names of the entries of the request that gangs are of.
    pub gang_entries: Vec<String>,
    /// What each rate of the problem stands for.
    pub rates: Vec<RateOf>,
    /// When the first wave may begin, milliseconds UTC; `None`: the request says nothing of time.
    pub start_ms: Option<i64>,
    /// When everything should be done, milliseconds UTC.
    pub deadline_ms: Option<i64>,
}

impl Model {
    /// The budget of a resource.
    #[must_use]
    pub fn budget(&self, resource: ResourceIdx) -> &Budget {
        &self.budgets[self.problem.pools[resource as usize] as usize]
    }

    /// What people call a resource, for example `pdb/trade/cart` or `per-node/node-0003`.
    #[must_use]
    pub fn resource_name(&self, resource: ResourceIdx) -> String {
        let budget = self.budget(resource);
        match &*self.places[resource as usize] {
            "" => budget.name.clone(),
            place => format!("{}/{place}", budget.name),
        }
    }

    /// What people call a constraint of the problem, for example `budget pdb/trade/cart`.
    #[must_use]
    pub(crate) fn constraint_name(&self, constraint: ConstraintId) -> String {
        let problem = &self.problem;
        let group = |index: u32| &problem.groups[index as usize].name;
        match constraint {
            ConstraintId::Resource(resource) => format!("budget {}", self.resource_name(resource)),
            ConstraintId::Precedence(index) => {
                format!("dependency {}", problem.precedences[index as usize].name)
            }
            ConstraintId::Stages(index) => format!("stages of {}", group(index)),
            ConstraintId::Order(index) => format!("order of {}", group(index)),
            ConstraintId::Phase(phase) => {
                format!("sequence {}", problem.phases[phase as usize].name)
            }
            ConstraintId::Gang(gang) => format!("gang {}", problem.gangs[gang as usize].name),
        }
    }
}

/// Poses the problem. Pods that their kind of move forbids are taken out of the diff and listed
/// as unmovable. Also gives the problem laid flat, which the sizes of the stages ask for.
#[must_use]
pub fn pose(mut ledger: Ledger<'_>, request: &Request, diff: &mut Diff) -> (Model, Laid) {
    let (inventory, allowances) = (ledger.inventory, std::mem::take(&mut ledger.allowances));
    let mut model = pose_without_stages(ledger, request, diff);
    diff.warnings
        .extend(allowances.apply(inventory, &mut model));
    let mut laid = Laid::of(&model.problem);
    size_stages(&mut model.problem, &mut laid, request, |_| {});
    (model, laid)
}

/// As [`pose`], but for the stages of the request.
#[must_use]
pub fn pose_without_stages(ledger: Ledger<'_>, request: &Request, diff: &mut Diff) -> Model {
    groups::pose(ledger, request, diff)
}
