//! Which text of an interner a part of a pod becomes, by how that part is written.
//!
//! Pods of one workload are written alike, so most parts need not be built but once.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::fleet::Symbol;

/// Bytes of parts that are kept; pods that are all different would fill the memory.
const LIMIT: usize = 8 << 20;

/// Symbols by what they were made of, of one interner.
#[derive(Debug, Default)]
pub struct Memo {
    symbols: HashMap<Box<[u8]>, Symbol, FxBuildHasher>,
    bytes: usize,
}

impl Memo {
    /// The symbol that was kept for a part.
    pub fn get(&self, part: &[u8]) -> Option<Symbol> {
        self.symbols.get(part).copied()
    }

    /// Keeps the symbol of a part, perhaps instead of all others.
    pub fn keep(&mut self, part: &[u8], symbol: Symbol) {
        if self.bytes + part.len() > LIMIT {
            self.symbols.clear();
            self.bytes = 0;
        }
        self.bytes += part.len();
        self.symbols.insert(part.into(), symbol);
    }
}

/// How a part is written, put together from pieces of the input, with what kind of part it is in
/// front. Pieces are JSON values, and marks that no value begins with keep them apart.
#[derive(Clone, Debug, Default)]
pub struct Key(Vec<u8>);

impl Key {
    /// Begins anew.
    pub fn begin(&mut self, kind: u8) {
        self.0.clear();
        self.0.push(kind);
    }

    /// Adds a mark and the value that it is of.
    pub fn add(&mut self, mark: u8, value: &str) {
        self.0.push(mark);
        self.0.extend_from_slice(value.as_bytes());
    }

    /// Adds more of the value that was added last.
    pub fn extend(&mut self, value: &str) {
        self.0.extend_from_slice(value.as_bytes());
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, Memo};
    use crate::fleet::Symbol;

    #[test]
    fn a_memo_holds_no_more_than_its_limit() {
        let mut memo = Memo::default();
        let long = vec![0; LIMIT - 1];
        memo.keep(&long, Symbol(1));
        memo.keep(b"a", Symbol(2));
        assert_eq!(memo.get(&long), Some(Symbol(1)));
        memo.keep(b"b", Symbol(3));
        assert_eq!((memo.get(b"a"), memo.get(b"b")), (None, Some(Symbol(3))));
    }
}
