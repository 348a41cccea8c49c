//! When moves may begin at each rate.

use super::spans::Spans;
use crate::schedule::problem::Need;

/// What begins at each rate.
#[derive(Clone, Debug)]
pub(super) struct Rates(Vec<Busy>);

/// Units of one rate that begin, each for as long as it keeps the next one waiting.
///
/// Time is in ticks, of which the rate's `per_s` are a millisecond: a unit takes 1000, so that nothing is
/// rounded.
#[derive(Clone, Debug, Default)]
struct Busy {
    per_s: u64,
    /// When something begins all the time.
    spans: Spans,
}

impl Busy {
    /// The millisecond, none before `from_ms`, in which so many units can have begun.
    fn fit_ms(&self, units: u64, from_ms: u64) -> u64 {
        self.fit(units, from_ms).div_ceil(self.per_s)
    }

    /// The tick at which they have.
    fn fit(&self, units: u64, from_ms: u64) -> u64 {
        let lasts = units * 1000;
        let first = (from_ms * self.per_s + 1).saturating_sub(self.per_s);
        self.spans.fit(first.saturating_sub(lasts), lasts) + lasts
    }

    fn begin(&mut self, units: u64, start_ms: u64) {
        let end = self.fit(units, start_ms);
        self.spans.add(end - units * 1000, end);
    }
}

impl Rates {
    /// Nothing has begun.
    pub fn new(per_s: &[u32]) -> Self {
        let idle = |&per_s: &u32| Busy {
            per_s: per_s.into(),
            spans: Spans::default(),
        };
        Self(per_s.iter().map(idle).collect())
    }

    /// When a move that needs this can begin at all of its rates, not before `from_ms`.
    pub fn next_ms(&self, needs: &[Need], from_ms: u64) -> u64 {
        let mut start_ms = from_ms;
        loop {
            let each = needs.iter().map(|need| {
                let busy = &self.0[need.rate as usize];
                busy.fit_ms(need.of(1), start_ms)
            });
            let next_ms = each.fold(start_ms, u64::max);
            if next_ms == start_ms {
                return start_ms;
            }
            start_ms = next_ms;
        }
    }

    /// A move that needs this begins when [`Self::next_ms`] has it.
    pub fn begin(&mut self, needs: &[Need], start_ms: u64) {
        for need in needs {
            self.0[need.rate as usize].begin(need.of(1), start_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Need, Rates};

    #[test]
    fn units_begin_one_after_the_other_and_later_ones_fill_what_is_left_between() {
        let mut rates = Rates::new(&[3]);
        let mut begin = |units, from_ms| {
            let needs = [Need { rate: 0, units }];
            let start_ms = rates.next_ms(&needs, from_ms);
            rates.begin(&needs, start_ms);
            start_ms
        };
        assert_eq!([begin(1, 0), begin(1, 0), begin(1, 0)], [334, 667, 1000]);
        assert_eq!(begin(1, 5_000), 5_000);
        assert_eq!([begin(6, 0), begin(6, 0)], [3_000, 7_000]);
        assert_eq!(begin(3, 3_500), 4_000);
    }

    #[test]
    fn who_needs_several_waits_until_all_have_room_at_once() {
        let mut rates = Rates::new(&[1, 1]);
        let one = |rate| Need { rate, units: 1 };
        rates.begin(&[one(0)], 2_000);
        rates.begin(&[one(1)], 3_500);
        assert_eq!(rates.next_ms(&[one(0), one(1)], 0), 1_000);
        assert_eq!(rates.next_ms(&[one(0), one(1)], 1_001), 4_500);
    }
}
