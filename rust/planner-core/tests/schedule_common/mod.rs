//! What the schedule's tests share: a slow and plain check of a schedule, random problems and an
//! exhaustive search. Written from the contract in `schedule/problem.rs` alone.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, BTreeSet};

use planner_core::schedule::problem::{
    Calendar, Cohort, Cohorts, Group, Need, Order, Phase, Precedence, Problem, Rate, Resource,
    Stage,
};
use planner_core::schedule::{
    Chunk, ConstraintId, Goal, Held, Left, Schedule, conflict, reachable, solve,
};
use proptest::prelude::*;
use proptest::sample::subsequence;

/// The stages of a group that hold moves, as (first move, end, soak, index).
fn stages(group: &Group) -> Vec<(u32, u32, u64, u32)> {
    let mut held = Vec::new();
    let mut start = 0;
    for (index, stage) in (0..).zip(&group.stages) {
        if stage.until > start {
            held.push((start, stage.until, stage.soak_ms, index));
            start = stage.until;
        }
    }
    if group.stages.is_empty() {
        held.push((0, u32::MAX, 0, 0));
    }
    held
}

/// The moves done before each wave, by group and cohort: `before[w]` for wave `w + 1`.
fn history(problem: &Problem, schedule: &Schedule) -> Vec<Vec<Vec<u32>>> {
    let none = |g: &Group| vec![0; g.cohorts.len()];
    let mut done: Vec<Vec<u32>> = problem.groups.iter().map(none).collect();
    let mut before = vec![done.clone()];
    for wave in 1..=schedule.waves {
        for chunk in schedule.chunks.iter().filter(|c| c.wave == wave) {
            done[chunk.group as usize][chunk.cohort as usize] += chunk.count;
        }
        before.push(done.clone());
    }
    before
}

fn down(problem: &Problem, resource: usize, done: &[Vec<u32>]) -> u32 {
    let mut down = problem.resources[resource].down;
    for (group, done) in problem.groups.iter().zip(done) {
        for (cohort, done) in group.cohorts.iter().zip(done) {
            if cohort.releases.contains(&(resource as u32)) {
                down = down.saturating_sub(*done);
            }
        }
    }
    down
}

fn taken(problem: &Problem, resource: usize, wave: &[&Chunk]) -> u32 {
    let takes = |c: &&&Chunk| {
        let cohort = problem.groups[c.group as usize]
            .cohorts
            .get(c.cohort as usize);
        cohort.takes.contains(&(resource as u32))
    };
    wave.iter().filter(takes).map(|c| c.count).sum()
}

fn wave(schedule: &Schedule, wave: u32) -> Vec<&Chunk> {
    schedule.chunks.iter().filter(|c| c.wave == wave).collect()
}

/// Checks every rule of the contract; the error says which is broken where.
pub fn check(problem: &Problem, schedule: &Schedule) -> Result<(), String> {
    let before = history(problem, schedule);
    let keys: Vec<_> = schedule
        .chunks
        .iter()
        .map(|c| (c.wave, c.group, c.cohort))
        .collect();
    if keys.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err("chunks are not sorted or not unique".into());
    }
    for number in 1..=schedule.waves {
        let chunks = wave(schedule, number);
        if chunks.is_empty() || chunks.iter().any(|c| c.count == 0) {
            return Err(format!("wave {number} has an empty part"));
        }
        let done = &before[number as usize - 1];
        for (r, resource) in problem.resources.iter().enumerate() {
            let (down, taken) = (down(problem, r, done), taken(problem, r, &chunks));
            if taken > 0 && down + taken > resource.limit {
                return Err(format!(
                    "wave {number}: {} holds {down} + {taken}",
                    resource.name
                ));
            }
        }
        for g in chunks
            .iter()
            .map(|c| c.group as usize)
            .collect::<BTreeSet<_>>()
        {
            check_group(problem, g, done, &before[number as usize])
                .map_err(|broken| format!("wave {number}: {broken}"))?;
        }
        for chunk in &chunks {
            if let Some(phase) = closed(problem, chunk, done, &before[schedule.waves as usize]) {
                let name = &problem.phases[phase].name;
                return Err(format!("wave {number}: {chunk:?} comes before {name}"));
            }
        }
        if let Some(gang) = torn(problem, done, &before[number as usize]) {
            return Err(format!(
                "wave {number} tears {}",
                problem.gangs[gang as usize].name
            ));
        }
    }
    check_counts(problem, schedule, &before[schedule.waves as usize])?;
    check_times(problem, schedule, &before)
}

