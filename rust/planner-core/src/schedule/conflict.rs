//! Why moves are impossible: a smallest set of constraints that conflict.

use super::flat::Flat;
use super::problem::{GangIdx, GroupIdx, PhaseIdx, Problem, ResourceIdx};
use super::reach::{Blocker, Left, Reach};

/// A constraint that can be named and loosened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConstraintId {
    /// The limit of the resource.
    Resource(ResourceIdx),
    /// The precedence with this index.
    Precedence(u32),
    /// The stages of the group.
    Stages(GroupIdx),
    /// The strict order of the group.
    Order(GroupIdx),
    /// That this phase follows the one before it.
    Phase(PhaseIdx),
    /// That all of this gang go in one wave.
    Gang(GangIdx),
}

/// A cohort whose moves are all wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goal {
    /// Its group.
    pub group: GroupIdx,
    /// Its number within the group.
    pub cohort: u32,
}

/// Left-overs that are tried as the start of the search.
const CANDIDATES: usize = 8;

/// Constraints with which alone the goal cannot be done, and of which each is needed: without any
/// one of them the goal can be done. Sorted; empty when the whole goal can be done.
///
/// The smallest of what is found from a few of the goals; not the smallest there is, which would
/// be a hard problem of its own.
#[must_use]
pub fn conflict(problem: &Problem, goal: &[Goal]) -> Vec<ConstraintId> {
    let flat = Flat::of(problem).phased();
    let reach = Reach::run(&flat);
    let number = |g: &Goal| flat.cohorts_of(g.group as usize).start as u32 + g.cohort;
    let wanted: Vec<u32> = goal.iter().map(number).collect();
    let missed = wanted
        .iter()
        .copied()
        .filter(|&c| !reach.is_done(c as usize));
    let left = reach.left();
    let everything = vec![true; flat.groups()];
    let all = Remainder::of(&flat, &reach, &everything);
    let mut causes: Vec<Blocker> = Vec::new();
    let mut best: Option<Vec<ConstraintId>> = None;
    for candidate in missed {
        let cause = trace_start(&flat, &left, candidate);
        if causes.contains(&cause) {
            continue;
        }
        causes.push(cause);
        let (constraints, groups) = Trace::of(&flat, &left, candidate).into_parts();
        let near = Remainder::of(&flat, &reach, &groups);
        let found = near.shrink(constraints, &[candidate]);
        let found = all.shrink(found, &wanted);
        if best.as_ref().is_none_or(|best| found.len() < best.len()) {
            best = Some(found);
        }
        if causes.len() == CANDIDATES {
            break;
        }
    }
    best.unwrap_or_default()
}

/// The blocker of the cohort's left moves.
fn trace_start(flat: &Flat, left: &[Left], cohort: u32) -> Blocker {
    let is = |l: &&Left| flat.cohorts_of(l.group as usize).start as u32 + l.cohort == cohort;
    left.iter()
        .find(is)
        .expect("what is missed is left")
        .blocker
}

/// The constraints behind one left-over: its blocker, what blocks the moves that would lift that
/// blocker, and so on. None of these moves can be the first to go, so with these constraints
/// alone none of them goes.
struct Trace<'a> {
    flat: &'a Flat,
    left: &'a [Left],
    seen: Vec<bool>,
    groups: Vec<bool>,
    constraints: Vec<ConstraintId>,
    work: Vec<usize>,
}

impl<'a> Trace<'a> {
    fn of(flat: &'a Flat, left: &'a [Left], cohort: u32) -> Self {
        let mut trace = Self {
            flat,
            left,
            seen: vec![false; left.len()],
            groups: vec![false; flat.groups()],
            constraints: Vec::new(),
            work: Vec::new(),
        };
        trace.push_where(|l| number(flat, l) == cohort);
        while let Some(at) = trace.work.pop() {
            trace.follow(left[at]);
        }
        trace
    }

    fn push_where(&mut self, wanted: impl Fn(&Left) -> bool) {
        for (at, left) in self.left.iter().enumerate() {
            if !self.seen[at] && wanted(left) {
                self.seen[at] = true;
                self.groups[left.group as usize] = true;
                self.work.push(at);
            }
        }
    }

    /// Adds a constraint; whether it was not there.
    fn add(&mut self, constraint: ConstraintId) -> bool {
        let is_new = !self.constraints.contains(&constraint);
        self.constraints.extend(is_new.then_some(constraint));
        is_new
    }

