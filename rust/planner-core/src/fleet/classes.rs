//! What pods share: pods of one workload at one revision are alike but for their names and nodes.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::{PodRow, Symbol, make_room};

/// The texts of a pod but its node. The meaning of each is told in [`crate::batch`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "told at the columns of a batch")]
pub struct Class {
    pub namespace: Symbol,
    pub owner: Symbol,
    pub revision: Symbol,
    pub labels: Symbol,
    pub annotations: Symbol,
    pub spec: Symbol,
    pub status: Symbol,
}

impl Class {
    /// How many there are.
    pub(super) const TEXTS: usize = 7;

    /// Every text, always in the same order.
    pub(super) fn texts(&self) -> [Symbol; Self::TEXTS] {
        // Every field by name, so that a new one cannot be forgotten by whoever asks for all.
        let Self {
            namespace,
            owner,
            revision,
            labels,
            annotations,
            spec,
            status,
        } = *self;
        [
            namespace,
            owner,
            revision,
            labels,
            annotations,
            spec,
            status,
        ]
    }

    /// The class with these [`Self::texts`].
    pub(super) fn of_texts(texts: &[Symbol; Self::TEXTS]) -> Self {
        let [
            namespace,
            owner,
            revision,
            labels,
            annotations,
            spec,
            status,
        ] = *texts;
        Self {
            namespace,
            owner,
            revision,
            labels,
            annotations,
            spec,
            status,
        }
    }

    /// The same class over the symbols of another interner.
    #[must_use]
    pub fn map_texts(self, symbol: impl FnMut(Symbol) -> Symbol) -> Self {
        Self::of_texts(&self.texts().map(symbol))
    }
}

/// Each different class once, and which of them each row has.
#[derive(Clone, Debug, Default)]
pub struct Classes {
    of_row: Vec<u32>,
    all: Vec<Class>,
    index: HashTable<u32>,
}

impl Classes {
    /// From [`Self::numbers`] and [`Self::all`].
    pub(super) fn new(of_row: Vec<u32>, all: Vec<Class>) -> Self {
        let mut index = HashTable::with_capacity(all.len());
        for (class, number) in all.iter().zip(0..) {
            index.insert_unique(hash(class), number, |known| hash(&all[*known as usize]));
        }
        Self { of_row, all, index }
    }

    /// The class of a row.
    #[must_use]
    pub fn of(&self, row: usize) -> &Class {
        &self.all[self.of_row[row] as usize]
    }

    /// Every class that a row has or had.
    #[must_use]
    pub fn all(&self) -> &[Class] {
        &self.all
    }

    /// The class of each row, as an index into [`Self::all`].
    #[must_use]
    pub fn numbers(&self) -> &[u32] {
        &self.of_row
    }

    pub(super) fn push(&mut self, class: &Class) {
        // Pods of one owner mostly come one after the other.
        let last = self.of_row.last().copied();
        let is_last = |last: &u32| self.all[*last as usize] == *class;
        let number = last.filter(is_last).unwrap_or_else(|| self.number(class));
        make_room(&mut self.of_row);
        self.of_row.push(number);
    }

    pub(super) fn replace(&mut self, row: usize, class: &Class) {
        if self.of(row) != class {
            self.of_row[row] = self.number(class);
        }
    }

    /// Those of some rows, over the symbols of another interner.
    pub(super) fn compact(
        &self,
        rows: &[PodRow],
        mut symbol: impl FnMut(Symbol) -> Symbol,
    ) -> Self {
        let mut numbers = vec![None; self.all.len()];
        let mut all = Vec::new();
        let of_row = rows.iter().map(|row| {
            let number = self.of_row[*row as usize] as usize;
            *numbers[number].get_or_insert_with(|| {
                all.push(self.all[number].map_texts(&mut symbol));
                all.len() as u32 - 1
            })
        });
        let of_row = of_row.collect();
        Self::new(of_row, all)
    }

    pub(super) fn reserve(&mut self, rows: usize) {
        self.of_row.reserve_exact(rows);
    }

    pub(super) fn shrink(&mut self) {
        self.of_row.shrink_to_fit();
        self.all.shrink_to_fit();
    }

    pub(super) fn bytes(&self) -> usize {
        self.of_row.capacity() * size_of::<u32>()
            + self.all.capacity() * size_of::<Class>()
            + self.index.allocation_size()
    }

    fn number(&mut self, class: &Class) -> u32 {
        let all = &self.all;
        let entry = self.index.entry(
            hash(class),
            |known| all[*known as usize] == *class,
            |known| hash(&all[*known as usize]),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => *entry.get(),
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let next = u32::try_from(all.len()).expect("fewer classes than pods");
                entry.insert(next);
                make_room(&mut self.all);
                self.all.push(*class);
                next
            }
        }
    }
}

fn hash(class: &Class) -> u64 {
    FxBuildHasher.hash_one(class)
}
