//! Each different text once.

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// A text of an [`Interner`]. The empty text is always symbol 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub u32);

/// Maps texts to dense symbols and back.
#[derive(Clone, Debug)]
pub struct Interner {
    texts: Vec<Box<str>>,
    index: HashTable<u32>,
}

impl Default for Interner {
    fn default() -> Self {
        let mut interner = Self {
            texts: Vec::new(),
            index: HashTable::new(),
        };
        interner.intern("");
        interner
    }
}

impl Interner {
    /// The symbol of this text, made when it is new.
    pub fn intern(&mut self, text: &str) -> Symbol {
        let hash = FxBuildHasher.hash_one(text);
        let texts = &self.texts;
        let entry = self.index.entry(
            hash,
            |known| &*texts[*known as usize] == text,
            |known| FxBuildHasher.hash_one(&*texts[*known as usize]),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => Symbol(*entry.get()),
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let next = u32::try_from(self.texts.len()).expect("fewer than 2^32 texts");
                entry.insert(next);
                self.texts.push(text.into());
                Symbol(next)
            }
        }
    }

    /// The symbol of this text, if it has one.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Symbol> {
        let hash = FxBuildHasher.hash_one(text);
        let known = |known: &u32| &*self.texts[*known as usize] == text;
        self.index.find(hash, known).copied().map(Symbol)
    }

    /// The text of this symbol.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.0 as usize]
    }

    /// Every text in the order of its symbol.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// How many different texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let texts: usize = self.texts.iter().map(|text| text.len()).sum();
        texts + self.texts.capacity() * size_of::<Box<str>>() + self.index.allocation_size()
    }

    /// Never: the empty text is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
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
