//! Binds the chunks of a schedule to pods, in the order in which each controller takes them.

use arrow_array::{RecordBatch, StringArray, builder::StringBuilder};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::moves::{self, NONE, TextColumn, Times, UidColumn};
use crate::{
    diff::{Diff, Kind, Leaves},
    fleet::PodRow,
    inventory::{ClusterIdx, Inventory},
    kube::workload::Workload,
    model::Model,
    schedule::{Chunk, Held, Schedule, problem::GroupIdx},
};

/// What the chunks of a schedule stand for.
#[derive(Debug)]
pub(super) struct Assigned {
    /// How many moves there are.
    pub moves: usize,
    /// By group, moves after which a pod still differs: a partition keeps its application, a
    /// `SidecarSet` its sidecars, or it is only evicted.
    pub partial: Vec<u32>,
    /// One for each chunk of the schedule.
    pub chunks: Vec<Bound>,
    /// Disruptions that the moves spare.
    pub saved: u64,
    /// Moves that empty a node: cluster, pod and wave.
    pub leave: Vec<(ClusterIdx, PodRow, u32)>,
    /// What held chunks back, as the interface writes it; the first is empty: nothing.
    pub reasons: Vec<String>,
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

/// The moves with their pods, as numbers: by wave, then group, then order of taking.
#[derive(Debug)]
pub(super) struct Taken {
    waves: Vec<u32>,
    stages: Vec<u32>,
    groups: Vec<GroupIdx>,
    rows: Vec<PodRow>,
    kinds: Vec<u32>,
    containers: Vec<u32>,
    because: Vec<u32>,
    times: Option<Times>,
}

impl Taken {
    fn with_capacity(moves: usize, streams: bool) -> Self {
        Self {
            times: streams.then(Times::default),
            waves: Vec::with_capacity(moves),
            stages: Vec::with_capacity(moves),
            groups: Vec::with_capacity(moves),
            rows: Vec::with_capacity(moves),
            kinds: Vec::with_capacity(moves),
            containers: Vec::with_capacity(moves),
            because: Vec::with_capacity(moves),
        }
    }
}

pub(super) fn assign(model: &Model, schedule: &Schedule) -> (Assigned, Taken) {
    let counts = schedule.chunks.iter().map(|chunk| chunk.count as usize);
    let moves = counts.sum();
    let mut reasons = Reasons::default();
    let mut cohorts = Cohorts::of(model);
    let mut done = vec![0; model.groups.len()];
    let (mut taken, mut leave) = (
        Taken::with_capacity(moves, schedule.streaming.is_some()),
        Vec::new(),
    );
    let (mut partial, mut saved) = (vec![0; model.groups.len()], 0);
    let mut chunks = Vec::with_capacity(schedule.chunks.len());
    for (at, chunk) in schedule.chunks.iter().enumerate() {
        let group = chunk.group as usize;
        let info = &model.groups[group];
        let begin = cohorts.take(chunk) as usize;
        let bound = Bound {
            stage: stage_of(model, group, done[group]),
            because: reasons.find(model, chunk.held, chunk.group),
            kind: info.changes[begin].kind,
        };
        for change in &info.changes[begin..begin + chunk.count as usize] {
            partial[group] += u32::from(!change.completes);
            saved += u64::from(change.saves());
            if change.leaves != Leaves::No {
                leave.push((info.cluster, change.row, chunk.wave));
            }
            taken.waves.push(chunk.wave);
            taken.stages.push(bound.stage.unwrap_or(NONE));
            taken.groups.push(chunk.group);
            taken.rows.push(change.row);
            taken.kinds.push(change.kind as u32);
            taken.containers.push(change.containers);
            // The first reason is that there is none.
            taken.because.push(bound.because.wrapping_sub(1));
        }
        if let (Some(times), Some(streaming)) = (&mut taken.times, &schedule.streaming) {
            let cohorts = &model.problem.groups[group].cohorts;
            let lasts_ms = cohorts.get(chunk.cohort as usize).duration_ms;
            for run in streaming.runs(at) {
                times.push(run.start_ms, lasts_ms, run.count);
            }
        }
        done[group] += chunk.count;
        chunks.push(bound);
    }
    let assigned = Assigned {
        moves,
        partial,
        saved,
        leave,
        chunks,
        reasons: reasons.texts,
    };
    (assigned, taken)
}

/// The moves with the names of everything.
pub(super) fn table(
    inventory: &Inventory<'_>,
    changes: &Diff,
    model: &Model,
    assigned: &Assigned,
    taken: Taken,
) -> RecordBatch {
    let of_group = |group: &GroupIdx| &model.groups[*group as usize];
    let clusters: Vec<ClusterIdx> = taken.groups.iter().map(|it| of_group(it).cluster).collect();
    // What is fetched pod by pod costs a cache miss each, so both cores fetch.
    let (pods, (uids, nodes)) = rayon::join(
        || names(inventory, &clusters, &taken.rows),
        || uids_and_nodes(inventory, &clusters, &taken.rows),
    );
    let workloads = model.groups.iter().map(|it| it.workload as usize);
    let of_workload = |text: for<'a> fn(&'a Workload<'_>) -> &'a str| {
        TextColumn::grouped(
            &taken.groups,
            workloads.clone().map(|at| text(&inventory.workloads[at])),
        )
    };
    let containers = changes.containers.iter();
    let containers = containers.map(|it| serde_json::to_string(it).expect("texts are JSON"));
    let stages = model.groups.first().map_or(&[][..], |it| &it.stages);
    let cluster_names = inventory.clusters.iter().map(|view| view.name);
    let texts = [
        TextColumn::new(taken.stages, stages),
        TextColumn::new(clusters, cluster_names),
        of_workload(|workload| &workload.namespace),
        nodes,
        of_workload(|workload| workload.kind()),
        of_workload(|workload| &workload.name),
        TextColumn::new(taken.kinds, Kind::ALL.map(Kind::text)),
        TextColumn::new(taken.containers, containers),
        TextColumn::new(taken.because, &assigned.reasons[1..]),
    ];
    moves::table(taken.waves, pods, uids, texts, taken.times)
}

fn names(inventory: &Inventory<'_>, clusters: &[ClusterIdx], rows: &[PodRow]) -> StringArray {
    let mut names = StringBuilder::with_capacity(rows.len(), rows.len() * 24);
    for (cluster, row) in clusters.iter().zip(rows) {
        let pods = &inventory.clusters[*cluster as usize].cluster.pods;
        names.append_value(pods.name(*row));
    }
    names.finish()
}

fn uids_and_nodes(
    inventory: &Inventory<'_>,
    clusters: &[ClusterIdx],
    rows: &[PodRow],
) -> (UidColumn, TextColumn) {
    let texts = &inventory.fleet.texts;
    let (mut uids, mut keys) = (UidColumn::with_capacity(rows.len()), Vec::new());
    keys.reserve_exact(rows.len());
    let mut known = vec![NONE; texts.len()];
    let mut nodes: Vec<&str> = Vec::new();
    for (cluster, row) in clusters.iter().zip(rows) {
        let pods = &inventory.clusters[*cluster as usize].cluster.pods;
        uids.push(pods.uid[*row as usize]);
        let node = pods.node[*row as usize];
        let key = &mut known[node.0 as usize];
        if *key == NONE && node.0 != 0 {
            *key = nodes.len() as u32;
            nodes.push(texts.text(node));
        }
        keys.push(*key);
    }
    (uids, TextColumn::new(keys, nodes))
}

/// Where the next move of each cohort is among the changes of its group.
struct Cohorts {
    /// Where each group's cohorts begin in `next`.
    begins: Vec<u32>,
    next: Vec<u32>,
}

impl Cohorts {
    fn of(model: &Model) -> Self {
        let (mut begins, mut next) = (Vec::new(), Vec::new());
        for group in &model.problem.groups {
            begins.push(next.len() as u32);
            next.extend(cohort_starts(group));
        }
        Self { begins, next }
    }

