//! Each budget from which moves take, and what every wave leaves of it.

use rayon::prelude::*;
use serde::Serialize;

use super::Scene;
use crate::model::Model;

#[derive(Serialize)]
pub(super) struct Budget<'a> {
    name: &'a str,
    cluster: Option<&'a str>,
    source: &'static str,
    limit: u32,
    resolved: &'a str,
    down: u32,
    instances: u32,
    workloads: &'a [u32],
    headroom: &'a [i64],
}

impl Scene<'_> {
    pub(super) fn budgets(&self) -> impl IndexedParallelIterator<Item = Budget<'_>> {
        let places = self.places();
        let takers = &self.spread.takers;
        let taken: Vec<usize> = (0..takers.len())
            .filter(|index| !takers[*index].is_empty())
            .collect();
        taken.into_par_iter().map(move |index| {
            let budget = &self.model.budgets[index];
            let cluster = budget
                .cluster
                .map(|it| &self.inventory.clusters[it as usize]);
            Budget {
                name: &budget.name,
                cluster: cluster.map(|view| view.name),
                source: budget.source,
                limit: budget.limit,
                resolved: &budget.resolved,
                down: budget.down,
                instances: places[index],
                workloads: &takers[index],
                headroom: &self.schedule.headroom[index],
            }
        })
    }

    fn places(&self) -> Vec<u32> {
        let mut places = vec![0; self.model.budgets.len()];
        for budget in &self.model.problem.pools {
            places[*budget as usize] += 1;
        }
        places
    }
}

/// The groups whose moves take from each budget.
pub(in crate::plan) fn takers(model: &Model) -> Vec<Vec<u32>> {
    let mut takers: Vec<Vec<u32>> = vec![Vec::new(); model.budgets.len()];
    for (group, of) in (0..).zip(&model.problem.groups) {
        let taken = of.cohorts.taken().iter();
        for budget in taken.map(|resource| model.problem.pools[*resource as usize]) {
            let takers = &mut takers[budget as usize];
            if takers.last() != Some(&group) {
                takers.push(group);
            }
        }
    }
    takers
}
