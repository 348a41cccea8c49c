//! How long a wave lasts: as its longest move, or as long as it takes to begin them all at each rate,
//! and then to make the longest of those that go by it.

use super::problem::RateIdx;

/// So many units may begin in a second, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What people call it, for example `api/hangzhou`; unique.
    pub name: Box<str>,
    /// Units a second, at least 1.
    pub per_s: u32,
}

/// What a move needs of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The rate.
    pub rate: RateIdx,
    /// How many units, at least 1.
    pub units: u32,
}

impl Need {
    /// What so many moves need.
    pub(crate) fn of(self, moves: u32) -> u64 {
        u64::from(self.units) * u64::from(moves)
    }
}

/// Milliseconds until so many units have begun.
#[must_use]
pub(crate) fn begun_ms(units: u64, per_s: u32) -> u64 {
    (units * 1000).div_ceil(u64::from(per_s))
}

/// Units that may have begun after so many milliseconds.
fn begun(ms: u64, per_s: u32) -> u64 {
    ms.saturating_mul(per_s.into()) / 1000
}

/// What one wave has of each rate, and how long it lasts with that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lasting {
    /// The longest move that goes by no rate.
    longest_ms: u64,
    paced: Vec<Paced>,
}

/// What a wave has of one rate.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paced {
    per_s: u32,
    pub moves: u64,
    pub units: u64,
    longest_ms: u64,
}

impl Paced {
    fn ms(self) -> u64 {
        begun_ms(self.units, self.per_s) + self.longest_ms
    }
}

impl Lasting {
    /// A wave without moves; `per_s` are units a second of each rate.
    pub fn of(per_s: impl IntoIterator<Item = u32>) -> Self {
        let none = |per_s| Paced {
            per_s,
            ..Paced::default()
        };
        Self {
            longest_ms: 0,
            paced: per_s.into_iter().map(none).collect(),
        }
    }

    /// Takes all moves out.
    pub fn clear(&mut self) {
        self.longest_ms = 0;
        for rate in &mut self.paced {
            (rate.moves, rate.units, rate.longest_ms) = (0, 0, 0);
        }
    }

    /// Adds moves of which each needs this of its rates and takes so long.
    pub fn add(&mut self, needs: &[Need], duration_ms: u64, moves: u32) {
        if needs.is_empty() {
            self.longest_ms = duration_ms.max(self.longest_ms);
        }
        for need in needs {
            let paced = &mut self.paced[need.rate as usize];
            paced.moves += u64::from(moves);
            paced.units += need.of(moves);
            paced.longest_ms = duration_ms.max(paced.longest_ms);
        }
    }

    /// How long the wave lasts.
    pub fn ms(&self) -> u64 {
        let paced = self.paced.iter().map(|paced| paced.ms());
        paced.fold(self.longest_ms, u64::max)
    }

    /// What it has of each rate.
    pub fn paced(&self) -> &[Paced] {
        &self.paced
    }

    /// How much longer it lasts than if all units of a rate began at once.
    pub fn adds_ms(&self, rate: usize) -> u64 {
        let others = (0..).zip(&self.paced).map(|(at, paced)| {
            if at == rate {
                paced.longest_ms
            } else {
                paced.ms()
            }
        });
        self.ms() - others.fold(self.longest_ms, u64::max)
    }

    /// How many of so many moves more there may be for the wave to last no longer than this.
    pub fn most(&self, needs: &[Need], duration_ms: u64, moves: u32, within_ms: u64) -> u32 {
        if self.ms().max(duration_ms) > within_ms {
            return 0;
        }
        let most = needs.iter().map(|need| {
            let paced = self.paced[need.rate as usize];
            let left_ms = within_ms - paced.longest_ms.max(duration_ms);
            let units = begun(left_ms, paced.per_s).saturating_sub(paced.units);
            u32::try_from(units / u64::from(need.units)).unwrap_or(u32::MAX)
        });
        most.fold(moves, u32::min)
    }
}

#[cfg(test)]
mod tests {
    use super::{Lasting, Need};

    fn needs(units: &[u32]) -> Vec<Need> {
        let each = units.iter().zip(0..).filter(|(units, _)| **units > 0);
        each.map(|(&units, rate)| Need { rate, units }).collect()
    }

    #[test]
    fn moves_begin_one_after_the_other_and_the_longest_comes_last() {
        let mut wave = Lasting::of([4]);
        wave.add(&needs(&[1]), 30_000, 10);
        let paced = wave.paced()[0];
        assert_eq!((wave.ms(), wave.adds_ms(0)), (32_500, 2_500));
        assert_eq!((paced.moves, paced.units), (10, 10));
        wave.add(&[], 32_600, 1_000);
        assert_eq!(wave.ms(), 32_600, "they go by no rate");
        wave.clear();
        assert_eq!(wave.ms(), 0);
    }

    #[test]
    fn a_move_may_need_more_than_one_unit_of_more_than_one_rate() {
        let mut wave = Lasting::of([4, 2]);
        wave.add(&needs(&[1, 3]), 30_000, 10);
        assert_eq!(wave.ms(), 45_000, "30 units at 2 a second");
        assert_eq!((wave.adds_ms(0), wave.adds_ms(1)), (0, 12_500));
        let paced = wave.paced()[1];
        assert_eq!((paced.moves, paced.units), (10, 30));
    }

    #[test]
    fn as_many_more_fit_as_do_not_make_it_longer() {
        for (already, units) in [(0, [1, 0]), (5, [1, 0]), (2, [2, 1]), (3, [1, 3])] {
            for within_ms in 9_000..=14_000 {
                let (mut wave, needs) = (Lasting::of([3, 4]), needs(&units));
                if already > 0 {
                    wave.add(&needs, 8_000, already);
                }
                let most = wave.most(&needs, 10_000, 9, within_ms);
                let with = |moves| {
                    let mut wave = wave.clone();
                    wave.add(&needs, 10_000, moves);
                    wave.ms()
                };
                assert!(
                    most == 0 || with(most) <= within_ms,
                    "{already} {within_ms}"
                );
                assert!(
                    most == 9 || with(most + 1) > within_ms,
                    "{already} {within_ms}"
                );
            }
        }
    }
}
