//! Reads a pod by what makes it differ from the pod before it.
//!
//! An API server lists the pods of one workload one after the other, and they are written alike but
//! for a few dozen strings: names, uids, addresses, times. Where a pod differs from one that was
//! read in nothing but strings of which it is known what they say, all else of it is known too: every
//! byte outside those strings has been compared.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

use super::{
    cursor::{Mark, Role},
    quick_pod::Times,
    scalar::{parse_resource_version, parse_uid},
    scan::{Block, string_length},
};

/// A pod that was read, with what is needed to read others like it.
#[derive(Debug, Default)]
pub struct Likeness<'a> {
    pub text: &'a str,
    /// Of the text.
    pub blocks: Vec<Block>,
    /// Of the text, in its order, none within another.
    pub marks: Vec<Mark>,
    /// When its conditions changed, seconds UTC.
    pub transitions: Vec<u32>,
}

/// What another pod has of its own, None where it is as in the likeness.
#[derive(Debug, Default)]
pub struct Own<'a> {
    pub name: Option<&'a str>,
    pub uid: Option<u128>,
    pub resource_version: Option<u64>,
    pub created_s: Option<u32>,
    pub node: Option<&'a str>,
    /// Of the conditions, all of them.
    pub transitions: Vec<u32>,
    /// The object, there and different or not.
    pub labels: Option<&'a str>,
    /// Whether labels differ.
    pub has_labels: bool,
    pub annotations: Option<&'a str>,
    /// Whether annotations differ.
    pub has_annotations: bool,
}

/// Where two texts are compared.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// In the likeness.
    known: usize,
    /// In the other text.
    other: usize,
}

impl Place {
    /// The place in the other text of one in the likeness, as long as nothing differs between.
    fn map(self, known: usize) -> usize {
        (known + self.other) - self.known
    }
}

impl Likeness<'_> {
    /// Reads what `text` has of its own; None if it is not alike.
    pub fn read<'t>(&self, level: Level, text: &'t str, own: &mut Own<'t>) -> Option<()> {
        *own = Own {
            transitions: std::mem::take(&mut own.transitions),
            ..Own::default()
        };
        own.transitions.clone_from(&self.transitions);
        dispatch!(level, simd => self.read_with(simd, text, own))
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as what it calls")]
    fn read_with<'t, S: Simd>(&self, simd: S, text: &'t str, own: &mut Own<'t>) -> Option<()> {
        let mut reading = Reading::new(self, text);
        let (known, other) = (self.text.as_bytes(), text.as_bytes());
        let mut at = Place { known: 0, other: 0 };
        loop {
            let equal = common(simd, known.get(at.known..)?, other.get(at.other..)?);
            at.known += equal;
            at.other += equal;
            if at.known == known.len() && at.other == other.len() {
                reading.pass(at, usize::MAX, own)?;
                return Some(());
            }
            reading.pass(at, at.known, own)?;
            let (begin, end) = reading.string(at.known)?;
            let other_begin = at.map(begin);
            let length = string_length(simd, other.get(other_begin..)?)?;
            let next = Place {
                known: end,
                other: other_begin + length,
            };
            reading.differ(at, text.get(other_begin..next.other)?, own)?;
            at = next;
        }
    }
}

/// How many bytes at the begin are equal.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as what it calls")]
fn common<S: Simd>(simd: S, one: &[u8], other: &[u8]) -> usize {
    let (one_blocks, _) = one.as_chunks::<64>();
    let (other_blocks, _) = other.as_chunks::<64>();
    let mut equal = 0;
    for (one, other) in one_blocks.iter().zip(other_blocks) {
        let one: u8x64<S> = u8x64::from_slice(simd, one);
        let other: u8x64<S> = u8x64::from_slice(simd, other);
        let differing = !one.simd_eq(other).to_bitmask();
        if differing != 0 {
            return equal + differing.trailing_zeros() as usize;
        }
        equal += 64;
    }
    let rest = one[equal..].iter().zip(&other[equal..]);
    equal + rest.take_while(|(one, other)| one == other).count()
}

/// A text that is being compared.
struct Reading<'l, 'k, 't> {
    likeness: &'l Likeness<'k>,
    text: &'t str,
    /// The first mark that is not behind.
    mark: usize,
    /// How many transitions are behind.
    transitions: usize,
    /// Where the mark begins in the text, once something in it has differed.
    begin: Option<usize>,
    times: Times<'t>,
}

impl<'l, 'k, 't> Reading<'l, 'k, 't> {
    fn new(likeness: &'l Likeness<'k>, text: &'t str) -> Self {
        Self {
            likeness,
            text,
            mark: 0,
            transitions: 0,
            begin: None,
            times: Times::default(),
        }
    }

    /// Leaves the marks behind that end before `known`.
    fn pass(&mut self, at: Place, known: usize, own: &mut Own<'t>) -> Option<()> {
        while let Some(mark) = self
            .likeness
            .marks
            .get(self.mark)
            .filter(|it| it.end <= known)
        {
            let begin = self.begin.take();
            let has_differed = begin.is_some();
            match mark.role {
                Role::Transition => self.transitions += 1,
                Role::Labels | Role::Annotations => {
                    let begin = begin.unwrap_or_else(|| at.map(mark.begin));
                    let part = self.text.get(begin..at.map(mark.end))?;
                    if mark.role == Role::Labels {
                        (own.labels, own.has_labels) = (Some(part), has_differed);
                    } else {
                        (own.annotations, own.has_annotations) = (Some(part), has_differed);
                    }
                }
                _ => {}
            }
            self.mark += 1;
        }
        Some(())
    }

    /// Takes a string that differs first at a place.
    fn differ(&mut self, at: Place, value: &'t str, own: &mut Own<'t>) -> Option<()> {
        let mark = self.likeness.marks.get(self.mark)?;
        if at.known <= mark.begin {
            return None;
        }
        match mark.role {
            Role::Unread => {}
            Role::Labels | Role::Annotations => {
                self.begin.get_or_insert_with(|| at.map(mark.begin));
            }
            _ if value.is_empty() || value.contains('\\') => return None,
            Role::Name => own.name = Some(value),
            Role::Uid => own.uid = Some(parse_uid(value)?),
            Role::Version => own.resource_version = Some(parse_resource_version(value)?),
            Role::Created => own.created_s = Some(self.times.second(value)?),
            Role::Node => own.node = Some(value),
            Role::Transition => {
                *own.transitions.get_mut(self.transitions)? = self.times.second(value)?;
            }
        }
        Some(())
    }

    /// Begin and end of what is in the quotes of the known string that has the byte `at`, or that
    /// ends there.
    fn string(&self, at: usize) -> Option<(usize, usize)> {
        let blocks = &self.likeness.blocks;
        let before = at.checked_sub(1)?;
        let mut number = before / 64;
        let mut block = blocks.get(number)?;
        if block.strings >> (before % 64) & 1 == 0 {
            return None;
        }
        let mut quotes = block.quotes & (u64::MAX >> (63 - before % 64));
        while quotes == 0 {
            number = number.checked_sub(1)?;
            block = blocks.get(number)?;
            quotes = block.quotes;
        }
        let begin = number * 64 + 64 - quotes.leading_zeros() as usize;
        let mut number = at / 64;
        let mut quotes = blocks.get(number)?.quotes & (u64::MAX << (at % 64));
        while quotes == 0 {
            number += 1;
            quotes = blocks.get(number)?.quotes;
        }
        Some((begin, number * 64 + quotes.trailing_zeros() as usize))
    }
}
