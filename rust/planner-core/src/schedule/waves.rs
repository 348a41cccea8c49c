//! One pass: fills wave after wave by one rule.
//!
//! No wave leaves out a move that would still fit (but for patience with soaks), so every pass
//! makes all moves that can be done: a wave without any move would mean that none can be.
//! The cost is that of the moves made and of the cohorts looked at in vain; a group whose common
//! room is used up is not looked at.

mod gangs;
mod made;
mod patience;
mod timed;

use super::chains::successors;
use super::flat::Flat;
use super::pace::Pace;
use super::phases::Progress;
use super::priority::{Key, Patience, Priority, Queue, Queued, Rule};
use super::rates::Lasting;
use gangs::Together;
pub(crate) use made::{Step, Waves};
use timed::Span;

/// Where a group stands.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// The part of the queue that is not used up.
    first: u32,
    end: u32,
    done: u32,
    /// Moves of this wave.
    now: u32,
    /// Moves that the stage still holds.
    quota: u32,
    /// Moves that take nothing and are not made.
    free: u32,
    /// Precedences that it waits for.
    waiting: u32,
    stage: u32,
    /// Its level; changes only when it moves.
    level: u32,
    /// When its stage may begin.
    ready_ms: u64,
}

/// What a pass reads.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub flat: &'a Flat,
    pub pace: &'a Pace,
    pub priority: &'a Priority,
}

struct Pass<'a> {
    ground: Ground<'a>,
    rule: &'a Rule,
    queue: Vec<Queued>,
    down: Vec<u32>,
    /// Room of each resource at the beginning of the wave, and now.
    begin: Vec<u32>,
    room: Vec<u32>,
    groups: Vec<State>,
    phases: Progress<'a>,
    together: Together,
    /// The place of each group among the active ones; changes only when the group moves.
    keys: Vec<Key>,
    /// Groups that may move and are not done, by key.
    active: Vec<u32>,
    /// Groups that are active and have another key than before, or none yet.
    unsorted: Vec<u32>,
    /// The wave that is being filled, when calendars say when groups may move.
    span: Span,
    /// How long it lasts; of a wave without calendars only once it is full.
    lasting: Lasting,
    waves: Waves,
}

/// Schedules all moves of `flat`, each of which must be possible but for its calendars.
pub(crate) fn pass(ground: Ground, queue: &Queue, rule: &Rule) -> Waves {
    let mut pass = Pass::new(ground, queue, rule);
    if ground.flat.is_timed() {
        while !pass.active.is_empty() && pass.timed_wave() {}
        pass.waves.undone = pass.undone();
    } else {
        while !pass.active.is_empty() {
            pass.wave();
        }
    }
    pass.waves
}

impl<'a> Pass<'a> {
    fn new(ground: Ground<'a>, queue: &Queue, rule: &'a Rule) -> Self {
        let flat = ground.flat;
        let begin: Vec<u32> = flat
            .limit
            .iter()
            .zip(&flat.down)
            .map(|(l, d)| l.saturating_sub(*d))
            .collect();
        let state = |group: usize| State {
            first: queue.range(group).start as u32,
            end: queue.range(group).end as u32,
            quota: flat.stages.row(group)[0].until,
            free: ground.pace.free[group],
            ..State::default()
        };
        let mut groups: Vec<State> = (0..flat.groups()).map(state).collect();
        for link in flat.links.iter().filter(|link| link.count > 0) {
            groups[link.after as usize].waiting += 1;
        }
        let starts = |(_, state): &(u32, &State)| state.waiting == 0 && state.first < state.end;
        let unsorted = (0..)
            .zip(&groups)
            .filter(starts)
            .map(|(group, _)| group)
            .collect();
        let mut pass = Self {
            ground,
            rule,
            queue: queue.values().to_vec(),
            down: flat.down.clone(),
            room: begin.clone(),
            begin,
            active: Vec::new(),
            unsorted,
            span: Span::default(),
            lasting: Lasting::of(flat.per_s.iter().copied()),
            waves: Waves {
                is_timed: flat.is_timed(),
                steps: Vec::with_capacity(flat.cohorts()),
                last: vec![0; flat.groups()],
                ..Waves::default()
            },
            keys: vec![Key::default(); groups.len()],
            groups,
            phases: Progress::new(&flat.phases),
            together: Together::of(flat),
        };
        pass.sort();
        pass
    }

