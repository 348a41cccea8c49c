//! Where each group stands, and when its next move may begin as far as groups say.

use super::Run;
use crate::schedule::flat::Flat;
use crate::schedule::phases::Progress;
use crate::schedule::rows::Rows;

/// Every group.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    flat: &'a Flat,
    links_to: Rows<u32>,
    all: Vec<Standing>,
    phases: Progress<'a>,
    /// When the last move of each phase ends, of those told of so far.
    phase_ends_ms: Vec<u64>,
}

#[derive(Clone, Debug, Default)]
struct Standing {
    /// Whether it has begun.
    begun: bool,
    /// When its stage may begin, and the groups that it waits for are done.
    ready_ms: u64,
    done: u32,
    stage: usize,
    /// When the last of its moves begins and ends.
    last_start_ms: u64,
    last_end_ms: u64,
    /// When moves began, of a group with moves that wait for others of it; and how many, in order.
    starts: Vec<Run>,
    /// When moves ended, of a group that others wait for, in order.
    ends: Vec<Run>,
}

impl<'a> Groups<'a> {
    /// Nothing has begun.
    pub fn new(flat: &'a Flat) -> Self {
        Self {
            flat,
            links_to: flat.links_to(),
            all: vec![Standing::default(); flat.groups()],
            phases: Progress::new(&flat.phases),
            phase_ends_ms: vec![0; flat.phases.follows.len()],
        }
    }

    /// When the next move may begin, which is one of this cohort; `None` when those that it waits for
    /// are not told of yet.
    pub fn ready_ms(&mut self, group: usize, cohort: usize) -> Option<u64> {
        if !self.all[group].begun {
            let links = self.links_to.row(group).iter();
            let links = links.map(|&link| self.flat.links[link as usize]);
            let ends = links.map(|it| nth(&self.all[it.before as usize].ends, it.count));
            let ready_ms = ends.collect::<Option<Vec<u64>>>()?.into_iter().max();
            self.all[group].begun = true;
            self.all[group].ready_ms = ready_ms.unwrap_or(0);
        }
        let of = &self.all[group];
        let ahead = self.flat.ahead(cohort);
        let after_ms = if self.flat.strict[group] {
            of.last_start_ms
        } else {
            nth(&of.starts, ahead.min(of.done))?
        };
        if self.phases.closed(cohort).is_some() {
            return None;
        }
        let ready_ms = of.ready_ms.max(after_ms);
        let phases = self.flat.phases.row(cohort).iter();
        Some(phases.fold(ready_ms, |ms, &phase| ms.max(self.phase_ms(phase))))
    }

    /// When a phase begins: those before it begin later than those before them end.
    fn phase_ms(&self, phase: u32) -> u64 {
        let before = self.flat.phases.before(phase).rev();
        let mut ends = before.map(|it| self.phase_ends_ms[it as usize]);
        ends.find(|&end_ms| end_ms > 0).unwrap_or(0)
    }

    /// Moves of a cohort of the group begin, and end.
    pub fn begin(&mut self, group: usize, cohort: usize, run: Run, end_ms: u64) {
        self.phases.end(cohort, run.count);
        for &phase in self.flat.phases.row(cohort) {
            let last_ms = &mut self.phase_ends_ms[phase as usize];
            *last_ms = end_ms.max(*last_ms);
        }
        let stages = self.flat.stages.row(group);
        let of = &mut self.all[group];
        of.done += run.count;
        of.last_start_ms = of.last_start_ms.max(run.start_ms);
        of.last_end_ms = of.last_end_ms.max(end_ms);
        if self.flat.has_ahead() {
            put(&mut of.starts, run);
        }
        if !self.flat.links_from.row(group).is_empty() {
            let count = run.count;
            let start_ms = end_ms;
            put(&mut of.ends, Run { start_ms, count });
        }
        if of.done == stages[of.stage].until && of.stage + 1 < stages.len() {
            of.ready_ms = of.last_end_ms + stages[of.stage].soak_ms;
            of.stage += 1;
        }
    }
}

/// Adds to times that are in their order: most come last, and each is asked for again and again.
fn put(times: &mut Vec<Run>, run: Run) {
    let at = times.partition_point(|it| it.start_ms < run.start_ms);
    match times.get_mut(at) {
        Some(same) if same.start_ms == run.start_ms => same.count += run.count,
        _ => times.insert(at, run),
    }
}

/// The time by which so many of these are there; `None` when there are not so many.
fn nth(times: &[Run], count: u32) -> Option<u64> {
    if count == 0 {
        return Some(0);
    }
    let mut there = 0;
    let found = times.iter().find(|run| {
        there += run.count;
        there >= count
    });
    found.map(|run| run.start_ms)
}
