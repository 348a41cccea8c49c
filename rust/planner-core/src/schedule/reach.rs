//! Which moves can ever be done.
//!
//! The system is monotone. A move takes only for the length of its wave; afterwards the units
//! that are down are as many as before or fewer, and the moves that are done are more. So what
//! can move now can still move after any other move, and doing whatever can be done, in any
//! order, ends in the same and largest set: suppose a plan did a move that this one leaves, and
//! take the first such move of that plan; all that went before it is done here too, so here it
//! has no fewer done before it and no more down beside it, and it could go. What is left is
//! therefore impossible in every plan. All moves of a gang are one in this.

use super::flat::Flat;
use super::phases::Progress;
use super::problem::{CalendarIdx, GangIdx, GroupIdx, PhaseIdx, Problem, ResourceIdx};

/// Why a move can never be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocker {
    /// The resource has no room ever: what stays down for good fills its limit.
    Resource(ResourceIdx),
    /// The group that has to go first never gets there; index of the precedence.
    Precedence(u32),
    /// Behind this cohort of the same group, which is blocked, in a strict order.
    Order(u32),
    /// The phase before this one is never over: its moves wait for some that come after it.
    Phase(PhaseIdx),
    /// It could go alone, but its gang cannot: another of it is blocked, or there is no room for all.
    Gang(GangIdx),
    /// The group's last stage ends before it.
    Stage,
    /// The calendars of the group, of which this is the first, leave no time for it.
    Calendar(CalendarIdx),
}

/// Moves that can never be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Their group.
    pub group: GroupIdx,
    /// Their cohort within the group.
    pub cohort: u32,
    /// How many.
    pub count: u32,
    /// Why.
    pub blocker: Blocker,
}

/// Which moves can be done, and what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reachable {
    /// Moves that can be done, cohort by cohort, group after group.
    pub moves: Vec<u32>,
    /// Units of each resource that stay down when all of them are done.
    pub down: Vec<u32>,
    /// What can never be done, by group and cohort.
    pub left: Vec<Left>,
}

/// The largest set of moves that can be done; linear in the size of the problem.
#[must_use]
pub fn reachable(problem: &Problem) -> Reachable {
    let flat = Flat::of(problem).phased();
    Reach::run(&flat).into_reachable()
}

const NONE: u32 = u32::MAX;

/// The search and where it ended.
pub(crate) struct Reach<'a> {
    flat: &'a Flat,
    group_of: Vec<u32>,
    /// Moves of each cohort that lie before the end of the group's last stage.
    quota: Vec<u32>,
    pub moves: Vec<u32>,
    pub down: Vec<u32>,
    done: Vec<u32>,
    /// Precedences that the group still waits for.
    waiting: Vec<u32>,
    /// Cohorts that wait for room, as one list for each resource through `next`.
    first_blocked: Vec<u32>,
    next: Vec<u32>,
    phases: Progress<'a>,
    /// Cohorts that wait for each phase to begin.
    early: Vec<Vec<u32>>,
    /// Cohorts of gangs that could go as far as their own group is concerned, and how many of each
    /// gang could not yet.
    is_ready: Vec<bool>,
    missing: Vec<usize>,
    /// Cohorts to try.
    work: Vec<u32>,
}

impl<'a> Reach<'a> {
    pub fn run(flat: &'a Flat) -> Self {
        let mut reach = Self {
            flat,
            group_of: flat.group_of(),
            quota: quotas(flat),
            moves: vec![0; flat.cohorts()],
            down: flat.down.clone(),
            done: vec![0; flat.groups()],
            waiting: vec![0; flat.groups()],
            first_blocked: vec![NONE; flat.resources()],
            next: vec![NONE; flat.cohorts()],
            phases: Progress::new(&flat.phases),
            early: vec![Vec::new(); flat.phases.follows.len()],
            is_ready: vec![false; flat.gangs.cohorts()],
            missing: flat.gangs.sizes(),
            work: Vec::new(),
        };
        for link in flat.links.iter().filter(|link| link.count > 0) {
            reach.waiting[link.after as usize] += 1;
        }
        for group in (0..flat.groups())
            .filter(|&g| reach.waiting[g] == 0)
            .collect::<Vec<_>>()
        {
            reach.open(group);
            reach.drain();
        }
        reach
    }

