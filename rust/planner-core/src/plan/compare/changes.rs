//! Which moves changed, summed up by workload and by what changed of them.

use std::cmp::Ordering;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::Serialize;

use super::{
    Both,
    moves::{Row, Tables},
};
use crate::fleet::Symbol;

/// What became of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
enum Fate {
    Came,
    Went,
    Earlier,
    Later,
    /// In its wave, but in another way, or held there by something else.
    Stays,
}

/// What moves have in common that are told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Alike {
    place: [Symbol; 4],
    fate: Fate,
    kind: Both<Symbol>,
    stage: Both<Symbol>,
    because: Both<Symbol>,
    /// Whether the pod gets other images.
    images: bool,
}

/// How many they are, and from which first to which last wave.
#[derive(Clone, Copy)]
struct Tally {
    moves: u64,
    waves: Both<(u32, u32)>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.moves += other.moves;
        self.waves.before = wider(self.waves.before, other.waves.before);
        self.waves.after = wider(self.waves.after, other.waves.after);
    }
}

fn wider(one: Option<(u32, u32)>, other: Option<(u32, u32)>) -> Option<(u32, u32)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        _ => one.or(other),
    }
}

/// How many moves became what.
#[derive(Default, Serialize)]
pub(super) struct Totals {
    came: u64,
    went: u64,
    earlier: u64,
    later: u64,
    stays: u64,
    same: u64,
}

/// A workload with moves that changed.
#[derive(Serialize)]
pub(super) struct Workload<'a> {
    cluster: &'a str,
    namespace: &'a str,
    kind: &'a str,
    name: &'a str,
    moves: Both<u64>,
    /// The first and the last wave of all its moves.
    waves: Both<(u32, u32)>,
    changes: Vec<Change<'a>>,
}

/// Moves of a workload that are told together.
#[derive(Serialize)]
struct Change<'a> {
    #[serde(rename = "change")]
    fate: Fate,
    moves: u64,
    waves: Both<(u32, u32)>,
    kind: Both<&'a str>,
    stage: Both<&'a str>,
    because: Both<&'a str>,
    images: bool,
}

/// Moves that are not the same in both plans, summed up.
pub(super) struct Changes<'t> {
    tables: &'t Tables<'t>,
    alike: HashMap<Alike, Tally, FxBuildHasher>,
    /// All moves of each workload.
    all: HashMap<[Symbol; 4], Both<Whole>, FxBuildHasher>,
    same: u64,
}

/// All moves of a workload in one plan.
#[derive(Clone, Copy)]
struct Whole {
    moves: u64,
    waves: (u32, u32),
}

impl<'t> Changes<'t> {
    /// Finds the move of each pod in the other plan.
    pub fn of(tables: &'t Tables<'t>) -> Self {
        let [before, after] = &tables.sides;
        let mut changes = Self {
            tables,
            alike: HashMap::default(),
            all: HashMap::default(),
            same: 0,
        };
        let mut left: HashMap<(Symbol, u128), u32, FxBuildHasher> =
            HashMap::with_capacity_and_hasher(before.len(), FxBuildHasher);
        for (at, number) in (0..before.len()).zip(0..) {
            left.insert(before.pod(at), number);
            changes.count(before.row(at), |both| &mut both.before);
        }
        for at in 0..after.len() {
            let row = after.row(at);
            changes.count(row, |both| &mut both.after);
            match left.remove(&after.pod(at)) {
                Some(was) => changes.compare(before.row(was as usize), row),
                None => changes.add(Fate::Came, None, Some(row), before.unmovable(after, at)),
            }
        }
        for at in left.into_values() {
            let reason = after.unmovable(before, at as usize);
            changes.add(Fate::Went, Some(before.row(at as usize)), None, reason);
        }
        changes
    }

    fn count(&mut self, row: Row, side: impl Fn(&mut Both<Whole>) -> &mut Option<Whole>) {
        let both = self.all.entry(row.place()).or_default();
        let first = Whole {
            moves: 0,
            waves: (row.wave, row.wave),
        };
        let whole = side(both).get_or_insert(first);
        whole.moves += 1;
        whole.waves = (whole.waves.0.min(row.wave), whole.waves.1.max(row.wave));
    }

