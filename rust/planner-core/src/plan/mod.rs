//! A plan: every move of every wave, what it leaves of each budget, and how good it is.

mod assign;
mod header;
pub mod moves;
mod seal;
mod unmovable;

use std::{io::Write, sync::Arc};

use arrow_array::RecordBatch;
use arrow_ipc::{
    CompressionType,
    reader::FileReader,
    writer::{FileWriter, IpcWriteOptions},
};
use arrow_schema::Schema;
use serde_json::{Value, json};

use crate::{
    diff::diff, fleet::Fleet, inventory::Inventory, model::pose, request::Request, schedule::solve,
};

/// The key under which a plan's file keeps its header.
const HEADER_KEY: &str = "planner.header";
/// The key under which a plan's file keeps the digest of its bytes.
const SEAL_KEY: &str = "planner.seal";
/// Characters of a plan's id.
const ID_CHARS: usize = 16;

/// What a plan is made of, besides the fleet.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The request as canonical JSON, its manifests redacted.
    pub request: &'a [u8],
    /// Digest of the log at the fleet's position, in hexadecimal.
    pub log_digest: &'a str,
    /// Version of the planner.
    pub version: &'a str,
    /// What the front door found worth saying.
    pub warnings: &'a [String],
    /// No plan at all when a pod that differs cannot move, but for pods that the request itself
    /// leaves out.
    pub strict: bool,
}

/// A plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Everything but the moves.
    pub header: Value,
    /// The moves; see [`moves::MovesBuilder`].
    pub moves: RecordBatch,
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
    let as_written: Value = serde_json::from_slice(order.request).map_err(fail)?;
    let inventory = Inventory::new(fleet, &request.spec.target.manifests);
    let mut changes = diff(&inventory, &request);
    let differ: u64 = changes
        .workloads
        .iter()
        .map(|each| u64::from(each.differ))
        .sum();
    let model = pose(&inventory, &request, &mut changes);
    let schedule = solve(&model.problem);
    unmovable::add_left(&inventory, &model, &schedule, &mut changes);
    let blocked = changes.unmovable.iter().any(|pod| !pod.is_left_out());
    if blocked && (order.strict || schedule.chunks.is_empty()) {
        return Err(unmovable::infeasible(
            &inventory, &model, &schedule, &changes,
        ));
    }
    let assigned = assign::assign(&inventory, &changes, &model, &schedule);
    let scene = header::Scene {
        inventory: &inventory,
        changes: &changes,
        model: &model,
        schedule: &schedule,
        assigned: &assigned,
        differ,
    };
    let mut header = scene.header(order, &as_written);
    let moves = assigned.table;
    header["id"] = json!(id(&header, &moves)?);
    Ok(Plan { header, moves })
}

/// What would have to change, as `planner diff` prints it.
pub fn diff_report(fleet: &Fleet, request: &[u8]) -> Result<Value, PlanError> {
    let request: Request =
        serde_json::from_slice(request).map_err(|error| PlanError::Request(error.to_string()))?;
    let inventory = Inventory::new(fleet, &request.spec.target.manifests);
    let changes = diff(&inventory, &request);
    Ok(crate::diff::report::report(&inventory, &changes))
}

/// The id names the content: every byte of the header and the moves.
fn id(header: &Value, moves: &RecordBatch) -> Result<String, PlanError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(header.to_string().as_bytes());
    // Not the bytes of the file: compressing them takes ten times as long as hashing them.
    let options = IpcWriteOptions::default();
    let hasher = write(hasher, Schema::clone(&moves.schema()), moves, options)?;
    Ok(hasher.finalize().to_hex()[..ID_CHARS].to_owned())
}

impl Plan {
    /// The plan as an Arrow IPC file whose schema keeps the header.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PlanError> {
        let metadata = [(HEADER_KEY.to_owned(), self.header.to_string())].into();
        let schema = Schema::new(self.moves.schema().fields().clone()).with_metadata(metadata);
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::ZSTD))
            .map_err(|error| PlanError::Codec(error.to_string()))?;
        let mut bytes = write(Vec::new(), schema, &self.moves, options)?;
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
        let schema = reader.schema();
        let text = schema
            .metadata()
            .get(HEADER_KEY)
            .ok_or_else(|| fail("no header".to_owned()))?;
        let header = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
        let mut batches = reader
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| fail(error.to_string()))?;
        let moves = batches.pop().ok_or_else(|| fail("no moves".to_owned()))?;
        let plain = Schema::new(moves.schema().fields().clone());
        let moves = RecordBatch::try_new(Arc::new(plain), moves.columns().to_vec())
            .map_err(|error| fail(error.to_string()))?;
        if moves::MovesReader::new(&moves).is_none() {
            return Err(fail("its columns are not those of moves".to_owned()));
        }
        Ok(Self { header, moves })
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

/// Writes an Arrow IPC file of this schema, and gives back where it was written to.
fn write<W: Write>(
    to: W,
    schema: Schema,
    moves: &RecordBatch,
    options: IpcWriteOptions,
) -> Result<W, PlanError> {
    let fail = |error: arrow_schema::ArrowError| PlanError::Codec(error.to_string());
    let mut writer = FileWriter::try_new_with_options(to, &schema, options).map_err(fail)?;
    let table = RecordBatch::try_new(Arc::new(schema), moves.columns().to_vec()).map_err(fail)?;
    writer.write(&table).map_err(fail)?;
    writer.write_metadata(SEAL_KEY, seal::blank());
    writer.into_inner().map_err(fail)
}
