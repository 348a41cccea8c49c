//! Draws in figures.

use serde::Serialize;

use super::{Course, Drawn, Span};

/// Seconds that so many of a hundred draws take at most; absent where that many never end.
#[derive(Debug, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "units are said everywhere")]
struct Quantiles {
    p50_s: Option<f64>,
    p90_s: Option<f64>,
    p99_s: Option<f64>,
}

/// Shares are of all draws, from 0 to 1.
#[derive(Serialize)]
struct Told {
    planned_s: f64,
    seen_moves: u64,
    /// From the start to the end of the last wave.
    end: Quantiles,
    /// All waves together, without what lies between them.
    moving: Quantiles,
    /// That a window or freeze leaves no time for what is left.
    unfinished: f64,
    /// That the deadline is missed.
    late: Option<f64>,
    /// That any wave runs past a window, or any move of a plan that streams.
    past_window: Option<f64>,
    per_wave: Vec<ToldWave>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    per_leg: Vec<ToldLeg>,
}

#[derive(Serialize)]
struct ToldWave {
    wave: usize,
    planned_s: f64,
    takes: Quantiles,
    end: Quantiles,
    past_window: Option<f64>,
}

#[derive(Serialize)]
struct ToldLeg {
    leg: usize,
    last_wave: u32,
    takes: Quantiles,
    end: Quantiles,
}

pub(super) fn told(course: &Course, draws: &[Drawn]) -> String {
    let share = |is: &dyn Fn(&Drawn) -> bool| {
        draws.iter().filter(|it| is(it)).count() as f64 / draws.len().max(1) as f64
    };
    let runs_past = |it: &Drawn| it.waves.iter().flatten().any(|wave| wave.past_window);
    let is_late = |it: &Drawn, allowed_ms| it.end_ms().is_none_or(|end_ms| end_ms > allowed_ms);
    let is_windowed = course.waves.iter().any(|it| it.open.is_some());
    let told = Told {
        planned_s: course.planned_s,
        seen_moves: course.seen,
        end: Quantiles::of(draws, Drawn::end_ms),
        moving: Quantiles::of(draws, Drawn::moving_ms),
        unfinished: share(&|it| it.end_ms().is_none()),
        late: course
            .allowed_ms
            .map(|allowed| share(&|it| is_late(it, allowed as f64))),
        past_window: is_windowed.then(|| share(&runs_past)),
        per_wave: (0..course.waves.len())
            .map(|at| told_wave(course, draws, at))
            .collect(),
        per_leg: (0..course.legs.len())
            .map(|at| told_leg(course, draws, at))
            .collect(),
    };
    serde_json::to_string(&told).expect("figures are JSON")
}

fn told_wave(course: &Course, draws: &[Drawn], at: usize) -> ToldWave {
    let wave = &course.waves[at];
    let of = |it: &Drawn| it.waves[at];
    let past = || draws.iter().filter_map(of).filter(|it| it.past_window);
    let planned_ms = wave.spans_ms.unwrap_or(wave.planned_ms);
    ToldWave {
        wave: at + 1,
        planned_s: planned_ms as f64 / 1000.0,
        takes: Quantiles::of(draws, |it| of(it).map(|wave: Span| wave.ms)),
        end: Quantiles::of(draws, |it| of(it).map(|wave| wave.end_ms)),
        past_window: wave
            .open
            .is_some()
            .then(|| past().count() as f64 / draws.len().max(1) as f64),
    }
}

fn told_leg(course: &Course, draws: &[Drawn], at: usize) -> ToldLeg {
    let of = |it: &Drawn| it.legs[at];
    ToldLeg {
        leg: at + 1,
        last_wave: course.legs[at].last_wave,
        takes: Quantiles::of(draws, |it| of(it).map(|leg: Span| leg.ms)),
        end: Quantiles::of(draws, |it| of(it).map(|leg| leg.end_ms)),
    }
}

impl Quantiles {
    /// Of the milliseconds of each draw, `None` for one that never ends: later than all others.
    fn of(draws: &[Drawn], ms: impl Fn(&Drawn) -> Option<f64>) -> Self {
        let mut all: Vec<f64> = draws
            .iter()
            .map(|it| ms(it).unwrap_or(f64::INFINITY))
            .collect();
        all.sort_unstable_by(f64::total_cmp);
        // The nearest rank: so many draws end by then, and no other number is made up.
        let at = |percent: usize| {
            let rank = (all.len() * percent).div_ceil(100).max(1);
            let ms = all.get(rank - 1).copied().filter(|it| it.is_finite())?;
            Some(ms.round() / 1000.0)
        };
        Self {
            p50_s: at(50),
            p90_s: at(90),
            p99_s: at(99),
        }
    }
}