/// A phase of a chunk before which not all is done that ever is.
fn closed(problem: &Problem, chunk: &Chunk, done: &[Vec<u32>], all: &[Vec<u32>]) -> Option<usize> {
    let phases = problem.groups[chunk.group as usize]
        .cohorts
        .phases(chunk.cohort as usize);
    let is_closed = |&&phase: &&u32| {
        let before = phases_before(problem, phase);
        in_phases(problem, done, &before) < in_phases(problem, all, &before)
    };
    phases.iter().find(is_closed).map(|phase| *phase as usize)
}

/// The phases of the same sequence that go before.
pub fn phases_before(problem: &Problem, phase: u32) -> Vec<u32> {
    let follows = |at: &u32| problem.phases[*at as usize].follows;
    (1..=phase)
        .rev()
        .take_while(follows)
        .map(|at| at - 1)
        .collect()
}

/// How many of these moves are of any of the phases.
fn in_phases(problem: &Problem, moves: &[Vec<u32>], phases: &[u32]) -> u32 {
    let mut sum = 0;
    for (group, moves) in problem.groups.iter().zip(moves) {
        for (cohort, count) in moves.iter().enumerate() {
            let mut its = group.cohorts.phases(cohort).iter();
            sum += if its.any(|it| phases.contains(it)) {
                *count
            } else {
                0
            };
        }
    }
    sum
}

fn check_group(
    problem: &Problem,
    g: usize,
    before: &[Vec<u32>],
    after: &[Vec<u32>],
) -> Result<(), String> {
    let group = &problem.groups[g];
    let sum = |done: &[Vec<u32>], g: usize| done[g].iter().sum::<u32>();
    for p in problem.precedences.iter().filter(|p| p.after as usize == g) {
        if sum(before, p.before as usize) < p.count {
            return Err(format!("{} is not kept", p.name));
        }
    }
    let (from, to) = (sum(before, g), sum(after, g));
    if !stages(group)
        .iter()
        .any(|(start, end, _, _)| *start <= from && to <= *end)
    {
        return Err(format!(
            "{} makes moves {from}..{to} over the end of a stage",
            group.name
        ));
    }
    let is_timed = !problem.calendars.is_empty();
    let is_early = |c: &usize| !is_timed && after[g][*c] > 0 && to <= group.cohorts.ahead(*c);
    if let Some(early) = (0..group.cohorts.len()).find(is_early) {
        return Err(format!("{} takes cohort {early} too early", group.name));
    }
    let unfinished = (0..group.cohorts.len()).find(|&c| after[g][c] < group.cohorts.get(c).count);
    if let (Order::Strict, Some(unfinished)) = (group.order, unfinished)
        && after[g][unfinished + 1..].iter().any(|&done| done > 0)
    {
        return Err(format!("{} passes over cohort {unfinished}", group.name));
    }
    Ok(())
}

fn check_counts(problem: &Problem, schedule: &Schedule, done: &[Vec<u32>]) -> Result<(), String> {
    for (g, group) in problem.groups.iter().enumerate() {
        for (c, cohort) in group.cohorts.iter().enumerate() {
            let here = |l: &&Left| (l.group as usize, l.cohort as usize) == (g, c);
            let left: u32 = schedule.left.iter().filter(here).map(|l| l.count).sum();
            if done[g][c] + left != cohort.count {
                return Err(format!(
                    "{} cohort {c}: {} done, {left} left",
                    group.name, done[g][c]
                ));
            }
        }
    }
    Ok(())
}

fn check_times(
    problem: &Problem,
    schedule: &Schedule,
    before: &[Vec<Vec<u32>>],
) -> Result<(), String> {
    let mut end = 0;
    for number in 1..=schedule.waves {
        let at = number as usize - 1;
        let chunks = wave(schedule, number);
        let mut start = end;
        for chunk in &chunks {
            let g = chunk.group as usize;
            let done: u32 = before[at][g].iter().sum();
            let stages = stages(&problem.groups[g]);
            if let Some(ended) = stages.iter().rev().find(|(_, end, _, _)| *end <= done) {
                let last = (1..number).rev().find(|&w| {
                    let done: u32 = before[w as usize - 1][g].iter().sum();
                    done < ended.1
                });
                let last = last.expect("a stage that ended had a wave");
                start = start.max(schedule.ends_ms[last as usize - 1] + ended.2);
            }
        }
        let lasts = lasts_ms(problem, &chunks, None);
        // Where there are calendars a wave may begin later than it could.
        let begins = schedule.starts_ms[at];
        if begins < start || (begins > start && problem.calendars.is_empty()) {
            return Err(format!("wave {number} begins at {begins} ms, not {start}"));
        }
        end = begins + lasts;
        if schedule.ends_ms[at] != end {
            return Err(format!("wave {number} is {begins}..{end} ms"));
        }
        for chunk in &chunks {
            for calendar in &problem.groups[chunk.group as usize].calendars {
                if !is_open(problem, *calendar, begins, end) {
                    return Err(format!("wave {number} is {begins}..{end} ms: {calendar}"));
                }
            }
        }
    }
    Ok(())
}

