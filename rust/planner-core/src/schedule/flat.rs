//! The problem as flat columns, for the hot loops.
//!
//! A fleet with a budget on every node has a million cohorts of one move each. Walking them as
//! vectors of vectors costs a cache miss a cohort, so they are laid end to end once: cohort `c`
//! is a number over all groups, and its takes are a slice of one long column.

use std::{collections::BTreeMap, ops::Range};

use super::calendar::{Open, shared};
use super::cohorts::ahead_of;
use super::gangs::Gangs;
use super::phases::Phases;
use super::problem::{CalendarIdx, Cohorts, Order, Problem};
use super::rates::{Need, begun_ms};
use super::rows::Rows;

/// A precedence without its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub before: u32,
    pub after: u32,
    pub count: u32,
}

/// A stage that holds at least one move.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlatStage {
    /// Moves of the group that are done when it ends.
    pub until: u32,
    pub soak_ms: u64,
    /// Its place in [`super::problem::Group::stages`].
    pub index: u32,
}

/// The problem as columns. Resources, groups and precedences keep their indices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flat {
    pub limit: Vec<u32>,
    pub down: Vec<u32>,
    pub is_place: Vec<bool>,
    /// Moves of each cohort.
    pub count: Vec<u32>,
    pub duration_ms: Vec<u64>,
    pub takes: Rows<u32>,
    pub releases: Rows<u32>,
    /// Moves of its group that have to be done before any of a cohort; see [`Cohorts::put_ahead`].
    ahead: Vec<(u32, u32)>,
    cohort_ends: Vec<u32>,
    pub phases: Phases,
    pub gangs: Gangs,
    pub strict: Vec<bool>,
    /// Where the last stage of each group ends; later moves are in no stage.
    pub stages_end: Vec<u32>,
    pub stages: Rows<FlatStage>,
    pub links: Vec<Link>,
    /// Precedences by the group that goes first.
    pub links_from: Rows<u32>,
    /// What each different set of calendars has open together.
    pub open: Vec<Open>,
    /// Of each group, where its set is among those; [`ALWAYS`] without any.
    pub open_of: Vec<u32>,
    /// Units of each rate that may begin in a second.
    pub per_s: Vec<u32>,
    /// What a move of each group needs of them. Empty without rates.
    needs: Rows<Need>,
}

/// No calendar says when the group may move.
const ALWAYS: u32 = u32::MAX;

impl Flat {
    pub fn of(problem: &Problem) -> Self {
        let (takes, releases) = rayon::join(
            || end_to_end(problem, |cohorts| &cohorts.takes),
            || end_to_end(problem, |cohorts| &cohorts.releases),
        );
        let cohorts = problem.groups.iter().map(|group| group.cohorts.len()).sum();
        let mut flat = Self {
            takes,
            releases,
            count: Vec::with_capacity(cohorts),
            duration_ms: Vec::with_capacity(cohorts),
            limit: problem.resources.iter().map(|r| r.limit).collect(),
            down: problem.resources.iter().map(|r| r.down).collect(),
            is_place: problem.resources.iter().map(|r| r.is_place).collect(),
            phases: Phases::of(problem),
            gangs: Gangs::of(problem),
            ..Self::default()
        };
        for group in &problem.groups {
            let cohorts = &group.cohorts;
            let first = flat.count.len() as u32;
            let ahead = cohorts.ahead.iter().map(|(at, moves)| (first + at, *moves));
            flat.ahead.extend(ahead);
            flat.count.extend_from_slice(&cohorts.counts);
            flat.duration_ms.extend_from_slice(&cohorts.durations_ms);
            flat.end_group();
            flat.strict.push(group.order == Order::Strict);
        }
        flat.stage(problem);
        for p in &problem.precedences {
            flat.links.push(Link {
                before: p.before,
                after: p.after,
                count: p.count,
            });
        }
        flat.index_links();
        flat.take_calendars(problem);
        flat.take_rates(problem);
        flat
    }

    fn take_calendars(&mut self, problem: &Problem) {
        let mut known: BTreeMap<&[CalendarIdx], u32> = BTreeMap::new();
        for group in &problem.groups {
            let calendars = &group.calendars[..];
            self.open_of.push(match calendars {
                [] => ALWAYS,
                _ => *known.entry(calendars).or_insert_with(|| {
                    self.open.push(shared(problem, calendars));
                    self.open.len() as u32 - 1
                }),
            });
        }
    }

