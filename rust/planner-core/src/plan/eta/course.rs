//! A plan as a draw goes through it: wave by wave, how long its moves take and when it may begin.

use std::collections::BTreeMap;

use chrono::DateTime;
use fastrand::Rng;
use hashbrown::HashMap;
use serde::Deserialize;

use super::{
    known::{Knowing, Known, RULES},
    normal,
};
use crate::{
    diff::Kind,
    inventory::Inventory,
    model::{Spread, Told},
    plan::{Plan, PlanError, moves::MovesReader},
    request::Request,
    schedule::{Leg, Open, begun_ms, intersection, problem::Need},
};

/// What a draw has to know of a plan.
#[derive(Debug, Default)]
pub(super) struct Course {
    pub waves: Vec<Wave>,
    /// What the plan says of its time, seconds.
    pub planned_s: f64,
    /// From the start to the deadline, milliseconds; below 0 when it lies before.
    pub allowed_ms: Option<i64>,
    /// Moves whose distribution runs before taught.
    pub seen: u64,
    /// How many medians may be off, each by itself.
    pub medians: u32,
    /// Of a plan that streams, up to where all that goes on is waited for.
    pub legs: Vec<Leg>,
}

/// One wave.
#[derive(Debug)]
pub(super) struct Wave {
    /// From the end of the wave before, milliseconds: soaks, and without calendars all that is
    /// waited for.
    pub rest_ms: u64,
    /// How long a window has to leave it.
    pub planned_ms: u64,
    /// From the first of its moves to the last, where none waits for a wave to be over.
    pub spans_ms: Option<u64>,
    /// When everything that it moves may move; `None`: always.
    pub open: Option<Open>,
    /// Moves by how long they take.
    pub moves: Vec<Alike>,
}

/// Moves of one wave that take equally long, but for chance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alike {
    pub spread: Spread,
    /// As [`Known::median`].
    pub median: u32,
    /// Until all moves of the wave that go by their rate have begun, milliseconds.
    pub begun_ms: u64,
    pub count: u32,
}

/// What a draw asks of a plan's header.
#[derive(Deserialize)]
pub(super) struct Header {
    pub request: Request,
    seconds: f64,
    start: Option<String>,
    deadline: Option<Deadline>,
    workloads: Vec<Workload>,
    per_wave: Vec<WaveOf>,
    #[serde(default)]
    calendars: Vec<Calendar>,
    #[serde(default)]
    rates: Vec<Rate>,
    #[serde(default)]
    sequences: Vec<PhaseOf>,
    pub budgets: Vec<Told>,
    pub streaming: Option<Streaming>,
}

/// The plan without barriers.
#[derive(Deserialize)]
pub(super) struct Streaming {
    seconds: f64,
    seconds_bound: f64,
    spans: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
struct PhaseOf {
    sequence: String,
    place: Option<String>,
    first_wave: Option<u32>,
}

#[derive(Deserialize)]
struct Rate {
    cluster: Option<String>,
    writes_per_second: Option<u32>,
    pulls_per_second: Option<u32>,
    #[serde(default)]
    pulls_a_move: Vec<(usize, u32)>,
}

#[derive(Deserialize)]
struct Deadline {
    time: String,
}

#[derive(Deserialize)]
struct Workload {
    cluster: String,
    namespace: String,
    kind: String,
    name: String,
    #[serde(default)]
    calendars: Vec<usize>,
}

#[derive(Deserialize)]
struct WaveOf {
    seconds: f64,
    waits_s: f64,
    soaks_s: Option<f64>,
    workloads: Vec<(usize, u32)>,
    #[serde(default)]
    approvals: Vec<String>,
}

#[derive(Deserialize)]
struct Calendar {
    open: Vec<(String, String)>,
}

/// The moves of one wave; those that are alike are one.
#[derive(Default)]
struct Moves(BTreeMap<(u32, u64, [u64; 4]), Alike>);

impl Moves {
    fn add(&mut self, Known { spread, median }: Known, begun_ms: u64, count: u32) {
        let figures = [
            spread.fixed_ms,
            spread.median_ms,
            spread.spread,
            spread.least_ms,
        ];
        let none = Alike {
            spread,
            median,
            begun_ms,
            count: 0,
        };
        let key = (median, begun_ms, figures.map(f64::to_bits));
        let alike = self.0.entry(key);
        alike.or_insert(none).count += count;
    }
}

impl Header {
    pub fn of(plan: &Plan) -> Result<Self, PlanError> {
        serde_json::from_str(&plan.header).map_err(|error| PlanError::Codec(error.to_string()))
    }

