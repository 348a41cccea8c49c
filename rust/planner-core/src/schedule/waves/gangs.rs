//! Gangs of a pass: all of one go in the wave that is being filled, or none.

use super::{Pass, Step};
use crate::schedule::flat::Flat;
use crate::schedule::problem::GangIdx;

/// What a pass has to know of gangs.
#[derive(Clone, Debug, Default)]
pub(super) struct Together {
    /// By cohort, and of each group whether a gang has any of it; empty without gangs.
    group_of: Vec<u32>,
    has_any: Vec<bool>,
    /// For each gang the last time that there was no room for it. Room only gets less meanwhile.
    in_vain: Vec<u32>,
    time: u32,
    is_gone: Vec<bool>,
}

impl Together {
    pub fn of(flat: &Flat) -> Self {
        if flat.gangs.is_empty() {
            return Self::default();
        }
        let group_of = flat.group_of();
        let mut has_any = vec![false; flat.groups()];
        for cohort in (0..flat.cohorts()).filter(|&c| flat.gangs.gang(c).is_some()) {
            has_any[group_of[cohort] as usize] = true;
        }
        Self {
            group_of,
            has_any,
            in_vain: vec![0; flat.gangs.is_torn.len()],
            time: 0,
            is_gone: vec![false; flat.gangs.is_torn.len()],
        }
    }

    /// Everybody is tried again.
    pub fn begin(&mut self) {
        self.time += 1;
    }
}

impl Pass<'_> {
    /// How many of so many moves of a cohort may go by themselves.
    pub(super) fn alone(&self, cohort: usize, moves: u32) -> u32 {
        match self.ground.flat.gangs.gang(cohort) {
            Some(_) => 0,
            None => self.phases.most(cohort, moves),
        }
    }

    /// Lets those gangs go that are next in the group and for which there is room; whether any went.
    pub(super) fn take_gangs(&mut self, group: usize, open_ms: u64, level: u32) -> bool {
        if self.together.has_any.get(group) != Some(&true) {
            return false;
        }
        let flat = self.ground.flat;
        let state = self.groups[group];
        let queue = &self.queue[state.first as usize..state.end as usize];
        let next = if flat.strict[group] { 1 } else { queue.len() };
        let next = queue.iter().take(next);
        let wanted = next.filter(|it| level == 0 || it.level >= level);
        let mut gangs: Vec<GangIdx> = wanted
            .filter_map(|it| flat.gangs.gang(it.cohort as usize))
            .collect();
        gangs.dedup();
        let mut went = false;
        for gang in gangs {
            went |= self.take_gang(gang, open_ms);
        }
        went
    }

    fn take_gang(&mut self, gang: GangIdx, open_ms: u64) -> bool {
        let at = gang as usize;
        let Together {
            in_vain,
            time,
            is_gone,
            ..
        } = &self.together;
        if is_gone[at] || in_vain[at] == *time || !self.is_next(gang, open_ms) {
            return false;
        }
        let members = self.ground.flat.gangs.members(gang);
        let before = (self.span, self.lasting.clone());
        for (taken, &member) in members.iter().enumerate() {
            if !self.reserve(member as usize) {
                members[..taken]
                    .iter()
                    .for_each(|&it| self.give_back(it as usize));
                (self.span, self.lasting) = before;
                self.together.in_vain[at] = self.together.time;
                return false;
            }
        }
        for &member in members {
            self.make_whole(member);
        }
        self.together.is_gone[at] = true;
        true
    }

    /// Whether every group of a gang could make its part now, if there were room.
    fn is_next(&self, gang: GangIdx, open_ms: u64) -> bool {
        let (flat, group_of) = (self.ground.flat, &self.together.group_of);
        let members = flat.gangs.members(gang);
        let mut parts = members.chunk_by(|a, b| group_of[*a as usize] == group_of[*b as usize]);
        parts.all(|part| {
            let group = group_of[part[0] as usize] as usize;
            let state = &self.groups[group];
            let moves = part.iter().map(|&c| flat.count[c as usize]).sum::<u32>();
            let begins = state.waiting == 0 && state.ready_ms <= open_ms && moves <= state.quota;
            let mut closed = part.iter().filter_map(|&c| self.phases.closed(c as usize));
            let queue = &self.queue[state.first as usize..state.end as usize];
            let in_front = queue.iter().map(|it| it.cohort).take(part.len());
            begins
                && closed.next().is_none()
                && (!flat.strict[group] || in_front.eq(part.iter().copied()))
        })
    }

    /// Takes the room of all moves of a cohort, if the wave has it.
    fn reserve(&mut self, cohort: usize) -> bool {
        let flat = self.ground.flat;
        let (count, takes) = (flat.count[cohort], flat.takes.row(cohort));
        if takes.iter().any(|&r| self.room[r as usize] < count) {
            return false;
        }
        if self.waves.is_timed {
            let group = self.together.group_of[cohort] as usize;
            let Some(closes_ms) = self.closes_ms(group) else {
                return false;
            };
            if self.inside(group, cohort, count, closes_ms) < count {
                return false;
            }
            self.span.close(closes_ms);
            let duration_ms = flat.duration_ms[cohort];
            self.lasting.add(flat.needs(group), duration_ms, count);
        }
        for &r in takes {
            self.room[r as usize] -= count;
        }
        true
    }

    fn give_back(&mut self, cohort: usize) {
        let flat = self.ground.flat;
        for &r in flat.takes.row(cohort) {
            self.room[r as usize] += flat.count[cohort];
        }
    }

    /// Makes all moves of a cohort, whose room is taken.
    fn make_whole(&mut self, cohort: u32) {
        let group = self.together.group_of[cohort as usize];
        let count = self.ground.flat.count[cohort as usize];
        let state = &mut self.groups[group as usize];
        let first = state.first as usize;
        let queue = &mut self.queue[first..state.end as usize];
        let at = queue.iter().position(|it| it.cohort == cohort);
        let at = at.expect("a gang goes as a whole");
        queue.copy_within(..at, 1);
        state.first += 1;
        state.quota -= count;
        state.now += count;
        let wave = self.waves.count() + 1;
        self.waves.steps.push(Step {
            cohort,
            group,
            wave,
            count,
        });
    }
}
