//! What the moves put on each resource, and the waves and the time that this costs.

use super::chains::{Chains, successors};
use super::flat::Flat;
use super::pace::Pace;
use super::proof::{Edge, Proof};

/// The moves of one group, of one duration, that take from one resource.
#[derive(Clone, Copy)]
struct Load {
    group: usize,
    count: u32,
    duration_ms: u64,
}

/// What the groups put on each resource.
pub(crate) struct Loads<'a> {
    flat: &'a Flat,
    pace: &'a Pace,
    chains: &'a Chains,
    /// Moves that take from each resource.
    moves: Vec<u32>,
    /// The longest of these moves, in milliseconds.
    longest_ms: Vec<u64>,
    /// How far heads and tails can at most lift the bound above the plain load: waves and time.
    lift: Vec<(u32, u64)>,
}

/// Groups of distinct heads that a bound in time tells apart on one resource.
const HEADS: usize = 32;

impl<'a> Loads<'a> {
    pub fn of(flat: &'a Flat, pace: &'a Pace, chains: &'a Chains) -> Self {
        let n = flat.resources();
        let (moves, longest_ms, lift) = (vec![0; n], vec![0; n], vec![(0, 0); n]);
        let mut loads = Self {
            flat,
            pace,
            chains,
            moves,
            longest_ms,
            lift,
        };
        for group in 0..flat.groups() {
            // A wave counts at an edge only while not all moves of the resource fit before it.
            let own = 2 * pace.forward.row(group).len() as u32;
            let tails = successors(flat, group).map(|(after, _)| chains.waves.span[after]);
            let waves = chains.waves.head[group] + own + tails.max().unwrap_or(0);
            let ms = chains.ms.head[group] + chains.ms.tail[group];
            for cohort in flat.cohorts_of(group).filter(|&c| flat.count[c] > 0) {
                for &r in flat.takes.row(cohort) {
                    let r = r as usize;
                    loads.moves[r] += flat.count[cohort];
                    loads.longest_ms[r] = loads.longest_ms[r].max(flat.duration_ms[cohort]);
                    loads.lift[r] = (loads.lift[r].0.max(waves), loads.lift[r].1.max(ms));
                }
            }
        }
        loads
    }

    /// The most waves that a resource proves, if more than `best`.
    pub fn waves(&self, best: u32) -> Option<(u64, Proof)> {
        let most = |r: usize| u64::from(self.plain(r)) + u64::from(self.lift[r].0);
        let prove = |r: usize, loads: &[Load]| self.resource_waves(r, loads);
        let plain = |r: usize| u64::from(self.plain(r));
        self.strongest(best.into(), (plain, most), prove)
    }

