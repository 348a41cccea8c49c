//! How long a plan takes, by drawing how long its moves take.
//!
//! A wave lasts as long as its slowest move, after those that go by the same rate have begun, and begins as a run would let it begin: after the
//! soaks, and only when everything that it moves may move for as long as it is planned to take.
//! The slowest of `n` moves that are alike is one draw at the quantile `U^(1/n)`, so that a draw
//! costs what the plan has of waves and different moves, however many pods there are. Of a plan that
//! streams nobody waits for the slowest, and every move is drawn.

mod course;
mod known;
mod normal;
mod streams;
mod told;

use course::{Course, Header, Wave};
use fastrand::Rng;
use known::Knowing;
use rayon::prelude::*;
use streams::Streams;

use super::{Plan, PlanError};
use crate::{
    fleet::Fleet,
    inventory::Inventory,
    model::Spreads,
    schedule::{closes, first_fit},
};

/// What draws are made of, besides the fleet and its plan.
#[derive(Clone, Copy, Debug)]
pub struct Draws<'a> {
    /// What is known of how long moves take, as JSON; see [`Spreads`].
    pub spreads: &'a [u8],
    /// That of the plan's [`Order`](super::Order); read where it streams.
    pub durations: &'a [u8],
    /// See there.
    pub calendars: &'a [u8],
    /// How many there are.
    pub samples: u32,
    /// Of all of them.
    pub seed: u64,
}

/// What came of one draw.
#[derive(Clone, Debug, Default, PartialEq)]
struct Drawn {
    /// Each wave; none of those for which no calendar leaves time.
    waves: Vec<Option<Span>>,
    /// Each leg of a plan that streams.
    legs: Vec<Option<Span>>,
}

/// One wave or leg of a draw.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    /// From the start of the plan.
    end_ms: f64,
    /// From its begin to its end.
    ms: f64,
    /// Whether a window closes before it ends, or of a plan that streams before any of its moves does.
    past_window: bool,
}

/// Draws a plan of the fleet; gives what came of it as JSON.
///
/// The same arguments give the same bytes, however many threads there are.
pub fn eta(fleet: &Fleet, plan: &Plan, of: &Draws<'_>) -> Result<String, PlanError> {
    let fail = |error: serde_json::Error| PlanError::Request(error.to_string());
    let spreads: Spreads = serde_json::from_slice(of.spreads).map_err(fail)?;
    let header = Header::of(plan)?;
    let inventory = Inventory::new(fleet, &header.request.spec.target.manifests);
    let mut knowing = Knowing::new(&inventory, &spreads);
    let mut course = Course::of(&inventory, plan, &header, &mut knowing)?;
    let streams = header.streaming.as_ref().map(|streaming| {
        let known = (course.legs.clone(), &mut knowing);
        Streams::of(&inventory, plan, (&header, streaming), of, known)
    });
    let streams = streams.transpose()?;
    course.medians = knowing.medians;
    let draws = drawn(of.samples, of.seed, |seed| match &streams {
        Some(streams) => streams.draw(&course, seed),
        None => draw(&course, seed),
    });
    Ok(told::told(&course, &draws))
}

/// So many draws; each has a seed of its own.
fn drawn(samples: u32, seed: u64, draw: impl Fn(u64) -> Drawn + Sync + Send) -> Vec<Drawn> {
    let mut rng = Rng::with_seed(seed);
    let seeds: Vec<u64> = (0..samples).map(|_| rng.u64(..)).collect();
    seeds.into_par_iter().map(draw).collect()
}

/// One draw of a plan in waves; none comes after one for which no calendar leaves time.
fn draw(course: &Course, seed: u64) -> Drawn {
    let mut rng = Rng::with_seed(seed);
    let off = course.off(&mut rng);
    let mut now_ms = Some(0.0);
    let waves = course.waves.iter().map(|wave| {
        let start_ms = now_ms.take().and_then(|it| wave.begins(it))?;
        let ms = wave.longest_ms(&mut rng, &off);
        let end_ms = start_ms + ms;
        now_ms = Some(end_ms);
        Some(Span {
            end_ms,
            ms,
            past_window: wave.closes_before(start_ms, end_ms),
        })
    });
    Drawn {
        waves: waves.collect(),
        legs: Vec::new(),
    }
}

