//! Each wave: when it starts, what it moves, who decides after it.

use rayon::prelude::*;
use serde::Serialize;

use super::{Kinds, Scene};

#[derive(Serialize)]
pub(super) struct Wave<'a> {
    #[serde(rename = "wave")]
    number: usize,
    start_s: f64,
    seconds: f64,
    waits_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    soaks_s: Option<f64>,
    moves: u64,
    kinds: Kinds,
    /// Moves by workload.
    workloads: &'a [(u32, u32)],
    approvals: &'a [String],
}

/// What one wave moves.
#[derive(Default)]
pub(super) struct Tally {
    workloads: Vec<(u32, u32)>,
    kinds: Kinds,
    approvals: Vec<String>,
}

impl Scene<'_> {
    pub(super) fn wave_tallies(&self) -> Vec<Tally> {
        let mut waves: Vec<Tally> = Vec::new();
        waves.resize_with(self.schedule.waves as usize, Tally::default);
        for (chunk, bound) in self.schedule.chunks.iter().zip(&self.assigned.chunks) {
            let tally = &mut waves[chunk.wave as usize - 1];
            tally.kinds.add(bound.kind, chunk.count);
            match tally.workloads.last_mut() {
                Some((group, moves)) if *group == chunk.group => *moves += chunk.count,
                _ => tally.workloads.push((chunk.group, chunk.count)),
            }
        }
        self.add_approvals(&mut waves);
        waves
    }

    pub(super) fn per_wave<'w>(
        &'w self,
        waves: &'w [Tally],
    ) -> impl IndexedParallelIterator<Item = Wave<'w>> {
        let seconds = |ms: u64| ms as f64 / 1000.0;
        let is_timed = self.model.start_ms.is_some();
        waves.par_iter().enumerate().map(move |(at, tally)| {
            let (start_ms, end_ms) = (self.schedule.starts_ms[at], self.schedule.ends_ms[at]);
            let before_ms = at.checked_sub(1).map_or(0, |at| self.schedule.ends_ms[at]);
            Wave {
                number: at + 1,
                start_s: seconds(start_ms),
                seconds: seconds(end_ms - start_ms),
                waits_s: seconds(start_ms - before_ms),
                soaks_s: is_timed.then(|| seconds(self.schedule.ready_ms[at] - before_ms)),
                moves: tally.workloads.iter().map(|it| u64::from(it.1)).sum(),
                kinds: tally.kinds,
                workloads: &tally.workloads,
                approvals: &tally.approvals,
            }
        })
    }

    /// Decisions that people take after a wave: a stage with approval ended, and more follows.
    fn add_approvals(&self, waves: &mut [Tally]) {
        let mut last: Vec<Vec<u32>> = self
            .model
            .groups
            .iter()
            .map(|info| vec![0; info.stages.len()])
            .collect();
        for (chunk, bound) in self.schedule.chunks.iter().zip(&self.assigned.chunks) {
            if let Some(stage) = bound.stage {
                last[chunk.group as usize][stage as usize] = chunk.wave;
            }
        }
        for ((group, info), last) in self.model.groups.iter().enumerate().zip(&last) {
            for (stage, wave) in last.iter().enumerate() {
                let goes_on = last[stage + 1..].iter().any(|later| *later > 0);
                if *wave > 0 && goes_on && info.approvals[stage] {
                    let name = &self.model.problem.groups[group].name;
                    let text = format!("stage {} of {name}", info.stages[stage]);
                    waves[*wave as usize - 1].approvals.push(text);
                }
            }
        }
    }
}