    fn compare(&mut self, was: Row, row: Row) {
        if was == row {
            self.same += 1;
            return;
        }
        let fate = match row.wave.cmp(&was.wave) {
            Ordering::Less => Fate::Earlier,
            Ordering::Greater => Fate::Later,
            Ordering::Equal => Fate::Stays,
        };
        self.add(fate, Some(was), Some(row), Symbol::default());
    }

    /// Adds a move; of one that came or went `reason` says why the other plan has it not.
    fn add(&mut self, fate: Fate, before: Option<Row>, after: Option<Row>, reason: Symbol) {
        let rows = Both { before, after };
        let row = after.or(before).expect("a move of one of the plans");
        let mut because = rows.map(|row| row.because());
        because.before.get_or_insert(reason);
        because.after.get_or_insert(reason);
        let images = before.zip(after);
        let alike = Alike {
            place: row.place(),
            fate,
            kind: rows.map(|row| row.kind()),
            stage: rows.map(|row| row.stage()),
            because,
            images: images.is_some_and(|(was, is)| was.containers() != is.containers()),
        };
        let tally = Tally {
            moves: 1,
            waves: rows.map(|row| (row.wave, row.wave)),
        };
        let known = self.alike.entry(alike).and_modify(|known| known.add(tally));
        known.or_insert(tally);
    }

    /// How many moves became what.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals {
            same: self.same,
            ..Totals::default()
        };
        for (alike, tally) in &self.alike {
            *match alike.fate {
                Fate::Came => &mut totals.came,
                Fate::Went => &mut totals.went,
                Fate::Earlier => &mut totals.earlier,
                Fate::Later => &mut totals.later,
                Fate::Stays => &mut totals.stays,
            } += tally.moves;
        }
        totals
    }

    /// Workloads with moves that changed, by name.
    pub fn workloads(&self) -> Vec<Workload<'_>> {
        let mut changed: HashMap<[Symbol; 4], Vec<Change<'_>>, FxBuildHasher> = HashMap::default();
        for (alike, tally) in &self.alike {
            let of = changed.entry(alike.place).or_default();
            of.push(self.change(alike, tally));
        }
        let mut workloads: Vec<Workload<'_>> = changed
            .into_iter()
            .map(|(place, mut changes)| {
                changes.sort_unstable_by_key(Change::key);
                self.workload(place, changes)
            })
            .collect();
        workloads.sort_unstable_by_key(|it| (it.cluster, it.namespace, it.kind, it.name));
        workloads
    }

    fn workload<'s>(&'s self, place: [Symbol; 4], changes: Vec<Change<'s>>) -> Workload<'s> {
        let [cluster, namespace, kind, name] = place.map(|symbol| self.tables.texts.text(symbol));
        let all = self.all[&place];
        Workload {
            cluster,
            namespace,
            kind,
            name,
            moves: all.map(|whole| whole.moves),
            waves: all.map(|whole| whole.waves),
            changes,
        }
    }

    fn change(&self, alike: &Alike, tally: &Tally) -> Change<'_> {
        // What there is not has no text.
        let text = |both: Both<Symbol>| {
            let text = |symbol| Some(self.tables.texts.text(symbol)).filter(|it| !it.is_empty());
            Both {
                before: both.before.and_then(text),
                after: both.after.and_then(text),
            }
        };
        Change {
            fate: alike.fate,
            moves: tally.moves,
            waves: tally.waves,
            kind: text(alike.kind),
            stage: text(alike.stage),
            because: text(alike.because),
            images: alike.images,
        }
    }
}

/// By what changes are told apart; ends with what makes the order the same always.
type Key<'a> = (Fate, Option<(u32, u32)>, [Both<&'a str>; 3], bool);

impl<'a> Change<'a> {
    fn key(&self) -> Key<'a> {
        let first = self.waves.before.or(self.waves.after);
        (
            self.fate,
            first,
            [self.kind, self.stage, self.because],
            self.images,
        )
    }
}
