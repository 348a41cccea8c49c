//! Binds the chunks of a schedule to pods, in the order in which each controller takes them.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use super::moves::{Move, MovesBuilder};
use crate::{
    diff::{Diff, Kind},
    inventory::Inventory,
    model::Model,
    schedule::{Held, Schedule, problem::GroupIdx},
};

/// Moves with their pods, and where each group and wave lies among them.
#[derive(Debug)]
pub(super) struct Assigned {
    /// By wave, then group, then order of taking.
    pub table: RecordBatch,
    /// One for each chunk of the schedule.
    pub chunks: Vec<Bound>,
    /// What held chunks back, as the interface writes it; the first is empty: nothing.
    pub reasons: Vec<String>,
    /// Moves that keep a pod half done, because a partition holds its application back.
    pub partial: u32,
}

/// A chunk of the schedule, with what it stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    /// Stage of the group, absent without stages.
    pub stage: Option<u32>,
    /// What held it back from the wave before, as an index into the reasons.
    pub because: u32,
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
    let mut reasons = Reasons::default();
    let mut partial = 0;
    for chunk in &schedule.chunks {
        let (group, cohort) = (chunk.group as usize, chunk.cohort as usize);
        let info = &model.groups[group];
        let workload = &inventory.workloads[info.workload as usize];
        let view = &inventory.clusters[info.cluster as usize];
        let pods = &view.cluster.pods;
        let stage = stage_of(model, group, done[group]);
        let because = reasons.find(model, chunk.held, chunk.group);
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
                because: &reasons.texts[because as usize],
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
        reasons: reasons.texts,
        partial,
    }
}

/// Each different reason once: there are as many chunks as pods, but few reasons.
struct Reasons {
    texts: Vec<String>,
    known: BTreeMap<(Held, Option<GroupIdx>), u32>,
}

impl Default for Reasons {
    fn default() -> Self {
        Self {
            texts: vec![String::new()],
            known: BTreeMap::from([((Held::Nothing, None), 0)]),
        }
    }
}

impl Reasons {
    fn find(&mut self, model: &Model, held: Held, group: GroupIdx) -> u32 {
        // Stages and orders are those of a group, and all cohorts of a group say the same.
        let key = match held {
            Held::Stage(_) => (held, Some(group)),
            Held::Order(_) => (Held::Order(0), Some(group)),
            _ => (held, None),
        };
        let texts = &mut self.texts;
        *self.known.entry(key).or_insert_with(|| {
            texts.push(because(model, held, group as usize));
            texts.len() as u32 - 1
        })
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