    fn take_rates(&mut self, problem: &Problem) {
        if !problem.rates.is_empty() {
            self.per_s = problem.rates.iter().map(|it| it.per_s).collect();
            for group in &problem.groups {
                self.needs.push_slice(&group.needs);
            }
        }
    }

    /// What a move of a group needs of each rate by which it goes.
    pub fn needs(&self, group: usize) -> &[Need] {
        if self.per_s.is_empty() {
            &[]
        } else {
            self.needs.row(group)
        }
    }

    /// Milliseconds until so many moves of a group have begun.
    pub fn begun_ms(&self, group: usize, moves: u32) -> u64 {
        let needs = self.needs(group).iter();
        let each = needs.map(|it| begun_ms(it.of(moves), self.per_s[it.rate as usize]));
        each.max().unwrap_or(0)
    }

    /// Milliseconds from the first of so many moves of a group to the last, where they begin one after
    /// the other, rounded down.
    pub fn spread_ms(&self, group: usize, moves: u32) -> u64 {
        let needs = self.needs(group).iter();
        let others = moves.saturating_sub(1);
        let each = needs.map(|it| it.of(others) * 1000 / u64::from(self.per_s[it.rate as usize]));
        each.max().unwrap_or(0)
    }

    /// Whether calendars say when some of the groups may move.
    pub fn is_timed(&self) -> bool {
        !self.open.is_empty()
    }

    /// When the group may move; `None`: always.
    pub fn open(&self, group: usize) -> Option<&Open> {
        self.open.get(self.open_of[group] as usize)
    }

    /// Takes the stages of the problem's groups.
    pub fn stage(&mut self, problem: &Problem) {
        (self.stages_end, self.stages) = (Vec::new(), Rows::default());
        for group in &problem.groups {
            self.stages_end
                .push(group.stages.last().map_or(u32::MAX, |s| s.until));
            let mut until = 0;
            let held = group.stages.iter().zip(0..).filter_map(|(stage, index)| {
                let holds = stage.until > until;
                until = until.max(stage.until);
                holds.then_some(FlatStage {
                    until,
                    soak_ms: stage.soak_ms,
                    index,
                })
            });
            let held: Vec<FlatStage> = held.collect();
            let whole = FlatStage {
                until: u32::MAX,
                soak_ms: 0,
                index: 0,
            };
            let none = held.is_empty().then_some(whole);
            self.stages.push_row(held.into_iter().chain(none));
        }
    }

    /// Units of each resource that stay taken once all moves are made.
    pub fn down_after(&self) -> Vec<u32> {
        let mut down = self.down.clone();
        for (cohort, done) in self.count.iter().enumerate() {
            for &r in self.releases.row(cohort) {
                down[r as usize] = down[r as usize].saturating_sub(*done);
            }
        }
        down
    }

    /// Whether the stages of every group hold all its moves.
    pub fn are_all_staged(&self) -> bool {
        (0..self.groups()).all(|group| {
            let end = self.stages_end[group];
            end == u32::MAX || self.count[self.cohorts_of(group)].iter().sum::<u32>() <= end
        })
    }

    fn push_cohort(&mut self, count: u32, duration_ms: u64, takes: &[u32], releases: &[u32]) {
        self.count.push(count);
        self.duration_ms.push(duration_ms);
        self.takes.push_row(takes.iter().copied());
        self.releases.push_row(releases.iter().copied());
    }

    fn end_group(&mut self) {
        self.cohort_ends.push(self.count.len() as u32);
    }

    fn index_links(&mut self) {
        let mut from: Vec<u32> = (0..self.links.len() as u32).collect();
        from.sort_by_key(|&link| self.links[link as usize].before);
        let mut from = from.into_iter().peekable();
        for group in 0..self.groups() as u32 {
            while let Some(link) = from.next_if(|&l| self.links[l as usize].before == group) {
                self.links_from.push_value(link);
            }
            self.links_from.push_row([]);
        }
    }