/// How long a wave lasts, with one move more of a chunk: its moves begin at their rates.
fn lasts_ms(problem: &Problem, chunks: &[&Chunk], one: Option<&Chunk>) -> u64 {
    let one = one.map(|chunk| Chunk { count: 1, ..*chunk });
    let all = || chunks.iter().copied().chain(one.as_ref());
    let group = |chunk: &Chunk| &problem.groups[chunk.group as usize];
    let needs = |chunk: &Chunk, rate: usize| {
        let of = |need: &&Need| need.rate as usize == rate;
        let units = group(chunk).needs.iter().find(of).map(|need| need.units);
        units.map(|units| units * chunk.count)
    };
    let begun = |rate: usize| {
        let units = all().filter_map(|it| needs(it, rate)).sum::<u32>();
        u64::from((units * 1000).div_ceil(problem.rates[rate].per_s))
    };
    let each = all().map(|chunk| {
        let rates = (0..problem.rates.len()).filter(|&rate| needs(chunk, rate).is_some());
        let duration_ms = group(chunk).cohorts.get(chunk.cohort as usize).duration_ms;
        rates.map(begun).max().unwrap_or(0) + duration_ms
    });
    each.max().unwrap_or(0)
}

fn is_open(problem: &Problem, calendar: u32, begin: u64, end: u64) -> bool {
    let mut open = problem.calendars[calendar as usize].open.iter();
    open.any(|span| span.start <= begin && end <= span.end && begin < span.end)
}

/// Whether the wave before, made as long as the chunk, is not inside the calendar, which is that
/// of the chunk's group or of a group there.
fn is_closed(problem: &Problem, schedule: &Schedule, chunk: &Chunk, calendar: u32) -> bool {
    let begin = schedule.starts_ms[chunk.wave as usize - 2];
    let there = wave(schedule, chunk.wave - 1);
    let end = begin + lasts_ms(problem, &there, Some(chunk));
    let mut groups = there.iter().map(|c| c.group).chain([chunk.group]);
    groups.any(|g| problem.groups[g as usize].calendars.contains(&calendar))
        && !is_open(problem, calendar, begin, end)
}

/// The same problems with calendars that open and close; the last of each may stay open.
pub fn timed_problems(
    groups: usize,
    resources: usize,
    count: u32,
) -> impl Strategy<Value = Problem> {
    let spans = prop::collection::vec((1..8_u64, 1..8_u64), 0..6);
    let calendars = prop::collection::vec((spans, any::<bool>()), 1..4);
    let of_groups = prop::collection::vec(subsequence(vec![0_u32, 1, 2], 0..=2), groups);
    (problems(groups, resources, count), calendars, of_groups).prop_map(
        |(mut problem, calendars, of_groups)| {
            problem.calendars = calendars.into_iter().enumerate().map(calendar).collect();
            let known = problem.calendars.len() as u32;
            for (group, calendars) in problem.groups.iter_mut().zip(of_groups) {
                group.calendars = calendars.into_iter().filter(|c| *c < known).collect();
            }
            problem
        },
    )
}

fn calendar((at, (spans, stays)): (usize, (Vec<(u64, u64)>, bool))) -> Calendar {
    let mut end = 0;
    let mut open: Vec<std::ops::Range<u64>> = spans
        .into_iter()
        .map(|(closed, open)| {
            let begin = end + closed * 500;
            end = begin + open * 500;
            begin..end
        })
        .collect();
    if stays {
        open.push(end + 1000..u64::MAX / 4);
    }
    Calendar {
        name: format!("calendar {at}").into(),
        open,
    }
}

