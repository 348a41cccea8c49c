//! Laws of schedules without barriers that are carried out again by moves that take longer or shorter.
#![expect(clippy::unwrap_used, reason = "tests")]

mod schedule_common;
mod streaming_common;

use planner_core::schedule::problem::Problem;
use planner_core::schedule::{Gone, Laid, Leg, Rehearsal, Schedule};
use proptest::prelude::*;
use schedule_common::{problems, timed_problems};
use streaming_common::{Move, check, moves_of, streaming};

/// What came of each move of each chunk.
type Course = Vec<(usize, Option<Gone>)>;

/// Where one leg ends, and how long it rests before.
fn leg(last_wave: u32, rest_ms: u64) -> Leg {
    Leg { last_wave, rest_ms }
}

/// Carries a schedule out, by how long each move takes, of which the planned time is known.
fn carried_out(
    problem: &Problem,
    schedule: &Schedule,
    legs: Vec<Leg>,
    mut lasts_ms: impl FnMut(u64) -> u64,
) -> Course {
    let bound_ms = schedule.streaming.as_ref().unwrap().bound_ms;
    let laid = Laid::of(problem);
    let rehearsal = Rehearsal::of(problem, laid, &schedule.chunks, legs, bound_ms).unwrap();
    let planned: Vec<u64> = problem
        .groups
        .iter()
        .flat_map(|group| group.cohorts.iter().map(|it| it.duration_ms))
        .collect();
    let mut course = Vec::new();
    rehearsal.carry_out(
        |cohort| lasts_ms(planned[cohort]),
        |chunk, gone| course.push((chunk, gone)),
    );
    course
}

fn one_leg(schedule: &Schedule) -> Vec<Leg> {
    vec![leg(schedule.waves, 0)]
}

/// Of one move after the other the factors by which it takes longer, over and over.
fn longer(factors: &[u64]) -> impl FnMut(u64) -> u64 {
    let mut factors = factors.iter().cycle();
    move |planned_ms| planned_ms * factors.next().unwrap() / 4
}

/// Those that were made.
fn made(schedule: &Schedule, course: &Course) -> Vec<Move> {
    let all = course.iter().filter_map(|(chunk, gone)| {
        let (of, gone) = (schedule.chunks[*chunk], (*gone)?);
        Some(Move {
            group: of.group as usize,
            cohort: of.cohort as usize,
            start: gone.start_ms,
            end: gone.end_ms,
        })
    });
    all.collect()
}

fn sorted(mut moves: Vec<Move>) -> Vec<Move> {
    moves.sort_by_key(|it| (it.group, it.cohort, it.start, it.end));
    moves
}

fn end(moves: &[Move]) -> u64 {
    moves.iter().map(|it| it.end).max().unwrap_or(0)
}

/// Moves that take as long as planned are made when the plan has them.
fn is_the_plan(problem: Problem) -> Result<(), TestCaseError> {
    let (problem, schedule) = streaming(problem);
    let course = carried_out(&problem, &schedule, one_leg(&schedule), |it| it);
    prop_assert!(
        course
            .iter()
            .all(|(_, gone)| gone.is_some_and(|it| !it.past_calendar))
    );
    let moves = sorted(made(&schedule, &course));
    prop_assert_eq!(moves, sorted(moves_of(&problem, &schedule)));
    Ok(())
}

