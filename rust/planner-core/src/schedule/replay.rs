//! What kept each chunk from the wave before its own, and what each wave leaves.

use rayon::prelude::*;

use super::calendar::{closes, holds};
use super::flat::Flat;
use super::phases::Progress;
use super::problem::{CalendarIdx, GangIdx, PhaseIdx, Problem, ResourceIdx};
use super::rates::Lasting;
use super::rows::Rows;
use super::waves::{Step, Waves};

/// What kept a chunk from the wave before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Held {
    /// Nothing: it is in the first wave.
    Nothing,
    /// This resource was full there.
    Resource(ResourceIdx),
    /// The group that goes first was not done before it; index of the precedence.
    Precedence(u32),
    /// The phase before this one was not over before it.
    Phase(PhaseIdx),
    /// It could have gone alone, but its gang could not.
    Gang(GangIdx),
    /// The group was in this earlier stage, or its soak was not over; index of the stage.
    Stage(u32),
    /// This cohort of the group, which goes first, was not used up there.
    Order(u32),
    /// It would not have lain inside what this calendar has open.
    Calendar(CalendarIdx),
}

/// Steps that one core looks at at once, at least.
const STEPS_AT_ONCE: usize = 1024;

/// The replay of a schedule, one wave behind.
struct Replay<'a> {
    problem: &'a Problem,
    flat: &'a Flat,
    waves: &'a Waves,
    links_to: Rows<u32>,
    down: Vec<u32>,
    /// Room of each resource that the wave before left; below 0 where more is down than the limit.
    room: Vec<i64>,
    /// Moves of each group before this wave, and before the wave before.
    done: Vec<u32>,
    done_before: Vec<u32>,
    left: Vec<u32>,
    /// How far phases are before this wave, and before the wave before.
    phases: Progress<'a>,
    phases_before: Progress<'a>,
    /// Of the calendars of the wave before, the one that closes first, and when.
    closes: Option<(u64, CalendarIdx)>,
    /// How long the wave before lasts, where there are calendars.
    lasting: Lasting,
}

/// What going through a schedule tells.
pub(crate) struct Replayed {
    /// What held each step, in their order.
    pub held: Vec<Held>,
    /// See [`super::Schedule::headroom`].
    pub headroom: Vec<Vec<i64>>,
}

/// Goes through `waves` once more.
pub(crate) fn replay(problem: &Problem, flat: &Flat, waves: &Waves) -> Replayed {
    let mut replay = Replay {
        problem,
        flat,
        waves,
        links_to: flat.links_to(),
        down: flat.down.clone(),
        room: vec![0; flat.resources()],
        done: vec![0; flat.groups()],
        done_before: vec![0; flat.groups()],
        left: flat.count.clone(),
        phases: Progress::new(&flat.phases),
        phases_before: Progress::new(&flat.phases),
        closes: None,
        lasting: Lasting::of(flat.per_s.iter().copied()),
    };
    let pools = problem.pools.iter().max().map_or(0, |last| last + 1);
    let mut least = Vec::with_capacity(waves.count() as usize);
    let mut held = Vec::with_capacity(waves.steps.len());
    for wave in waves.steps.chunk_by(|a, b| a.wave == b.wave) {
        let steps = wave.par_iter().with_min_len(STEPS_AT_ONCE);
        held.par_extend(steps.map(|step| replay.held(step)));
        replay.go(wave);
        least.push(replay.least(pools as usize));
    }
    let headroom = (0..pools as usize).into_par_iter();
    let headroom = headroom.map(|pool| least.iter().map(|of| of[pool]).collect());
    Replayed {
        held,
        headroom: headroom.collect(),
    }
}

