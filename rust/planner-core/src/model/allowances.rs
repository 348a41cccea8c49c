//! Limits of budgets as a question supposes them, whatever the clusters say.

use serde::Deserialize;

use super::Model;
use crate::inventory::Inventory;

/// How the limit of a budget that was supposed begins to say where it comes from.
const SUPPOSED: &str = "supposed to be ";

/// Supposed limits, as JSON: `[{"name": "pdb/trade/cart", "cluster": null, "limit": {"by": 1}}]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Allowances(Vec<Allowance>);

#[derive(Clone, Debug, Deserialize)]
struct Allowance {
    /// Of the budget.
    name: Box<str>,
    /// Of the budget; budgets of that name in every cluster when left out.
    cluster: Option<Box<str>>,
    limit: Limit,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Limit {
    /// So many at once.
    To(u32),
    /// So many more, or fewer.
    By(i32),
}

impl Limit {
    fn of(self, limit: u32) -> u32 {
        match self {
            Self::To(limit) => limit,
            Self::By(more) => limit.saturating_add_signed(more),
        }
    }
}

/// A budget as the header of a plan has it.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    name: Box<str>,
    cluster: Option<Box<str>>,
    limit: u32,
    resolved: String,
}

impl Allowances {
    /// What was supposed when a plan was made, by what its header says of its budgets.
    pub(crate) fn again(budgets: &[Told]) -> Self {
        let is_supposed = |it: &&Told| it.resolved.starts_with(SUPPOSED);
        let allowances = budgets.iter().filter(is_supposed).map(|it| Allowance {
            name: it.name.clone(),
            cluster: it.cluster.clone(),
            limit: Limit::To(it.limit),
        });
        Self(allowances.collect())
    }

    /// Supposes the limits. Says of each budget what it does not say itself.
    pub(super) fn apply(&self, inventory: &Inventory<'_>, model: &mut Model) -> Vec<String> {
        let mut said = Vec::new();
        let name_of = |index: u32| inventory.clusters[index as usize].name;
        for allowance in &self.0 {
            for (index, budget) in (0..).zip(&mut model.budgets) {
                let cluster = budget.cluster.map(name_of);
                let is_there =
                    allowance.cluster.is_none() || allowance.cluster.as_deref() == cluster;
                if budget.name != *allowance.name || !is_there {
                    continue;
                }
                let limit = allowance.limit.of(budget.limit);
                if limit == budget.limit {
                    continue;
                }
                said.push(format!(
                    "it is supposed that {} allows {limit}, not {}: {}",
                    budget.unique_name(inventory),
                    budget.limit,
                    budget.resolved
                ));
                budget.resolved = format!("{SUPPOSED}{limit}; {}", budget.resolved);
                budget.limit = limit;
                for (resource, of) in model.problem.resources.iter_mut().zip(&model.problem.pools) {
                    if *of == index {
                        resource.limit = allowance.limit.of(resource.limit);
                    }
                }
            }
        }
        said
    }
}
