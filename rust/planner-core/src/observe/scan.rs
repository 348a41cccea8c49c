//! Where strings and brackets are in JSON, found 64 bytes at a time.
//!
//! The way is that of simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019):
//! comparisons give one bit a byte, and whether a byte is in a string is the parity of the quotes
//! before it. What is found so is where things are, not that the text is JSON: a [`Block`] knows
//! nothing of commas, colons, numbers and what is escaped.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// Bytes of a block.
pub const SIZE: usize = 64;

/// What 64 bytes of JSON hold, a bit for each, that of the first byte lowest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Block {
    /// Quotes that begin or end a string.
    pub quotes: u64,
    /// Backslashes.
    pub backslashes: u64,
    /// Bytes of strings, with the quote that begins each and without the one that ends it.
    pub strings: u64,
    /// `{` and `[` outside strings.
    pub opens: u64,
    /// `}` and `]` outside strings.
    pub closes: u64,
    /// How many `opens` there are.
    pub opened: u32,
    /// How many `closes` there are.
    pub closed: u32,
}

/// What a block needs to know of those before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Carry {
    /// All bits if the next byte is in a string, else none.
    in_string: u64,
    /// 1 if the next byte is escaped, else 0.
    escaped: u64,
    /// Not 0 once there was a control character in a string, or a backslash outside.
    pub broken: u64,
}

impl Carry {
    // Inlined by force, so that it is compiled for the instructions that the processor has.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "see above")]
    pub fn block<S: Simd>(&mut self, simd: S, bytes: &[u8; SIZE]) -> Block {
        let bytes: u8x64<S> = u8x64::from_slice(simd, bytes);
        // `[` and `]` are `{` and `}` without the bit 0x20.
        let folded = bytes | u8x64::splat(simd, 0x20);
        let opens = folded.simd_eq(u8x64::splat(simd, b'{')).to_bitmask();
        let closes = folded.simd_eq(u8x64::splat(simd, b'}')).to_bitmask();
        let controls = bytes.simd_lt(u8x64::splat(simd, 0x20)).to_bitmask();
        let backslashes = bytes.simd_eq(u8x64::splat(simd, b'\\')).to_bitmask();
        let quotes = bytes.simd_eq(u8x64::splat(simd, b'"')).to_bitmask();

        let quotes = quotes & !self.escaped(backslashes);
        let in_string = parity(quotes) ^ self.in_string;
        self.in_string = 0u64.wrapping_sub(in_string >> 63);
        self.broken |= (controls & in_string) | (backslashes & !in_string);
        let (opens, closes) = (opens & !in_string, closes & !in_string);
        Block {
            quotes,
            backslashes,
            strings: in_string,
            opens,
            closes,
            opened: opens.count_ones(),
            closed: closes.count_ones(),
        }
    }

    /// The bytes that are escaped: each one after a backslash that is not escaped itself.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;

        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        // A subtraction runs through each row of backslashes and leaves every other one of them.
        let may_escape = backslashes & !self.escaped;
        let ends = ((may_escape << 1 | ODD).wrapping_sub(may_escape)) ^ ODD;
        let escaped = ends ^ (backslashes | self.escaped);
        self.escaped = (ends & backslashes) >> 63;
        escaped
    }

    fn is_whole(&self) -> bool {
        self.in_string == 0 && self.escaped == 0 && self.broken == 0
    }
}

/// Of each bit whether an odd number of bits up to and with it is set.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as its caller")]
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The whole blocks of a text, and its rest filled up with spaces.
pub fn blocks_of(text: &[u8]) -> (&[[u8; SIZE]], [u8; SIZE]) {
    let (blocks, rest) = text.as_chunks::<SIZE>();
    let mut last = [b' '; SIZE];
    last[..rest.len()].copy_from_slice(rest);
    (blocks, last)
}

