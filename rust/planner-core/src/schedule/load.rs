//! What the moves put on each resource, and the waves and the time that this costs.

use super::between::between;
use super::chains::Chains;
use super::edge::{curve, edge};
use super::flat::Flat;
use super::joins::Joins;
use super::pace::Pace;
use super::proof::{Edge, Proof};
use super::recovering::{Recovering, Release};

/// The moves of one group, of one duration, that take from one resource.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub group: usize,
    pub count: u32,
    pub duration_ms: u64,
}

/// The moves that take from one resource, and those that give back to it, group after group.
#[derive(Clone, Default)]
struct Loaded {
    takes: Vec<Load>,
    releases: Vec<Release>,
}

/// What the groups put on each resource.
pub(crate) struct Loads<'a> {
    flat: &'a Flat,
    pace: &'a Pace,
    chains: &'a Chains,
    joins: &'a Joins<'a>,
    /// Moves that take from each resource.
    moves: Vec<u32>,
    /// The longest of these moves, in milliseconds.
    longest_ms: Vec<u64>,
    /// How far heads and tails can at most lift the bound above the plain load: waves and time.
    lift: Vec<(u32, u64)>,
    /// Waves until all that was down on the resource can have moved, at most.
    recovery: Vec<u32>,
}

/// Groups of distinct heads that a bound in time tells apart on one resource.
const HEADS: usize = 32;

impl<'a> Loads<'a> {
    pub fn of(flat: &'a Flat, pace: &'a Pace, chains: &'a Chains, joins: &'a Joins<'_>) -> Self {
        let n = flat.resources();
        let (moves, longest_ms, lift) = (vec![0; n], vec![0; n], vec![(0, 0); n]);
        let mut loads = Self {
            flat,
            pace,
            chains,
            joins,
            moves,
            longest_ms,
            lift,
            recovery: vec![0; n],
        };
        let (mut own, mut touched) = (vec![0_u32; n], Vec::new());
        for group in 0..flat.groups() {
            for cohort in flat.cohorts_of(group).filter(|&c| flat.count[c] > 0) {
                for &r in flat.takes.row(cohort) {
                    if own[r as usize] == 0 {
                        touched.push(r as usize);
                    }
                    own[r as usize] += flat.count[cohort];
                    let longest_ms = &mut loads.longest_ms[r as usize];
                    *longest_ms = flat.duration_ms[cohort].max(*longest_ms);
                }
            }
            for r in touched.drain(..) {
                loads.add(r, group, std::mem::take(&mut own[r]));
            }
            // What is down takes room until it can have moved.
            let own = pace.forward.row(group).len() as u32;
            for cohort in flat.cohorts_of(group).filter(|&c| flat.count[c] > 0) {
                for &r in flat.releases.row(cohort) {
                    let recovery = &mut loads.recovery[r as usize];
                    *recovery = (joins.head[group] + own).max(*recovery);
                }
            }
        }
        loads
    }

    /// Adds the `count` moves of the group that take from the resource.
    fn add(&mut self, resource: usize, group: usize, count: u32) {
        // A wave lies at an edge only while not all moves of the resource fit before it.
        let waves = self.joins.lift(group, count);
        let ms = self.chains.ms.head[group] + self.chains.ms.tail[group];
        let lift = self.lift[resource];
        self.lift[resource] = (lift.0.max(waves), lift.1.max(ms));
        self.moves[resource] += count;
    }

    /// The most waves that a resource proves by its edges, if more than `best`.
    pub fn waves(&self, best: u32) -> Option<(u64, Proof)> {
        self.strongest_in_waves(best, |r, loaded, _| self.edges(r, loaded))
    }

    /// The most waves that a resource proves by what has to go between, if more than `best`.
    pub fn between(&self, best: u32) -> Option<(u64, Proof)> {
        self.strongest_in_waves(best, |r, loaded, best| self.middle(r, loaded, best))
    }

    fn strongest_in_waves(
        &self,
        best: u32,
        prove: impl Fn(usize, &Loaded, u64) -> (u64, Proof),
    ) -> Option<(u64, Proof)> {
        let most = |r: usize| u64::from(self.plain(r) + self.lift[r].0 + self.recovery[r]);
        let plain = |r: usize| u64::from(self.plain(r));
        self.strongest(best.into(), (plain, most), prove)
    }

