//! What one unit more would save: of a budget, before a dependency, of a stage, of a rate; and a
//! dependency or a sequence less.
//!
//! Nothing is estimated: the posed problem is solved again with the unit. Only what holds
//! something up is tried: elsewhere a unit lets no move of this schedule go in the wave before.

mod loosened;
mod told;
mod units;

use rayon::prelude::*;
use serde::Serialize;

use self::{
    told::{Figures, Found, Untried},
    units::{Unit, Units},
};
use super::{PlanError, compared};
use crate::{
    fleet::Fleet,
    inventory::Inventory,
    model::{Allowances, Model, RateOf, pose_without_stages},
    request::Request,
    schedule::Schedule,
};

/// The problem of a plan, its schedule, and every unit whose saving can be asked for.
#[derive(Debug)]
pub struct Bottlenecks {
    request: Request,
    /// Its groups have no stages: their sizes follow from what can move.
    model: Model,
    clusters: Vec<String>,
    schedule: Schedule,
    units: Units,
}

#[derive(Serialize)]
struct Head<'a> {
    #[serde(flatten)]
    figures: Figures,
    tries: usize,
    /// Moves that only the order of their workload's controller holds up.
    ordered: u64,
    /// Moves that wait for a window or the end of a freeze.
    windowed: u64,
    untried: Vec<Untried<'a>>,
}

impl Bottlenecks {
    /// Poses and solves the problem of a request (canonical JSON), with what runs before saw of
    /// how long moves take and what the request says of time (JSON, as in an
    /// [`Order`](super::Order)).
    pub fn of(
        fleet: &Fleet,
        request: &[u8],
        durations: &[u8],
        calendars: &[u8],
    ) -> Result<Self, PlanError> {
        let fail = |error: serde_json::Error| PlanError::Request(error.to_string());
        let request: Request = serde_json::from_slice(request).map_err(fail)?;
        let inventory = Inventory::new(fleet, &request.spec.target.manifests);
        let known = (durations, calendars);
        let (mut changes, ledger) = compared(&inventory, &request, known, Allowances::default())?;
        let model = pose_without_stages(ledger, &request, &mut changes);
        let clusters = inventory.clusters.iter().map(|it| it.name.to_owned());
        let (problem, schedule) = loosened::solve(&model, &request, None);
        let units = Units::of(&model, &problem, &schedule, &request);
        Ok(Self {
            clusters: clusters.collect(),
            request,
            model,
            schedule,
            units,
        })
    }

    /// How many units can be tried; the most promising come first.
    #[must_use]
    pub fn len(&self) -> usize {
        self.units.tries.len()
    }

    /// Whether nothing holds anything up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.units.tries.is_empty()
    }

    /// The schedule in figures, and what is not to be tried and why, as JSON.
    #[must_use]
    pub fn head(&self) -> String {
        let head = Head {
            figures: Figures::of(&self.schedule),
            tries: self.len(),
            ordered: self.units.ordered,
            windowed: self.units.windowed,
            untried: self.untried(),
        };
        serde_json::to_string(&head).expect("figures are JSON")
    }

    /// Solves again with each of `count` units from `begin` on; a JSON list of what it saves.
    #[must_use]
    pub fn solve(&self, begin: usize, count: usize) -> String {
        let end = begin.saturating_add(count).min(self.len());
        let tries = &self.units.tries[begin.min(end)..end];
        let found: Vec<Found<'_>> = tries.par_iter().map(|each| self.found(each)).collect();
        serde_json::to_string(&found).expect("figures are JSON")
    }

    fn found(&self, each: &units::Try) -> Found<'_> {
        let (_, schedule) = loosened::solve(&self.model, &self.request, Some(each.unit));
        self.told(each, &schedule)
    }

    fn name(&self, unit: Unit) -> (&'static str, &str, Option<&str>) {
        match unit {
            Unit::Budget(index) => {
                let budget = &self.model.budgets[index as usize];
                let cluster = budget.cluster.map(|it| &*self.clusters[it as usize]);
                ("budget", &budget.name, cluster)
            }
            Unit::Sooner(index) | Unit::Without(index) => {
                let name = &self.model.problem.precedences[index as usize].name;
                ("dependency", name, None)
            }
            Unit::Rate(rate) => {
                let cluster = match self.model.rates[rate as usize] {
                    RateOf::Writes(cluster) => Some(cluster),
                    RateOf::Pulls { cluster, .. } => cluster,
                };
                let name = &self.model.problem.rates[rate as usize].name;
                let cluster = cluster.map(|it| &*self.clusters[it as usize]);
                ("rate", name, cluster)
            }
            Unit::Unordered(sequence) => {
                let sequence = &self.request.spec.sequences[sequence as usize];
                ("sequence", &sequence.name, None)
            }
            Unit::Soak(stage) | Unit::Size(stage) => (
                "stage",
                &self.request.spec.stages[stage as usize].name,
                None,
            ),
        }
    }
}