impl Replay<'_> {
    fn held(&self, step: &Step) -> Held {
        let (group, cohort) = (step.group as usize, step.cohort as usize);
        if step.wave == 1 {
            return Held::Nothing;
        }
        let stage = |done: u32| self.flat.stages.row(group).iter().find(|s| done < s.until);
        let now = stage(self.done[group]);
        let then = stage(self.done_before[group]);
        let unmet = |&&link: &&u32| {
            let link = self.flat.links[link as usize];
            self.done_before[link.before as usize] < link.count
        };
        if let Some(&link) = self.links_to.row(group).iter().find(unmet) {
            return Held::Precedence(link);
        }
        if let Some(phase) = self.phases_before.closed(cohort) {
            return Held::Phase(phase);
        }
        if let (Some(then), Some(now)) = (then, now)
            && then.index != now.index
        {
            return Held::Stage(then.index);
        }
        let cohorts = self.flat.cohorts_of(group);
        let start = cohorts.start;
        let before = (start..cohort).rev().find(|&c| self.flat.count[c] > 0);
        if let Some(before) = before.filter(|&c| self.flat.strict[group] && self.left[c] > 0) {
            return Held::Order((before - start) as u32);
        }
        let full = |&&r: &&u32| self.room[r as usize] <= 0;
        if let Some(&r) = self.flat.takes.row(cohort).iter().find(full) {
            return Held::Resource(r);
        }
        if let Some(calendar) = self.closed(step) {
            return Held::Calendar(calendar);
        }
        if let Some(gang) = self.flat.gangs.gang(cohort) {
            return Held::Gang(gang);
        }
        // Nothing else: the group was patient, its soak was not over.
        let stages = self.flat.stages.row(group).iter();
        let ended = stages.rev().find(|s| s.until <= self.done[group]);
        Held::Stage(
            ended
                .expect("only a soak makes a group wait beside free room")
                .index,
        )
    }

    /// The calendar because of which the wave before could not hold the step: its group's own,
    /// or, when its move is longer than what was there, that of a group there.
    fn closed(&self, step: &Step) -> Option<CalendarIdx> {
        if !self.flat.is_timed() {
            return None;
        }
        let before = step.wave as usize - 2;
        let (begin_ms, end_ms) = (self.waves.starts_ms[before], self.waves.ends_ms[before]);
        let end_ms = end_ms.max(begin_ms + self.lasts_ms(step));
        let own = self.problem.groups[step.group as usize].calendars.iter();
        let is_closed = |&calendar: &CalendarIdx| {
            let open = &self.problem.calendars[calendar as usize].open;
            !holds(open, begin_ms, end_ms)
        };
        let too_long = self.closes.filter(|(closes_ms, _)| end_ms > *closes_ms);
        own.copied()
            .find(is_closed)
            .or(too_long.map(|(_, calendar)| calendar))
    }

    /// How long the wave before would have lasted for one move of the step more.
    fn lasts_ms(&self, step: &Step) -> u64 {
        let (group, mut before) = (step.group as usize, self.lasting.clone());
        let duration_ms = self.flat.duration_ms[step.cohort as usize];
        before.add(self.flat.needs(group), duration_ms, 1);
        before.ms()
    }

    /// The first calendar of a wave's groups that closes after the wave's begin.
    fn first_to_close(&self, wave: &[Step]) -> Option<(u64, CalendarIdx)> {
        if !self.flat.is_timed() {
            return None;
        }
        let begin_ms = self.waves.starts_ms[wave[0].wave as usize - 1];
        let groups = wave.chunk_by(|a, b| a.group == b.group);
        let groups = groups.map(|of_group| of_group[0].group as usize);
        let calendars = groups.flat_map(|group| &self.problem.groups[group].calendars);
        let closing = calendars.filter_map(|&calendar| {
            let open = &self.problem.calendars[calendar as usize].open;
            Some((closes(open, begin_ms)?, calendar))
        });
        closing.min()
    }

    fn go(&mut self, wave: &[Step]) {
        let limits = self.flat.limit.iter().zip(&self.down);
        for (room, (limit, down)) in self.room.iter_mut().zip(limits) {
            *room = i64::from(*limit) - i64::from(*down);
        }
        self.done_before.copy_from_slice(&self.done);
        self.phases_before.clone_from(&self.phases);
        self.lasting.clear();
        for step in wave {
            let cohort = step.cohort as usize;
            if self.flat.is_timed() {
                let duration_ms = self.flat.duration_ms[cohort];
                let needs = self.flat.needs(step.group as usize);
                self.lasting.add(needs, duration_ms, step.count);
            }
            for &r in self.flat.takes.row(cohort) {
                self.room[r as usize] -= i64::from(step.count);
            }
            for &r in self.flat.releases.row(cohort) {
                self.down[r as usize] = self.down[r as usize].saturating_sub(step.count);
            }
            self.left[cohort] -= step.count;
            self.phases.end(cohort, step.count);
            self.done[step.group as usize] += step.count;
        }
        self.closes = self.first_to_close(wave);
    }

    /// The least that the wave before left of each pool.
    fn least(&self, pools: usize) -> Vec<i64> {
        let mut least = vec![i64::MAX; pools];
        for (&room, &pool) in self.room.iter().zip(&self.problem.pools) {
            let least = &mut least[pool as usize];
            *least = room.min(*least);
        }
        least
    }
}
