//! The header of a plan: everything that is not a single move.
//!
//! At a million pods it has some forty megabytes of JSON, so it is written as it is made, by all
//! cores, and never is a tree.

mod budgets;
mod certificate;
mod deadline;
mod drains;
mod gangs;
mod pieces;
mod rates;
mod sequences;
mod streaming;
mod waves;
mod workloads;

use std::collections::BTreeMap;

pub(super) use budgets::takers;
use certificate::Certificate;
use deadline::Deadline;
use gangs::GangsOf;
pub(super) use pieces::Pieces;
use pieces::{list, text};
use rayon::prelude::*;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use streaming::Streaming;
use workloads::ByGroup;

use super::{Order, assign::Assigned};
use crate::{
    diff::{Diff, Kind, report::unmovable},
    inventory::{ClusterView, Inventory},
    model::Model,
    schedule::{Held, Schedule, problem},
    time::rfc3339,
};

/// Everything the header is made of.
pub(super) struct Scene<'a> {
    pub inventory: &'a Inventory<'a>,
    pub changes: &'a Diff,
    pub model: &'a Model,
    pub schedule: &'a Schedule,
    pub assigned: &'a Assigned,
    /// What the schedule alone tells.
    pub spread: &'a Spread,
    pub differ: u64,
}

/// A schedule by workload, and the groups that take from each budget.
pub(super) struct Spread {
    by_group: ByGroup,
    takers: Vec<Vec<u32>>,
}

impl Spread {
    pub fn of(model: &Model, schedule: &Schedule, takers: Vec<Vec<u32>>) -> Self {
        Self {
            by_group: ByGroup::of(model, schedule),
            takers,
        }
    }
}

/// What a header begins with; its lists follow.
#[derive(Serialize)]
struct Head<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    id: &'static str,
    planner: &'a str,
    #[serde(skip_serializing_if = "is_usual")]
    starts: u32,
    request: &'a RawValue,
    log: Log<'a>,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Deadline>,
    clusters: Vec<&'a str>,
    waves: u32,
    waves_bound: u32,
    seconds: f64,
    seconds_bound: f64,
    proof: Proofs<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    streaming: Option<Streaming<'a>>,
    bottleneck: Bottleneck,
    totals: Totals,
}

/// Whether the search for a plan began as often as it does where nobody asks for anything else.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands references over"
)]
fn is_usual(starts: &u32) -> bool {
    *starts == 1
}

#[derive(Serialize)]
struct Log<'a> {
    position: u64,
    digest: &'a str,
}

#[derive(Serialize)]
struct Proofs<'a> {
    waves: Certificate<'a>,
    seconds: Certificate<'a>,
}

#[derive(Serialize)]
struct Bottleneck {
    name: Option<String>,
    text: String,
}

#[derive(Serialize)]
struct Totals {
    moves: usize,
    pods: usize,
    differ: u64,
    unmovable: usize,
    kinds: Kinds,
    disruptions_saved: u64,
}

/// A window or freeze, and when it lets its workloads move.
#[derive(Serialize)]
struct Calendar<'a> {
    name: &'a str,
    open: Vec<(String, String)>,
}

impl<'a> Calendar<'a> {
    fn of(calendar: &'a problem::Calendar, start_ms: i64) -> Self {
        let time = |ms: u64| rfc3339(start_ms.saturating_add_unsigned(ms));
        let spans = calendar.open.iter();
        Self {
            name: &calendar.name,
            open: spans.map(|it| (time(it.start), time(it.end))).collect(),
        }
    }
}

#[derive(Serialize)]
struct Dependency<'a> {
    name: &'a str,
    before: u32,
    after: u32,
    moves: u32,
}

/// Moves by kind; kinds without moves are left out.
#[derive(Clone, Copy, Default)]
struct Kinds([u64; Kind::ALL.len()]);

impl Kinds {
    fn add(&mut self, kind: Kind, moves: u32) {
        self.0[kind as usize] += u64::from(moves);
    }
}

impl Serialize for Kinds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let counts = Kind::ALL.into_iter().zip(self.0);
        let present = counts.filter(|(_, moves)| *moves > 0);
        to.collect_map(present.map(|(kind, moves)| (kind.text(), moves)))
    }
}