/// Checks that what is said to have held each chunk really did in the wave before.
pub fn check_held(problem: &Problem, schedule: &Schedule) -> Result<(), String> {
    let before = history(problem, schedule);
    for chunk in &schedule.chunks {
        let g = chunk.group as usize;
        let group = &problem.groups[g];
        let at = chunk.wave as usize;
        let sum = |wave: usize, g: usize| before[wave][g].iter().sum::<u32>();
        let holds = match chunk.held {
            Held::Nothing => chunk.wave == 1,
            _ if chunk.wave == 1 => false,
            Held::Resource(r) => {
                let r = r as usize;
                let full = down(problem, r, &before[at - 2])
                    + taken(problem, r, &wave(schedule, chunk.wave - 1))
                    >= problem.resources[r].limit;
                full && group
                    .cohorts
                    .get(chunk.cohort as usize)
                    .takes
                    .contains(&(r as u32))
            }
            Held::Precedence(p) => {
                let p = &problem.precedences[p as usize];
                p.after as usize == g && sum(at - 2, p.before as usize) < p.count
            }
            Held::Phase(p) => {
                let all = &before[schedule.waves as usize];
                let phases = group.cohorts.phases(chunk.cohort as usize);
                phases.contains(&p) && closed(problem, chunk, &before[at - 2], all).is_some()
            }
            Held::Gang(gang) => group.cohorts.gang(chunk.cohort as usize) == Some(gang),
            Held::Stage(s) => {
                let until = group.stages[s as usize].until;
                sum(at - 1, g) >= until
                    && (sum(at - 2, g) < until || soaking(problem, schedule, chunk, until))
            }
            Held::Order(c) => {
                c < chunk.cohort
                    && group.order == Order::Strict
                    && before[at - 1][g][c as usize] < group.cohorts.get(c as usize).count
            }
            Held::Calendar(calendar) => is_closed(problem, schedule, chunk, calendar),
        };
        if !holds {
            return Err(format!("{chunk:?} was not held"));
        }
    }
    Ok(())
}

/// Whether the stage that ends at `until` had not soaked when the wave before the chunk started.
fn soaking(problem: &Problem, schedule: &Schedule, chunk: &Chunk, until: u32) -> bool {
    let mine: Vec<_> = schedule
        .chunks
        .iter()
        .filter(|c| c.group == chunk.group)
        .collect();
    let mut done = 0;
    let mut last = 0;
    for c in mine {
        if done >= until {
            break;
        }
        done += c.count;
        last = c.wave;
    }
    let stage = problem.groups[chunk.group as usize]
        .stages
        .iter()
        .find(|s| s.until == until);
    let ready = schedule.ends_ms[last as usize - 1] + stage.map_or(0, |s| s.soak_ms);
    schedule.starts_ms[chunk.wave as usize - 2] < ready
}

/// Random problems, small enough to print and to think through.
pub fn problems(groups: usize, resources: usize, count: u32) -> impl Strategy<Value = Problem> {
    let resource = (0..5_u32, prop_oneof![3 => Just(0), 1 => 0..3_u32]);
    let resources = prop::collection::vec(resource, 1..=resources);
    (resources, 0..=groups).prop_flat_map(move |(resources, groups)| {
        let indices: Vec<u32> = (0..resources.len() as u32).collect();
        let links = prop::collection::vec((any::<usize>(), any::<usize>(), 0..4_u32), 0..4);
        let group = group(indices, count);
        let groups = prop::collection::vec(group, groups);
        // Most have none.
        let rates = prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(1..6_u32, 1..3)];
        // Most have none.
        let phases = prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(any::<u8>(), 24)];
        let problem = (Just(resources), groups, links, rates).prop_map(build);
        (problem, phases).prop_map(|(problem, places)| phased(problem, &places))
    })
}

/// With two sequences, of three and of two phases; the place of a cohort in them is that of a byte.
fn phased(mut problem: Problem, places: &[u8]) -> Problem {
    if places.is_empty() {
        return problem;
    }
    let phase = |(at, follows): (usize, bool)| Phase {
        name: format!("phase {at}").into(),
        follows,
    };
    let all = [false, true, true, false, true];
    problem.phases = all.into_iter().enumerate().map(phase).collect();
    let mut places = places.iter().cycle();
    for group in &mut problem.groups {
        let mut cohorts = Cohorts::default();
        for (at, cohort) in group.cohorts.iter().enumerate() {
            let place = u32::from(*places.next().expect("they go round"));
            let of = [(place % 4, 0), (place / 4 % 3, 3)];
            let of = of.into_iter().filter(|(nth, _)| *nth > 0);
            let of: Vec<u32> = of.map(|(nth, first)| first + nth - 1).collect();
            cohorts.push(cohort);
            cohorts.put_ahead(group.cohorts.ahead(at));
            if !cohort.takes.is_empty() {
                cohorts.put_in(&of);
            }
        }
        group.cohorts = cohorts;
    }
    problem
}