    fn follow(&mut self, left: Left) {
        let flat = self.flat;
        match left.blocker {
            Blocker::Phase(phase) => return self.follow_phase(phase),
            Blocker::Gang(gang) => return self.follow_gang(gang),
            _ => {}
        }
        let constraint = match left.blocker {
            Blocker::Resource(r) => ConstraintId::Resource(r),
            Blocker::Precedence(link) => ConstraintId::Precedence(link),
            Blocker::Order(_) => ConstraintId::Order(left.group),
            Blocker::Stage => ConstraintId::Stages(left.group),
            Blocker::Phase(_) | Blocker::Gang(_) | Blocker::Calendar(_) => return,
        };
        let is_new = self.add(constraint);
        match left.blocker {
            Blocker::Resource(r) if is_new => {
                self.push_where(|l| flat.releases.row(number(flat, l) as usize).contains(&r));
            }
            Blocker::Precedence(link) if is_new => {
                let before = flat.links[link as usize].before;
                self.push_where(|l| l.group == before);
            }
            // One order may hold cohorts of a group behind several others, some of them of a gang.
            Blocker::Order(cohort) => {
                self.push_where(|l| l.group == left.group && l.cohort == cohort);
            }
            _ => {}
        }
    }

    /// Another of the gang may be blocked, or what all of it take may be too much.
    fn follow_gang(&mut self, gang: GangIdx) {
        let flat = self.flat;
        if !self.add(ConstraintId::Gang(gang)) {
            return;
        }
        let demand = flat.demand(gang);
        for &(resource, _) in &demand {
            self.add(ConstraintId::Resource(resource));
        }
        self.push_where(|l| {
            let releases = flat.releases.row(number(flat, l) as usize);
            demand.iter().any(|(r, _)| releases.contains(r))
        });
        self.push_where(|l| flat.gangs.members(gang).contains(&number(flat, l)));
    }

    /// Any of the phases before may be the one that is never over.
    fn follow_phase(&mut self, phase: PhaseIdx) {
        let flat = self.flat;
        let before = flat.phases.before(phase);
        for follows in before.start + 1..=phase {
            self.add(ConstraintId::Phase(follows));
        }
        self.push_where(|l| {
            let mut phases = flat.phases.row(number(flat, l) as usize).iter();
            phases.any(|it| before.contains(it))
        });
    }

    fn into_parts(self) -> (Vec<ConstraintId>, Vec<bool>) {
        (self.constraints, self.groups)
    }
}

fn number(flat: &Flat, left: &Left) -> u32 {
    flat.cohorts_of(left.group as usize).start as u32 + left.cohort
}

/// The moves that are left, and the constraints to choose among. All that can be done is done.
struct Remainder {
    tight: Flat,
    loose: Flat,
    /// The cohort's number in the whole problem.
    numbers: Vec<u32>,
}

impl Remainder {
    fn of(flat: &Flat, reach: &Reach, groups: &[bool]) -> Self {
        let (tight, numbers) = flat.remainder(&reach.moves, &reach.down, groups);
        let mut loose = tight.clone();
        loose.limit.fill(u32::MAX);
        loose.strict.fill(false);
        loose.stages_end.fill(u32::MAX);
        loose.phases.follows.fill(false);
        loose.gangs.loosen();
        for link in &mut loose.links {
            link.count = 0;
        }
        Self {
            tight,
            loose,
            numbers,
        }
    }

    /// Whether every wanted cohort can be done with these constraints alone.
    fn can(&self, constraints: &[ConstraintId], wanted: &[u32]) -> bool {
        let mut flat = self.loose.clone();
        for &constraint in constraints {
            match constraint {
                ConstraintId::Resource(r) => {
                    flat.limit[r as usize] = self.tight.limit[r as usize];
                }
                ConstraintId::Precedence(link) => {
                    flat.links[link as usize].count = self.tight.links[link as usize].count;
                }
                ConstraintId::Stages(group) => {
                    flat.stages_end[group as usize] = self.tight.stages_end[group as usize];
                }
                ConstraintId::Order(group) => flat.strict[group as usize] = true,
                ConstraintId::Phase(phase) => flat.phases.follows[phase as usize] = true,
                ConstraintId::Gang(gang) => flat.gangs.tie(gang),
            }
        }
        let reach = Reach::run(&flat);
        let here = |cohort: &u32| self.numbers.binary_search(cohort).ok();
        wanted
            .iter()
            .filter_map(here)
            .all(|cohort| reach.is_done(cohort))
    }

    /// Drops constraints, first many at once and at last one by one, as long as the goal stays
    /// impossible. The last round makes the result irreducible, as fewer constraints never make
    /// less possible.
    fn shrink(&self, constraints: Vec<ConstraintId>, wanted: &[u32]) -> Vec<ConstraintId> {
        let mut kept = constraints;
        kept.sort_unstable();
        let mut size = kept.len().next_power_of_two();
        while size > 0 {
            let mut at = 0;
            while at < kept.len() {
                let end = (at + size).min(kept.len());
                let mut fewer = kept.clone();
                fewer.drain(at..end);
                if self.can(&fewer, wanted) {
                    at = end;
                } else {
                    kept = fewer;
                }
            }
            size /= 2;
        }
        kept
    }
}
