//! Each rate: its moves, and how much longer the waves are for it.

use serde::Serialize;

use super::Scene;

#[derive(Serialize)]
pub(super) struct Rate<'a> {
    name: &'a str,
    cluster: &'a str,
    writes_per_second: u32,
    moves: u64,
    adds_s: f64,
}

impl Scene<'_> {
    /// Every rate of the problem, with the cluster whose groups go by it.
    pub(super) fn rates(&self) -> Vec<Rate<'_>> {
        let problem = &self.model.problem;
        let rates = problem.rates.iter().zip(&self.model.rate_clusters);
        let each = rates.zip(self.schedule.paced(problem));
        let each = each.map(|((rate, cluster), paced)| Rate {
            name: &rate.name,
            cluster: self.inventory.clusters[*cluster as usize].name,
            writes_per_second: rate.per_s,
            moves: paced.moves,
            adds_s: paced.adds_ms as f64 / 1000.0,
        });
        each.collect()
    }
}