/// (group that goes first, group that waits, moves), the groups modulo their number.
type Links = Vec<(usize, usize, u32)>;

/// (limit, down) of each resource.
type Rooms = Vec<(u32, u32)>;

fn build((resources, mut groups, links, rates): (Rooms, Vec<Group>, Links, Vec<u32>)) -> Problem {
    for (g, group) in groups.iter_mut().enumerate() {
        group.name = format!("group {g}").into();
        // None of the rates, one or more, with a unit a move or more.
        let rates = (0..rates.len()).filter(|rate| (g >> rate) & 1 == 1);
        let need = |rate: usize| Need {
            rate: rate as u32,
            units: (g / 2 + rate) as u32 % 3 + 1,
        };
        group.needs = rates.map(need).collect();
    }
    let rate = |(r, per_s): (usize, u32)| Rate {
        name: format!("rate {r}").into(),
        per_s,
    };
    let resource = |(r, (limit, down)): (usize, (u32, u32))| Resource {
        name: format!("resource {r}").into(),
        limit,
        down,
        is_place: r % 2 == 0,
    };
    let n = groups.len();
    let link = |(p, (a, b, count)): (usize, (usize, usize, u32))| Precedence {
        name: format!("precedence {p}").into(),
        before: (a % n) as u32,
        after: (b % n) as u32,
        count,
    };
    let links = links.into_iter().enumerate().filter(|_| n > 0);
    Problem {
        resources: resources.into_iter().enumerate().map(resource).collect(),
        pools: Vec::new(),
        precedences: links.map(link).collect(),
        groups,
        calendars: Vec::new(),
        rates: rates.into_iter().enumerate().map(rate).collect(),
        phases: Vec::new(),
        gangs: Vec::new(),
        streaming: false,
    }
}

/// A cohort by itself.
#[derive(Clone, Debug)]
pub struct OwnedCohort {
    pub count: u32,
    pub takes: Vec<u32>,
    pub releases: Vec<u32>,
    pub duration_ms: u64,
}

impl OwnedCohort {
    pub fn as_cohort(&self) -> Cohort<'_> {
        Cohort {
            count: self.count,
            takes: &self.takes,
            releases: &self.releases,
            duration_ms: self.duration_ms,
        }
    }
}

fn group(resources: Vec<u32>, count: u32) -> impl Strategy<Value = Group> {
    let n = resources.len();
    let cohort = (
        1..=count,
        subsequence(resources, 0..=n),
        any::<u8>(),
        1..4_u64,
    );
    let cohorts = prop::collection::vec(cohort.prop_map(cohort_of), 1..4);
    let order = prop_oneof![Just(Order::Strict), Just(Order::Free)];
    let stages = prop::collection::vec((0..4_u32, 0..6_u64), 0..3);
    let short = prop::bool::weighted(0.1);
    (cohorts, order, stages, short, any::<u8>()).prop_map(
        |(cohorts, order, stages, short, tied)| {
            let cohorts = queue(&cohorts, order, tied);
            let total: u32 = cohorts.counts().iter().sum();
            let mut until = 0;
            let mut stages: Vec<Stage> = stages
                .into_iter()
                .map(|(more, soak)| {
                    until += more;
                    Stage {
                        until,
                        soak_ms: soak * 1000,
                    }
                })
                .collect();
            if !stages.is_empty() && !short {
                stages.push(Stage {
                    until: total.max(until),
                    soak_ms: 0,
                });
            }
            Group {
                name: "".into(),
                cohorts,
                order,
                stages,
                ..Group::default()
            }
        },
    )
}

/// Cohorts in order; of a free group those that take nothing come one after the other, but for
/// some (by a bit of `tied`) of which nobody knows when they come.
fn queue(cohorts: &[OwnedCohort], order: Order, tied: u8) -> Cohorts {
    let (mut all, mut before) = (Cohorts::default(), 0);
    for (at, cohort) in cohorts.iter().enumerate() {
        all.push(cohort.as_cohort());
        if order == Order::Free && cohort.takes.is_empty() {
            if tied >> at & 1 == 0 {
                all.put_ahead(before);
            }
            before += cohort.count;
        }
    }
    all
}

fn cohort_of((count, touched, releases, duration): (u32, Vec<u32>, u8, u64)) -> OwnedCohort {
    // Mostly takes; a quarter of the cohorts were down and release instead, some do both.
    let gives = |at: usize| match releases % 8 {
        0 => true,
        1 => at.is_multiple_of(2),
        _ => false,
    };
    let (mut takes, mut gave) = (Vec::new(), Vec::new());
    for (at, r) in touched.into_iter().enumerate() {
        if gives(at) {
            gave.push(r);
        } else {
            takes.push(r);
        }
    }
    OwnedCohort {
        count,
        takes,
        releases: gave,
        duration_ms: duration * 1000,
    }
}

