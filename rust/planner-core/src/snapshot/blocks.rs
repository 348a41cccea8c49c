//! Columns as packed blocks, packed and opened beside each other.
//!
//! ```text
//! blocks: u32
//! per block   plain bytes: u64, packed bytes: u64, the block by zstd
//! ```
//!
//! Numbers are little endian.

use rayon::prelude::*;

use super::cut;
use crate::error::CodecError;

/// Higher levels of zstd save little here and take far longer.
const LEVEL: i32 = 1;

/// A number of a fixed width.
pub trait Number: Copy {
    /// Bytes of one.
    const WIDTH: usize;
    /// Appends its bytes.
    fn put(self, bytes: &mut Vec<u8>);
    /// Of as many bytes as it is wide.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Number for $number {
            const WIDTH: usize = size_of::<Self>();

            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn get(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("as wide as asked for"))
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 i64 u128);

/// Takes columns one after the other.
#[derive(Debug, Default)]
pub struct Writer {
    blocks: Vec<Vec<u8>>,
}

impl Writer {
    /// Appends a column of bytes.
    pub fn bytes(&mut self, column: Vec<u8>) {
        self.blocks.push(column);
    }

    /// Appends a column of numbers.
    pub fn numbers<T: Number>(&mut self, column: impl Iterator<Item = T>) {
        let mut bytes = Vec::with_capacity(column.size_hint().0 * T::WIDTH);
        column.for_each(|number| number.put(&mut bytes));
        self.blocks.push(bytes);
    }

    /// All blocks, packed.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let packed = self.blocks.par_iter().map(|block| {
            let packed = zstd::bulk::compress(block, LEVEL).expect("memory is there");
            (block.len() as u64, packed)
        });
        let packed: Vec<(u64, Vec<u8>)> = packed.collect();
        let mut bytes = Vec::new();
        (packed.len() as u32).put(&mut bytes);
        for (plain, block) in packed {
            plain.put(&mut bytes);
            (block.len() as u64).put(&mut bytes);
            bytes.extend(block);
        }
        bytes
    }
}

/// Gives the columns of a [`Writer`] in their order.
#[derive(Debug)]
pub struct Reader {
    blocks: std::vec::IntoIter<Vec<u8>>,
}

impl Reader {
    /// Opens every block of these bytes, which hold nothing else.
    pub fn new(mut rest: &[u8]) -> Result<Self, CodecError> {
        let count: u32 = take(&mut rest)?;
        let mut packed = Vec::new();
        for _ in 0..count {
            let plain: u64 = take(&mut rest)?;
            let length: u64 = take(&mut rest)?;
            let length = usize::try_from(length).map_err(|_| cut())?;
            let (block, after) = rest.split_at_checked(length).ok_or_else(cut)?;
            packed.push((plain as usize, block));
            rest = after;
        }
        let open = |(plain, block)| zstd::bulk::decompress(block, plain).map_err(|_| cut());
        let blocks: Vec<Vec<u8>> = packed.into_par_iter().map(open).collect::<Result<_, _>>()?;
        match rest {
            [] => Ok(Self {
                blocks: blocks.into_iter(),
            }),
            _ => Err(cut()),
        }
    }

    /// The next column, of bytes.
    pub fn bytes(&mut self) -> Result<Vec<u8>, CodecError> {
        self.blocks.next().ok_or_else(cut)
    }

    /// The next column, of text.
    pub fn text(&mut self) -> Result<String, CodecError> {
        String::from_utf8(self.bytes()?).map_err(|_| cut())
    }

    /// The next column, of numbers.
    pub fn numbers<T: Number>(&mut self) -> Result<Vec<T>, CodecError> {
        let bytes = self.bytes()?;
        match bytes.len() % T::WIDTH {
            0 => Ok(bytes.chunks_exact(T::WIDTH).map(T::get).collect()),
            _ => Err(cut()),
        }
    }

    /// The next column, of exactly one number.
    pub fn number<T: Number>(&mut self) -> Result<T, CodecError> {
        match self.numbers()?[..] {
            [number] => Ok(number),
            _ => Err(cut()),
        }
    }

    /// Whether every column was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.len() == 0
    }
}

fn take<T: Number>(rest: &mut &[u8]) -> Result<T, CodecError> {
    let (taken, after) = rest.split_at_checked(T::WIDTH).ok_or_else(cut)?;
    *rest = after;
    Ok(T::get(taken))
}
