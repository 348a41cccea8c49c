//! Each workload that moves: when, in which stages, and what held it back.

use rayon::prelude::*;
use serde::Serialize;

use super::Scene;
use crate::{model::Model, schedule::Schedule};

#[derive(Serialize)]
pub(super) struct Workload<'a> {
    cluster: &'a str,
    namespace: &'a str,
    kind: &'static str,
    name: &'a str,
    pods: usize,
    #[serde(flatten)]
    span: Span,
    /// Moves after which a pod still differs.
    #[serde(skip_serializing_if = "are_none")]
    partial: u32,
    stages: Vec<Stage<'a>>,
    /// What held its moves back, wave by wave.
    held: Vec<(u32, u32, Option<&'a str>)>,
    /// Of the header's calendars, those that say when it may move.
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    calendars: &'a [u32],
}

#[derive(Serialize)]
struct Stage<'a> {
    name: &'a str,
    #[serde(flatten)]
    span: Span,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn are_none(moves: &u32) -> bool {
    *moves == 0
}

/// Moves from one wave to another.
#[derive(Clone, Copy, Default, Serialize)]
struct Span {
    moves: u32,
    first_wave: Option<u32>,
    last_wave: Option<u32>,
}

impl Span {
    /// Adds moves of a wave that is not before those that were added.
    fn add(&mut self, wave: u32, moves: u32) {
        self.moves += moves;
        self.first_wave.get_or_insert(wave);
        self.last_wave = Some(wave);
    }
}

/// The chunks of each group, by wave.
pub(super) struct ByGroup {
    ends: Vec<u32>,
    chunks: Vec<u32>,
}

impl ByGroup {
    /// A counting sort by group that keeps the order of the waves.
    pub fn of(model: &Model, schedule: &Schedule) -> Self {
        let all = &schedule.chunks;
        let mut ends = vec![0_u32; model.groups.len() + 1];
        for chunk in all {
            ends[chunk.group as usize + 1] += 1;
        }
        for group in 1..ends.len() {
            ends[group] += ends[group - 1];
        }
        let mut chunks = vec![0; all.len()];
        for (chunk, at) in all.iter().zip(0..) {
            let end = &mut ends[chunk.group as usize];
            chunks[*end as usize] = at;
            *end += 1;
        }
        ends.pop();
        Self { ends, chunks }
    }

    pub fn chunks(&self, group: usize) -> &[u32] {
        let begin = if group == 0 { 0 } else { self.ends[group - 1] };
        &self.chunks[begin as usize..self.ends[group] as usize]
    }
}

impl Scene<'_> {
    pub(super) fn workloads(&self) -> impl IndexedParallelIterator<Item = Workload<'_>> {
        let groups = (0..self.model.groups.len()).into_par_iter();
        groups.map(|group| self.workload(group, self.spread.by_group.chunks(group)))
    }

    fn workload(&self, group: usize, chunks: &[u32]) -> Workload<'_> {
        let info = &self.model.groups[group];
        let workload = &self.inventory.workloads[info.workload as usize];
        let mut span = Span::default();
        let mut stages = vec![Span::default(); info.stages.len()];
        let mut held: Vec<(u32, u32, Option<&str>)> = Vec::new();
        for at in chunks {
            let chunk = &self.schedule.chunks[*at as usize];
            let bound = &self.assigned.chunks[*at as usize];
            span.add(chunk.wave, chunk.count);
            if let Some(stage) = bound.stage {
                stages[stage as usize].add(chunk.wave, chunk.count);
            }
            match held.last_mut() {
                Some((wave, moves, _)) if *wave == chunk.wave => *moves += chunk.count,
                _ => {
                    let because = &*self.assigned.reasons[bound.because as usize];
                    let because = (!because.is_empty()).then_some(because);
                    held.push((chunk.wave, chunk.count, because));
                }
            }
        }
        let named = info.stages.iter().zip(stages);
        Workload {
            cluster: &workload.cluster,
            namespace: &workload.namespace,
            kind: workload.kind(),
            name: &workload.name,
            pods: self.inventory.pods[info.workload as usize].len(),
            span,
            partial: self.assigned.partial[group],
            stages: named.map(|(name, span)| Stage { name, span }).collect(),
            held,
            calendars: &self.model.problem.groups[group].calendars,
        }
    }
}