/// The problem with these constraints alone.
fn with_only(problem: &Problem, constraints: &BTreeSet<ConstraintId>) -> Problem {
    let mut problem = problem.clone();
    for (r, resource) in (0..).zip(&mut problem.resources) {
        if !constraints.contains(&ConstraintId::Resource(r)) {
            resource.limit = u32::MAX / 2;
        }
    }
    for (p, precedence) in (0..).zip(&mut problem.precedences) {
        if !constraints.contains(&ConstraintId::Precedence(p)) {
            precedence.count = 0;
        }
    }
    for (g, group) in (0..).zip(&mut problem.groups) {
        if !constraints.contains(&ConstraintId::Stages(g)) {
            group.stages.clear();
        }
        if !constraints.contains(&ConstraintId::Order(g)) {
            group.order = Order::Free;
        }
    }
    for (p, phase) in (0..).zip(&mut problem.phases) {
        phase.follows &= constraints.contains(&ConstraintId::Phase(p));
    }
    regang(&mut problem, |gang| {
        gang.filter(|gang| constraints.contains(&ConstraintId::Gang(*gang)))
    });
    problem
}

fn can(problem: &Problem, goal: &[Goal]) -> bool {
    let left = reachable(problem).left;
    goal.iter().all(|g| {
        left.iter()
            .all(|l| (l.group, l.cohort) != (g.group, g.cohort))
    })
}

pub fn left_of(problem: &Problem) -> BTreeMap<(usize, usize), u32> {
    let mut left = BTreeMap::new();
    for l in reachable(problem).left {
        *left
            .entry((l.group as usize, l.cohort as usize))
            .or_default() += l.count;
    }
    left
}

/// Checks that the fewest waves there are lie between the bound and the schedule, of few moves.
pub fn check_optimum(problem: &Problem) -> Result<(), TestCaseError> {
    let moves: u32 = problem.groups.iter().flat_map(|g| g.cohorts.counts()).sum();
    prop_assume!(moves <= 9);
    let schedule = solve(problem);
    let optimum = fewest_waves(problem, &left_of(problem));
    prop_assert!(schedule.bound.waves <= optimum, "{:?}", schedule.bound);
    prop_assert!(optimum <= schedule.waves);
    Ok(())
}

/// Checks that what is said to conflict rules the goals out, and that each member is needed.
pub fn check_conflicts(problem: Problem) -> Result<(), TestCaseError> {
    let problem = settled(problem);
    let left = reachable(&problem).left;
    let goal = |l: &Left| Goal {
        group: l.group,
        cohort: l.cohort,
    };
    let goal: Vec<Goal> = left.iter().map(goal).collect();
    for goal in goal.chunks(2).chain([&goal[..]]) {
        let found: BTreeSet<ConstraintId> = conflict(&problem, goal).into_iter().collect();
        prop_assert_eq!(found.is_empty(), goal.is_empty());
        if !goal.is_empty() {
            prop_assert!(!can(&with_only(&problem, &found), goal));
        }
        for member in &found {
            let mut fewer = found.clone();
            fewer.remove(member);
            prop_assert!(
                can(&with_only(&problem, &fewer), goal),
                "without {member:?}"
            );
        }
    }
    Ok(())
}

/// Lets `of` say of which gang each cohort is that is of one, or of none.
pub fn regang(problem: &mut Problem, mut of: impl FnMut(Option<u32>) -> Option<u32>) {
    for group in &mut problem.groups {
        let mut cohorts = Cohorts::default();
        for (at, cohort) in group.cohorts.iter().enumerate() {
            cohorts.push(cohort);
            cohorts.put_ahead(group.cohorts.ahead(at));
            cohorts.put_in(group.cohorts.phases(at));
            if !cohort.takes.is_empty() {
                cohorts.put_in_gang(of(group.cohorts.gang(at)));
            }
        }
        group.cohorts = cohorts;
    }
}

/// The cohorts of a gang.
fn members(problem: &Problem, gang: u32) -> Vec<(usize, usize)> {
    let groups = problem.groups.iter().enumerate();
    let all = groups.flat_map(|(g, group)| (0..group.cohorts.len()).map(move |c| (g, c)));
    let is_of = |&(g, c): &(usize, usize)| problem.groups[g].cohorts.gang(c) == Some(gang);
    all.filter(is_of).collect()
}

