//! How fast each group could go if it were alone: the most moves after each number of waves.
//!
//! Everything here is a relaxation (other groups, heads and tails are left out and every resource
//! has the room that it has in the end), so it bounds every schedule, and it is also what the
//! priorities look at.

use std::{cmp::Reverse, collections::BTreeMap, ops::Range};

use rayon::prelude::*;

use super::flat::Flat;
use super::proof::Room;
use super::rows::Rows;

/// Groups whose pace one core finds at once.
const GROUPS_AT_ONCE: usize = 4096;

/// The pace of each group, over the moves that can be done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    /// Units of each resource that a wave may take once all that recovers has recovered.
    pub room: Vec<u32>,
    /// Resources that every taking move of the group takes.
    pub common: Rows<u32>,
    /// What each cohort takes beside those.
    pub rare: Rows<u32>,
    /// Moves of each group.
    pub total: Vec<u32>,
    /// Moves of each group that take nothing.
    pub free: Vec<u32>,
    /// Most moves done after 1, 2, .. waves, up to the total.
    pub forward: Rows<u32>,
    /// Most moves in the last 1, 2, .. waves of the group.
    pub backward: Rows<u32>,
    /// Waves that one resource forces on the group: its moves there over the room there.
    pub place: Vec<u32>,
}

impl Pace {
    /// `flat` holds only moves that can be done; `down` are the units that stay down after them.
    pub fn of(flat: &Flat, down: &[u32]) -> Self {
        let limits = flat.limit.iter().zip(down);
        let room: Vec<u32> = limits.map(|(l, d)| l.saturating_sub(*d)).collect();
        let begins: Vec<usize> = (0..flat.groups()).step_by(GROUPS_AT_ONCE).collect();
        let parts = begins.into_par_iter().map(|begin| {
            let end = (begin + GROUPS_AT_ONCE).min(flat.groups());
            Self::of_groups(flat, &room, begin..end)
        });
        let parts: Vec<Self> = parts.collect();
        let mut pace = Self::default();
        for part in parts {
            pace.append(&part);
        }
        pace.room = room;
        pace
    }

    /// The pace of some groups, numbered from 0 and without the room.
    fn of_groups(flat: &Flat, room: &[u32], groups: Range<usize>) -> Self {
        let mut pace = Self::default();
        let mut taken = vec![0_u32; flat.resources()];
        let mut touched = Vec::new();
        for (group, own) in groups.zip(0..) {
            pace.push_common(flat, room, group, &mut taken, &mut touched);
            let stages = stage_sizes(flat, group, pace.total[own]);
            let backwards: Vec<u32> = stages.iter().rev().copied().collect();
            if flat.strict[group] {
                let mut alone = Alone {
                    flat,
                    room,
                    taken: &mut taken,
                };
                let cohorts: Vec<usize> = flat.cohorts_of(group).collect();
                pace.forward
                    .push_row(alone.steps(cohorts.iter().copied(), &stages));
                pace.backward
                    .push_row(alone.steps(cohorts.iter().rev().copied(), &backwards));
            } else {
                let each = common_room(pace.common.row(own), room);
                let free = pace.free[own];
                pace.forward.push_row(free_steps(&stages, free, each));
                pace.backward.push_row(free_steps(&backwards, free, each));
            }
        }
        pace
    }

    /// Adds the groups of another.
    fn append(&mut self, other: &Self) {
        self.common.append(&other.common);
        self.rare.append(&other.rare);
        self.total.extend(&other.total);
        self.free.extend(&other.free);
        self.forward.append(&other.forward);
        self.backward.append(&other.backward);
        self.place.extend(&other.place);
    }

    fn push_common(
        &mut self,
        flat: &Flat,
        room: &[u32],
        group: usize,
        load: &mut [u32],
        touched: &mut Vec<u32>,
    ) {
        let (mut total, mut free) = (0, 0);
        let mut common: Option<Vec<u32>> = None;
        for cohort in flat.cohorts_of(group).filter(|&c| flat.count[c] > 0) {
            let takes = flat.takes.row(cohort);
            total += flat.count[cohort];
            free += if takes.is_empty() {
                flat.count[cohort]
            } else {
                0
            };
            for &r in takes {
                if load[r as usize] == 0 {
                    touched.push(r);
                }
                load[r as usize] += flat.count[cohort];
            }
            match &mut common {
                _ if takes.is_empty() => {}
                Some(common) => common.retain(|r| takes.contains(r)),
                None => common = Some(takes.to_vec()),
            }
        }
        let mut place = 0;
        for r in touched.drain(..) {
            place = place.max(load[r as usize].div_ceil(room[r as usize].max(1)));
            load[r as usize] = 0;
        }
        self.total.push(total);
        self.free.push(free);
        self.place.push(place);
        let common = common.unwrap_or_default();
        for cohort in flat.cohorts_of(group) {
            let takes = flat.takes.row(cohort).iter().copied();
            self.rare.push_row(takes.filter(|r| !common.contains(r)));
        }
        self.common.push_row(common);
    }

