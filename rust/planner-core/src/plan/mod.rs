//! A plan: every move of every wave, what it leaves of each budget, and how good it is.

mod after;
mod assign;
mod bottlenecks;
mod compare;
mod eta;
mod header;
pub mod moves;
mod seal;
mod torn;
mod unmovable;

pub use after::after;
use arrow_array::{Array, RecordBatch};
use arrow_data::ArrayData;
use arrow_ipc::{
    CompressionType,
    reader::FileReader,
    writer::{FileWriter, IpcWriteOptions},
};
use arrow_schema::ArrowError;
pub use bottlenecks::Bottlenecks;
pub use compare::compare;
pub use eta::{Draws, eta};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    diff::{Diff, diff},
    fleet::Fleet,
    inventory::Inventory,
    model::{Allowances, Calendars, Durations, Ledger, pose, pose_without_stages},
    request::Request,
    schedule::{reachable, solve_laid},
};

/// The key under which a plan's file keeps its header.
const HEADER_KEY: &str = "planner.header";
/// The key under which a plan's file keeps the digest of its bytes.
const SEAL_KEY: &str = "planner.seal";
/// Characters of a plan's id.
const ID_CHARS: usize = 16;
/// What a header says before its id is known; it comes before anything that a user writes.
const NO_ID: &str = r#""id":"""#;

/// What a plan is made of, besides the fleet.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The request as canonical JSON, its manifests redacted.
    pub request: &'a [u8],
    /// Digest of the log at the fleet's position, in hexadecimal.
    pub log_digest: &'a str,
    /// Version of the planner.
    pub version: &'a str,
    /// What runs before saw of how long moves take, as JSON; see [`Durations`].
    pub durations: &'a [u8],
    /// What the request says of time, as JSON; see [`Calendars`].
    pub calendars: &'a [u8],
    /// Limits of budgets that are supposed, as JSON; see [`Allowances`].
    pub allowances: &'a [u8],
    /// What the front door found worth saying.
    pub warnings: &'a [String],
    /// No plan at all when a pod that differs cannot move, but for pods that the request itself
    /// leaves out.
    pub strict: bool,
    /// How often the search for a short plan begins; see [`solve_laid`].
    pub starts: u32,
}

/// A plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its name: it follows from everything else.
    pub id: String,
    /// Everything but the moves, as JSON.
    pub header: String,
    /// The moves; see [`moves::MovesReader`].
    pub moves: RecordBatch,
}

/// What of a header its reader needs.
#[derive(Deserialize)]
struct Named {
    id: String,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// The request is not one; the front door should have said so.
    #[error("the request cannot be read: {0}; report this with the request")]
    Request(String),
    /// The rules contradict each other.
    #[error("no plan exists: {reason}")]
    Infeasible {
        /// What cannot be done.
        reason: String,
        /// The smallest set of rules that conflict, by name.
        conflict: Vec<String>,
        /// What would help.
        remedy: String,
    },
    /// The file is not a plan.
    #[error("not a plan of this planner: {0}; give a file as `planner plan -o` wrote it")]
    Codec(String),
}

/// Plans a request. The same fleet and order give the same bytes.
pub fn plan(fleet: &Fleet, order: &Order<'_>) -> Result<Plan, PlanError> {
    let fail = |error: serde_json::Error| PlanError::Request(error.to_string());
    let request: Request = serde_json::from_slice(order.request).map_err(fail)?;
    let as_written: &RawValue = serde_json::from_slice(order.request).map_err(fail)?;
    let allowances: Allowances = serde_json::from_slice(order.allowances).map_err(fail)?;
    let inventory = Inventory::new(fleet, &request.spec.target.manifests);
    let known = (order.durations, order.calendars);
    let (mut changes, ledger) = compared(&inventory, &request, known, allowances)?;
    let differ: u64 = changes
        .workloads
        .iter()
        .map(|each| u64::from(each.differ))
        .sum();
    let (model, laid) = pose(ledger, &request, &mut changes);
    let (schedule, takers) = rayon::join(
        || solve_laid(&model.problem, laid, order.starts),
        || header::takers(&model),
    );
    unmovable::add_left(&inventory, &model, &schedule.left, &mut changes);
    let blocked = changes.unmovable.iter().any(|pod| !pod.is_left_out());
    if blocked && (order.strict || schedule.chunks.is_empty()) {
        return Err(unmovable::infeasible(
            &inventory, &model, &schedule, &changes,
        ));
    }
    let ((assigned, taken), spread) = rayon::join(
        || assign::assign(&model, &schedule),
        || header::Spread::of(&model, &schedule, takers),
    );
    let scene = header::Scene {
        inventory: &inventory,
        changes: &changes,
        model: &model,
        schedule: &schedule,
        assigned: &assigned,
        spread: &spread,
        differ,
    };
    let (header, moves) = rayon::join(
        || scene.header(order, as_written),
        || assign::table(&inventory, &changes, &model, &assigned, taken),
    );
    // Giving back a million of everything takes as long as naming the plan.
    let (named, _) = rayon::join(
        || {
            let id = id(&header, &moves);
            let header = header.concat_with(NO_ID, &format!("\"id\":\"{id}\""));
            (id, header)
        },
        || {
            rayon::join(
                || drop((assigned, spread, schedule, model)),
                || drop((changes, inventory)),
            )
        },
    );
    let (id, header) = named;
    Ok(Plan { id, header, moves })
}