impl Drawn {
    /// What a run waits for as a whole.
    fn parts(&self) -> &[Option<Span>] {
        if self.legs.is_empty() {
            &self.waves
        } else {
            &self.legs
        }
    }

    /// When all is over, if ever.
    fn end_ms(&self) -> Option<f64> {
        let mut parts = self.parts().iter();
        parts.try_fold(0.0, |last, part| Some(part.as_ref()?.end_ms.max(last)))
    }

    /// What its parts take together, without what lies between them.
    fn moving_ms(&self) -> Option<f64> {
        self.parts().iter().map(|part| part.map(|it| it.ms)).sum()
    }
}

#[expect(
    clippy::cast_sign_loss,
    reason = "nothing lies before the start of a plan"
)]
impl Wave {
    /// When it begins after the one before it, if ever.
    fn begins(&self, before_ms: f64) -> Option<f64> {
        let ready_ms = before_ms + self.rest_ms as f64;
        let Some(open) = &self.open else {
            return Some(ready_ms);
        };
        let begin_ms = first_fit(open, ready_ms.ceil() as u64, self.planned_ms)?;
        Some(begin_ms as f64)
    }

    /// How long its slowest move takes, when medians are off by so much.
    fn longest_ms(&self, rng: &mut Rng, off: &[f64]) -> f64 {
        let slowest = self.moves.iter().map(|it| {
            let above = normal::slowest(rng.f64(), it.count);
            it.begun_ms as f64 + it.spread.ms(above, off[it.median as usize])
        });
        slowest.fold(0.0, f64::max)
    }

    fn closes_before(&self, start_ms: f64, end_ms: f64) -> bool {
        let open = self.open.as_ref();
        let closes_ms = open.and_then(|it| closes(it, start_ms as u64));
        closes_ms.is_some_and(|it| end_ms > it as f64)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Course, Drawn, Wave, course::Alike, draw, told::told};
    use crate::model::Spread;

    fn drawn(course: &Course, samples: u32, seed: u64) -> Vec<Drawn> {
        super::drawn(samples, seed, |seed| draw(course, seed))
    }

    fn spread(fixed_ms: f64, spread: f64) -> Spread {
        Spread {
            fixed_ms,
            median_ms: 1000.0,
            spread,
            off: 0.0,
            least_ms: 0.0,
        }
    }

    fn wave(moves: &[(Spread, u32)]) -> Wave {
        let alike = |&(spread, count): &(Spread, u32)| Alike {
            spread,
            median: 0,
            begun_ms: 0,
            count,
        };
        Wave {
            rest_ms: 0,
            planned_ms: 1000,
            spans_ms: None,
            open: None,
            moves: moves.iter().map(alike).collect(),
        }
    }

    fn told_of(waves: Vec<Wave>, allowed_ms: Option<i64>) -> Value {
        let course = Course {
            waves,
            allowed_ms,
            ..Course::default()
        };
        serde_json::from_str(&told(&course, &drawn(&course, 4_000, 7))).unwrap()
    }

    #[test]
    fn without_a_spread_it_takes_what_is_planned() {
        let mut waves: Vec<Wave> = (0..3).map(|_| wave(&[(spread(500.0, 0.0), 9)])).collect();
        waves[2].rest_ms = 60_000;
        let told = told_of(waves, Some(64_500));
        let all = serde_json::json!({"p50_s": 64.5, "p90_s": 64.5, "p99_s": 64.5});
        assert_eq!(told["end"], all);
        assert_eq!(told["moving"]["p50_s"], 4.5);
        assert_eq!(
            (&told["late"], &told["unfinished"]),
            (&0.0.into(), &0.0.into())
        );
        assert!(told["past_window"].is_null());
    }

