//! Waves before and after each group that chains alone do not see: who waits for several begins only
//! when one resource had room for what it needs of all of them, and who is waited for by several is
//! followed by what all of them need of one resource.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::chains::{Chains, successors};
use super::edge::{curve, step};
use super::flat::Flat;
use super::pace::Pace;
use super::recovering::{Recovering, Release};
use super::rows::Rows;

/// What the groups of joins take, cohort by cohort, that is looked at; of more no join is known.
const TAKEN: usize = 1 << 22;

/// The same of what is looked at join by join.
const LOOKED_AT: usize = 1 << 20;

/// Heads and tails of each group in waves.
pub(crate) struct Joins<'a> {
    pace: &'a Pace,
    /// Before the group's first move.
    pub head: Vec<u32>,
    /// From the group's first move to the end of everything that waits for it.
    span: Vec<u32>,
    /// Of each group, after so many of its moves at least so many waves, for each number of moves
    /// that somebody waits for.
    tails: Vec<Vec<(u32, u32)>>,
}

/// A group, and how many of its moves somebody waits for.
type Need = (u32, u32);

impl<'a> Joins<'a> {
    /// What chains say, without joins.
    pub fn chains(flat: &Flat, pace: &'a Pace, chains: &Chains) -> Self {
        let ends = &chains.waves;
        let tails = (0..flat.groups()).map(|group| {
            let after = successors(flat, group);
            after.map(|(it, count)| (count, ends.span[it])).collect()
        });
        Self {
            pace,
            head: ends.head.clone(),
            span: ends.span.clone(),
            tails: tails.collect(),
        }
    }

    pub fn of(flat: &Flat, pace: &'a Pace, chains: &Chains) -> Self {
        let mut joins = Self::chains(flat, pace, chains);
        if flat.links.is_empty() {
            return joins;
        }
        let network = Network::of(flat);
        if let Some(taking) = Taking::of(flat, &joins, &network) {
            joins.raise_heads(&chains.order, &network, &taking);
            joins.raise_tails(&chains.order, &network, &taking);
        }
        joins
    }

    fn raise_heads(&mut self, order: &[u32], network: &Network, taking: &Taking) {
        let mut known: HashMap<&[Need], u32, FxBuildHasher> = HashMap::default();
        for &group in order {
            let needs = &network.before[group as usize][..];
            let each = needs.iter().map(|&(before, count)| {
                self.head[before as usize] + self.pace.waves(before as usize, count)
            });
            let chained = each.max().unwrap_or(0);
            let joined = *known.entry(needs).or_insert_with(|| {
                // What is not needed may be what takes.
                let total = |group: u32| self.pace.total[group as usize];
                let spared = |&(group, count)| (group, total(group).saturating_sub(count));
                let needs: Vec<Need> = needs.iter().map(spared).collect();
                taking.first(&needs, |group, waves| self.most_first(group, waves))
            });
            self.head[group as usize] = chained.max(joined);
        }
    }

    fn raise_tails(&mut self, order: &[u32], network: &Network, taking: &Taking) {
        let mut known: HashMap<Vec<Need>, u32, FxBuildHasher> = HashMap::default();
        for group in order.iter().rev().map(|&group| group as usize) {
            let total = self.pace.total[group];
            let mut counts: Vec<u32> = network.after[group].iter().map(|it| it.1).collect();
            counts.sort_unstable();
            counts.dedup();
            let mut tails = Vec::with_capacity(counts.len());
            let mut span = self.pace.waves(group, total);
            for count in counts {
                let waiting = network.after[group].iter().filter(|it| it.1 >= count);
                let waiting: Vec<Need> = waiting.map(|it| (it.0, 0)).collect();
                let spans = waiting.iter().map(|it| self.span[it.0 as usize]);
                let chained = spans.max().unwrap_or(0);
                let joined = match known.get(&waiting) {
                    Some(&joined) => joined,
                    None => taking.last(&waiting, |group, waves| self.most_last(group, waves)),
                };
                known.insert(waiting, joined);
                let tail = chained.max(joined);
                span = span.max(self.pace.waves(group, count) + tail);
                tails.push((count, tail));
            }
            self.span[group] = span;
            self.tails[group] = tails;
        }
    }

