//! What a comparison reads of a plan's header.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::plan::{Plan, PlanError};

/// A header: the figures, and the lists that are compared.
pub(super) struct Header<'a> {
    pub side: Side<'a>,
    pub workloads: Vec<Workload<'a>>,
    pub dependencies: Vec<Dependency<'a>>,
    pub budgets: Vec<Budget<'a>>,
    pub unmovable: Vec<Unmovable<'a>>,
    pub warnings: Vec<Cow<'a, str>>,
}

/// The figures of one plan.
#[derive(Clone, Serialize)]
pub(super) struct Side<'a> {
    id: Cow<'a, str>,
    planner: Cow<'a, str>,
    name: Cow<'a, str>,
    position: u64,
    time: Cow<'a, str>,
    clusters: Vec<Cow<'a, str>>,
    waves: u32,
    waves_bound: u32,
    seconds: f64,
    seconds_bound: f64,
    moves: u64,
    kinds: &'a RawValue,
    differ: u64,
    unmovable: usize,
    disruptions_saved: u64,
    bottleneck: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    planner: Cow<'a, str>,
    #[serde(borrow)]
    request: Request<'a>,
    log: Log,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    clusters: Vec<Cow<'a, str>>,
    waves: u32,
    waves_bound: u32,
    seconds: f64,
    seconds_bound: f64,
    streaming: Option<Streaming>,
    #[serde(borrow)]
    bottleneck: Bottleneck<'a>,
    #[serde(borrow)]
    totals: Totals<'a>,
    #[serde(borrow)]
    workloads: Vec<Workload<'a>>,
    #[serde(borrow)]
    dependencies: Vec<Dependency<'a>>,
    #[serde(borrow)]
    budgets: Vec<Budget<'a>>,
    #[serde(borrow)]
    warnings: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    unmovable: Vec<Unmovable<'a>>,
}

/// How long it takes when nobody waits for a wave to be over.
#[derive(Deserialize)]
struct Streaming {
    seconds: f64,
    seconds_bound: f64,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Log {
    position: u64,
}

#[derive(Deserialize)]
struct Bottleneck<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Totals<'a> {
    moves: u64,
    differ: u64,
    disruptions_saved: u64,
    #[serde(borrow)]
    kinds: &'a RawValue,
}

/// The name of a workload, of which a comparison asks nothing else: its moves have the rest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub(super) struct Workload<'a> {
    #[serde(borrow)]
    pub cluster: Cow<'a, str>,
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// A dependency between two workloads, by their indices.
#[derive(Deserialize)]
pub(super) struct Dependency<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    pub before: usize,
    pub after: usize,
    pub moves: u32,
}

/// A budget and what every wave leaves of it.
#[derive(Deserialize)]
pub(super) struct Budget<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow)]
    pub cluster: Option<Cow<'a, str>>,
    pub limit: u32,
    #[serde(borrow)]
    pub resolved: Cow<'a, str>,
    pub headroom: Vec<i64>,
}

/// A pod that cannot be moved.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Unmovable<'a> {
    #[serde(borrow)]
    pub cluster: Cow<'a, str>,
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
    #[serde(borrow)]
    pub pod: Cow<'a, str>,
    #[serde(borrow)]
    pub workload: Option<Owner<'a>>,
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
    #[serde(borrow)]
    pub remedy: Cow<'a, str>,
}

/// The workload of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Owner<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

impl<'a> Header<'a> {
    /// Reads the header of a plan.
    pub fn of(plan: &'a Plan) -> Result<Self, PlanError> {
        let written: Written<'a> = serde_json::from_str(&plan.header)
            .map_err(|error| PlanError::Codec(error.to_string()))?;
        let streaming = written.streaming.as_ref();
        let side = Side {
            id: written.id,
            planner: written.planner,
            name: written.request.metadata.name,
            position: written.log.position,
            time: written.time,
            clusters: written.clusters,
            waves: written.waves,
            waves_bound: written.waves_bound,
            seconds: streaming.map_or(written.seconds, |it| it.seconds),
            seconds_bound: streaming.map_or(written.seconds_bound, |it| it.seconds_bound),
            moves: written.totals.moves,
            kinds: written.totals.kinds,
            differ: written.totals.differ,
            unmovable: written.unmovable.len(),
            disruptions_saved: written.totals.disruptions_saved,
            bottleneck: written.bottleneck.text,
        };
        Ok(Self {
            side,
            workloads: written.workloads,
            dependencies: written.dependencies,
            budgets: written.budgets,
            unmovable: written.unmovable,
            warnings: written.warnings,
        })
    }
}
