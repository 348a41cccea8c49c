//! What one resource has to take between the first waves and the last.
//!
//! Of each group it is known how many moves can go in the first waves at most, and how many in the
//! last. What of its moves on a resource can go neither there nor there has to go between, whatever
//! others do at either end.

use super::edge::curve;
use super::joins::Joins;
use super::load::Load;
use super::proof::{Unit, amount};
use super::recovering::Recovering;

/// So many different first waves, and so many different last waves, are tried at most.
const TRIED: usize = 256;

/// Moves between the first and the last waves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// The first waves.
    pub head_waves: u32,
    /// Moves that can go neither in the first waves nor in the last.
    pub moves: u32,
    /// What the waves between, but for the last of them, lack of room by what is down.
    pub down: u32,
    /// The last waves.
    pub tail_waves: u32,
}

impl Between {
    /// The waves of a schedule that has room for so many at once.
    #[must_use]
    pub fn waves(&self, room: u32) -> u32 {
        self.head_waves + (self.moves + self.down).div_ceil(room) + self.tail_waves
    }

    /// What it says of the moves on the resource.
    pub(super) fn phrase(self) -> String {
        let in_waves = |which: &str, waves: u32| {
            let waves = amount(waves.into(), Unit::Waves);
            format!("in the {which} {waves}")
        };
        let head = (self.head_waves > 0).then(|| in_waves("first", self.head_waves));
        let tail = (self.tail_waves > 0).then(|| in_waves("last", self.tail_waves));
        let outside = match (head, tail) {
            (Some(head), Some(tail)) => format!("neither {head} nor {tail}"),
            (Some(end), None) | (None, Some(end)) => format!("not {end}"),
            (None, None) => String::new(),
        };
        let mut phrase = String::new();
        if !outside.is_empty() {
            phrase = format!(", at least {} of them {outside}", self.moves);
        }
        if self.down > 0 {
            let room = format!(", and pods that are down take the room of {}", self.down);
            phrase.push_str(&room);
        }
        phrase
    }
}

/// The most waves that these moves prove, one load a group, if more than `best`.
pub(super) fn between(
    joins: &Joins,
    loads: &[Load],
    recovering: &Recovering,
    best: u32,
) -> Option<Between> {
    let count = |load: &Load| load.count;
    let first = |load: &Load, waves| joins.most_first(load.group, waves);
    let last = |load: &Load, waves| joins.most_last(load.group, waves);
    let heads = lasting(&curve(loads, count, first));
    let tails = lasting(&curve(loads, count, last));
    let moves = loads.iter().map(count).sum();
    let room = recovering.room;
    if recovering.waves() + most(&heads, &tails, (moves, room)) <= best {
        return None;
    }
    let (heads, tails) = (thinned(&heads), thinned(&tails));
    let mut table = Table::of(heads.len(), tails.len());
    for load in loads {
        let of = |most: &dyn Fn(&Load, u32) -> u32, waves: &[u32]| {
            let each = waves.iter().map(|&waves| most(load, waves).min(load.count));
            each.collect::<Vec<u32>>()
        };
        table.add(load.count, &of(&first, &heads), &of(&last, &tails));
    }
    let (mut found, mut best) = (None, best);
    table.each(|head, tail, moves| {
        let (head_waves, tail_waves) = (heads[head], tails[tail]);
        let (waves, down) = recovering.after(head_waves, moves);
        if moves > 0 && head_waves + waves + tail_waves > best {
            best = head_waves + waves + tail_waves;
            found = Some(Between {
                head_waves,
                moves,
                down,
                tail_waves,
            });
        }
    });
    found
}

/// No more waves than this, however the moves at both ends are divided among the groups.
fn most(heads: &[(u32, u32)], tails: &[(u32, u32)], (moves, room): (u32, u32)) -> u32 {
    let longest = |of: &[(u32, u32)], outside: u32| {
        let within = of.partition_point(|&(_, most)| most <= outside);
        within.checked_sub(1).map_or(0, |at| of[at].0)
    };
    let outside = heads.iter().chain(tails).map(|it| it.1);
    let each = outside.map(|outside| {
        let waves = longest(heads, outside) + longest(tails, outside);
        waves + (moves - outside).div_ceil(room)
    });
    each.max().unwrap_or(0)
}

/// The waves after which more moves can be made, each with the most that were before.
fn lasting(most: &[u32]) -> Vec<(u32, u32)> {
    let pairs = (0..).zip(most.windows(2));
    let rising = pairs.filter(|(_, pair)| pair[0] < pair[1]);
    rising.map(|(waves, pair)| (waves, pair[0])).collect()
}

/// The waves of these alone, not too many of them.
fn thinned(lasting: &[(u32, u32)]) -> Vec<u32> {
    let by = lasting.len().div_ceil(TRIED).max(1);
    lasting.iter().step_by(by).map(|it| it.0).collect()
}

/// Moves between, by first and last waves; kept by how a cell differs from its neighbours, so that
/// a load costs its steps and not their product.
struct Table {
    columns: usize,
    cells: Vec<i64>,
}

impl Table {
    fn of(rows: usize, columns: usize) -> Self {
        let cells = vec![0; rows * columns];
        Self { columns, cells }
    }

    /// Adds `count` moves, of which so many can go in the first waves of each row at most, and so
    /// many in the last ones of each column.
    fn add(&mut self, count: u32, first: &[u32], last: &[u32]) {
        let between = |first: u32, last: u32| i64::from(count.saturating_sub(first + last));
        let (mut before, mut before_end) = (None, 0);
        for (row, &now) in first.iter().enumerate() {
            if before == Some(now) {
                continue;
            }
            // How the row differs from the one before.
            let differs = |column: usize| {
                let above = before.map_or(0, |it| between(it, last[column]));
                between(now, last[column]) - above
            };
            // By as much wherever something is left in both, and not at all where nothing is.
            let end = last.partition_point(|&it| now + it < count);
            let changes = match before {
                None => 1..end + 1,
                Some(_) => end.max(1)..before_end + 1,
            };
            let cells = &mut self.cells[row * self.columns..][..self.columns];
            cells[0] += differs(0);
            for column in changes.start..changes.end.min(cells.len()) {
                cells[column] += differs(column) - differs(column - 1);
            }
            (before, before_end) = (Some(now), end);
        }
    }

    /// Calls with row, column and moves of each cell.
    fn each(&mut self, mut call: impl FnMut(usize, usize, u32)) {
        let columns = self.columns;
        for at in 0..self.cells.len() {
            let (row, column) = (at / columns, at % columns);
            let above = if row > 0 { self.cells[at - columns] } else { 0 };
            let left = if column > 0 { self.cells[at - 1] } else { 0 };
            let both = if row > 0 && column > 0 {
                self.cells[at - columns - 1]
            } else {
                0
            };
            self.cells[at] += above + left - both;
            let moves = u32::try_from(self.cells[at]);
            call(row, column, moves.expect("no fewer than none"));
        }
    }
}