    /// What a move of each workload needs of each rate by which it goes.
    fn needs(&self) -> Vec<Vec<Need>> {
        let mut needs = vec![Vec::new(); self.workloads.len()];
        for (rate, of) in (0..).zip(&self.rates) {
            for &(index, units) in &of.pulls_a_move {
                needs[index].push(Need { rate, units });
            }
            if of.writes_per_second.is_some() {
                let workloads = needs.iter_mut().zip(&self.workloads);
                let its = workloads.filter(|(_, it)| Some(&it.cluster) == of.cluster.as_ref());
                its.for_each(|(needs, _)| needs.push(Need { rate, units: 1 }));
            }
        }
        needs
    }

    /// A run of a plan that streams waits for all that goes on after a wave that somebody has to
    /// approve, and before one in which a phase begins that follows another.
    fn legs(&self) -> Vec<Leg> {
        let pairs = self.sequences.windows(2);
        let follow =
            pairs.filter(|it| (&it[0].sequence, &it[0].place) == (&it[1].sequence, &it[1].place));
        let begin: Vec<u32> = follow.filter_map(|it| it[1].first_wave).collect();
        let mut legs = Vec::new();
        let mut rest_ms = self.per_wave.first().map_or(0, WaveOf::rest_ms);
        for (wave, of) in (1..).zip(&self.per_wave) {
            let next = self.per_wave.get(wave as usize);
            if next.is_none() || !of.approvals.is_empty() || begin.contains(&(wave + 1)) {
                let last_wave = wave;
                legs.push(Leg { last_wave, rest_ms });
                rest_ms = next.map_or(0, WaveOf::rest_ms);
            }
        }
        legs
    }

    /// Until the moves of a wave have begun that go by each rate.
    fn begun_ms(&self, wave: &WaveOf, needs: &[Vec<Need>]) -> Vec<u64> {
        let mut units = vec![0; self.rates.len()];
        for &(index, moves) in &wave.workloads {
            for need in &needs[index] {
                units[need.rate as usize] += need.of(moves);
            }
        }
        let per_s = |rate: &Rate| rate.writes_per_second.or(rate.pulls_per_second);
        let each = self.rates.iter().zip(units);
        each.map(|(rate, units)| begun_ms(units, per_s(rate).unwrap_or(1)))
            .collect()
    }
}

impl Course {
    /// Reads a plan of the fleet, of which the header is known.
    pub fn of(
        inventory: &Inventory<'_>,
        plan: &Plan,
        header: &Header,
        knowing: &mut Knowing<'_>,
    ) -> Result<Self, PlanError> {
        let start_ms = header.start.as_deref().map(ms).transpose()?;
        let calendars = header.calendars.iter();
        let calendars: Vec<Open> = calendars
            .map(|each| each.open(start_ms.unwrap_or(0)))
            .collect::<Result<_, _>>()?;
        let deadline_ms = header.deadline.as_ref().map(|it| ms(&it.time));
        let streaming = header.streaming.as_ref();
        let mut course = Self {
            planned_s: streaming.map_or(header.seconds, |it| it.seconds),
            allowed_ms: start_ms
                .zip(deadline_ms.transpose()?)
                .map(|(start, end)| end - start),
            legs: streaming.map_or_else(Vec::new, |_| header.legs()),
            ..Self::default()
        };
        let places = inventory.workloads.iter().zip(0..);
        let by_place: HashMap<String, _> = places.map(|(it, at)| (it.place(), at)).collect();
        let needs = header.needs();
        let reader = MovesReader::new(&plan.moves).expect("checked when it was made");
        let mut row = 0;
        for wave in &header.per_wave {
            let (mut its_moves, begun) = (Moves::default(), header.begun_ms(wave, &needs));
            for &(index, moves) in &wave.workloads {
                let its = &header.workloads[index];
                let begun_ms = needs[index].iter().map(|it| begun[it.rate as usize]);
                let begun_ms = begun_ms.max().unwrap_or(0);
                let rows = row..row + moves as usize;
                row = rows.end;
                for (kind, count) in kinds(&reader, its, rows)? {
                    let at = by_place.get(&its.place());
                    let known = knowing.of(*at.ok_or_else(|| foreign(its))?, kind);
                    let is_seen = known.median != RULES;
                    course.seen += if is_seen { u64::from(count) } else { 0 };
                    its_moves.add(known, begun_ms, count);
                }
            }
            course.waves.push(Wave {
                rest_ms: wave.rest_ms(),
                planned_ms: to_ms(wave.seconds),
                spans_ms: streaming.and_then(|it| it.span_ms(course.waves.len())),
                open: shared(header, wave, &calendars),
                moves: its_moves.0.into_values().collect(),
            });
        }
        Ok(course)
    }