/// Puts the blocks of a JSON value into `blocks`; false if there is a string without an end, a
/// control character in a string or a backslash outside of one.
pub fn index(level: Level, text: &[u8], blocks: &mut Vec<Block>) -> bool {
    dispatch!(level, simd => index_with(simd, text, blocks))
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "as what it calls")]
fn index_with<S: Simd>(simd: S, text: &[u8], blocks: &mut Vec<Block>) -> bool {
    let (whole, last) = blocks_of(text);
    let mut carry = Carry::default();
    blocks.clear();
    blocks.reserve(whole.len() + 1);
    // A closure that an iterator calls would not be compiled for these instructions.
    for bytes in whole {
        blocks.push(carry.block(simd, bytes));
    }
    blocks.push(carry.block(simd, &last));
    carry.is_whole()
}

/// How many bytes of a text that begins in a string are before the quote that ends it. None if it
/// does not end, or there is a control character in it.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as what it calls")]
pub fn string_length<S: Simd>(simd: S, text: &[u8]) -> Option<usize> {
    // Most strings are short and have nothing of note.
    if let Some(bytes) = text.first_chunk::<SIZE>() {
        let bytes: u8x64<S> = u8x64::from_slice(simd, bytes);
        let quotes = bytes.simd_eq(u8x64::splat(simd, b'"')).to_bitmask();
        let backslashes = bytes.simd_eq(u8x64::splat(simd, b'\\')).to_bitmask();
        let controls = bytes.simd_lt(u8x64::splat(simd, 0x20)).to_bitmask();
        let before = quotes.wrapping_sub(1) & !quotes;
        if quotes != 0 && (backslashes | controls) & before == 0 {
            return Some(quotes.trailing_zeros() as usize);
        }
    }
    let mut carry = Carry {
        in_string: u64::MAX,
        ..Carry::default()
    };
    let mut rest = text;
    let mut length = 0;
    loop {
        let block = match rest.split_first_chunk::<SIZE>() {
            Some((bytes, after)) => {
                rest = after;
                carry.block(simd, bytes)
            }
            None if rest.is_empty() => return None,
            None => {
                let (_, last) = blocks_of(rest);
                rest = &[];
                carry.block(simd, &last)
            }
        };
        // What comes after the string is looked at as well, and must be no worse.
        if carry.broken != 0 {
            return None;
        }
        if block.quotes != 0 {
            return Some(length + block.quotes.trailing_zeros() as usize);
        }
        length += SIZE;
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::Level;
    use proptest::prelude::*;

    use super::{Block, index};

    /// What a reader of single bytes says.
    fn slowly(text: &[u8]) -> (Vec<[bool; 3]>, bool) {
        let (mut is_string, mut is_escaped, mut is_broken) = (false, false, false);
        let mut told = Vec::new();
        for byte in text {
            let is_quote = *byte == b'"' && !is_escaped;
            // The quote that ends a string is outside.
            let is_inside = is_string != is_quote;
            is_broken |= is_inside && *byte < 0x20 || !is_inside && *byte == b'\\';
            told.push([
                is_quote,
                !is_inside && b"{[".contains(byte),
                !is_inside && b"}]".contains(byte),
            ]);
            is_string = is_inside;
            is_escaped = *byte == b'\\' && !is_escaped;
        }
        (told, !(is_string || is_escaped || is_broken))
    }

    proptest! {
        #[test]
        fn blocks_say_what_bytes_say(text in r#"[\\"{}\[\]a\n ]{0,300}"#) {
            let (bytes, mut blocks) = (text.as_bytes(), Vec::<Block>::new());
            let is_whole = index(Level::new(), bytes, &mut blocks);
            let bit = |bits: u64, at: usize| bits >> (at % 64) & 1 == 1;
            let told: Vec<_> = (0..bytes.len())
                .map(|at| (&blocks[at / 64], at))
                .map(|(it, at)| [bit(it.quotes, at), bit(it.opens, at), bit(it.closes, at)])
                .collect();
            prop_assert_eq!((told, is_whole), slowly(bytes));
        }
    }
}