    /// The fewest waves in which the group makes `count` moves.
    pub fn waves(&self, group: usize, count: u32) -> u32 {
        if count == 0 {
            return 0;
        }
        let steps = self.forward.row(group);
        let paced = steps.partition_point(|&done| done < count) as u32 + 1;
        if count < self.total[group] {
            paced
        } else {
            paced.max(self.place[group])
        }
    }
}

impl Pace {
    /// The resource that alone forces most waves on the first `count` moves of the group, and how
    /// many; of several the first.
    pub fn tightest(&self, flat: &Flat, group: usize, count: u32) -> Option<(u32, Room)> {
        let mut taking: BTreeMap<u32, u32> = BTreeMap::new();
        for cohort in flat.cohorts_of(group).filter(|&c| flat.count[c] > 0) {
            for &r in flat.takes.row(cohort) {
                *taking.entry(r).or_default() += flat.count[cohort];
            }
        }
        let stages = stage_sizes(flat, group, self.total[group]);
        let each = taking.into_iter().map(|(resource, moves)| {
            let room = self.room[resource as usize];
            let steps = free_steps(&stages, self.total[group] - moves, room.max(1));
            let waves = steps.partition_point(|&done| done < count) as u32 + 1;
            (
                waves,
                Room {
                    resource,
                    moves,
                    room,
                },
            )
        });
        each.max_by_key(|(waves, room)| (*waves, Reverse(room.resource)))
    }
}

/// Moves of a group that a wave can hold at most, but for those that take nothing.
fn common_room(common: &[u32], room: &[u32]) -> u32 {
    let rooms = common.iter().map(|&r| room[r as usize]);
    rooms.min().unwrap_or(u32::MAX).max(1)
}

/// How the moves of the group divide into its stages.
pub(crate) fn stage_sizes(flat: &Flat, group: usize, total: u32) -> Vec<u32> {
    let mut sizes = Vec::new();
    let mut start = 0;
    for stage in flat.stages.row(group) {
        let end = stage.until.min(total);
        sizes.extend((end > start).then(|| end - start));
        start = start.max(end);
    }
    sizes
}

/// Most moves after each wave when any order goes and each wave holds `each` taking moves.
///
/// The `free` moves that take nothing may fall into any stage, so each stage is given all of
/// them; over all stages together they count once.
fn free_steps(stages: &[u32], free: u32, each: u32) -> Vec<u32> {
    let mut steps = Vec::new();
    let total: u32 = stages.iter().sum();
    let mut before = 0;
    let mut alone = free;
    for &size in stages {
        let mut done = free;
        loop {
            done = done.saturating_add(each).min(size);
            alone = alone.saturating_add(each);
            steps.push((before + done).min(alone));
            if done == size {
                break;
            }
        }
        before += size;
    }
    while steps.last().is_some_and(|&last| last < total) {
        alone = alone.saturating_add(each);
        steps.push(alone.min(total));
    }
    steps
}

/// One group by itself, its cohorts strictly one after the other.
struct Alone<'a> {
    flat: &'a Flat,
    room: &'a [u32],
    /// Scratch: units taken in the wave; all zero between waves.
    taken: &'a mut [u32],
}

impl Alone<'_> {
    /// Moves done after each wave. Taking as long a prefix as fits is best here: a longer prefix
    /// leaves a shorter rest and no wave remembers the one before.
    fn steps(&mut self, cohorts: impl Iterator<Item = usize>, stages: &[u32]) -> Vec<u32> {
        let mut steps = Vec::new();
        let mut stages = stages.iter().copied();
        let (mut stage, mut done) = (stages.next().unwrap_or(0), 0);
        let mut wave: Vec<usize> = Vec::new();
        for cohort in cohorts {
            let mut left = self.flat.count[cohort];
            while left > 0 {
                let takes = self.flat.takes.row(cohort);
                let rooms = takes
                    .iter()
                    .map(|&r| self.room[r as usize] - self.taken[r as usize]);
                let now = rooms.min().unwrap_or(u32::MAX).min(left).min(stage);
                for &r in takes {
                    self.taken[r as usize] += now;
                }
                wave.push(cohort);
                left -= now;
                done += now;
                stage -= now;
                if stage == 0 || left > 0 {
                    steps.push(done);
                    self.end_wave(&mut wave);
                }
                if stage == 0 {
                    stage = stages.next().unwrap_or(0);
                }
            }
        }
        self.end_wave(&mut wave);
        steps
    }

    fn end_wave(&mut self, wave: &mut Vec<usize>) {
        for cohort in wave.drain(..) {
            for &r in self.flat.takes.row(cohort) {
                self.taken[r as usize] = 0;
            }
        }
    }
}
