//! How long a wave lasts: as its longest move, or as long as it takes to begin them all at the rate
//! that a cluster allows, and then to make the longest of those.

/// So many moves may begin in a second, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What people call it, for example `api/hangzhou`; unique.
    pub name: Box<str>,
    /// Moves a second, at least 1.
    pub per_s: u32,
}

/// Milliseconds until so many moves have begun.
#[must_use]
pub(crate) fn begun_ms(moves: u64, per_s: u32) -> u64 {
    (moves * 1000).div_ceil(u64::from(per_s))
}

/// Moves that may have begun after so many milliseconds.
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
struct Paced {
    per_s: u32,
    moves: u64,
    longest_ms: u64,
}

impl Paced {
    fn ms(self) -> u64 {
        begun_ms(self.moves, self.per_s) + self.longest_ms
    }
}

impl Lasting {
    /// A wave without moves; `per_s` are moves a second of each rate.
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
            (rate.moves, rate.longest_ms) = (0, 0);
        }
    }

    /// Adds moves that go by a rate or none, each of which takes so long.
    pub fn add(&mut self, rate: Option<usize>, duration_ms: u64, moves: u32) {
        let longest_ms = match rate.map(|rate| &mut self.paced[rate]) {
            None => &mut self.longest_ms,
            Some(paced) => {
                paced.moves += u64::from(moves);
                &mut paced.longest_ms
            }
        };
        *longest_ms = duration_ms.max(*longest_ms);
    }

    /// How long the wave lasts.
    pub fn ms(&self) -> u64 {
        let paced = self.paced.iter().map(|paced| paced.ms());
        paced.fold(self.longest_ms, u64::max)
    }

    /// Moves that go by a rate.
    pub fn moves(&self, rate: usize) -> u64 {
        self.paced[rate].moves
    }

    /// How much longer it lasts than if all moves of a rate began at once.
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
    pub fn most(&self, rate: Option<usize>, duration_ms: u64, moves: u32, within_ms: u64) -> u32 {
        if self.ms().max(duration_ms) > within_ms {
            return 0;
        }
        let Some(paced) = rate.map(|rate| self.paced[rate]) else {
            return moves;
        };
        let left_ms = within_ms - paced.longest_ms.max(duration_ms);
        let most = begun(left_ms, paced.per_s).saturating_sub(paced.moves);
        moves.min(u32::try_from(most).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::Lasting;

    #[test]
    fn moves_begin_one_after_the_other_and_the_longest_comes_last() {
        let mut wave = Lasting::of([4]);
        wave.add(Some(0), 30_000, 10);
        assert_eq!(
            (wave.ms(), wave.adds_ms(0), wave.moves(0)),
            (32_500, 2_500, 10)
        );
        wave.add(None, 32_600, 1_000);
        assert_eq!(wave.ms(), 32_600, "they go by no rate");
        wave.clear();
        assert_eq!(wave.ms(), 0);
    }

    #[test]
    fn as_many_more_fit_as_do_not_make_it_longer() {
        for already in [0, 5] {
            for within_ms in 9_000..=14_000 {
                let mut wave = Lasting::of([3]);
                if already > 0 {
                    wave.add(Some(0), 8_000, already);
                }
                let most = wave.most(Some(0), 10_000, 9, within_ms);
                let with = |moves| {
                    let mut wave = wave.clone();
                    wave.add(Some(0), 10_000, moves);
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