/// A gang of which some moves are made between two states, and others are not.
fn torn(problem: &Problem, before: &[Vec<u32>], after: &[Vec<u32>]) -> Option<u32> {
    (0..problem.gangs.len() as u32).find(|&gang| {
        let made = |&(g, c): &(usize, usize)| after[g][c] - before[g][c];
        let is_whole =
            |it: &(usize, usize)| made(it) == problem.groups[it.0].cohorts.get(it.1).count;
        let members = members(problem, gang);
        members.iter().any(|it| made(it) > 0)
            && (problem.gangs[gang as usize].is_torn || !members.iter().all(is_whole))
    })
}

/// The fewest waves for every move that can be done, by exhaustive search over states.
pub fn fewest_waves(problem: &Problem, left: &BTreeMap<(usize, usize), u32>) -> u32 {
    let goal: Vec<Vec<u32>> = (0..problem.groups.len())
        .map(|g| {
            let of = |c: usize| {
                let gone = left.get(&(g, c)).copied().unwrap_or(0);
                problem.groups[g].cohorts.get(c).count - gone
            };
            (0..problem.groups[g].cohorts.len()).map(of).collect()
        })
        .collect();
    let start: Vec<Vec<u32>> = goal.iter().map(|g| vec![0; g.len()]).collect();
    let mut states = BTreeSet::from([start]);
    let mut waves = 0;
    while !states.contains(&goal) {
        waves += 1;
        let mut next = BTreeSet::new();
        for state in &states {
            extend(problem, &goal, state, state.clone(), 0, &mut next);
        }
        states = next;
    }
    waves
}

/// Adds every state that one wave can reach, cohort by cohort.
fn extend(
    problem: &Problem,
    goal: &[Vec<u32>],
    before: &[Vec<u32>],
    after: Vec<Vec<u32>>,
    at: usize,
    out: &mut BTreeSet<Vec<Vec<u32>>>,
) {
    let flat: Vec<(usize, usize)> = goal
        .iter()
        .enumerate()
        .flat_map(|(g, row)| (0..row.len()).map(move |c| (g, c)))
        .collect();
    let Some(&(g, c)) = flat.get(at) else {
        let moved = |g: usize| before[g] != after[g];
        let fine = (0..goal.len()).filter(|&g| moved(g));
        if fine.clone().count() > 0
            && fine
                .into_iter()
                .all(|g| check_group(problem, g, before, &after).is_ok())
            && are_open(problem, before, &after, goal)
            && torn(problem, before, &after).is_none()
        {
            out.insert(after);
        }
        return;
    };
    let mut now = after;
    loop {
        extend(problem, goal, before, now.clone(), at + 1, out);
        now[g][c] += 1;
        if now[g][c] > goal[g][c] || !fits(problem, before, &now) {
            return;
        }
    }
}

/// Whether the moves between two states are of phases that have begun.
fn are_open(problem: &Problem, before: &[Vec<u32>], after: &[Vec<u32>], goal: &[Vec<u32>]) -> bool {
    let mut phases = 0..problem.phases.len() as u32;
    phases.all(|phase| {
        let earlier = phases_before(problem, phase);
        let begins = in_phases(problem, before, &earlier) == in_phases(problem, goal, &earlier);
        begins || in_phases(problem, before, &[phase]) == in_phases(problem, after, &[phase])
    })
}

fn fits(problem: &Problem, before: &[Vec<u32>], after: &[Vec<u32>]) -> bool {
    problem.resources.iter().enumerate().all(|(r, resource)| {
        let mut taken = 0;
        for (g, group) in problem.groups.iter().enumerate() {
            for (c, cohort) in group.cohorts.iter().enumerate() {
                if cohort.takes.contains(&(r as u32)) {
                    taken += after[g][c] - before[g][c];
                }
            }
        }
        taken == 0 || down(problem, r, before) + taken <= resource.limit
    })
}

/// The moves that can be done by trying single moves until none is possible; of a phase none before
/// all of the earlier ones are done that can be done without phases.
pub fn slow_left(problem: &Problem) -> BTreeMap<(usize, usize), u32> {
    let without = slow_done(problem, None);
    let done = slow_done(problem, Some(&without));
    let mut left = BTreeMap::new();
    for (g, group) in problem.groups.iter().enumerate() {
        for (c, cohort) in group.cohorts.iter().enumerate() {
            if done[g][c] < cohort.count {
                left.insert((g, c), cohort.count - done[g][c]);
            }
        }
    }
    left
}

