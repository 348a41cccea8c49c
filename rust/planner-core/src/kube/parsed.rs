//! Texts that many pods share, parsed once each.

use rayon::prelude::*;

use crate::fleet::{Interner, Symbol};

/// What each text of a column means. The default is that of a fleet without texts.
#[derive(Clone, Debug)]
pub struct Parsed<T> {
    /// Where the meaning of each symbol is.
    index: Vec<u32>,
    values: Vec<T>,
}

impl<T> Default for Parsed<T> {
    fn default() -> Self {
        Self {
            index: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<T: Send> Parsed<T> {
    /// Parses each different text of a column.
    pub fn of<'f>(
        column: impl IntoIterator<Item = Symbol>,
        texts: &'f Interner,
        parse: impl Fn(&'f str) -> T + Sync,
    ) -> Self {
        let mut index = vec![u32::MAX; texts.len()];
        let mut known: Vec<Symbol> = Vec::new();
        for symbol in column {
            let at = &mut index[symbol.0 as usize];
            if *at == u32::MAX {
                *at = known.len() as u32;
                known.push(symbol);
            }
        }
        let values = known.into_par_iter().map(|it| parse(texts.text(it)));
        Self {
            index,
            values: values.collect(),
        }
    }

    /// The meaning of a text.
    ///
    /// # Panics
    /// When the symbol was not in the column: then the table belongs to another fleet.
    #[must_use]
    pub fn get(&self, symbol: Symbol) -> &T {
        &self.values[self.index[symbol.0 as usize] as usize]
    }
}