    /// The most time that a resource proves, if more than `best`.
    pub fn ms(&self, best: u64) -> Option<(u64, Proof)> {
        let plain = |r: usize| u64::from(self.plain(r)) * self.longest_ms[r];
        let most = |r: usize| plain(r) + self.lift[r].1;
        let prove = |r: usize, loads: &[Load]| self.resource_ms(r, loads);
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
        prove: impl Fn(usize, &[Load]) -> (u64, Proof),
    ) -> Option<(u64, Proof)> {
        let mut found = None;
        let mut best = best;
        let used = || (0..self.moves.len()).filter(|&r| self.moves[r] > 0);
        let heaviest = used().max_by_key(|&r| (plain(r), std::cmp::Reverse(r)))?;
        let mut look = |wanted: Vec<usize>, best: &mut u64| {
            for (r, loads) in wanted.iter().zip(self.gather(&wanted)) {
                let (value, proof) = prove(*r, &loads);
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
    fn gather(&self, wanted: &[usize]) -> Vec<Vec<Load>> {
        let mut slots = vec![usize::MAX; self.moves.len()];
        for (slot, &r) in wanted.iter().enumerate() {
            slots[r] = slot;
        }
        let mut gathered: Vec<Vec<Load>> = vec![Vec::new(); wanted.len()];
        if wanted.is_empty() {
            return gathered;
        }
        for group in 0..self.flat.groups() {
            for cohort in self
                .flat
                .cohorts_of(group)
                .filter(|&c| self.flat.count[c] > 0)
            {
                let (count, duration_ms) = (self.flat.count[cohort], self.flat.duration_ms[cohort]);
                for &r in self.flat.takes.row(cohort) {
                    let Some(loads) = gathered.get_mut(slots[r as usize]) else {
                        continue;
                    };
                    match loads.last_mut() {
                        Some(l) if l.group == group && l.duration_ms == duration_ms => {
                            l.count += count;
                        }
                        _ => loads.push(Load {
                            group,
                            count,
                            duration_ms,
                        }),
                    }
                }
            }
        }
        gathered
    }

    fn resource_waves(&self, resource: usize, loads: &[Load]) -> (u64, Proof) {
        let mut by_group: Vec<Load> = Vec::new();
        for load in loads {
            match by_group.last_mut() {
                Some(last) if last.group == load.group => last.count += load.count,
                _ => by_group.push(*load),
            }
        }
        let (moves, room) = (self.moves[resource], self.pace.room[resource]);
        let head = edge(&by_group, (moves, room), |load, w| {
            self.most_first(load.group, w)
        });
        let tail = edge(&by_group, (moves, room), |load, w| {
            self.most_last(load.group, w)
        });
        let none = Edge::default();
        let pairs = [(head, tail), (head, none), (none, tail)];
        let proved = pairs.into_iter().filter(|(h, t)| h.moves + t.moves < moves);
        let count =
            |(h, t): &(Edge, Edge)| h.waves + t.waves + (moves - h.moves - t.moves).div_ceil(room);
        let (head, tail) = proved.max_by_key(count).expect("an edge leaves a move");
        let proof = Proof::Resource {
            resource: resource as u32,
            moves,
            room,
            head,
            tail,
        };
        (count(&(head, tail)).into(), proof)
    }

    /// The most moves of the group in the first waves.
    fn most_first(&self, group: usize, waves: u32) -> u32 {
        let own = waves.saturating_sub(self.chains.waves.head[group]);
        step(self.pace.forward.row(group), own)
    }

    /// The most moves of the group in the last waves.
    fn most_last(&self, group: usize, waves: u32) -> u32 {
        let own = waves.saturating_sub(self.chains.waves.tail[group]);
        let mut most = step(self.pace.backward.row(group), own);
        for (after, count) in successors(self.flat, group) {
            if waves <= self.chains.waves.span[after] {
                most = most.min(self.pace.total[group].saturating_sub(count));
            }
        }
        most
    }

    fn resource_ms(&self, resource: usize, loads: &[Load]) -> (u64, Proof) {
        let ends = &self.chains.ms;
        let mut heads: Vec<u64> = loads.iter().map(|l| ends.head[l.group]).collect();
        heads.sort_unstable();
        heads.dedup();
        heads.truncate(HEADS);
        let room = self.pace.room[resource];
        let mut best = (0, Proof::Nothing);
        for head_ms in heads {
            let mut late: Vec<Load> = loads
                .iter()
                .filter(|l| ends.head[l.group] >= head_ms)
                .copied()
                .collect();
            let tail_ms = late.iter().map(|l| ends.tail[l.group]).min().unwrap_or(0);
            let moves = late.iter().map(|l| l.count).sum();
            let moves_ms = batches_ms(&mut late, room);
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

/// The steps' value after so many waves.
fn step(steps: &[u32], waves: u32) -> u32 {
    match (waves, steps) {
        (0, _) | (_, []) => 0,
        _ => steps[(waves as usize).min(steps.len()) - 1],
    }
}

/// The run of waves at one end that wastes most of the resource's room: of all runs in which not
/// all moves fit, the one with the largest `waves * room - moves`.
fn edge(loads: &[Load], (moves, room): (u32, u32), most: impl Fn(&Load, u32) -> u32) -> Edge {
    let mut added: Vec<u32> = Vec::new();
    for load in loads {
        let (mut wave, mut before) = (0, 0);
        while before < load.count {
            wave += 1;
            if added.len() < wave as usize {
                added.push(0);
            }
            let now = most(load, wave).min(load.count);
            added[wave as usize - 1] += now - before;
            before = now;
        }
    }
    let (mut best, mut best_waste, mut sum) = (Edge::default(), 0, 0);
    for (waves, now) in (1..).zip(added) {
        sum += now;
        let waste = i64::from(waves) * i64::from(room) - i64::from(sum);
        if sum < moves && waste > best_waste {
            (best, best_waste) = (Edge { waves, moves: sum }, waste);
        }
    }
    best
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