    /// The most time that a resource proves, if more than `best`.
    pub fn ms(&self, best: u64) -> Option<(u64, Proof)> {
        self.ms_by(best, batches_ms)
    }

    /// The same where moves, so many at a time, need no less than this; it is no more than when each
    /// took as long as the longest, in waves.
    pub fn ms_by(
        &self,
        best: u64,
        least_ms: impl Fn(&mut [Load], u32) -> u64,
    ) -> Option<(u64, Proof)> {
        let plain = |r: usize| u64::from(self.plain(r)) * self.longest_ms[r];
        let most = |r: usize| plain(r) + self.lift[r].1;
        let prove = |r: usize, loaded: &Loaded, _| self.resource_ms(r, &loaded.takes, &least_ms);
        self.strongest(best, (plain, most), prove)
    }

    /// Waves that the moves on the resource need if nothing else keeps them.
    fn plain(&self, resource: usize) -> u32 {
        self.moves[resource].div_ceil(self.pace.room[resource].max(1))
    }

    /// Looks closely at the plainly heaviest resource, then only at those that could beat it.
    fn strongest(
        &self,
        best: u64,
        (plain, most): (impl Fn(usize) -> u64, impl Fn(usize) -> u64),
        prove: impl Fn(usize, &Loaded, u64) -> (u64, Proof),
    ) -> Option<(u64, Proof)> {
        let mut found = None;
        let mut best = best;
        let used = || (0..self.moves.len()).filter(|&r| self.moves[r] > 0);
        let heaviest = used().max_by_key(|&r| (plain(r), std::cmp::Reverse(r)))?;
        let mut look = |wanted: Vec<usize>, best: &mut u64| {
            for (r, loads) in wanted.iter().zip(self.gather(&wanted)) {
                let (value, proof) = prove(*r, &loads, *best);
                if value > *best {
                    *best = value;
                    found = Some((value, proof));
                }
            }
        };
        look(vec![heaviest], &mut best);
        let rest = used()
            .filter(|&r| r != heaviest && most(r) > best)
            .collect();
        look(rest, &mut best);
        found
    }

    /// The loads on each wanted resource.
    fn gather(&self, wanted: &[usize]) -> Vec<Loaded> {
        let mut slots = vec![usize::MAX; self.moves.len()];
        for (slot, &r) in wanted.iter().enumerate() {
            slots[r] = slot;
        }
        let mut gathered = vec![Loaded::default(); wanted.len()];
        if wanted.is_empty() {
            return gathered;
        }
        for group in 0..self.flat.groups() {
            let cohorts = self.flat.cohorts_of(group);
            for cohort in cohorts.filter(|&c| self.flat.count[c] > 0) {
                let (count, duration_ms) = (self.flat.count[cohort], self.flat.duration_ms[cohort]);
                let load = Load {
                    group,
                    count,
                    duration_ms,
                };
                for &r in self.flat.takes.row(cohort) {
                    if let Some(loaded) = gathered.get_mut(slots[r as usize]) {
                        push(&mut loaded.takes, load);
                    }
                }
                for &r in self.flat.releases.row(cohort) {
                    if let Some(loaded) = gathered.get_mut(slots[r as usize]) {
                        let release = Release::of(self.flat, self.pace, group, cohort);
                        loaded.releases.push(release);
                    }
                }
            }
        }
        gathered
    }

    /// What has to go between, if that proves more than `best`.
    fn middle(&self, resource: usize, loaded: &Loaded, best: u64) -> (u64, Proof) {
        let takes = by_group(&loaded.takes);
        let (moves, room) = (self.moves[resource], self.pace.room[resource]);
        let most_first = |group, waves| self.joins.most_first(group, waves);
        let flat = (self.flat, self.pace);
        let recovering = Recovering::of(flat, resource, &loaded.releases, most_first);
        let best = u32::try_from(best).unwrap_or(u32::MAX);
        let Some(found) = between(self.joins, &takes, &recovering, best) else {
            return (0, Proof::Nothing);
        };
        let proof = Proof::Between {
            resource: resource as u32,
            moves,
            room,
            between: found,
        };
        (found.waves(room).into(), proof)
    }

