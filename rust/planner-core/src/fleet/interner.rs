//! Each different text once.

use std::{hash::BuildHasher, sync::OnceLock};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::{Archive, Span, make_room};
use crate::{
    error::CodecError,
    snapshot::blocks::{Reader, Writer},
};

/// A text of an [`Interner`]. The empty text is always symbol 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub u32);

/// Maps texts to dense symbols and back. Texts of pods are alike, so they are kept packed.
#[derive(Clone, Debug)]
pub struct Interner {
    archive: Archive,
    spans: Vec<Span>,
    /// Symbols by text; made when somebody asks.
    index: OnceLock<HashTable<u32>>,
}

impl Default for Interner {
    fn default() -> Self {
        let mut archive = Archive::default();
        Self {
            spans: vec![archive.push("")],
            archive,
            index: OnceLock::new(),
        }
    }
}

impl Interner {
    /// The symbol of this text, made when it is new.
    pub fn intern(&mut self, text: &str) -> Symbol {
        self.index();
        let hash = FxBuildHasher.hash_one(text);
        let of = |known: &u32| self.archive.text(self.spans[*known as usize]);
        let index = self.index.get_mut().expect("made above");
        let entry = index.entry(
            hash,
            |known| of(known) == text,
            |known| FxBuildHasher.hash_one(of(known)),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => Symbol(*entry.get()),
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let next = u32::try_from(self.spans.len()).expect("fewer than 2^32 texts");
                entry.insert(next);
                make_room(&mut self.spans);
                self.spans.push(self.archive.push(text));
                Symbol(next)
            }
        }
    }

    /// The symbol of a text that has none yet, which spares to look for it.
    pub(super) fn push_new(&mut self, text: &str) -> Symbol {
        self.index.take();
        let next = u32::try_from(self.spans.len()).expect("fewer than 2^32 texts");
        make_room(&mut self.spans);
        self.spans.push(self.archive.push(text));
        Symbol(next)
    }

    /// The symbol of this text, if it has one.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Symbol> {
        let hash = FxBuildHasher.hash_one(text);
        let known = |known: &u32| self.text(Symbol(*known)) == text;
        self.index().find(hash, known).copied().map(Symbol)
    }

    fn index(&self) -> &HashTable<u32> {
        self.index.get_or_init(|| {
            self.open();
            let hash = |known: &u32| FxBuildHasher.hash_one(self.text(Symbol(*known)));
            let mut index = HashTable::with_capacity(self.spans.len());
            for symbol in 0..self.spans.len() as u32 {
                index.insert_unique(hash(&symbol), symbol, hash);
            }
            index
        })
    }

    pub(super) fn store(&self, writer: &mut Writer) {
        self.archive.store(writer);
        Span::store_all(self.spans.iter().copied(), writer);
    }

    pub(super) fn load(reader: &mut Reader) -> Result<Self, CodecError> {
        Ok(Self {
            archive: Archive::load(reader)?,
            spans: Span::load_all(reader)?,
            index: OnceLock::new(),
        })
    }

    /// The text of this symbol.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        self.archive.text(self.spans[symbol.0 as usize])
    }

    /// Every text in the order of its symbol.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.spans.iter().map(|span| self.archive.text(*span))
    }

    /// How many different texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Opens all texts, for whoever reads many.
    pub fn open(&self) {
        self.archive.open();
    }

    /// Gives back what was made room for.
    pub fn shrink(&mut self) {
        self.spans.shrink_to_fit();
    }

    /// Puts all texts away, packed.
    pub fn pack(&mut self) {
        self.archive.pack();
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.archive.bytes()
            + self.spans.capacity() * size_of::<Span>()
            + self.index.get().map_or(0, HashTable::allocation_size)
    }

    /// Never: the empty text is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Interner, Symbol};

    #[test]
    fn a_text_has_one_symbol() {
        let mut interner = Interner::default();
        let web = interner.intern("web");
        assert_eq!(interner.intern("web"), web);
        assert_eq!(interner.text(web), "web");
        assert_eq!(interner.find("other"), None);
        assert_eq!(interner.intern(""), Symbol(0));
    }
}
