//! Each budget from which moves take, and what every wave leaves of it.

use rayon::prelude::*;
use serde::Serialize;

use super::{Scene, Spread};
use crate::{model::Model, schedule::Schedule};

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
        let Spread {
            headroom, takers, ..
        } = self.spread;
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
                headroom: &headroom[index],
            }
        })
    }

    fn places(&self) -> Vec<u32> {
        let mut places = vec![0; self.model.budgets.len()];
        for budget in &self.model.budget_of {
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
        for budget in taken.map(|resource| model.budget_of[*resource as usize]) {
            let takers = &mut takers[budget as usize];
            if takers.last() != Some(&group) {
                takers.push(group);
            }
        }
    }
    takers
}

/// What each wave leaves of each budget; of budgets with several places the least.
pub(super) fn headroom(model: &Model, schedule: &Schedule) -> Vec<Vec<i64>> {
    let problem = &model.problem;
    let resources = &problem.resources;
    let mut down: Vec<i64> = resources.iter().map(|it| i64::from(it.down)).collect();
    let (mut taken, mut released) = (vec![0_i64; down.len()], vec![0_i64; down.len()]);
    let mut headroom: Vec<Vec<i64>> = vec![Vec::new(); model.budgets.len()];
    for wave in schedule.chunks.chunk_by(|a, b| a.wave == b.wave) {
        taken.fill(0);
        released.fill(0);
        for chunk in wave {
            let group = &problem.groups[chunk.group as usize];
            let cohort = group.cohorts.get(chunk.cohort as usize);
            let count = i64::from(chunk.count);
            for it in cohort.takes {
                taken[*it as usize] += count;
            }
            for it in cohort.releases {
                released[*it as usize] += count;
            }
        }
        let mut least: Vec<Option<i64>> = vec![None; model.budgets.len()];
        for (index, resource) in resources.iter().enumerate() {
            let left = i64::from(resource.limit) - down[index] - taken[index];
            let least = &mut least[model.budget_of[index] as usize];
            *least = Some(least.map_or(left, |known| known.min(left)));
            down[index] -= released[index];
        }
        let all = headroom.iter_mut().zip(least);
        all.for_each(|(of, least)| of.push(least.unwrap_or(0)));
    }
    headroom
}