    fn open(&mut self, group: usize) {
        let cohorts = self.flat.cohorts_of(group);
        if self.flat.strict[group] {
            self.work.extend(cohorts.map(|c| c as u32).take(1));
        } else {
            self.work.extend(cohorts.rev().map(|c| c as u32));
        }
    }

    fn drain(&mut self) {
        while let Some(cohort) = self.work.pop() {
            if let Some(gang) = self.flat.gangs.gang(cohort as usize) {
                self.join(cohort, gang);
            } else if let Some(full) = self.full(cohort as usize) {
                self.wait_for(full, cohort);
            } else if let Some(phase) = self.phases.closed(cohort as usize) {
                self.early[phase as usize].push(cohort);
            } else {
                self.go(cohort as usize);
            }
        }
    }

    /// A cohort of a gang could go as far as its own group is concerned: once all of the gang could, it
    /// goes, if there is room for it.
    fn join(&mut self, cohort: u32, gang: GangIdx) {
        let at = cohort as usize;
        if !std::mem::replace(&mut self.is_ready[at], true) {
            self.missing[gang as usize] -= 1;
            let group = self.group_of[at] as usize;
            let follows = self.flat.strict[group] && at + 1 < self.flat.cohorts_of(group).end;
            if follows && self.flat.gangs.gang(at + 1) == Some(gang) {
                self.work.push(cohort + 1);
            }
        }
        let is_gone = self.moves[at] > 0;
        if is_gone || self.missing[gang as usize] > 0 || self.is_torn(gang) {
            return;
        }
        let flat = self.flat;
        let members = flat.gangs.members(gang).iter();
        if let Some(full) = self.short(gang) {
            self.wait_for(full, cohort);
        } else if let Some(phase) = members
            .clone()
            .find_map(|&c| self.phases.closed(c as usize))
        {
            self.early[phase as usize].push(cohort);
        } else {
            members.for_each(|&member| self.go(member as usize));
        }
    }

    /// Whether a gang can never go: the stages of a group end within it, or it is said to be torn.
    fn is_torn(&self, gang: GangIdx) -> bool {
        let mut members = self.flat.gangs.members(gang).iter();
        let ends_within = |&c: &u32| self.quota[c as usize] < self.flat.count[c as usize];
        self.flat.gangs.is_torn[gang as usize] || members.any(ends_within)
    }

    /// A resource that has no room for all that a gang takes.
    fn short(&self, gang: GangIdx) -> Option<ResourceIdx> {
        let mut demand = self.flat.demand(gang).into_iter();
        let is_short = |&(r, takes): &(u32, u32)| {
            self.down[r as usize].saturating_add(takes) > self.flat.limit[r as usize]
        };
        demand.find(is_short).map(|(resource, _)| resource)
    }

    fn wait_for(&mut self, full: ResourceIdx, cohort: u32) {
        let first = &mut self.first_blocked[full as usize];
        self.next[cohort as usize] = std::mem::replace(first, cohort);
    }

    /// A resource that the cohort takes and that has no room.
    fn full(&self, cohort: usize) -> Option<ResourceIdx> {
        let full = |&&r: &&u32| self.down[r as usize] >= self.flat.limit[r as usize];
        self.flat.takes.row(cohort).iter().find(full).copied()
    }

    fn go(&mut self, cohort: usize) {
        let (count, group) = (self.quota[cohort], self.group_of[cohort] as usize);
        if count == 0 {
            return;
        }
        self.moves[cohort] = count;
        for &r in self.flat.releases.row(cohort) {
            let r = r as usize;
            self.down[r] = self.down[r].saturating_sub(count);
            if self.down[r] < self.flat.limit[r] {
                self.wake(r);
            }
        }
        for phase in self.phases.end(cohort, count) {
            self.work.append(&mut self.early[phase as usize]);
        }
        let before = self.done[group];
        self.done[group] += count;
        for &link in self.flat.links_from.row(group) {
            let link = self.flat.links[link as usize];
            if before < link.count && link.count <= self.done[group] {
                self.waiting[link.after as usize] -= 1;
                if self.waiting[link.after as usize] == 0 {
                    self.open(link.after as usize);
                }
            }
        }
        if self.flat.strict[group] && cohort + 1 < self.flat.cohorts_of(group).end {
            self.work.push(cohort as u32 + 1);
        }
    }

