//! Texts that many pods share, parsed once each.

use crate::fleet::{Interner, Symbol};

/// What each text of a column means, by its symbol.
#[derive(Clone, Debug)]
pub struct Parsed<T> {
    by_symbol: Vec<Option<T>>,
}

impl<T> Parsed<T> {
    /// Parses each different text of a column.
    pub fn of(
        column: impl IntoIterator<Item = Symbol>,
        texts: &Interner,
        parse: impl Fn(&str) -> T,
    ) -> Self {
        let mut by_symbol: Vec<Option<T>> = Vec::new();
        by_symbol.resize_with(texts.len(), || None);
        for symbol in column {
            let slot = &mut by_symbol[symbol.0 as usize];
            if slot.is_none() {
                *slot = Some(parse(texts.text(symbol)));
            }
        }
        Self { by_symbol }
    }

    /// The meaning of a text.
    ///
    /// # Panics
    /// When the symbol was not in the column: then the table belongs to another fleet.
    #[must_use]
    pub fn get(&self, symbol: Symbol) -> &T {
        let slot = self
            .by_symbol
            .get(symbol.0 as usize)
            .and_then(Option::as_ref);
        slot.expect("every text of the column was parsed")
    }
}
