//! Every stage of the core once, on one thread, for counting instructions:
//! `python -m benches.instructions` runs it under callgrind and reads what each stage cost.
//!
//! ```text
//! count LISTS REQUEST
//! ```
//!
//! LISTS is a folder of raw API lists, REQUEST canonical JSON. Prints how many moves the plan has.

use std::{
    env,
    error::Error,
    fs,
    io::{Write, stdout},
    path::{Path, PathBuf},
};

use planner_core::{
    batch::Batch,
    fleet::Fleet,
    fold::Folding,
    observe::{Intake, Salt},
    plan::{Order, Plan, plan},
    snapshot::{from_snapshot, to_snapshot},
};
use rayon::ThreadPoolBuilder;

/// As in the Python package.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Fallible<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(lists), Some(request)) = (arguments.next(), arguments.next()) else {
        return Err("usage: count LISTS REQUEST".into());
    };
    // All stages below one stack: what a stage hands to others of a pool is not counted with it.
    let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| stages(&lists, &request))
}

fn stages(lists: &Path, request: &Path) -> Fallible<()> {
    let mut paths: Vec<PathBuf> = fs::read_dir(lists)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Fallible<_>>()?;
    paths.sort();
    let texts = paths.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
    let request = fs::read(request)?;
    let batches = stage_parse(&paths, &texts)?;
    let written = stage_encode(&batches);
    let batches = stage_decode(&written)?;
    let fleet = stage_fold(&batches)?;
    let snapshot = stage_snapshot(&fleet);
    let fleet = stage_open(&snapshot)?;
    let made = stage_plan(&fleet, &request)?;
    writeln!(stdout().lock(), "{} moves", made.moves.num_rows())?;
    stage_write(&made)?;
    Ok(())
}

// Stages are functions of their own in the profile, so none may become a part of its caller.

#[inline(never)]
fn stage_parse(paths: &[PathBuf], texts: &[Vec<u8>]) -> Fallible<Vec<Batch>> {
    let mut intake = Intake::new(Salt([0; 32]), false);
    for (path, text) in paths.iter().zip(texts) {
        intake.add(&path.to_string_lossy(), text)?;
    }
    Ok(intake.finish()?)
}

#[inline(never)]
fn stage_encode(batches: &[Batch]) -> Vec<Vec<u8>> {
    batches.iter().map(Batch::to_bytes).collect()
}

#[inline(never)]
fn stage_decode(written: &[Vec<u8>]) -> Fallible<Vec<Batch>> {
    let batches = written.iter().map(|bytes| Batch::from_bytes(bytes));
    Ok(batches.collect::<Result<_, _>>()?)
}

#[inline(never)]
fn stage_fold(batches: &[Batch]) -> Fallible<Fleet> {
    let firsts = batches.iter().scan(1, |next, batch| {
        let first = *next;
        *next += batch.len() as u64;
        Some(("bench", first, batch))
    });
    let mut folding = Folding::of(Fleet::default());
    for (cluster, first, batch) in firsts {
        folding = folding.add(cluster, first, batch)?;
    }
    Ok(folding.finish())
}

#[inline(never)]
fn stage_snapshot(fleet: &Fleet) -> Vec<u8> {
    to_snapshot(fleet)
}

#[inline(never)]
fn stage_open(snapshot: &[u8]) -> Fallible<Fleet> {
    Ok(from_snapshot(snapshot)?)
}

#[inline(never)]
fn stage_plan(fleet: &Fleet, request: &[u8]) -> Fallible<Plan> {
    let order = Order {
        request,
        log_digest: "",
        version: "count",
        durations: b"{}",
        calendars: b"{}",
        allowances: b"[]",
        warnings: &[],
        strict: false,
        starts: 1,
    };
    Ok(plan(fleet, &order)?)
}

#[inline(never)]
fn stage_write(made: &Plan) -> Fallible<Vec<u8>> {
    Ok(made.to_bytes()?)
}