    /// Puts the unsorted groups among the active ones. No two keys are the same.
    fn sort(&mut self) {
        let mut unsorted = std::mem::take(&mut self.unsorted);
        for &group in &unsorted {
            let level = self.level(group as usize);
            let rule_level = level + self.soaks(group as usize);
            self.groups[group as usize].level = level;
            let Ground { priority, .. } = self.ground;
            self.keys[group as usize] = priority.key(self.rule, group as usize, rule_level);
        }
        let key = |group: &u32| self.keys[*group as usize];
        unsorted.sort_unstable_by_key(key);
        // Two sorted runs, which a stable sort merges.
        let mut active = std::mem::take(&mut self.active);
        active.append(&mut unsorted);
        active.sort_by_key(key);
        self.active = active;
        self.unsorted = unsorted;
    }

    fn wave(&mut self) {
        let wave = self.waves.count() + 1;
        let begun = self.waves.steps.len();
        self.room.copy_from_slice(&self.begin);
        let active = std::mem::take(&mut self.active);
        let mut open_ms = self.open_ms(&active, wave);
        loop {
            self.fill_all(&active, open_ms, wave);
            if self.waves.steps.len() > begun {
                break;
            }
            // All that could move is patient: wait for the first soak to end.
            let later = active.iter().map(|&g| self.groups[g as usize].ready_ms);
            let later = later.filter(|&ready_ms| ready_ms > open_ms).min();
            open_ms = later.expect("a wave without moves means that none is possible");
        }
        self.active = active;
        self.close(begun, wave);
    }

    fn now_ms(&self) -> u64 {
        self.waves.ms()
    }

    fn fill_all(&mut self, active: &[u32], open_ms: u64, wave: u32) {
        if let Some(target) = self.rule.target {
            self.fill(active, open_ms, (target + 1).saturating_sub(wave));
        }
        self.fill(active, open_ms, 0);
    }