    /// By how much each median is off in a draw.
    pub fn off(&self, rng: &mut Rng) -> Vec<f64> {
        let medians = 0..=self.medians;
        medians.map(|_| normal::slowest(rng.f64(), 1)).collect()
    }
}

impl Streaming {
    /// No schedule takes less, milliseconds.
    pub fn bound_ms(&self) -> u64 {
        to_ms(self.seconds_bound)
    }

    fn span_ms(&self, wave: usize) -> Option<u64> {
        let &(begin_s, end_s) = self.spans.get(wave)?;
        Some(to_ms(end_s) - to_ms(begin_s))
    }
}

impl WaveOf {
    fn rest_ms(&self) -> u64 {
        to_ms(self.soaks_s.unwrap_or(self.waits_s))
    }
}

impl Workload {
    fn place(&self) -> String {
        let Self {
            cluster,
            namespace,
            kind,
            name,
            ..
        } = self;
        format!("{cluster}/{namespace}/{kind}/{name}")
    }
}

impl Calendar {
    /// When it is open, milliseconds from the start.
    fn open(&self, start_ms: i64) -> Result<Open, PlanError> {
        let from_start = |text: &str| Ok((ms(text)? - start_ms).max(0).cast_unsigned());
        let spans = self.open.iter();
        spans
            .map(|(begin, end)| Ok(from_start(begin)?..from_start(end)?))
            .collect()
    }
}

/// How many moves of each kind lie in these rows, all of one workload.
fn kinds(
    reader: &MovesReader<'_>,
    workload: &Workload,
    rows: std::ops::Range<usize>,
) -> Result<Vec<(Kind, u32)>, PlanError> {
    let mut counts = [0; Kind::ALL.len()];
    for row in rows {
        let each = reader.row(row);
        let kind = Kind::ALL.into_iter().find(|it| it.text() == each.kind);
        let (Some(kind), true) = (kind, each.workload == workload.name) else {
            return Err(foreign(workload));
        };
        counts[kind as usize] += 1;
    }
    let pairs = Kind::ALL.into_iter().zip(counts);
    Ok(pairs.filter(|(_, count)| *count > 0).collect())
}

/// When all workloads of a wave may move.
fn shared(header: &Header, wave: &WaveOf, calendars: &[Open]) -> Option<Open> {
    let workloads = wave.workloads.iter();
    let mut each: Vec<usize> = workloads
        .flat_map(|&(index, _)| header.workloads[index].calendars.iter().copied())
        .collect();
    each.sort_unstable();
    each.dedup();
    let open = each.into_iter().map(|index| &calendars[index]);
    open.fold(None, |shared, open| {
        Some(shared.map_or_else(|| open.clone(), |it: Open| intersection(&it, open)))
    })
}

fn foreign(workload: &Workload) -> PlanError {
    PlanError::Codec(format!("its moves are not those of {}", workload.place()))
}

fn to_ms(seconds: f64) -> u64 {
    std::time::Duration::from_secs_f64(seconds.max(0.0)).as_millis() as u64
}

fn ms(text: &str) -> Result<i64, PlanError> {
    let time = DateTime::parse_from_rfc3339(text);
    let time = time.map_err(|error| PlanError::Codec(format!("{text}: {error}")))?;
    Ok(time.timestamp_millis())
}