    #[test]
    fn the_slowest_of_ten_takes_as_long_as_ten_that_are_drawn_one_by_one() {
        let one = spread(0.0, 0.4);
        // Different moves are drawn by themselves; a hair makes them different.
        let each: Vec<(Spread, u32)> = (0..10)
            .map(|it| (spread(f64::from(it) * 1e-9, 0.4), 1))
            .collect();
        let told = told_of(vec![wave(&[(one, 10)]), wave(&each)], None);
        for quantile in ["p50_s", "p90_s"] {
            let of = |at: usize| told["per_wave"][at]["takes"][quantile].as_f64().unwrap();
            assert!((of(0) / of(1) - 1.0).abs() < 0.03, "{quantile}");
        }
        let median = told["per_wave"][0]["takes"]["p50_s"].as_f64().unwrap();
        // exp(0.4 * 1.498767), the deviate of 0.5^(1/10).
        assert!((median - 1.821).abs() < 0.03, "{median}");
    }

    #[test]
    fn many_waves_make_up_for_chance_but_not_for_what_is_off() {
        let waves = |spread: Spread| (0..400).map(|_| wave(&[(spread, 1)])).collect();
        let wide = |spread: Spread| {
            let told = told_of(waves(spread), None);
            let end = |quantile: &str| told["end"][quantile].as_f64().unwrap();
            end("p90_s") / end("p50_s")
        };
        assert!(wide(spread(0.0, 0.4)) < 1.05);
        let off = Spread {
            off: 0.4,
            ..spread(0.0, 0.0)
        };
        // exp(0.4 * 1.281552), the deviate of 0.9.
        assert!((wide(off) - 1.67).abs() < 0.04);
    }

    #[test]
    fn a_wave_waits_for_its_window_and_may_run_past_it() {
        let mut first = wave(&[(spread(0.0, 0.0), 1)]);
        first.open = Some(vec![5_000..6_500, 90_000..100_000]);
        let mut second = wave(&[(spread(0.0, 0.5), 1)]);
        second.open = Some(vec![5_000..7_000, 90_000..91_000]);
        let told = told_of(vec![first, second], None);
        assert_eq!(told["per_wave"][0]["end"]["p99_s"], 6.0);
        assert_eq!(told["per_wave"][0]["past_window"], 0.0);
        // It begins at the sixth second, and half of all moves take longer than the one that is left.
        let past = told["past_window"].as_f64().unwrap();
        assert!((past - 0.5).abs() < 0.03, "{past}");
        assert_eq!(told["unfinished"], 0.0);
    }

    #[test]
    fn what_no_window_leaves_time_for_never_ends() {
        let mut slow = wave(&[(spread(0.0, 0.5), 1)]);
        slow.open = Some(std::iter::once(0..10_000).collect());
        let mut last = wave(&[(spread(0.0, 0.0), 1)]);
        last.open = Some(std::iter::once(0..2_000).collect());
        let told = told_of(vec![slow, last], Some(1_000_000));
        let unfinished = told["unfinished"].as_f64().unwrap();
        assert!((unfinished - 0.5).abs() < 0.03, "{unfinished}");
        assert_eq!(told["late"], unfinished);
        assert!(told["end"]["p99_s"].is_null());
    }

    #[test]
    fn chance_is_a_seed_and_nothing_else() {
        let course = Course {
            waves: vec![wave(&[(spread(0.0, 0.3), 3), (spread(1.0, 0.3), 5)])],
            ..Course::default()
        };
        let threads = |count| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
            pool.unwrap().install(|| drawn(&course, 100, 1))
        };
        assert_eq!(threads(1), threads(3));
        assert_ne!(threads(1), drawn(&course, 100, 2));
        // More draws only add to those that were drawn.
        assert_eq!(threads(1)[..50], drawn(&course, 50, 1));
    }
}