    fn fill(&mut self, active: &[u32], open_ms: u64, level: u32) {
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            self.together.begin();
            for &group in active {
                if self.groups[group as usize].ready_ms <= open_ms {
                    // Who lets a gang go has lost those that were before others in their groups.
                    goes_on |= self.take_gangs(group as usize, open_ms, level);
                    self.take(group as usize, level);
                    goes_on |= self.take_gangs(group as usize, open_ms, level);
                }
            }
        }
    }

    /// Takes what fits of the group's cohorts, of at least this level.
    fn take(&mut self, group: usize, level: u32) {
        let Ground { flat, pace, .. } = self.ground;
        let closes_ms = if self.waves.is_timed {
            match self.closes_ms(group) {
                Some(closes_ms) => closes_ms,
                None => return,
            }
        } else {
            u64::MAX
        };
        let mut state = self.groups[group];
        // The common room is read and charged once, so that a cohort costs only its rare takes.
        let rooms = pace
            .common
            .row(group)
            .iter()
            .map(|&r| self.room[r as usize]);
        let room = rooms.min().unwrap_or(u32::MAX);
        let mut charged = 0;
        let first = state.first as usize;
        let (mut at, mut kept) = (first, first);
        while at < state.end as usize
            && state.quota > 0
            && (charged < room || state.free > 0)
            && (level == 0 || self.queue[at].level >= level)
        {
            let mut queued = self.queue[at];
            let cohort = queued.cohort as usize;
            at += 1;
            let is_free = state.free > 0 && flat.takes.row(cohort).is_empty();
            let mut count = self.alone(cohort, queued.left.min(state.quota));
            if !is_free {
                let rare = queued.rare(pace).iter().map(|&r| self.room[r as usize]);
                count = rare.fold(count.min(room - charged), u32::min);
            }
            if self.waves.is_timed {
                count = self.inside(group, cohort, count, closes_ms);
            }
            if count > 0 {
                self.make(group, queued, count);
                queued.left -= count;
                state.quota -= count;
                state.now += count;
                if is_free {
                    state.free -= count;
                } else {
                    charged += count;
                }
                if self.waves.is_timed {
                    self.span.close(closes_ms);
                    let duration_ms = flat.duration_ms[cohort];
                    self.lasting.add(flat.needs(group), duration_ms, count);
                }
            }
            if queued.left > 0 {
                self.queue[kept] = queued;
                kept += 1;
                if flat.strict[group] {
                    break;
                }
            }
        }
        for &r in pace.common.row(group) {
            self.room[r as usize] -= charged;
        }
        self.queue.copy_within(first..kept, at - (kept - first));
        state.first = (at - (kept - first)) as u32;
        self.groups[group] = state;
    }

    fn make(&mut self, group: usize, queued: Queued, count: u32) {
        for &r in queued.rare(self.ground.pace) {
            self.room[r as usize] -= count;
        }
        self.waves.steps.push(Step {
            cohort: queued.cohort,
            group: group as u32,
            wave: self.waves.count() + 1,
            count,
        });
    }

    /// Moves that are not made, by cohort; nothing when all are.
    fn undone(&self) -> Vec<u32> {
        let waiting = |state: &State| &self.queue[state.first as usize..state.end as usize];
        let waiting = self.groups.iter().flat_map(waiting);
        let mut undone = Vec::new();
        for queued in waiting {
            undone.resize(self.ground.flat.cohorts(), 0);
            undone[queued.cohort as usize] = queued.left;
        }
        undone
    }

    /// Ends the wave: what it moved is done, what was down and moved is up.
    fn close(&mut self, begun: usize, wave: u32) {
        let flat = self.ground.flat;
        let mut ready_ms = self.now_ms();
        self.lasting.clear();
        for step in &self.waves.steps[begun..] {
            ready_ms = ready_ms.max(self.groups[step.group as usize].ready_ms);
            let duration_ms = flat.duration_ms[step.cohort as usize];
            let needs = flat.needs(step.group as usize);
            self.lasting.add(needs, duration_ms, step.count);
            self.phases.end(step.cohort as usize, step.count);
            for &r in flat.releases.row(step.cohort as usize) {
                let r = r as usize;
                self.down[r] = self.down[r].saturating_sub(step.count);
                self.begin[r] = flat.limit[r].saturating_sub(self.down[r]);
            }
        }
        let start_ms = ready_ms.max(self.span.start_ms);
        let end_ms = start_ms + self.lasting.ms();
        self.waves.ready_ms.push(ready_ms);
        self.waves.starts_ms.push(start_ms);
        self.waves.ends_ms.push(end_ms);
        let mut active = std::mem::take(&mut self.active);
        active.retain(|&group| {
            let stays = self.groups[group as usize].now == 0;
            if !stays {
                self.waves.last[group as usize] = wave;
                self.advance(group, end_ms);
            }
            stays
        });
        self.active = active;
        self.sort();
    }

    /// Counts the group's moves of this wave, ends its stage and opens the groups behind it.
    fn advance(&mut self, moved: u32, end_ms: u64) {
        let (flat, group) = (self.ground.flat, moved as usize);
        let state = &mut self.groups[group];
        let before = state.done;
        state.done += std::mem::take(&mut state.now);
        let done = state.done;
        let stages = flat.stages.row(group);
        if state.quota == 0 && state.stage as usize + 1 < stages.len() {
            state.ready_ms = end_ms + stages[state.stage as usize].soak_ms;
            state.stage += 1;
            state.quota = stages[state.stage as usize].until - done;
        }
        if state.first < state.end {
            self.unsorted.push(moved);
        }
        for (after, count) in successors(flat, group) {
            if before < count && count <= done {
                let state = &mut self.groups[after];
                state.waiting -= 1;
                if state.waiting == 0 && state.first < state.end {
                    self.unsorted.push(after as u32);
                }
            }
        }
    }
}
