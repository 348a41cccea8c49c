//! Binds the chunks of a schedule to pods, in the order in which each controller takes them.

use arrow_array::RecordBatch;

use super::moves::{Move, MovesBuilder};
use crate::{
    diff::{Diff, Kind},
    inventory::Inventory,
    model::Model,
    schedule::{Held, Schedule},
};

/// Moves with their pods, and where each group and wave lies among them.
#[derive(Debug)]
pub(super) struct Assigned {
    /// By wave, then group, then order of taking.
    pub table: RecordBatch,
    /// One for each chunk of the schedule.
    pub chunks: Vec<Bound>,
    /// Moves that keep a pod half done, because a partition holds its application back.
    pub partial: u32,
}

/// A chunk of the schedule, with what it stands for.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    /// Stage of the group, absent without stages.
    pub stage: Option<u32>,
    /// What held it back from the wave before, empty when nothing did.
    pub because: String,
    /// Of all its moves: a cohort never mixes kinds.
    pub kind: Kind,
}

pub(super) fn assign(
    inventory: &Inventory<'_>,
    changes: &Diff,
    model: &Model,
    schedule: &Schedule,
) -> Assigned {
    let texts = &inventory.fleet.texts;
    let containers: Vec<String> = changes
        .containers
        .iter()
        .map(|images| serde_json::to_string(images).expect("a map of texts is JSON"))
        .collect();
    let starts: Vec<Vec<u32>> = model.problem.groups.iter().map(cohort_starts).collect();
    let mut taken: Vec<Vec<u32>> = starts.iter().map(|of| vec![0; of.len()]).collect();
    let mut done = vec![0; model.groups.len()];
    let total: usize = schedule
        .chunks
        .iter()
        .map(|chunk| chunk.count as usize)
        .sum();
    let mut builder = MovesBuilder::with_capacity(total);
    let mut chunks = Vec::with_capacity(schedule.chunks.len());
    let mut partial = 0;
    for chunk in &schedule.chunks {
        let (group, cohort) = (chunk.group as usize, chunk.cohort as usize);
        let info = &model.groups[group];
        let workload = &inventory.workloads[info.workload as usize];
        let view = &inventory.clusters[info.cluster as usize];
        let pods = &view.cluster.pods;
        let stage = stage_of(model, group, done[group]);
        let because = because(model, chunk.held, group);
        let begin = (starts[group][cohort] + taken[group][cohort]) as usize;
        let kind = info.changes[begin].kind;
        for change in &info.changes[begin..begin + chunk.count as usize] {
            let at = change.row as usize;
            partial += u32::from(!change.completes);
            builder.push(&Move {
                wave: chunk.wave,
                stage: stage.map_or("", |stage| &info.stages[stage as usize]),
                cluster: view.name,
                namespace: texts.text(pods.namespace[at]),
                pod: pods.name(change.row),
                uid: pods.uid[at],
                node: texts.text(pods.node[at]),
                workload_kind: workload.kind(),
                workload: &workload.name,
                kind: change.kind.text(),
                containers: &containers[change.containers as usize],
                because: &because,
            });
        }
        taken[group][cohort] += chunk.count;
        done[group] += chunk.count;
        chunks.push(Bound {
            stage,
            because,
            kind,
        });
    }
    Assigned {
        table: builder.finish(),
        chunks,
        partial,
    }
}

/// Where each cohort begins among the changes of its group.
pub(super) fn cohort_starts(group: &crate::schedule::problem::Group) -> Vec<u32> {
    let starts = group.cohorts.iter().scan(0, |next, cohort| {
        let start = *next;
        *next += cohort.count;
        Some(start)
    });
    starts.collect()
}

/// The stage of the group's move after `done` moves; a wave never holds moves of two stages.
fn stage_of(model: &Model, group: usize, done: u32) -> Option<u32> {
    let stages = &model.problem.groups[group].stages;
    stages
        .iter()
        .position(|stage| done < stage.until)
        .map(|index| index as u32)
}

/// What held a chunk back, as the interface writes it.
fn because(model: &Model, held: Held, group: usize) -> String {
    match held {
        Held::Nothing => String::new(),
        Held::Resource(resource) => format!("budget:{}", model.resource_name(resource)),
        Held::Precedence(index) => {
            format!(
                "dependency:{}",
                model.problem.precedences[index as usize].name
            )
        }
        Held::Stage(stage) => format!("stage:{}", model.groups[group].stages[stage as usize]),
        Held::Order(_) => format!("order:{}", model.problem.groups[group].name),
    }
}
