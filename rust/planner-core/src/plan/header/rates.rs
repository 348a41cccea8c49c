//! Each rate: its moves, and how much longer the waves are for it.

use serde::Serialize;

use super::Scene;
use crate::schedule::Lasting;

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
        if problem.rates.is_empty() {
            return Vec::new();
        }
        let (mut moves, mut adds_ms) = (vec![0; problem.rates.len()], vec![0; problem.rates.len()]);
        let mut lasting = Lasting::of(problem.rates.iter().map(|it| it.per_s));
        for wave in self.schedule.chunks.chunk_by(|a, b| a.wave == b.wave) {
            lasting.clear();
            for chunk in wave {
                let group = &problem.groups[chunk.group as usize];
                let duration_ms = group.cohorts.get(chunk.cohort as usize).duration_ms;
                let rate = group.rate.map(|rate| rate as usize);
                lasting.add(rate, duration_ms, chunk.count);
                if let Some(rate) = rate {
                    moves[rate] += u64::from(chunk.count);
                }
            }
            for (rate, adds_ms) in adds_ms.iter_mut().enumerate() {
                *adds_ms += lasting.ms() - lasting.ms_without(rate);
            }
        }
        let rates = problem.rates.iter().zip(&self.model.rate_clusters);
        let each = rates.zip(moves.into_iter().zip(adds_ms));
        let each = each.map(|((rate, cluster), (moves, adds_ms))| Rate {
            name: &rate.name,
            cluster: self.inventory.clusters[*cluster as usize].name,
            writes_per_second: rate.per_s,
            moves,
            adds_s: adds_ms as f64 / 1000.0,
        });
        each.collect()
    }
}
