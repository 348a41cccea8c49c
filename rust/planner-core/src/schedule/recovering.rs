//! The room of one resource, wave after wave, while what was down comes back.

use super::edge::curve;
use super::flat::Flat;
use super::pace::Pace;

/// The moves of one group that give back to one resource once so many others are done.
#[derive(Clone, Copy)]
pub(super) struct Release {
    group: usize,
    ahead: u32,
    count: u32,
}

impl Release {
    /// By the moves of a cohort.
    pub fn of(flat: &Flat, pace: &Pace, group: usize, cohort: usize) -> Self {
        let ahead = flat.ahead(cohort);
        // What is out of reach holds nobody up.
        let is_known = ahead < pace.total[group];
        Self {
            group,
            ahead: if is_known { ahead } else { 0 },
            count: flat.count[cohort],
        }
    }

    /// The most of these moves of one group, of whose moves `most` are made.
    fn back(of: &[Self], most: u32) -> u32 {
        let ready = of.iter().filter(|it| it.ahead < most);
        ready.map(|it| it.count).sum::<u32>().min(most)
    }
}

/// Room for moves at most.
#[derive(Default)]
pub(super) struct Recovering {
    /// Once all that comes back is back.
    pub room: u32,
    /// What wave 1, 2, .. lacks of it, until none does.
    missing: Vec<u32>,
}

impl Recovering {
    /// `releases` are those of the resource, group after group, and `most_first` of the moves of a
    /// group can be made in the first waves.
    pub fn of(
        (flat, pace): (&Flat, &Pace),
        resource: usize,
        releases: &[Release],
        most_first: impl Fn(usize, u32) -> u32,
    ) -> Self {
        let room = pace.room[resource];
        let releases: Vec<_> = releases.chunk_by(|a, b| a.group == b.group).collect();
        let recovered = curve(
            &releases,
            |of| of.iter().map(|it| it.count).sum(),
            |of, waves| Release::back(of, most_first(of[0].group, waves)),
        );
        let (limit, down) = (flat.limit[resource], flat.down[resource]);
        let each = recovered.into_iter().map(|up| {
            let now = limit.saturating_sub(down.saturating_sub(up));
            room.saturating_sub(now)
        });
        let missing = each.take_while(|&missing| missing > 0).collect();
        Self { room, missing }
    }

    /// Waves that lack room.
    pub fn waves(&self) -> u32 {
        self.missing.len() as u32
    }

    /// The room of a wave.
    pub fn at(&self, wave: u32) -> u32 {
        let missing = self.missing.get(wave as usize - 1);
        self.room - missing.copied().unwrap_or(0)
    }

    /// The waves after the first ones that have room for so many moves, and what all but the last of
    /// them lack.
    pub fn after(&self, waves: u32, moves: u32) -> (u32, u32) {
        let (mut left, mut down, mut needed) = (moves, 0, 0);
        for missing in self.missing.iter().skip(waves as usize) {
            let room = self.room - missing;
            if left <= room {
                return (needed + 1, down);
            }
            left -= room;
            down += missing;
            needed += 1;
        }
        (needed + left.div_ceil(self.room), down)
    }
}