    fn wake(&mut self, resource: usize) {
        let mut cohort = std::mem::replace(&mut self.first_blocked[resource], NONE);
        while cohort != NONE {
            self.work.push(cohort);
            cohort = std::mem::replace(&mut self.next[cohort as usize], NONE);
        }
    }

    /// Whether every move of the cohort can be done.
    pub fn is_done(&self, cohort: usize) -> bool {
        self.moves[cohort] == self.flat.count[cohort]
    }

    /// What can never be done, with the reason, by group and cohort.
    pub fn left(&self) -> Vec<Left> {
        let mut unmet = vec![None; self.flat.groups()];
        for (link, at) in self.flat.links.iter().zip(0..) {
            if self.done[link.before as usize] < link.count {
                unmet[link.after as usize].get_or_insert(at);
            }
        }
        let mut left = Vec::new();
        for (group, unmet) in unmet.into_iter().enumerate() {
            let cohorts = self.flat.cohorts_of(group);
            let start = cohorts.start;
            // In a strict order the first that is blocked, and the first that is not of the same gang.
            let mut firsts = [None; 2];
            for cohort in cohorts {
                let mut push = |count: u32, blocker| {
                    let cohort = (cohort - start) as u32;
                    left.push(Left {
                        group: group as u32,
                        cohort,
                        count,
                        blocker,
                    });
                };
                let blocked = self.quota[cohort] - self.moves[cohort];
                if blocked > 0 {
                    push(blocked, self.blocker(cohort, unmet, firsts));
                    match firsts {
                        _ if !self.flat.strict[group] => {}
                        [None, _] => firsts[0] = Some(cohort),
                        [Some(first), None] if !self.is_with(first, cohort) => {
                            firsts[1] = Some(cohort);
                        }
                        _ => {}
                    }
                }
                let unstaged = self.flat.count[cohort] - self.quota[cohort];
                if unstaged > 0 {
                    push(unstaged, Blocker::Stage);
                }
            }
        }
        left
    }

    /// Whether two cohorts are of the same gang.
    fn is_with(&self, cohort: usize, other: usize) -> bool {
        let gang = self.flat.gangs.gang(cohort);
        gang.is_some() && gang == self.flat.gangs.gang(other)
    }

    /// What blocks a cohort: `behind` are cohorts of its group that its order may hold it behind.
    fn blocker(&self, cohort: usize, unmet: Option<u32>, behind: [Option<usize>; 2]) -> Blocker {
        // Who goes with it does not go before it.
        let mut behind = behind.into_iter().flatten();
        let behind = behind.find(|&before| !self.is_with(before, cohort));
        let start = self.flat.cohorts_of(self.group_of[cohort] as usize).start;
        match (unmet, behind, self.full(cohort)) {
            (Some(link), _, _) => Blocker::Precedence(link),
            (None, Some(behind), _) => Blocker::Order((behind - start) as u32),
            (None, None, Some(full)) => Blocker::Resource(full),
            (None, None, None) => {
                let phase = self.phases.closed(cohort).map(Blocker::Phase);
                let gang = self.flat.gangs.gang(cohort).map(Blocker::Gang);
                let blocker = phase.or(gang);
                blocker.expect("what nothing blocks has moved")
            }
        }
    }

    pub fn into_reachable(self) -> Reachable {
        let left = self.left();
        Reachable {
            moves: self.moves,
            down: self.down,
            left,
        }
    }
}

/// The moves of each cohort among the first `stages_end` of its group.
fn quotas(flat: &Flat) -> Vec<u32> {
    let mut quota = Vec::with_capacity(flat.cohorts());
    for group in 0..flat.groups() {
        let mut room = flat.stages_end[group];
        for cohort in flat.cohorts_of(group) {
            let inside = flat.count[cohort].min(room);
            // Without stages the end is at infinity and does not come nearer.
            if room != u32::MAX {
                room -= inside;
            }
            quota.push(inside);
        }
    }
    quota
}
