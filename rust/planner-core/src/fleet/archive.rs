//! Long texts that are alike, packed.
//!
//! Documents of one kind differ in few words, so a block of them takes a tenth of their size. Texts
//! are appended to the last block, which is plain; a block that is full is packed by
//! [`Archive::pack`] and opened by the first who reads a text of it, for as long as the archive
//! lives. Whoever reads many blocks opens them beside each other ([`Archive::open`]).

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::{
    error::CodecError,
    snapshot::blocks::{Reader, Writer},
};

/// What a block holds when it is full. Larger ones pack little better, and cost more for one text.
const BLOCK_BYTES: usize = 1 << 18;
/// Higher levels of zstd save little here and take far longer.
const LEVEL: i32 = 1;

/// Where a text of an [`Archive`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    block: u32,
    begin: u32,
    length: u32,
}

impl Span {
    pub(super) fn store_all(spans: impl Iterator<Item = Self> + Clone, writer: &mut Writer) {
        writer.numbers(spans.clone().map(|it| it.block));
        writer.numbers(spans.clone().map(|it| it.begin));
        writer.numbers(spans.map(|it| it.length));
    }

    pub(super) fn load_all(reader: &mut Reader) -> Result<Vec<Self>, CodecError> {
        let (blocks, begins, lengths) = (reader.numbers()?, reader.numbers()?, reader.numbers()?);
        let spans = blocks.into_iter().zip(begins).zip(lengths);
        let spans = spans.map(|((block, begin), length)| Self {
            block,
            begin,
            length,
        });
        Ok(spans.collect())
    }
}

/// Texts by their spans.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    full: Vec<Block>,
    last: String,
    bytes_live: usize,
    bytes_all: usize,
}

#[derive(Debug)]
struct Block {
    packed: Option<Arc<[u8]>>,
    length: usize,
    text: OnceLock<Box<str>>,
}

impl Archive {
    /// Appends a text.
    pub fn push(&mut self, text: &str) -> Span {
        if self.last.len() + text.len() > BLOCK_BYTES && !self.last.is_empty() {
            self.full.push(Block::plain(std::mem::take(&mut self.last)));
        }
        let begin = self.last.len() as u32;
        self.last.push_str(text);
        self.bytes_live += text.len();
        self.bytes_all += text.len();
        Span {
            block: self.full.len() as u32,
            begin,
            length: u32::try_from(text.len()).expect("texts are below 4 GiB"),
        }
    }

    /// The text of a span of this archive.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        let block = self.full.get(span.block as usize);
        let text = block.map_or(&*self.last, Block::text);
        &text[span.begin as usize..][..span.length as usize]
    }

    /// Nobody asks for this text again.
    pub fn forget(&mut self, span: Span) {
        self.bytes_live -= span.length as usize;
    }

    /// Whether most of what is kept was forgotten: then it is time to begin anew.
    #[must_use]
    pub fn is_mostly_forgotten(&self) -> bool {
        self.full.len() > 1 && self.bytes_live < self.bytes_all / 2
    }

    /// Opens every block.
    pub fn open(&self) {
        self.full.par_iter().for_each(|block| {
            block.text();
        });
    }

    /// Packs every full block, and puts away what was opened.
    pub fn pack(&mut self) {
        self.full.par_iter_mut().for_each(Block::pack);
    }

    /// Packs full blocks that came since they were packed last, so that few are plain at any time.
    pub fn pack_new(&mut self) {
        let packed = self.full.partition_point(|block| block.packed.is_some());
        self.full[packed..].par_iter_mut().for_each(Block::pack);
    }

    /// Of an archive that is packed.
    pub(super) fn store(&self, writer: &mut Writer) {
        writer.numbers([self.bytes_live as u64].into_iter());
        writer.numbers(self.full.iter().map(|block| block.length as u64));
        let packed = || self.full.iter().filter_map(|block| block.packed.as_ref());
        writer.numbers(packed().map(|packed| packed.len() as u64));
        writer.bytes(
            packed()
                .map(|packed| &**packed)
                .collect::<Vec<_>>()
                .concat(),
        );
        writer.bytes(self.last.clone().into_bytes());
    }

    pub(super) fn load(reader: &mut Reader) -> Result<Self, CodecError> {
        let bytes_live = reader.number::<u64>()? as usize;
        let (plain, lengths) = (reader.numbers::<u64>()?, reader.numbers::<u64>()?);
        let packed = reader.bytes()?;
        let mut rest = &packed[..];
        let full = plain.into_iter().zip(lengths).map(|(plain, length)| {
            let block = rest.split_off(..length as usize).unwrap_or_default();
            Block {
                packed: Some(block.into()),
                length: plain as usize,
                text: OnceLock::new(),
            }
        });
        let full: Vec<Block> = full.collect();
        let last = reader.text()?;
        let bytes_all = last.len() + full.iter().map(|block| block.length).sum::<usize>();
        Ok(Self {
            full,
            last,
            bytes_live,
            bytes_all,
        })
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let blocks = self.full.iter().map(Block::bytes).sum::<usize>();
        blocks + self.full.capacity() * size_of::<Block>() + self.last.capacity()
    }
}

