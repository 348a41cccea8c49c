//! In which order the groups, and the cohorts of a group, get at the room of a wave.
//!
//! The base of every rule is the level: how many waves there are at least from a move to the end,
//! along the group's own pace, the groups that wait for it, and (rules that look at places) the
//! moves that queue for the same place. Serving the highest level first is Hu's rule, optimal for
//! trees on identical machines and good elsewhere.

use std::hash::BuildHasher;

use fastrand::Rng;
use rustc_hash::FxBuildHasher;

use super::chains::{Chains, successors};
use super::flat::Flat;
use super::pace::Pace;
use super::problem::Problem;
use super::rows::Rows;

/// What decides among groups before all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// The highest level.
    Level,
    /// The most loaded resource.
    Pressure,
    /// The longest moves, so that they share their waves.
    Duration,
    /// Strict orders: they cannot pass over a place that others have filled.
    Order,
}

/// How groups wait for their soaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// A group waits only as long as it would still be done within this many waves.
    pub target: u32,
    /// The usual length of a wave. The soaks before a group count as so many more waves in its
    /// level, so that early stages begin early.
    pub wave_ms: u64,
}

/// One way to schedule. All rules give correct schedules; they differ in how good.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub first: First,
    /// Cohorts queue by the level of their place instead of by the controller's order.
    pub by_place: bool,
    /// Serve what would miss this many waves before everything else.
    pub target: Option<u32>,
    /// Let groups wait for the end of a soak rather than hold up a wave.
    pub patience: Option<Patience>,
    /// Waves to add to the level of each group.
    pub boost: Vec<u32>,
    /// Draws lots, from this seed, among groups of the same level and among the cohorts of a group.
    pub lots: Option<u64>,
}

/// What decides among groups, the smallest first; ends in a rank, so that no two are the same.
pub(crate) type Key = (u64, u64, u32);

/// A cohort that waits: all that a pass has to know of it, so that it waits for memory once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queued {
    pub cohort: u32,
    /// Moves that are not made yet.
    pub left: u32,
    /// Never rises along a group's queue.
    pub level: u32,
    /// Where what it takes beside its group lies in [`Pace::rare`].
    rare: (u32, u32),
}

impl Queued {
    /// What it takes beside what its whole group takes.
    pub fn rare<'a>(&self, pace: &'a Pace) -> &'a [u32] {
        &pace.rare.values()[self.rare.0 as usize..self.rare.1 as usize]
    }
}

/// The cohorts of each group in the order in which they are tried.
pub(crate) type Queue = Rows<Queued>;

/// What the rules know of the groups.
#[derive(Clone, Debug)]
pub(crate) struct Priority {
    /// Level of each group after 0, 1, .. waves of its own pace.
    levels: Rows<u32>,
    /// Waves that the most loaded resource common to the group's moves needs.
    pressure: Vec<u32>,
    /// The longest move of each group in milliseconds.
    longest_ms: Vec<u64>,
    strict: Vec<bool>,
    /// Breaks ties: by size, last by name, so that the order of the input does not matter.
    rank: Vec<u32>,
    /// Of each place what lots are drawn by: its name, for the same reason.
    names: Vec<u64>,
}

impl Priority {
    pub fn of(problem: &Problem, flat: &Flat, pace: &Pace, chains: &Chains) -> Self {
        let load = loads(flat);
        let (mut levels, mut pressure, mut longest_ms) = (Rows::default(), vec![], vec![]);
        for group in 0..flat.groups() {
            levels.push_row(group_levels(flat, pace, chains, group));
            let need = |&r: &u32| load[r as usize].div_ceil(pace.room[r as usize].max(1));
            pressure.push(pace.common.row(group).iter().map(need).max().unwrap_or(0));
            let longest = flat.cohorts_of(group).map(|c| flat.duration_ms[c]).max();
            longest_ms.push(longest.unwrap_or(0));
        }
        let mut by_rank: Vec<usize> = (0..flat.groups()).collect();
        by_rank.sort_by_key(|&g| {
            let size = (pressure[g], pace.total[g], flat.cohorts_of(g).len());
            (std::cmp::Reverse(size), &problem.groups[g].name)
        });
        let mut rank = vec![0; flat.groups()];
        for (at, group) in by_rank.into_iter().enumerate() {
            rank[group] = at as u32;
        }
        Self {
            levels,
            pressure,
            longest_ms,
            strict: flat.strict.clone(),
            rank,
            names: names(problem),
        }
    }