    /// The most moves of the group in the first waves.
    pub fn most_first(&self, group: usize, waves: u32) -> u32 {
        let own = waves.saturating_sub(self.head[group]);
        step(self.pace.forward.row(group), own)
    }

    /// The most moves of the group in the last waves.
    pub fn most_last(&self, group: usize, waves: u32) -> u32 {
        let total = self.pace.total[group];
        let own = waves.saturating_sub(self.tail(group));
        let most = step(self.pace.backward.row(group), own);
        let kept = self.tails[group].iter().filter(|it| waves <= it.1);
        kept.fold(most, |most, it| most.min(total.saturating_sub(it.0)))
    }

    /// The waves after the last move of the group, by those that wait for all of it.
    fn tail(&self, group: usize) -> u32 {
        let total = self.pace.total[group];
        let all = self.tails[group].iter().filter(|it| it.0 >= total);
        all.map(|it| it.1).max().unwrap_or(0)
    }

    /// Waves around a wave in which `count` moves of the group do not all fit before nor after it.
    pub fn lift(&self, group: usize, count: u32) -> u32 {
        let outside = |steps: &[u32]| steps.partition_point(|&done| done < count) as u32;
        let head = self.head[group] + outside(self.pace.forward.row(group));
        let tail = self.tail(group) + outside(self.pace.backward.row(group));
        let tails = self.tails[group].iter().map(|it| it.1);
        head + tails.fold(tail, u32::max)
    }
}

/// Who waits for whom, each pair once.
struct Network {
    /// Of each group those for which it waits, and for how many of their moves.
    before: Vec<Vec<Need>>,
    /// Of each group those that wait for it, and for how many of its moves.
    after: Vec<Vec<Need>>,
}

impl Network {
    fn of(flat: &Flat) -> Self {
        let mut network = Self {
            before: vec![Vec::new(); flat.groups()],
            after: vec![Vec::new(); flat.groups()],
        };
        let mut links: Vec<_> = flat.links.iter().filter(|link| link.count > 0).collect();
        links.sort_unstable_by_key(|it| (it.before, it.after, it.count));
        for same in links.chunk_by(|a, b| (a.before, a.after) == (b.before, b.after)) {
            let link = same[same.len() - 1];
            network.before[link.after as usize].push((link.before, link.count));
            network.after[link.before as usize].push((link.after, link.count));
        }
        network
    }

    /// Whether somebody waits for a group, or it is one of several that wait.
    fn members(&self) -> Vec<bool> {
        let mut are_members: Vec<bool> = self.after.iter().map(|it| !it.is_empty()).collect();
        for (member, _) in self.after.iter().filter(|it| it.len() > 1).flatten() {
            are_members[*member as usize] = true;
        }
        are_members
    }
}

/// What the groups of joins take from resources that can be full.
struct Taking<'a> {
    pace: &'a Pace,
    /// Of each group its moves on each resource.
    on: Rows<(u32, u32)>,
    /// Resources that are short of room at first.
    recovering: HashMap<u32, Recovering, FxBuildHasher>,
}

