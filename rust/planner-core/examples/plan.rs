//! Where the time of a plan goes, stage by stage.
//!
//! ```text
//! cargo run --release -p planner-core --example plan -- SNAPSHOT REQUEST [ROUNDS]
//! ```
//!
//! SNAPSHOT is a file of `Fleet.to_bytes()`, REQUEST canonical JSON. Prints of each stage the least
//! of the rounds in milliseconds, by the clock and of all cores together (Linux only; other work
//! on the machine does not count), then what the plan is worth and what it holds.

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write, stdout},
    time::Instant,
};

use planner_core::{
    diff::diff,
    fleet::Fleet,
    inventory::Inventory,
    model::{Ledger, pose},
    plan::{Order, Plan, plan},
    request::Request,
    schedule::solve_laid,
    snapshot::from_snapshot,
};

/// As in the Python package.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(snapshot), Some(request)) = (arguments.next(), arguments.next()) else {
        return Err("usage: plan SNAPSHOT REQUEST [ROUNDS]".into());
    };
    let rounds = arguments.next().map_or(Ok(3), |rounds| rounds.parse())?;
    let (snapshot, text) = (fs::read(snapshot)?, fs::read(request)?);
    let mut clock = Clock::default();
    let mut fleet = clock.time("snapshot", 1, || from_snapshot(&snapshot))?;
    drop(snapshot);
    let memory = memory(&fleet);
    // A plan opens what is packed, once; what stays open is not opened again below.
    for _ in 0..rounds {
        fleet.pack();
        clock.time("open", 1, || fleet.open());
    }
    let request: Request = clock.time("request", rounds, || serde_json::from_slice(&text))?;
    let manifests = &request.spec.target.manifests;
    let inventory = clock.time("inventory", rounds, || Inventory::new(&fleet, manifests));
    let changes = clock.time("diff", rounds, || diff(&inventory, &request));
    drop(changes);
    let (model, laid, mut changes) = (0..rounds)
        .map(|_| {
            let mut changes = diff(&inventory, &request);
            let ledger = clock.time("budgets", 1, || Ledger::of(&inventory, &request));
            let mut ledger = Some(ledger);
            let (model, laid) = clock.time("pose", 1, || {
                let ledger = ledger.take().expect("posed once");
                pose(ledger, &request, &mut changes)
            });
            (model, laid, changes)
        })
        .last()
        .ok_or("no round at all")?;
    changes.warnings.clear();
    let schedule = clock.time("solve", rounds, || {
        solve_laid(&model.problem, laid.clone(), 1)
    });
    let groups = &model.problem.groups;
    let cohorts: usize = groups.iter().map(|group| group.cohorts.len()).sum();
    let facts = format!(
        "{} groups, {cohorts} cohorts, {} resources, {} precedences, {} chunks, \
         waves {} of {}, seconds {} of {}",
        groups.len(),
        model.problem.resources.len(),
        model.problem.precedences.len(),
        schedule.chunks.len(),
        schedule.waves,
        schedule.bound.waves,
        schedule.ms() / 1000,
        schedule.bound.ms / 1000,
    );
    drop((model, changes, schedule, inventory));
    let order = Order {
        request: &text,
        log_digest: "",
        allowances: b"[]",
        durations: b"{}",
        calendars: b"{}",
        version: "example",
        warnings: &[],
        strict: false,
        starts: 1,
    };
    let made = clock.time("plan", rounds, || plan(&fleet, &order))?;
    let bytes = clock.time("write", rounds, || made.to_bytes())?;
    tell(&clock, &facts, (&made, bytes.len()), &memory)?;
    Ok(())
}

fn tell(clock: &Clock, facts: &str, (made, file): (&Plan, usize), memory: &str) -> io::Result<()> {
    let (pods, header) = (made.moves.num_rows(), made.header.len());
    let mut out = stdout().lock();
    for (stage, ms, cpu_ms) in &clock.stages {
        writeln!(out, "{stage:>9} {ms:>9.1} ms {cpu_ms:>9.1} ms of cores")?;
    }
    writeln!(out, "{facts}")?;
    let id = &made.id;
    writeln!(
        out,
        "plan {id} of {pods} moves: {file} bytes, of which header {header} before compression"
    )?;
    let (table, peak) = (made.moves.get_array_memory_size(), peak());
    let peak = peak.unwrap_or_default();
    writeln!(out, "memory: {memory}, table of moves {table}; {peak}")
}

/// What a fleet holds before anything of it was opened, in all and for each pod.
fn memory(fleet: &Fleet) -> String {
    let columns: usize = fleet.clusters.values().map(|it| it.pods.bytes()).sum();
    let (all, texts, documents) = (fleet.bytes(), fleet.texts.bytes(), fleet.documents.bytes());
    let objects = all - columns - texts - documents;
    format!(
        "fleet {all}, {:.1} a pod (columns {columns}, texts {texts}, documents {documents}, \
         objects {objects})",
        all as f64 / fleet.rows().max(1) as f64
    )
}

/// The least time of each stage: its name, milliseconds by the clock, milliseconds of all cores.
#[derive(Default)]
struct Clock {
    stages: Vec<(&'static str, f64, f64)>,
}

impl Clock {
    /// Runs a stage some times and gives its last result.
    fn time<T>(&mut self, stage: &'static str, rounds: usize, mut run: impl FnMut() -> T) -> T {
        let mut result = None;
        for _ in 0..rounds.max(1) {
            drop(result.take());
            let (start, start_ms) = (Instant::now(), busy_ms());
            result = Some(run());
            let (ms, cpu_ms) = (start.elapsed().as_secs_f64() * 1e3, busy_ms() - start_ms);
            match self.stages.iter_mut().find(|(known, ..)| *known == stage) {
                Some((_, least, cpu)) => (*least, *cpu) = (least.min(ms), cpu.min(cpu_ms)),
                None => self.stages.push((stage, ms, cpu_ms)),
            }
        }
        result.expect("at least one round")
    }
}

/// What all threads have run so far, in milliseconds; 0 where Linux does not say it.
fn busy_ms() -> f64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    let run_ns = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    run_ns.sum::<f64>() / 1e6
}

/// The most memory that this process held, as Linux says it.
fn peak() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.to_owned())
}