    /// The level of the group when `done` of its moves are done.
    pub fn level(&self, pace: &Pace, group: usize, done: u32) -> u32 {
        let after = pace
            .forward
            .row(group)
            .partition_point(|&step| step <= done);
        self.levels.row(group).get(after).copied().unwrap_or(0)
    }

    /// Groups with the smallest key go first.
    pub fn key(&self, rule: &Rule, group: usize, level: u32) -> Key {
        let level = u64::from(level + rule.boost[group]);
        let (first, second) = match rule.first {
            First::Level => (level, self.pressure[group].into()),
            First::Pressure => (self.pressure[group].into(), level),
            First::Duration => (self.longest_ms[group], level),
            First::Order => (self.strict[group].into(), level),
        };
        let second = match rule.lots {
            Some(seed) => Rng::with_seed(seed ^ u64::from(self.rank[group])).u64(..),
            None => second,
        };
        (u64::MAX - first, u64::MAX - second, self.rank[group])
    }

    /// Every group's cohorts in the order of its controller.
    pub fn in_order(&self, flat: &Flat, pace: &Pace) -> Queue {
        self.queue(flat, pace, |_, _| {})
    }

    /// Every group's cohorts with places in an order by lot, what takes nothing first; strict
    /// groups in order, and within a place all.
    pub fn by_lot(&self, flat: &Flat, pace: &Pace, seed: u64) -> Queue {
        self.queue(flat, pace, |group, held| {
            if flat.strict[group] || !have_as_many_places(flat, pace, held) {
                return;
            }
            let lot = |place: u32| Rng::with_seed(seed ^ self.names[place as usize]).u64(..);
            held.sort_by_cached_key(|&c| {
                let takes = !flat.takes.row(c as usize).is_empty();
                takes.then(|| places(flat, pace, c).map(lot).fold(0, u64::wrapping_add))
            });
        })
    }

    /// Every group's cohorts with the longest queue at their place first; strict groups in order.
    pub fn by_place(&self, flat: &Flat, pace: &Pace) -> Queue {
        let places = self.place_levels(flat, pace);
        let mut queue = self.queue(flat, pace, |group, held| {
            if flat.strict[group] {
                return;
            }
            // What takes from nothing waits for no place: pods that are down stay in front, those first
            // for which most wait, unless some go before others of them.
            let in_order = held.iter().any(|&c| flat.ahead(c as usize) > 0);
            held.sort_by_key(|&c| {
                let takes = !flat.takes.row(c as usize).is_empty();
                let by_place = takes || !in_order;
                (
                    takes,
                    by_place.then_some(std::cmp::Reverse(places[c as usize])),
                )
            });
        });
        for group in 0..flat.groups() {
            let mut highest = 0;
            for queued in queue.row_mut(group).iter_mut().rev() {
                highest = highest.max(places[queued.cohort as usize]);
                queued.level = queued.level.max(highest);
            }
        }
        queue
    }

    /// Every group's cohorts, from the order of its controller as `arrange` puts them.
    fn queue(&self, flat: &Flat, pace: &Pace, arrange: impl Fn(usize, &mut Vec<u32>)) -> Queue {
        let mut queue = Queue::with_capacity(flat.groups(), flat.cohorts());
        let mut held = Vec::new();
        for group in 0..flat.groups() {
            let all = flat.cohorts_of(group).filter(|&c| flat.count[c] > 0);
            held.extend(all.map(|c| c as u32));
            arrange(group, &mut held);
            if !(flat.strict[group] || flat.phases.is_empty()) {
                held.sort_by_key(|&c| turn(flat, c as usize));
            }
            queue.push_row(self.queued(flat, pace, group, &held));
            held.clear();
        }
        queue
    }