    /// What can go in the first waves together, and in the last, from what all have to do.
    fn edges(&self, resource: usize, loaded: &Loaded) -> (u64, Proof) {
        let (takes, releases) = (&by_group(&loaded.takes), &loaded.releases);
        let (moves, room) = (self.moves[resource], self.pace.room[resource]);
        let most_first = |group, waves| self.joins.most_first(group, waves);
        let recovering = Recovering::of((self.flat, self.pace), resource, releases, most_first);
        let count = |load: &Load| load.count;
        let first = curve(takes, count, |it, waves| most_first(it.group, waves));
        let last = curve(takes, count, |it, waves| {
            self.joins.most_last(it.group, waves)
        });
        let waves = first.len().max(recovering.waves() as usize + 1);
        let head = edge((moves, room), (&first, waves), |wave| recovering.at(wave));
        let tail = edge((moves, room), (&last, last.len()), |_| room);
        let none = Edge::default();
        let pairs = [(head, tail), (head, none), (none, tail), (none, none)];
        let proved = pairs.into_iter().filter(|(h, t)| h.moves + t.moves < moves);
        let length =
            |(h, t): &(Edge, Edge)| h.waves + t.waves + (moves - h.moves - t.moves).div_ceil(room);
        let (head, tail) = proved
            .max_by_key(length)
            .expect("no edge leaves every move");
        let proof = Proof::Resource {
            resource: resource as u32,
            moves,
            room,
            head,
            tail,
        };
        (length(&(head, tail)).into(), proof)
    }

    fn resource_ms(
        &self,
        resource: usize,
        loads: &[Load],
        least_ms: impl Fn(&mut [Load], u32) -> u64,
    ) -> (u64, Proof) {
        let ends = &self.chains.ms;
        let mut heads: Vec<u64> = loads.iter().map(|l| ends.head[l.group]).collect();
        heads.sort_unstable();
        heads.dedup();
        heads.truncate(HEADS);
        let room = self.pace.room[resource];
        let mut best = (0, Proof::Nothing);
        for head_ms in heads {
            let late = loads.iter().filter(|l| ends.head[l.group] >= head_ms);
            let mut late: Vec<Load> = late.copied().collect();
            let tail_ms = late.iter().map(|l| ends.tail[l.group]).min().unwrap_or(0);
            let moves = late.iter().map(|l| l.count).sum();
            let moves_ms = least_ms(&mut late, room);
            let value = head_ms + moves_ms + tail_ms;
            if value > best.0 {
                let resource = resource as u32;
                let proof = Proof::ResourceTime {
                    resource,
                    moves,
                    room,
                    head_ms,
                    moves_ms,
                    tail_ms,
                };
                best = (value, proof);
            }
        }
        best
    }
}

/// Adds a load to the last one if only the count differs.
fn push(loads: &mut Vec<Load>, load: Load) {
    match loads.last_mut() {
        Some(last) if (last.group, last.duration_ms) == (load.group, load.duration_ms) => {
            last.count += load.count;
        }
        _ => loads.push(load),
    }
}

/// One load a group, whatever the durations. The loads of a group stand together.
fn by_group(loads: &[Load]) -> Vec<Load> {
    let mut merged: Vec<Load> = Vec::new();
    for load in loads {
        push(
            &mut merged,
            Load {
                duration_ms: 0,
                ..*load
            },
        );
    }
    merged
}

/// The least time of the waves that hold these moves, `room` at a time: each wave lasts as long
/// as its longest move, so the longest go together.
fn batches_ms(loads: &mut [Load], room: u32) -> u64 {
    loads.sort_unstable_by_key(|load| std::cmp::Reverse(load.duration_ms));
    let (mut before, mut ms) = (0_u64, 0);
    for load in loads {
        let end = before + u64::from(load.count);
        let begun = end.div_ceil(room.into()) - before.div_ceil(room.into());
        ms += begun * load.duration_ms;
        before = end;
    }
    ms
}
