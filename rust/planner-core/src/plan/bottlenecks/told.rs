//! What a unit saves, as it is told.

use serde::Serialize;

use super::{
    Bottlenecks,
    units::{Idle, Try, Unit},
};
use crate::schedule::Schedule;

/// A schedule in figures.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Figures {
    waves: u32,
    waves_bound: u32,
    seconds: f64,
    seconds_bound: f64,
    moves: u64,
}

impl Figures {
    pub fn of(schedule: &Schedule) -> Self {
        let seconds = |ms: u64| ms as f64 / 1000.0;
        let moves = schedule.chunks.iter().map(|it| u64::from(it.count));
        Self {
            waves: schedule.waves,
            waves_bound: schedule.bound.waves,
            seconds: seconds(schedule.last_end_ms()),
            seconds_bound: seconds(schedule.least_ms()),
            moves: moves.sum(),
        }
    }
}

/// What came of a unit more.
#[derive(Serialize)]
pub(super) struct Found<'a> {
    kind: &'static str,
    name: &'a str,
    cluster: Option<&'a str>,
    unit: &'static str,
    /// The limit of a budget, or the writes a second of a rate, before.
    limit: Option<u32>,
    /// Moves that it holds up.
    holds: u64,
    saves_waves: i64,
    saves_seconds: f64,
    /// No schedule with the unit saves more.
    saves_waves_at_most: i64,
    /// Moves that can be made only with the unit.
    more_moves: i64,
    with_it: Figures,
}

/// What is not tried.
#[derive(Serialize)]
pub(super) struct Untried<'a> {
    kind: &'static str,
    name: &'a str,
    cluster: Option<&'a str>,
    unit: &'static str,
    why: String,
}

impl Bottlenecks {
    fn unit_text(&self, unit: Unit) -> &'static str {
        match unit {
            Unit::Budget(budget) => {
                let mut places = self.model.problem.pools.iter().filter(|of| **of == budget);
                match places.nth(1) {
                    Some(_) => "1 pod more at once at each place",
                    None => "1 pod more at once",
                }
            }
            Unit::Sooner(_) => "1 pod fewer to wait for",
            Unit::Without(_) | Unit::Unordered(_) => "taken out",
            Unit::Soak(_) => "1 minute less soak",
            Unit::Size(_) => "1 move more in it",
            Unit::Rate(_) => "1 write a second more",
        }
    }

    /// What a schedule with a unit saves. Of the same moves the one without it holds too, so the
    /// better of both counts: the search may miss it where there is more to choose from. But for
    /// a larger stage: moves of two stages never share a wave, so it may cost one.
    pub(super) fn told(&self, each: &Try, schedule: &Schedule) -> Found<'_> {
        let (without, mut with_it) = (Figures::of(&self.schedule), Figures::of(schedule));
        let cost = |it: &Schedule| (it.waves, it.last_end_ms());
        let is_looser = !matches!(each.unit, Unit::Size(_)) && with_it.moves == without.moves;
        if is_looser && cost(&self.schedule) <= cost(schedule) {
            (with_it.waves, with_it.seconds) = (without.waves, without.seconds);
        }
        let (kind, name, cluster) = self.name(each.unit);
        let limit = match each.unit {
            Unit::Budget(index) => Some(self.model.budgets[index as usize].limit),
            Unit::Rate(index) => Some(self.model.problem.rates[index as usize].per_s),
            _ => None,
        };
        Found {
            kind,
            name,
            cluster,
            unit: self.unit_text(each.unit),
            limit,
            holds: each.holds,
            saves_waves: i64::from(without.waves) - i64::from(with_it.waves),
            saves_seconds: without.seconds - with_it.seconds,
            saves_waves_at_most: i64::from(without.waves) - i64::from(with_it.waves_bound),
            more_moves: with_it.moves.cast_signed() - without.moves.cast_signed(),
            with_it,
        }
    }

    /// What is not tried, by kind and name.
    pub(super) fn untried(&self) -> Vec<Untried<'_>> {
        let idle = self.units.idle.iter();
        let of = |(unit, idle): &(Unit, Idle)| {
            let (kind, name, cluster) = self.name(*unit);
            let why = match idle {
                Idle::Free => "it holds nothing up".to_owned(),
                Idle::Together(Some(other)) => {
                    let other = &self.model.budgets[*other as usize].name;
                    format!("whatever it holds up {other} holds up too")
                }
                Idle::Together(None) => {
                    "whatever it holds up another budget holds up too".to_owned()
                }
            };
            Untried {
                kind,
                name,
                cluster,
                unit: self.unit_text(*unit),
                why,
            }
        };
        idle.map(of).collect()
    }
}