/// Compares a fleet with the target, and enters its budgets, beside each other. What is known of
/// durations and calendars is JSON, as in an [`Order`].
fn compared<'a>(
    inventory: &'a Inventory<'a>,
    request: &Request,
    (durations, calendars): (&[u8], &[u8]),
    allowances: Allowances,
) -> Result<(Diff, Ledger<'a>), PlanError> {
    let fail = |error: serde_json::Error| PlanError::Request(error.to_string());
    let durations: Durations = serde_json::from_slice(durations).map_err(fail)?;
    let calendars: Calendars = serde_json::from_slice(calendars).map_err(fail)?;
    let ledger = || {
        let ledger = Ledger::of(inventory, request);
        let ledger = ledger.with_durations(durations).with_calendars(calendars);
        ledger.with_allowances(allowances)
    };
    Ok(rayon::join(|| diff(inventory, request), ledger))
}

/// What would have to change, as `planner diff` prints it.
pub fn diff_report(fleet: &Fleet, request: &[u8]) -> Result<Value, PlanError> {
    let request: Request =
        serde_json::from_slice(request).map_err(|error| PlanError::Request(error.to_string()))?;
    let inventory = Inventory::new(fleet, &request.spec.target.manifests);
    let (mut changes, ledger) = rayon::join(
        || diff(&inventory, &request),
        || Ledger::of(&inventory, &request),
    );
    // What a budget, a dependency or an order keeps for ever only the problem tells. Stages are
    // those of a plan: what they leave out can move.
    let model = pose_without_stages(ledger, &request, &mut changes);
    let left = reachable(&model.problem).left;
    unmovable::add_left(&inventory, &model, &left, &mut changes);
    changes.keep_back();
    Ok(crate::diff::report::report(&inventory, &changes))
}

/// The id names the content: every byte of the header and the moves.
fn id(header: &header::Pieces, moves: &RecordBatch) -> String {
    let mut hasher = blake3::Hasher::new();
    for piece in header.iter() {
        hasher.update(piece.as_bytes());
    }
    // Not the bytes of the file: compressing them takes ten times as long as hashing them.
    for column in moves.columns() {
        add(&mut hasher, &column.to_data());
    }
    hasher.finalize().to_hex()[..ID_CHARS].to_owned()
}

/// Adds every byte of a column that was made whole and not cut from another.
fn add(hasher: &mut blake3::Hasher, column: &ArrayData) {
    if let Some(nulls) = column.nulls() {
        hasher.update_rayon(nulls.validity());
    }
    for buffer in column.buffers() {
        hasher.update_rayon(buffer);
    }
    for child in column.child_data() {
        add(hasher, child);
    }
}

impl Plan {
    /// The plan as an Arrow IPC file whose footer keeps the header: what the schema keeps is
    /// written twice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PlanError> {
        let fail = |error: ArrowError| PlanError::Codec(error.to_string());
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::ZSTD))
            .map_err(fail)?;
        let schema = self.moves.schema();
        // The header is most of it, and is not packed.
        let room = Vec::with_capacity(self.header.len() + self.moves.get_array_memory_size() / 2);
        let mut writer = FileWriter::try_new_with_options(room, &schema, options).map_err(fail)?;
        writer.write(&self.moves).map_err(fail)?;
        writer.write_metadata(HEADER_KEY, &self.header);
        writer.write_metadata(SEAL_KEY, seal::blank());
        let mut bytes = writer.into_inner().map_err(fail)?;
        seal::set(&mut bytes);
        Ok(bytes)
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlanError> {
        let fail = |error: String| PlanError::Codec(error);
        if !seal::holds(bytes) {
            return Err(fail("it is none, or is damaged".to_owned()));
        }
        let reader = FileReader::try_new(std::io::Cursor::new(bytes), None)
            .map_err(|error| fail(error.to_string()))?;
        let header = reader.custom_metadata().get(HEADER_KEY).cloned();
        let header = header.ok_or_else(|| fail("no header".to_owned()))?;
        let named: Named =
            serde_json::from_str(&header).map_err(|error| fail(error.to_string()))?;
        let mut batches = reader
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| fail(error.to_string()))?;
        let moves = batches.pop().ok_or_else(|| fail("no moves".to_owned()))?;
        if moves::MovesReader::new(&moves).is_none() {
            return Err(fail("its columns are not those of moves".to_owned()));
        }
        let id = named.id;
        Ok(Self { id, header, moves })
    }

    /// Moves from `begin` on, at most `count`, one line of JSON each.
    #[must_use]
    pub fn jsonl(&self, begin: usize, count: usize) -> Vec<u8> {
        let reader = moves::MovesReader::new(&self.moves).expect("checked when it was made");
        let end = begin.saturating_add(count).min(self.moves.num_rows());
        let mut out = Vec::with_capacity(end.saturating_sub(begin) * 320);
        for row in begin..end {
            moves::write_line(&mut out, &reader.row(row));
        }
        out
    }
}