    /// Precedences by the group that waits.
    pub fn links_to(&self) -> Rows<u32> {
        let mut by_after = vec![Vec::new(); self.groups()];
        let links = self.links.iter().zip(0..);
        for (link, at) in links.filter(|(link, _)| link.count > 0) {
            by_after[link.after as usize].push(at);
        }
        let mut rows = Rows::default();
        for row in by_after {
            rows.push_row(row);
        }
        rows
    }

    pub fn groups(&self) -> usize {
        self.cohort_ends.len()
    }

    pub fn resources(&self) -> usize {
        self.limit.len()
    }

    pub fn cohorts(&self) -> usize {
        self.count.len()
    }

    pub fn cohorts_of(&self, group: usize) -> Range<usize> {
        let start = if group == 0 {
            0
        } else {
            self.cohort_ends[group - 1]
        };
        start as usize..self.cohort_ends[group] as usize
    }

    /// Moves of its group that have to be done before any of a cohort. Calendars may leave a longer
    /// move no time, and shorter ones pass it over.
    pub fn ahead(&self, cohort: usize) -> u32 {
        if self.is_timed() {
            return 0;
        }
        ahead_of(&self.ahead, cohort as u32)
    }

    /// Whether any cohort waits for others of its group.
    pub fn has_ahead(&self) -> bool {
        !self.ahead.is_empty() && !self.is_timed()
    }

    /// The group of each cohort.
    pub fn group_of(&self) -> Vec<u32> {
        let mut group_of = Vec::with_capacity(self.cohorts());
        for group in 0..self.groups() {
            group_of.resize(self.cohorts_of(group).end, group as u32);
        }
        group_of
    }

    /// The same problem with these moves only (by cohort), all of which can be done.
    pub fn only(mut self, moves: &[u32]) -> Self {
        self.count.copy_from_slice(moves);
        self.phases.count(moves);
        self.stages_end.fill(u32::MAX);
        let idle = |group| self.cohorts_of(group).all(|c| self.count[c] == 0);
        let idle: Vec<bool> = (0..self.groups()).map(idle).collect();
        for link in self
            .links
            .iter_mut()
            .filter(|link| idle[link.after as usize])
        {
            link.count = 0;
        }
        self
    }

    /// What remains when the moves `done` (by cohort) are done, of the groups that `keep` says.
    /// `down` are the units that are still taken then. Also gives the old number of each cohort.
    pub fn remainder(&self, done: &[u32], down: &[u32], keep: &[bool]) -> (Self, Vec<u32>) {
        let mut rest = Self {
            limit: self.limit.clone(),
            is_place: self.is_place.clone(),
            down: down.to_vec(),
            strict: self.strict.clone(),
            stages: self.stages.clone(),
            links: self.links.clone(),
            links_from: self.links_from.clone(),
            open: self.open.clone(),
            open_of: self.open_of.clone(),
            per_s: self.per_s.clone(),
            needs: self.needs.clone(),
            ..Self::default()
        };
        let mut numbers = Vec::new();
        let mut group_done = vec![0; self.groups()];
        for group in 0..self.groups() {
            for cohort in self.cohorts_of(group) {
                group_done[group] += done[cohort];
                let left = self.count[cohort] - done[cohort];
                if left > 0 && keep[group] {
                    let (takes, gives) = (self.takes.row(cohort), self.releases.row(cohort));
                    rest.push_cohort(left, self.duration_ms[cohort], takes, gives);
                    numbers.push(cohort as u32);
                }
            }
            rest.end_group();
            let end = self.stages_end[group];
            let open = if end == u32::MAX {
                end
            } else {
                end.saturating_sub(group_done[group])
            };
            rest.stages_end.push(open);
        }
        for link in &mut rest.links {
            link.count = link.count.saturating_sub(group_done[link.before as usize]);
        }
        rest.phases = self.phases.remainder(&numbers, done);
        rest.gangs = self.gangs.remainder(&numbers);
        (rest, numbers)
    }
}

/// Rows of the cohorts of all groups, with room made at once: growing copies them over and over.
fn end_to_end(problem: &Problem, rows: impl Fn(&Cohorts) -> &Rows<u32>) -> Rows<u32> {
    let all = || problem.groups.iter().map(|group| rows(&group.cohorts));
    let (ends, values) = (
        all().map(Rows::len).sum(),
        all().map(|it| it.values().len()).sum(),
    );
    let mut whole = Rows::with_capacity(ends, values);
    all().for_each(|each| whole.append(each));
    whole
}