    /// Cohorts of a group, in the order in which they queue.
    fn queued<'a>(
        &'a self,
        flat: &'a Flat,
        pace: &'a Pace,
        group: usize,
        cohorts: &'a [u32],
    ) -> impl Iterator<Item = Queued> + 'a {
        let (steps, levels) = (pace.forward.row(group), self.levels.row(group));
        let (mut done, mut at) = (0, 0);
        cohorts.iter().map(move |&cohort| {
            while steps.get(at).is_some_and(|&step| step <= done) {
                at += 1;
            }
            let left = flat.count[cohort as usize];
            done += left;
            let rare = pace.rare.range(cohort as usize);
            Queued {
                cohort,
                left,
                level: levels[at],
                rare: (rare.start as u32, rare.end as u32),
            }
        })
    }

    /// How many waves the queue at the busiest place of each cohort lasts from it on. Places are
    /// the resources that not all of the group's moves take; groups of a high level stand first. What
    /// takes nothing comes before the whole queue at each place that it gives back to.
    fn place_levels(&self, flat: &Flat, pace: &Pace) -> Vec<u32> {
        let mut rest = loads(flat);
        let behind = |r: u32| match rest[r as usize].div_ceil(pace.room[r as usize].max(1)) {
            0 => 0,
            waves => waves + 1,
        };
        let before = |cohort: usize| match flat.takes.row(cohort) {
            [] => places_of(flat, flat.releases.row(cohort)).map(behind).max(),
            _ => None,
        };
        let mut places: Vec<u32> = (0..flat.cohorts())
            .map(|cohort| before(cohort).unwrap_or(0))
            .collect();
        let mut groups: Vec<usize> = (0..flat.groups()).collect();
        groups.sort_unstable_by_key(|&g| {
            let level = self.levels.row(g).first().copied().unwrap_or(0);
            (std::cmp::Reverse(level), self.rank[g])
        });
        for group in groups {
            for cohort in flat.cohorts_of(group).filter(|&c| flat.count[c] > 0) {
                for &r in pace.rare.row(cohort) {
                    let (r, room) = (r as usize, pace.room[r as usize]);
                    places[cohort] = places[cohort].max(rest[r].div_ceil(room));
                    rest[r] -= flat.count[cohort];
                }
            }
        }
        places
    }
}

/// Which of a group's cohorts go first for the sake of phases: what takes nothing as before, then those
/// for which later phases wait.
fn turn(flat: &Flat, cohort: usize) -> (bool, u32) {
    let takes = !flat.takes.row(cohort).is_empty();
    let awaited = |phase: &&u32| flat.phases.follows.get(**phase as usize + 1) == Some(&true);
    let phase = flat.phases.row(cohort).iter().filter(awaited).min();
    (takes, phase.copied().unwrap_or(u32::MAX))
}

/// A digest of the name of each place; 0 of other resources.
fn names(problem: &Problem) -> Vec<u64> {
    let each = problem.resources.iter().map(|resource| {
        let name = resource.is_place.then_some(&resource.name);
        name.map_or(0, |name| FxBuildHasher.hash_one(name))
    });
    each.collect()
}

/// The places that a cohort takes from and not all of its group.
fn places<'a>(flat: &'a Flat, pace: &'a Pace, cohort: u32) -> impl Iterator<Item = u32> + 'a {
    places_of(flat, pace.rare.row(cohort as usize))
}

fn places_of<'a>(flat: &'a Flat, resources: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    let resources = resources.iter().copied();
    resources.filter(|&r| flat.is_place[r as usize])
}

/// Whether each of these cohorts that takes anything has a place that any other place lacks: one
/// with fewer might be passed over for what only the others need.
fn have_as_many_places(flat: &Flat, pace: &Pace, held: &[u32]) -> bool {
    let takes = |c: &&u32| !flat.takes.row(**c as usize).is_empty();
    let mut counts = held
        .iter()
        .filter(takes)
        .map(|&c| places(flat, pace, c).count());
    let first = counts.next();
    counts.all(|count| Some(count) == first)
}

/// Moves that take from each resource.
fn loads(flat: &Flat) -> Vec<u32> {
    let mut load = vec![0; flat.resources()];
    for cohort in 0..flat.cohorts() {
        for &r in flat.takes.row(cohort) {
            load[r as usize] += flat.count[cohort];
        }
    }
    load
}

fn group_levels(flat: &Flat, pace: &Pace, chains: &Chains, group: usize) -> Vec<u32> {
    let steps = pace.forward.row(group);
    let all = pace.waves(group, pace.total[group]);
    let mut done = 0;
    let mut levels = Vec::with_capacity(steps.len());
    for (waves, &step) in (0..).zip(steps) {
        let mut level = all - waves;
        for (after, count) in successors(flat, group).filter(|(_, count)| done < *count) {
            let until = pace.waves(group, count) - waves;
            level = level.max(until + chains.waves.span[after]);
        }
        levels.push(level);
        done = step;
    }
    levels
}