    /// Where the moves of a chunk begin.
    fn take(&mut self, chunk: &Chunk) -> u32 {
        let next = &mut self.next[(self.begins[chunk.group as usize] + chunk.cohort) as usize];
        let begin = *next;
        *next += chunk.count;
        begin
    }
}

/// Each different reason once: there are as many chunks as pods, but few reasons.
struct Reasons {
    texts: Vec<String>,
    known: HashMap<(Held, Option<GroupIdx>), u32, FxBuildHasher>,
}

impl Default for Reasons {
    fn default() -> Self {
        Self {
            texts: vec![String::new()],
            known: [((Held::Nothing, None), 0)].into_iter().collect(),
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
pub(super) fn cohort_starts(
    group: &crate::schedule::problem::Group,
) -> impl Iterator<Item = u32> + '_ {
    group.cohorts.counts().iter().scan(0, |next, count| {
        let start = *next;
        *next += count;
        Some(start)
    })
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
        Held::Phase(phase) => format!("sequence:{}", model.problem.phases[phase as usize].name),
        Held::Gang(gang) => {
            let entry = model.gangs[gang as usize].entry;
            format!("gang:{}", model.gang_entries[entry])
        }
        Held::Stage(stage) => format!("stage:{}", model.groups[group].stages[stage as usize]),
        Held::Order(_) => format!("order:{}", model.problem.groups[group].name),
        Held::Calendar(calendar) => model.problem.calendars[calendar as usize].name.to_string(),
    }
}