impl Block {
    fn plain(text: String) -> Self {
        Self {
            packed: None,
            length: text.len(),
            text: OnceLock::from(text.into_boxed_str()),
        }
    }

    fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let packed = self.packed.as_ref().expect("packed before it was put away");
            let text = zstd::bulk::decompress(packed, self.length).expect("packed here");
            String::from_utf8(text).expect("it was a text").into()
        })
    }

    fn pack(&mut self) {
        let Some(text) = self.text.take() else {
            return;
        };
        if self.packed.is_none() {
            let packed = zstd::bulk::compress(text.as_bytes(), LEVEL).expect("memory is there");
            self.packed = Some(packed.into());
        }
    }

    fn bytes(&self) -> usize {
        self.packed.as_ref().map_or(0, |packed| packed.len())
            + self.text.get().map_or(0, |text| text.len())
    }
}

impl Clone for Block {
    /// Shares what is packed, and opens nothing that is not read.
    fn clone(&self) -> Self {
        let text = match &self.packed {
            Some(_) => OnceLock::new(),
            None => self.text.clone(),
        };
        Self {
            packed: self.packed.clone(),
            length: self.length,
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Archive, BLOCK_BYTES};

    #[test]
    fn a_text_is_the_same_however_often_it_is_packed_and_opened() {
        let mut archive = Archive::default();
        let texts: Vec<String> = (0..3000)
            .map(|number| {
                format!("{{\"name\":\"café-{number}\",\"kind\":\"Deployment\"}}").repeat(9)
            })
            .chain(["x".repeat(2 * BLOCK_BYTES), String::new()])
            .collect();
        let spans: Vec<_> = texts.iter().map(|text| archive.push(text)).collect();
        let plain = archive.bytes();
        for _ in 0..2 {
            archive.pack();
            assert!(
                archive.bytes() * 3 < plain,
                "{} of {plain}",
                archive.bytes()
            );
            let copy = archive.clone();
            for (text, span) in texts.iter().zip(&spans) {
                assert_eq!(archive.text(*span), text);
                assert_eq!(copy.text(*span), text);
            }
            assert!(archive.bytes() > plain);
        }
    }

    #[test]
    fn what_was_forgotten_is_counted() {
        let mut archive = Archive::default();
        let text = "x".repeat(BLOCK_BYTES);
        let spans: Vec<_> = (0..4).map(|_| archive.push(&text)).collect();
        archive.forget(spans[0]);
        archive.forget(spans[1]);
        assert!(!archive.is_mostly_forgotten());
        archive.forget(spans[2]);
        assert!(archive.is_mostly_forgotten());
    }
}
