//! The cohorts of a group as columns: a fleet with a budget on every node has a million of them,
//! and two lists of each by itself would cost more than the schedule.

use super::problem::{GangIdx, PhaseIdx, ResourceIdx};
use super::rows::Rows;

/// Interchangeable moves: each takes the same resources for the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cohort<'a> {
    /// How many moves, at least 1.
    pub count: u32,
    /// Each move takes one unit of each of these during its wave. Ascending, without repetition.
    pub takes: &'a [ResourceIdx],
    /// Each move gives back one unit of each of these (of
    /// [`Resource::down`](super::problem::Resource::down)) after its wave: the pod was down
    /// before. Ascending, without repetition; disjoint from `takes`.
    pub releases: &'a [ResourceIdx],
    /// Expected time of one move in milliseconds.
    pub duration_ms: u64,
}

/// Cohorts in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cohorts {
    pub(super) counts: Vec<u32>,
    pub(super) durations_ms: Vec<u64>,
    pub(super) takes: Rows<ResourceIdx>,
    pub(super) releases: Rows<ResourceIdx>,
    /// By the place of the cohort; few have any.
    pub(super) ahead: Vec<(u32, u32)>,
    /// By cohort; no rows when none is of any.
    phases: Rows<PhaseIdx>,
    /// By the place of the cohort; most are of none.
    gangs: Vec<(u32, GangIdx)>,
}

impl Cohorts {
    /// No cohorts yet, with room for so many.
    #[must_use]
    pub fn with_capacity(cohorts: usize) -> Self {
        Self {
            counts: Vec::with_capacity(cohorts),
            durations_ms: Vec::with_capacity(cohorts),
            takes: Rows::with_capacity(cohorts, 0),
            releases: Rows::with_capacity(cohorts, 0),
            ahead: Vec::new(),
            phases: Rows::default(),
            gangs: Vec::new(),
        }
    }

    /// Adds a cohort behind the others.
    pub fn push(&mut self, cohort: Cohort<'_>) {
        self.counts.push(cohort.count);
        self.durations_ms.push(cohort.duration_ms);
        self.takes.push_slice(cohort.takes);
        self.releases.push_slice(cohort.releases);
    }

    /// Adds moves to the last cohort.
    ///
    /// # Panics
    /// Without a cohort.
    pub fn extend_last(&mut self, count: u32) {
        *self.counts.last_mut().expect("a last cohort") += count;
    }

    /// The last cohort, which takes nothing, is done only when as many other moves of the group are
    /// (in the same wave counts): its controller takes those before it, and they wait for no room.
    /// Where there are calendars they may wait for time, and it goes before them.
    ///
    /// # Panics
    /// Without a cohort.
    pub fn put_ahead(&mut self, moves: u32) {
        let last = self.len().checked_sub(1).expect("a last cohort");
        if moves > 0 {
            self.ahead.push((last as u32, moves));
        }
    }

    /// Moves that have to be done before any of the last cohort.
    #[must_use]
    pub fn last_ahead(&self) -> u32 {
        let last = self.ahead.last().copied();
        last.map_or(0, |(at, moves)| {
            if at as usize + 1 == self.len() {
                moves
            } else {
                0
            }
        })
    }

    /// The last cohort, which takes something, is of these phases, at most one of each sequence.
    pub fn put_in(&mut self, phases: &[PhaseIdx]) {
        if !phases.is_empty() {
            while self.phases.len() + 1 < self.len() {
                self.phases.push_slice(&[]);
            }
            self.phases.push_slice(phases);
        }
    }

    /// The last cohort, which takes something, goes as a whole with all of this gang, in one wave.
    ///
    /// # Panics
    /// Without a cohort.
    pub fn put_in_gang(&mut self, gang: Option<GangIdx>) {
        let last = self.len().checked_sub(1).expect("a last cohort");
        self.gangs.extend(gang.map(|gang| (last as u32, gang)));
    }

    /// The gang of the last cohort.
    #[must_use]
    pub fn last_gang(&self) -> Option<GangIdx> {
        let (at, gang) = self.gangs.last()?;
        (*at as usize + 1 == self.len()).then_some(*gang)
    }

    /// The places of cohorts that are of gangs, in order, and of which.
    #[must_use]
    pub fn in_gangs(&self) -> impl ExactSizeIterator<Item = (usize, GangIdx)> {
        let gangs = self.gangs.iter();
        gangs.map(|&(at, gang)| (at as usize, gang))
    }

    /// The gang of a cohort, by its place.
    #[must_use]
    pub fn gang(&self, at: usize) -> Option<GangIdx> {
        let found = self.gangs.binary_search_by_key(&(at as u32), |it| it.0);
        found.ok().map(|at| self.gangs[at].1)
    }

    /// The phases of the last cohort.
    #[must_use]
    pub fn last_phases(&self) -> &[PhaseIdx] {
        self.len().checked_sub(1).map_or(&[], |at| self.phases(at))
    }

    /// The phases of a cohort, by its place.
    #[must_use]
    pub fn phases(&self, at: usize) -> &[PhaseIdx] {
        if at < self.phases.len() {
            self.phases.row(at)
        } else {
            &[]
        }
    }

    /// Moves that have to be done before any of a cohort, by its place; none of most.
    #[must_use]
    pub fn ahead(&self, at: usize) -> u32 {
        ahead_of(&self.ahead, at as u32)
    }

    /// A cohort by its place.
    #[must_use]
    pub fn get(&self, at: usize) -> Cohort<'_> {
        Cohort {
            count: self.counts[at],
            takes: self.takes.row(at),
            releases: self.releases.row(at),
            duration_ms: self.durations_ms[at],
        }
    }

    /// The last cohort.
    #[must_use]
    pub fn last(&self) -> Option<Cohort<'_>> {
        self.len().checked_sub(1).map(|at| self.get(at))
    }

    /// Every cohort in order.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Cohort<'_>> + ExactSizeIterator + Clone {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Moves of each cohort.
    #[must_use]
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// What the moves of any cohort take, once a cohort.
    #[must_use]
    pub fn taken(&self) -> &[ResourceIdx] {
        self.takes.values()
    }

    /// How many cohorts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

/// What is ahead of a cohort, in a list by cohort.
pub(super) fn ahead_of(list: &[(u32, u32)], cohort: u32) -> u32 {
    let found = list.binary_search_by_key(&cohort, |&(at, _)| at);
    found.map_or(0, |at| list[at].1)
}

impl<'a> FromIterator<Cohort<'a>> for Cohorts {
    fn from_iter<I: IntoIterator<Item = Cohort<'a>>>(cohorts: I) -> Self {
        let mut all = Self::default();
        cohorts.into_iter().for_each(|cohort| all.push(cohort));
        all
    }
}