impl<'a> Taking<'a> {
    /// None when there are no joins, or too much to look at.
    fn of(flat: &Flat, joins: &Joins<'a>, network: &Network) -> Option<Self> {
        let pace = joins.pace;
        let members = &network.members();
        let cohorts = |group: usize| {
            let cohorts = flat.cohorts_of(group);
            cohorts.filter(move |&cohort| members[group] && flat.count[cohort] > 0)
        };
        let all = || (0..flat.groups()).flat_map(cohorts);
        let taken: usize = all().map(|cohort| flat.takes.row(cohort).len()).sum();
        if taken == 0 || taken > TAKEN {
            return None;
        }
        let mut moves = vec![0_u32; flat.resources()];
        for cohort in all() {
            for &r in flat.takes.row(cohort) {
                moves[r as usize] += flat.count[cohort];
            }
        }
        let recovering = recovering(flat, joins);
        let is_full =
            |r: u32| moves[r as usize] > pace.room[r as usize] || recovering.contains_key(&r);
        let (mut own, mut on) = (vec![0_u32; flat.resources()], Rows::default());
        for group in 0..flat.groups() {
            let mut touched = Vec::new();
            for cohort in cohorts(group) {
                for &r in flat.takes.row(cohort).iter().filter(|&&r| is_full(r)) {
                    touched.extend((own[r as usize] == 0).then_some(r));
                    own[r as usize] += flat.count[cohort];
                }
            }
            let each = touched.into_iter();
            on.push_row(each.map(|r| (r, std::mem::take(&mut own[r as usize]))));
        }
        let all = network.before.iter().chain(&network.after).flatten();
        let looked_at: usize = all.map(|it| on.row(it.0 as usize).len()).sum();
        let taking = Self {
            pace,
            on,
            recovering,
        };
        (looked_at <= LOOKED_AT).then_some(taking)
    }

    /// The most waves until a resource had room for all moves of groups but those that are spared, of
    /// each of which so many can be made in the first waves.
    fn first(&self, spared: &[Need], most: impl Fn(usize, u32) -> u32) -> u32 {
        self.most(spared, &most, |resource| self.recovering.get(&resource))
    }

    /// The same from the last wave back, where all has come back.
    fn last(&self, spared: &[Need], most: impl Fn(usize, u32) -> u32) -> u32 {
        self.most(spared, &most, |_| None)
    }

    fn most<'r>(
        &self,
        spared: &[Need],
        most: impl Fn(usize, u32) -> u32,
        recovering: impl Fn(u32) -> Option<&'r Recovering>,
    ) -> u32 {
        let mut loads = Vec::new();
        for &(group, spared) in spared {
            let on = self.on.row(group as usize).iter();
            let left = on.map(|&(r, count)| (r, group, count.saturating_sub(spared)));
            loads.extend(left.filter(|it| it.2 > 0));
        }
        loads.sort_unstable();
        let by_resource = loads.chunk_by(|a, b| a.0 == b.0);
        let each = by_resource.map(|loads| {
            let recovering = recovering(loads[0].0);
            let room = self.pace.room[loads[0].0 as usize];
            let moves: u32 = loads.iter().map(|it| it.2).sum();
            // What one wave has room for, and what one group has to do, chains know.
            if recovering.is_none() && (loads.len() < 2 || moves <= room) {
                return 0;
            }
            let outside = curve(loads, |it| it.2, |it, waves| most(it.1 as usize, waves));
            let left = (0..).zip(outside).filter(|&(_, outside)| outside < moves);
            let waves = left.map(|(waves, outside)| {
                let left = moves - outside;
                waves + recovering.map_or(left.div_ceil(room), |it| it.after(waves, left).0)
            });
            waves.max().unwrap_or(0)
        });
        each.max().unwrap_or(0)
    }
}

/// The resources that are short of room at first.
fn recovering(flat: &Flat, joins: &Joins) -> HashMap<u32, Recovering, FxBuildHasher> {
    let mut releases = Vec::new();
    for group in 0..flat.groups() {
        for cohort in flat.cohorts_of(group).filter(|&c| flat.count[c] > 0) {
            let release = Release::of(flat, joins.pace, group, cohort);
            releases.extend(flat.releases.row(cohort).iter().map(|&r| (r, release)));
        }
    }
    releases.sort_by_key(|it| it.0);
    let by_resource = releases.chunk_by(|a, b| a.0 == b.0);
    let each = by_resource.map(|its| {
        let (resource, releases) = (its[0].0, its.iter().map(|it| it.1).collect::<Vec<_>>());
        let most_first = |group, waves| joins.most_first(group, waves);
        let of = (flat, joins.pace);
        (
            resource,
            Recovering::of(of, resource as usize, &releases, most_first),
        )
    });
    each.filter(|(_, it)| it.waves() > 0).collect()
}
