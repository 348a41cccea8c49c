//! Waves and time that the precedences put before and after each group.

use super::flat::Flat;
use super::pace::Pace;

/// Heads and tails of each group, in waves and in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Chains {
    /// Every group after those it waits for.
    pub order: Vec<u32>,
    pub waves: Ends<u32>,
    pub ms: Ends<u64>,
}

/// Lower bounds around the moves of each group.
#[derive(Clone, Debug)]
pub(crate) struct Ends<T> {
    /// Before the group's first move.
    pub head: Vec<T>,
    /// From the group's first move to the end of everything that waits for it.
    pub span: Vec<T>,
    /// After the last move of the group, by those that wait for all of it.
    pub tail: Vec<T>,
    /// The group whose span decides this group's span; `None`: its own moves do.
    pub next: Vec<Option<u32>>,
}

impl Chains {
    pub fn of(flat: &Flat, pace: &Pace) -> Self {
        let needs = Needs::of(flat);
        Self::by(flat, pace, |group, count| {
            needs.ms(flat, pace, group, count)
        })
    }

    /// As [`Self::of`], where nobody waits for a wave to be over.
    pub fn streaming(flat: &Flat, pace: &Pace) -> Self {
        let needs = Needs::of(flat);
        let ms = |group, count| needs.streaming_ms(flat, pace, group, count);
        Self::by(flat, pace, ms)
    }

    /// By the least time that the first moves of a group need.
    fn by(flat: &Flat, pace: &Pace, ms: impl Fn(usize, u32) -> u64) -> Self {
        let order = topological(flat);
        let waves = |group, count| pace.waves(group, count);
        let waves = Ends::of(flat, pace, &order, waves);
        let ms = Ends::of(flat, pace, &order, ms);
        Self { order, waves, ms }
    }
}

impl<T: Copy + Default + Ord + std::ops::Add<Output = T>> Ends<T> {
    /// `least(group, count)` is the least that the first `count` moves of the group need.
    pub fn of(flat: &Flat, pace: &Pace, order: &[u32], least: impl Fn(usize, u32) -> T) -> Self {
        let zero = vec![T::default(); flat.groups()];
        let next = vec![None; flat.groups()];
        let mut ends = Self {
            head: zero.clone(),
            span: zero.clone(),
            tail: zero,
            next,
        };
        for &group in order {
            let group = group as usize;
            for (after, count) in successors(flat, group) {
                let head = ends.head[group] + least(group, count);
                ends.head[after] = ends.head[after].max(head);
            }
        }
        for &group in order.iter().rev() {
            let group = group as usize;
            ends.span[group] = least(group, pace.total[group]);
            for (after, count) in successors(flat, group) {
                let span = least(group, count) + ends.span[after];
                if span > ends.span[group] {
                    ends.span[group] = span;
                    ends.next[group] = Some(after as u32);
                }
                if count >= pace.total[group] {
                    ends.tail[group] = ends.tail[group].max(ends.span[after]);
                }
            }
        }
        ends
    }
}

/// The groups that wait for this one, and for how many of its moves.
pub(crate) fn successors(flat: &Flat, group: usize) -> impl Iterator<Item = (usize, u32)> {
    let links = flat
        .links_from
        .row(group)
        .iter()
        .map(|&l| flat.links[l as usize]);
    links
        .filter(|link| link.count > 0)
        .map(|link| (link.after as usize, link.count))
}

/// Every group after those it waits for. The links of moves that can be done have no circle.
fn topological(flat: &Flat) -> Vec<u32> {
    let mut waits = vec![0_u32; flat.groups()];
    for link in flat.links.iter().filter(|link| link.count > 0) {
        waits[link.after as usize] += 1;
    }
    let mut order: Vec<u32> = (0..flat.groups() as u32)
        .filter(|&g| waits[g as usize] == 0)
        .collect();
    let mut at = 0;
    while at < order.len() {
        for (after, _) in successors(flat, order[at] as usize) {
            waits[after] -= 1;
            if waits[after] == 0 {
                order.push(after as u32);
            }
        }
        at += 1;
    }
    assert_eq!(
        order.len(),
        flat.groups(),
        "moves that can be done wait in a circle"
    );
    order
}

/// The least time that each group needs for its moves.
#[derive(Clone, Debug)]
pub(crate) struct Needs {
    /// The shortest and the longest move of each group in milliseconds.
    durations_ms: Vec<(u64, u64)>,
}

/// The shortest and the longest move of a group; without moves the largest number there is and 0.
pub(crate) fn durations_ms(flat: &Flat, group: usize) -> (u64, u64) {
    let held = flat.cohorts_of(group).filter(|&c| flat.count[c] > 0);
    let each = held.map(|c| flat.duration_ms[c]);
    each.fold((u64::MAX, 0), |(low, high), ms| (low.min(ms), high.max(ms)))
}

/// The soak of the stages that end before `count` moves of the group are done.
pub(crate) fn soaks_ms(flat: &Flat, group: usize, count: u32) -> u64 {
    let stages = flat.stages.row(group).iter();
    let ended = stages.filter(|stage| stage.until < count);
    ended.map(|stage| stage.soak_ms).sum()
}

impl Needs {
    pub fn of(flat: &Flat) -> Self {
        let each = (0..flat.groups()).map(|group| durations_ms(flat, group));
        Self {
            durations_ms: each.collect(),
        }
    }

    /// The shortest move of the group; the largest number there is when it has none.
    pub fn shortest_ms(&self, group: usize) -> u64 {
        self.durations_ms[group].0
    }

    /// The longest of the first `count` moves, as far as that is known before all are done.
    fn last_ms(&self, pace: &Pace, group: usize, count: u32) -> u64 {
        let (low, high) = self.durations_ms[group];
        if count >= pace.total[group] {
            high
        } else {
            low
        }
    }

    /// The least time for the first `count` moves: each of their waves lasts as long as the
    /// shortest move, one as long as the longest if all are done, after those of them have begun
    /// that are in it, and the stages that end before soak.
    pub fn ms(&self, flat: &Flat, pace: &Pace, group: usize, count: u32) -> u64 {
        let waves_ms = self.waves_ms(pace, group, count);
        soaks_ms(flat, group, count) + flat.begun_ms(group, count) + waves_ms
    }

    /// The same where nobody waits for a wave to be over: what goes beside the longest move, and what
    /// begins while others soak, takes no more time; and the first may have waited for its rate
    /// before it could begin.
    pub fn streaming_ms(&self, flat: &Flat, pace: &Pace, group: usize, count: u32) -> u64 {
        if count == 0 {
            return 0;
        }
        let low = self.shortest_ms(group);
        let last = self.last_ms(pace, group, count);
        let slots_ms = u64::from(pace.waves(group, count)) * low;
        let soaks_ms = soaks_ms(flat, group, count);
        (soaks_ms + slots_ms.max(last)).max(flat.spread_ms(group, count) + low)
    }

    /// The same as [`Self::ms`] without soaks, and beside the time in which moves begin.
    pub fn waves_ms(&self, pace: &Pace, group: usize, count: u32) -> u64 {
        if count == 0 {
            return 0;
        }
        let low = self.shortest_ms(group);
        let last = self.last_ms(pace, group, count);
        u64::from(pace.waves(group, count) - 1) * low + last
    }
}