/// However long moves take, those that are made keep every rule, and only calendars keep any back.
fn keeps_every_rule(problem: Problem, factors: &[u64], legs: &[u32]) -> Result<(), TestCaseError> {
    let (problem, schedule) = streaming(problem);
    let mut ends: Vec<u32> = legs
        .iter()
        .map(|it| it % schedule.waves.max(1) + 1)
        .collect();
    ends.push(schedule.waves);
    ends.sort_unstable();
    ends.dedup();
    let legs: Vec<Leg> = ends.iter().map(|&wave| leg(wave, 250)).collect();
    let course = carried_out(&problem, &schedule, legs, longer(factors));
    let all: u32 = schedule.chunks.iter().map(|it| it.count).sum();
    prop_assert_eq!(course.len(), all as usize);
    let moves = made(&schedule, &course);
    prop_assert!(!problem.calendars.is_empty() || moves.len() == course.len());
    prop_assert_eq!(check(&problem, &moves), Ok(()));
    for last in &ends {
        let is_before = |chunk: &usize| schedule.chunks[*chunk].wave <= *last;
        let (before, after): (Course, Course) =
            course.iter().partition(|(chunk, _)| is_before(chunk));
        let (is_over, after) = (
            before.iter().all(|(_, gone)| gone.is_some()),
            made(&schedule, &after),
        );
        let first = after.iter().map(|it| it.start).min().unwrap_or(u64::MAX);
        prop_assert!(is_over || after.is_empty());
        prop_assert!(first >= end(&made(&schedule, &before)) + 250);
    }
    for (chunk, gone) in &course {
        let calendars = &problem.groups[schedule.chunks[*chunk].group as usize].calendars;
        let Some(gone) = gone else { continue };
        let is_open = calendars.iter().all(|&it| {
            let mut open = problem.calendars[it as usize].open.iter();
            open.any(|it| it.start <= gone.start_ms && gone.end_ms <= it.end)
        });
        prop_assert_eq!(gone.past_calendar, !is_open);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn moves_that_take_as_planned_are_made_as_planned(problem in problems(6, 5, 9)) {
        is_the_plan(problem)?;
    }

    #[test]
    fn moves_that_take_as_planned_are_made_as_planned_in_calendars(problem in timed_problems(6, 5, 9)) {
        is_the_plan(problem)?;
    }

    #[test]
    fn however_long_moves_take_they_keep_every_rule(
        problem in problems(6, 5, 9),
        factors in prop::collection::vec(1..12_u64, 1..30),
        legs in prop::collection::vec(any::<u32>(), 0..3),
    ) {
        keeps_every_rule(problem, &factors, &legs)?;
    }

    #[test]
    fn however_long_moves_take_they_keep_every_calendar(
        problem in timed_problems(6, 5, 9),
        factors in prop::collection::vec(1..12_u64, 1..30),
        legs in prop::collection::vec(any::<u32>(), 0..3),
    ) {
        keeps_every_rule(problem, &factors, &legs)?;
    }

    /// No more can be said of moves that take longer: who comes back later may let another go first,
    /// and all be over sooner (Graham 1966).
    #[test]
    fn moves_that_take_longer_are_never_over_before_the_bound(
        problem in problems(6, 5, 9),
        factors in prop::collection::vec(4..12_u64, 1..30),
    ) {
        let (problem, schedule) = streaming(problem);
        let course = carried_out(&problem, &schedule, one_leg(&schedule), longer(&factors));
        let bound_ms = schedule.streaming.as_ref().unwrap().bound_ms;
        prop_assert!(end(&made(&schedule, &course)) >= bound_ms);
    }

    #[test]
    fn without_soaks_and_rates_thrice_as_long_is_three_times_that(
        mut problem in problems(6, 5, 9),
        factors in prop::collection::vec(1..12_u64, 1..30),
    ) {
        problem.rates.clear();
        for group in &mut problem.groups {
            group.needs.clear();
            group.stages.iter_mut().for_each(|it| it.soak_ms = 0);
        }
        let (problem, schedule) = streaming(problem);
        let run = |by: u64| {
            let factors: Vec<u64> = factors.iter().map(|it| it * by).collect();
            let course = carried_out(&problem, &schedule, one_leg(&schedule), longer(&factors));
            made(&schedule, &course)
        };
        let thrice = run(4).into_iter().map(|it| Move { start: 3 * it.start, end: 3 * it.end, ..it });
        prop_assert_eq!(thrice.collect::<Vec<_>>(), run(12));
    }
}