impl Scene<'_> {
    /// The header as JSON, its id left empty.
    pub(super) fn header(&self, order: &Order<'_>, request: &RawValue) -> Pieces {
        let precedences = &self.model.problem.precedences;
        let waves = self.wave_tallies();
        let unmovable = unmovable(self.inventory, self.changes);
        let gangs = self.gangs();
        let warnings = self.warnings(order, &gangs);
        let dependencies = precedences.par_iter().map(|edge| Dependency {
            name: &edge.name,
            before: edge.before,
            after: edge.after,
            moves: edge.count,
        });
        let mut lists = vec![
            ("workloads", list(512, self.workloads())),
            ("dependencies", list(512, dependencies)),
            ("per_wave", list(1, self.per_wave(&waves))),
            ("budgets", list(512, self.budgets())),
            ("warnings", list(512, warnings.into_par_iter())),
            ("unmovable", list(512, unmovable.into_par_iter())),
        ];
        let drains = self.drains();
        if !drains.is_empty() {
            lists.push(("drains", list(512, drains.into_par_iter())));
        }
        if !gangs.is_empty() {
            lists.push(("gangs", list(512, gangs.into_par_iter())));
        }
        let sequences = self.sequences();
        if !sequences.is_empty() {
            lists.push(("sequences", list(512, sequences.into_par_iter())));
        }
        if let Some(start_ms) = self.model.start_ms {
            let calendars = self.model.problem.calendars.par_iter();
            let calendars = calendars.map(|calendar| Calendar::of(calendar, start_ms));
            lists.push(("calendars", list(1, calendars)));
        }
        let rates = self.rates();
        if !rates.is_empty() {
            lists.push(("rates", list(1, rates.into_par_iter())));
        }
        Pieces::object(text(&self.head(order, request)), lists)
    }

    fn head<'s>(&'s self, order: &Order<'s>, request: &'s RawValue) -> Head<'s> {
        let fleet = self.inventory.fleet;
        let bound = &self.schedule.bound;
        Head {
            api_version: "planner/v1",
            kind: "Plan",
            id: "",
            planner: order.version,
            starts: order.starts,
            request,
            log: Log {
                position: fleet.position,
                digest: order.log_digest,
            },
            time: rfc3339(fleet.now_ms),
            start: self.model.start_ms.map(rfc3339),
            deadline: self.deadline(),
            clusters: self.inventory.clusters.iter().map(|it| it.name).collect(),
            waves: self.schedule.waves,
            waves_bound: bound.waves,
            seconds: self.schedule.ms() as f64 / 1000.0,
            seconds_bound: bound.ms as f64 / 1000.0,
            proof: Proofs {
                waves: self.certificate(&bound.waves_proof),
                seconds: self.certificate(&bound.ms_proof),
            },
            streaming: self.streaming(),
            bottleneck: self.bottleneck(),
            totals: self.totals(),
        }
    }

    /// What was full most often when a move had to wait.
    fn bottleneck(&self) -> Bottleneck {
        let mut by_budget = vec![0_u64; self.model.budgets.len()];
        let mut by_reason = vec![0_u64; self.assigned.reasons.len()];
        for (chunk, bound) in self.schedule.chunks.iter().zip(&self.assigned.chunks) {
            let moves = match chunk.held {
                Held::Nothing => continue,
                Held::Resource(resource) => {
                    &mut by_budget[self.model.problem.pools[resource as usize] as usize]
                }
                _ => &mut by_reason[bound.because as usize],
            };
            *moves += u64::from(chunk.count);
        }
        let budgets = self.model.budgets.iter().zip(by_budget);
        let budgets = budgets.filter(|(_, moves)| *moves > 0);
        let budgets = budgets.map(|(budget, moves)| (format!("budget:{}", budget.name), moves));
        let reasons = self.assigned.reasons.iter().cloned().zip(by_reason);
        let reasons = reasons.filter(|(_, moves)| *moves > 0);
        let mut held: BTreeMap<String, u64> = BTreeMap::new();
        for (name, moves) in budgets.chain(reasons) {
            *held.entry(name).or_default() += moves;
        }
        let most = held
            .into_iter()
            .max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)));
        match most {
            None => Bottleneck {
                name: None,
                text: "nothing holds the plan back".to_owned(),
            },
            Some((name, moves)) => Bottleneck {
                text: format!("{name} holds back most moves from an earlier wave: {moves}"),
                name: Some(name),
            },
        }
    }

    fn totals(&self) -> Totals {
        let mut kinds = Kinds::default();
        for (chunk, bound) in self.schedule.chunks.iter().zip(&self.assigned.chunks) {
            kinds.add(bound.kind, chunk.count);
        }
        let pods = |view: &ClusterView<'_>| {
            let pods = &view.cluster.pods;
            pods.rows().filter(|row| !pods.is_finished(*row)).count()
        };
        Totals {
            moves: self.assigned.moves,
            pods: self.inventory.clusters.iter().map(pods).sum(),
            differ: self.differ,
            unmovable: self.changes.unmovable.len(),
            kinds,
            disruptions_saved: self.assigned.saved,
        }
    }

    fn warnings(&self, order: &Order<'_>, gangs: &[GangsOf<'_>]) -> Vec<String> {
        let mut warnings = order.warnings.to_vec();
        warnings.extend(self.changes.warnings.iter().cloned());
        warnings.extend(gangs.iter().filter_map(GangsOf::idle));
        warnings.extend(self.deadline().and_then(|it| self.lateness(&it)));
        warnings.extend(self.inventory.unreadable.iter().map(ToString::to_string));
        let partial: u32 = self.assigned.partial.iter().sum();
        if partial > 0 {
            warnings.push(format!(
                "{partial} pods get only a part of their target: a partition or a SidecarSet keeps the rest back"
            ));
        }
        warnings
    }
}