fn slow_done(problem: &Problem, without: Option<&Vec<Vec<u32>>>) -> Vec<Vec<u32>> {
    let mut done: Vec<Vec<u32>> = problem
        .groups
        .iter()
        .map(|g| vec![0; g.cohorts.len()])
        .collect();
    let mut moved = true;
    while moved {
        moved = false;
        for g in 0..problem.groups.len() {
            for c in 0..problem.groups[g].cohorts.len() {
                if problem.groups[g].cohorts.gang(c).is_none()
                    && movable(problem, &done, g, c)
                    && without.is_none_or(|all| begins(problem, &done, all, (g, c)))
                {
                    done[g][c] += 1;
                    moved = true;
                }
            }
        }
        for gang in 0..problem.gangs.len() as u32 {
            let its = members(problem, gang);
            let mut begun = its.iter();
            let begun = begun.all(|&it| without.is_none_or(|all| begins(problem, &done, all, it)));
            if let Some(after) = with_gang(problem, &done, gang).filter(|_| begun) {
                done = after;
                moved = true;
            }
        }
    }
    done
}

/// The state after a gang has gone as a whole, if it can.
fn with_gang(problem: &Problem, done: &[Vec<u32>], gang: u32) -> Option<Vec<Vec<u32>>> {
    let members = members(problem, gang);
    let mut after = done.to_vec();
    for &(g, c) in &members {
        after[g][c] = problem.groups[g].cohorts.get(c).count;
    }
    let is_new = members.iter().all(|&(g, c)| done[g][c] == 0);
    let goes = |&(g, c): &(usize, usize)| {
        let group = &problem.groups[g];
        let counts = group.cohorts.counts();
        let end: u32 = counts[..=c].iter().sum();
        let sum = |g: u32| done[g as usize].iter().sum::<u32>();
        let mut precedences = problem.precedences.iter();
        group.stages.last().is_none_or(|last| end <= last.until)
            && precedences.all(|p| p.after as usize != g || sum(p.before) >= p.count)
            && (group.order == Order::Free || (0..c).all(|at| after[g][at] == counts[at]))
    };
    let can = is_new
        && !members.is_empty()
        && !problem.gangs[gang as usize].is_torn
        && members.iter().all(goes)
        && fits(problem, done, &after);
    can.then_some(after)
}

/// The same without phases of what could not be done without phases either: nobody waits for that, and
/// what may be done with fewer constraints changes nothing for those that wait.
pub fn settled(mut problem: Problem) -> Problem {
    let done = slow_done(&problem, None);
    for (group, done) in problem.groups.iter_mut().zip(done) {
        let mut cohorts = Cohorts::default();
        for (at, cohort) in group.cohorts.iter().enumerate() {
            cohorts.push(cohort);
            cohorts.put_ahead(group.cohorts.ahead(at));
            if done[at] > 0 {
                cohorts.put_in(group.cohorts.phases(at));
            }
            cohorts.put_in_gang(group.cohorts.gang(at));
        }
        group.cohorts = cohorts;
    }
    problem
}

/// Whether all phases before those of a cohort are over.
fn begins(problem: &Problem, done: &[Vec<u32>], all: &[Vec<u32>], (g, c): (usize, usize)) -> bool {
    let phases = problem.groups[g].cohorts.phases(c).iter();
    let mut before = phases.flat_map(|phase| phases_before(problem, *phase));
    before.all(|phase| in_phases(problem, done, &[phase]) == in_phases(problem, all, &[phase]))
}

fn movable(problem: &Problem, done: &[Vec<u32>], g: usize, c: usize) -> bool {
    let group = &problem.groups[g];
    let down = |r: u32| {
        let mut down = problem.resources[r as usize].down;
        for (group, done) in problem.groups.iter().zip(done) {
            for (cohort, done) in group.cohorts.iter().zip(done) {
                down = down.saturating_sub(if cohort.releases.contains(&r) {
                    *done
                } else {
                    0
                });
            }
        }
        down
    };
    let sum = |g: u32| done[g as usize].iter().sum::<u32>();
    let place: u32 = group.cohorts.counts()[..c].iter().sum::<u32>() + done[g][c];
    done[g][c] < group.cohorts.get(c).count
        && group.stages.last().is_none_or(|s| place < s.until)
        && problem
            .precedences
            .iter()
            .all(|p| p.after as usize != g || sum(p.before) >= p.count)
        && (group.order == Order::Free
            || (0..c).all(|before| done[g][before] == group.cohorts.get(before).count))
        && group
            .cohorts
            .get(c)
            .takes
            .iter()
            .all(|&r| down(r) < problem.resources[r as usize].limit)
}
