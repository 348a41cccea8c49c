//! The header of a plan: everything that is not a single move.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Order,
    assign::{Assigned, Bound as ChunkBound},
};
use crate::{
    diff::{Diff, Kind, report::unmovable},
    inventory::Inventory,
    model::Model,
    schedule::{Chunk, Held, Proof, Schedule},
    time::rfc3339,
};

const KINDS: [Kind; 5] = [
    Kind::InPlace,
    Kind::Recreate,
    Kind::Surge,
    Kind::Evict,
    Kind::Delete,
];

/// Everything the header is made of.
pub(super) struct Scene<'a> {
    pub inventory: &'a Inventory<'a>,
    pub changes: &'a Diff,
    pub model: &'a Model,
    pub schedule: &'a Schedule,
    pub assigned: &'a Assigned,
    pub differ: u64,
}

impl Scene<'_> {
    pub(super) fn header(&self, order: &Order<'_>, request: &Value) -> Value {
        let fleet = self.inventory.fleet;
        let clusters: Vec<&str> = self
            .inventory
            .clusters
            .iter()
            .map(|view| view.name)
            .collect();
        let seconds = self.schedule.ends_ms.last().copied().unwrap_or(0) as f64 / 1000.0;
        let mut header = json!({
            "apiVersion": "planner/v1",
            "kind": "Plan",
            "id": "",
            "planner": order.version,
            "request": request,
            "log": {"position": fleet.position, "digest": order.log_digest},
            "time": rfc3339(fleet.now_ms),
            "clusters": clusters,
            "waves": self.schedule.waves,
            "waves_bound": self.schedule.bound.waves,
            "seconds": seconds,
            "seconds_bound": self.schedule.bound.ms as f64 / 1000.0,
            "proof": {
                "waves": self.proof_text(&self.schedule.bound.waves_proof),
                "seconds": self.proof_text(&self.schedule.bound.ms_proof),
            },
            "bottleneck": self.bottleneck(),
            "totals": self.totals(),
        });
        // Moved in, for `json!` copies what it is given.
        header["workloads"] = Value::Array(self.workloads());
        header["dependencies"] = Value::Array(self.dependencies());
        header["per_wave"] = Value::Array(self.per_wave());
        header["budgets"] = Value::Array(self.budgets());
        header["warnings"] = json!(self.warnings(order));
        header["unmovable"] = Value::Array(unmovable(self.inventory, self.changes));
        header
    }

    fn proof_text(&self, proof: &Proof) -> Value {
        let problem = &self.model.problem;
        let groups = proof.through();
        let through: Vec<&str> = groups
            .iter()
            .map(|group| &*problem.groups[*group as usize].name)
            .collect();
        json!({"kind": kind_text(proof), "text": proof.sentence(problem), "through": through})
    }

    /// What was full most often when a move had to wait.
    fn bottleneck(&self) -> Value {
        let mut by_budget = vec![0_u64; self.model.budgets.len()];
        let mut by_reason = vec![0_u64; self.assigned.reasons.len()];
        for (chunk, bound) in self.schedule.chunks.iter().zip(&self.assigned.chunks) {
            let moves = match chunk.held {
                Held::Nothing => continue,
                Held::Resource(resource) => {
                    &mut by_budget[self.model.budget_of[resource as usize] as usize]
                }
                _ => &mut by_reason[bound.because as usize],
            };
            *moves += u64::from(chunk.count);
        }
        let budgets = self.model.budgets.iter().zip(by_budget);
        let budgets = budgets.map(|(budget, moves)| (format!("budget:{}", budget.name), moves));
        let reasons = self.assigned.reasons.iter().cloned().zip(by_reason);
        let mut held: BTreeMap<String, u64> = BTreeMap::new();
        for (name, moves) in budgets.chain(reasons).filter(|(_, moves)| *moves > 0) {
            *held.entry(name).or_default() += moves;
        }
        let most = held
            .into_iter()
            .max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)));
        match most {
            None => json!({"name": Value::Null, "text": "nothing holds the plan back"}),
            Some((name, moves)) => {
                let text = format!("{name} holds back most moves from an earlier wave: {moves}");
                json!({"name": name, "text": text})
            }
        }
    }

    fn totals(&self) -> Value {
        let mut kinds = [0_u64; KINDS.len()];
        for (chunk, bound) in self.schedule.chunks.iter().zip(&self.assigned.chunks) {
            kinds[bound.kind as usize] += u64::from(chunk.count);
        }
        let pods = |view: &crate::inventory::ClusterView<'_>| {
            let pods = &view.cluster.pods;
            pods.rows().filter(|row| !pods.is_finished(*row)).count()
        };
        json!({
            "moves": self.assigned.table.num_rows(),
            "pods": self.inventory.clusters.iter().map(pods).sum::<usize>(),
            "differ": self.differ,
            "unmovable": self.changes.unmovable.len(),
            "kinds": kinds_json(&kinds),
            "disruptions_saved": self.changes.disruptions_saved(),
        })
    }

    fn workloads(&self) -> Vec<Value> {
        let mut by_group: Vec<Vec<(&Chunk, &ChunkBound)>> =
            vec![Vec::new(); self.model.groups.len()];
        for (chunk, bound) in self.schedule.chunks.iter().zip(&self.assigned.chunks) {
            by_group[chunk.group as usize].push((chunk, bound));
        }
        by_group
            .iter()
            .enumerate()
            .map(|(group, chunks)| self.workload(group, chunks))
            .collect()
    }

    fn workload(&self, group: usize, chunks: &[(&Chunk, &ChunkBound)]) -> Value {
        let info = &self.model.groups[group];
        let workload = &self.inventory.workloads[info.workload as usize];
        let span = |chunks: &[&Chunk]| {
            let waves = chunks.iter().map(|chunk| chunk.wave);
            let moves: u32 = chunks.iter().map(|chunk| chunk.count).sum();
            (moves, waves.clone().min(), waves.max())
        };
        let all: Vec<&Chunk> = chunks.iter().map(|(chunk, _)| *chunk).collect();
        let (moves, first, last) = span(&all);
        let stages: Vec<Value> = info
            .stages
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let within = chunks
                    .iter()
                    .filter(|(_, it)| it.stage == Some(index as u32));
                let (moves, first, last) =
                    span(&within.map(|(chunk, _)| *chunk).collect::<Vec<_>>());
                json!({"name": name, "moves": moves, "first_wave": first, "last_wave": last})
            })
            .collect();
        let mut workload = json!({
            "cluster": &*workload.cluster,
            "namespace": &*workload.namespace,
            "kind": workload.kind(),
            "name": &*workload.name,
            "pods": self.inventory.pods[info.workload as usize].len(),
            "moves": moves,
            "first_wave": first,
            "last_wave": last,
        });
        workload["stages"] = Value::Array(stages);
        workload["held"] = self.held(chunks);
        workload
    }

    /// What held the moves of a workload back, wave by wave: `[wave, moves, reason or null]`.
    fn held(&self, chunks: &[(&Chunk, &ChunkBound)]) -> Value {
        let waves = chunks.chunk_by(|a, b| a.0.wave == b.0.wave);
        waves
            .map(|wave| {
                let moves: u32 = wave.iter().map(|(chunk, _)| chunk.count).sum();
                let because = &self.assigned.reasons[wave[0].1.because as usize];
                json!([
                    wave[0].0.wave,
                    moves,
                    (!because.is_empty()).then_some(because)
                ])
            })
            .collect()
    }

    fn dependencies(&self) -> Vec<Value> {
        let edges = self.model.problem.precedences.iter();
        edges
            .map(|edge| {
                json!({"name": &*edge.name, "before": edge.before, "after": edge.after, "moves": edge.count})
            })
            .collect()
    }

    fn per_wave(&self) -> Vec<Value> {
        let mut waves: Vec<WaveTally> = Vec::new();
        waves.resize_with(self.schedule.waves as usize, WaveTally::default);
        for (chunk, bound) in self.schedule.chunks.iter().zip(&self.assigned.chunks) {
            let tally = &mut waves[chunk.wave as usize - 1];
            *tally.workloads.entry(chunk.group).or_default() += chunk.count;
            tally.kinds[bound.kind as usize] += u64::from(chunk.count);
        }
        let approvals = self.approvals();
        let mut end_before_ms = 0;
        let lines = waves.iter().enumerate().map(|(at, tally)| {
            let (start_ms, end_ms) = (self.schedule.starts_ms[at], self.schedule.ends_ms[at]);
            let waits_ms = start_ms - end_before_ms;
            end_before_ms = end_ms;
            json!({
                "wave": at + 1,
                "start_s": start_ms as f64 / 1000.0,
                "seconds": (end_ms - start_ms) as f64 / 1000.0,
                "waits_s": waits_ms as f64 / 1000.0,
                "moves": tally.workloads.values().map(|moves| u64::from(*moves)).sum::<u64>(),
                "kinds": kinds_json(&tally.kinds),
                "workloads": tally.workloads.iter().collect::<Vec<_>>(),
                "approvals": approvals.get(&(at as u32 + 1)).cloned().unwrap_or_default(),
            })
        });
        lines.collect()
    }

    /// Decisions that people take after a wave: a stage with approval ended, and more follows.
    fn approvals(&self) -> BTreeMap<u32, Vec<String>> {
        let mut last: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        for (chunk, bound) in self.schedule.chunks.iter().zip(&self.assigned.chunks) {
            if let Some(stage) = bound.stage {
                last.insert((chunk.group, stage), chunk.wave);
            }
        }
        let mut approvals: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for ((group, stage), wave) in &last {
            let info = &self.model.groups[*group as usize];
            let goes_on = last
                .range((*group, stage + 1)..(group + 1, 0))
                .next()
                .is_some();
            if goes_on && info.approvals[*stage as usize] {
                let name = &self.model.problem.groups[*group as usize].name;
                let text = format!("stage {} of {name}", info.stages[*stage as usize]);
                approvals.entry(*wave).or_default().push(text);
            }
        }
        approvals
    }

    fn budgets(&self) -> Vec<Value> {
        let headroom = self.headroom();
        let mut takers: Vec<Vec<u32>> = vec![Vec::new(); self.model.budgets.len()];
        for (group, of) in self.model.problem.groups.iter().enumerate() {
            let taken = of.cohorts.iter().flat_map(|cohort| &cohort.takes);
            for budget in taken.map(|resource| self.model.budget_of[*resource as usize]) {
                let takers = &mut takers[budget as usize];
                if takers.last() != Some(&(group as u32)) {
                    takers.push(group as u32);
                }
            }
        }
        let places = self.places();
        let all = self.model.budgets.iter().enumerate();
        all.filter(|(index, _)| !takers[*index].is_empty())
            .map(|(index, budget)| {
                let cluster = budget
                    .cluster
                    .map(|it| self.inventory.clusters[it as usize].name);
                json!({
                    "name": budget.name,
                    "cluster": cluster,
                    "source": budget.source,
                    "limit": budget.limit,
                    "resolved": budget.resolved,
                    "down": budget.down,
                    "instances": places[index],
                    "workloads": takers[index],
                    "headroom": headroom[index],
                })
            })
            .collect()
    }

    fn places(&self) -> Vec<u32> {
        let mut places = vec![0; self.model.budgets.len()];
        self.model
            .budget_of
            .iter()
            .for_each(|budget| places[*budget as usize] += 1);
        places
    }

    /// What each wave leaves of each budget; of budgets with several places the least.
    fn headroom(&self) -> Vec<Vec<i64>> {
        let problem = &self.model.problem;
        let mut down: Vec<i64> = problem
            .resources
            .iter()
            .map(|it| i64::from(it.down))
            .collect();
        let mut headroom: Vec<Vec<i64>> = vec![Vec::new(); self.model.budgets.len()];
        for wave in self.schedule.chunks.chunk_by(|a, b| a.wave == b.wave) {
            let mut taken = vec![0_i64; problem.resources.len()];
            let mut released = vec![0_i64; problem.resources.len()];
            for chunk in wave {
                let cohort = &problem.groups[chunk.group as usize].cohorts[chunk.cohort as usize];
                let count = i64::from(chunk.count);
                cohort
                    .takes
                    .iter()
                    .for_each(|it| taken[*it as usize] += count);
                cohort
                    .releases
                    .iter()
                    .for_each(|it| released[*it as usize] += count);
            }
            let mut least: Vec<Option<i64>> = vec![None; self.model.budgets.len()];
            for (index, resource) in problem.resources.iter().enumerate() {
                let left = i64::from(resource.limit) - down[index] - taken[index];
                let least = &mut least[self.model.budget_of[index] as usize];
                *least = Some(least.map_or(left, |known| known.min(left)));
                down[index] -= released[index];
            }
            let all = headroom.iter_mut().zip(least);
            all.for_each(|(of, least)| of.push(least.unwrap_or(0)));
        }
        headroom
    }

    fn warnings(&self, order: &Order<'_>) -> Vec<String> {
        let mut warnings = order.warnings.to_vec();
        warnings.extend(self.changes.warnings.iter().cloned());
        warnings.extend(self.inventory.unreadable.iter().map(ToString::to_string));
        if self.assigned.partial > 0 {
            warnings.push(format!(
                "{} pods get only a part of their target: a partition or a SidecarSet keeps the rest back",
                self.assigned.partial
            ));
        }
        warnings
    }
}

fn kind_text(proof: &Proof) -> &'static str {
    match proof {
        Proof::Nothing => "nothing",
        Proof::Group { .. } => "workload",
        Proof::Chain { .. } => "chain",
        Proof::Resource { .. } | Proof::ResourceTime { .. } => "budget",
        Proof::Waves { why, .. } => kind_text(why),
    }
}

#[derive(Default)]
struct WaveTally {
    workloads: BTreeMap<u32, u32>,
    kinds: [u64; KINDS.len()],
}

fn kinds_json(kinds: &[u64; KINDS.len()]) -> Value {
    let present = KINDS.into_iter().filter(|kind| kinds[*kind as usize] > 0);
    present
        .map(|kind| (kind.text().to_owned(), json!(kinds[kind as usize])))
        .collect()
}
