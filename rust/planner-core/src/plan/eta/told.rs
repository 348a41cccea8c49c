//! Draws in figures.

use serde::Serialize;

use super::{Course, Drawn, DrawnWave};

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
    /// That any wave runs past a window.
    past_window: Option<f64>,
    per_wave: Vec<ToldWave>,
}

#[derive(Serialize)]
struct ToldWave {
    wave: usize,
    planned_s: f64,
    takes: Quantiles,
    end: Quantiles,
    past_window: Option<f64>,
}

pub(super) fn told(course: &Course, draws: &[Drawn]) -> String {
    let waves = course.waves.len();
    let share = |is: &dyn Fn(&Drawn) -> bool| {
        draws.iter().filter(|it| is(it)).count() as f64 / draws.len().max(1) as f64
    };
    let is_done = |it: &Drawn| it.waves.len() == waves;
    let end_ms = |it: &Drawn| it.waves.last().map_or(0.0, |wave| wave.end_ms);
    let is_windowed = course.waves.iter().any(|it| it.open.is_some());
    let told = Told {
        planned_s: course.planned_s,
        seen_moves: course.seen,
        end: Quantiles::of(draws, |it| is_done(it).then(|| end_ms(it))),
        moving: Quantiles::of(draws, |it| {
            is_done(it).then(|| it.waves.iter().map(|wave| wave.ms).sum())
        }),
        unfinished: share(&|it| !is_done(it)),
        late: course
            .allowed_ms
            .map(|allowed| share(&|it| !is_done(it) || end_ms(it) > allowed as f64)),
        past_window: is_windowed.then(|| share(&|it| it.waves.iter().any(|wave| wave.past_window))),
        per_wave: (0..waves).map(|at| told_wave(course, draws, at)).collect(),
    };
    serde_json::to_string(&told).expect("figures are JSON")
}

fn told_wave(course: &Course, draws: &[Drawn], at: usize) -> ToldWave {
    let wave = &course.waves[at];
    let of = |it: &Drawn| it.waves.get(at).copied();
    let past = || draws.iter().filter_map(of).filter(|it| it.past_window);
    ToldWave {
        wave: at + 1,
        planned_s: wave.planned_ms as f64 / 1000.0,
        takes: Quantiles::of(draws, |it| of(it).map(|wave: DrawnWave| wave.ms)),
        end: Quantiles::of(draws, |it| of(it).map(|wave| wave.end_ms)),
        past_window: wave
            .open
            .is_some()
            .then(|| past().count() as f64 / draws.len().max(1) as f64),
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
