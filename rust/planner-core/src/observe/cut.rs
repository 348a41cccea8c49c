//! Cuts an array of JSON into its elements without a look at what is in them.

use fearless_simd::{Level, Simd, dispatch};
use memchr::memmem::Finder;

use super::scan::{Block, Carry, SIZE, blocks_of};

/// Where the elements of an array are, each an object.
#[derive(Debug)]
pub struct Cut {
    /// Begin and end of each, in bytes.
    pub elements: Vec<(usize, usize)>,
    /// Where the array's `]` is.
    pub end: usize,
}

/// Cuts the array whose `[` is the last byte before `begin`. None unless every element is an object
/// and nothing but a comma and whitespace is between them; of what is in them it holds that brackets
/// close (of which kind is not looked at) and strings end, and that there are no control characters
/// in strings.
pub fn cut(level: Level, text: &[u8], begin: usize) -> Option<Cut> {
    let mut cut = Cut {
        elements: Vec::new(),
        end: begin,
    };
    let is_cut = dispatch!(level, simd => cut_with(simd, &text[begin..], &mut cut));
    (is_cut && cut.is_separated(text, begin)).then_some(cut)
}

/// Bytes by which elements are known to begin alike: `{"metadata":` of the API server.
const ALIKE: usize = 12;

/// As [`cut`], but elements are supposed to end where a comma and the first bytes of the first element
/// follow, which is quicker to find. What is between those may be no object, or several.
pub fn guess(level: Level, text: &[u8], begin: usize) -> Option<Cut> {
    let first = begin + text[begin..].iter().position(|byte| *byte == b'{')?;
    let alike = text.get(first..first + ALIKE)?;
    let mut elements = Vec::new();
    let mut last = first;
    for at in Finder::new(alike).find_iter(&text[first + 1..]) {
        let next = first + 1 + at;
        if let Some(before) = text[last..next].trim_ascii_end().strip_suffix(b",") {
            elements.push((last, last + before.trim_ascii_end().len()));
            last = next;
        }
    }
    let rest = cut(level, text, last)?;
    elements.extend(rest.elements);
    let guess = Cut { elements, ..rest };
    guess.is_separated(text, begin).then_some(guess)
}

/// Fills in a cut whose `end` is where `text` begins; true if the array ends.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as what it calls")]
fn cut_with<S: Simd>(simd: S, text: &[u8], cut: &mut Cut) -> bool {
    let (whole, last) = blocks_of(text);
    let mut carry = Carry::default();
    let mut at = cut.end;
    let mut depth = 0u64;
    for bytes in whole {
        let block = carry.block(simd, bytes);
        if u64::from(block.closed) < depth {
            depth = depth + u64::from(block.opened) - u64::from(block.closed);
        } else if cut.take(&block, at, &mut depth) {
            // What comes after the array may be cut off in the middle.
            return carry.broken == 0;
        }
        at += SIZE;
    }
    let block = carry.block(simd, &last);
    cut.take(&block, at, &mut depth) && carry.broken == 0
}

impl Cut {
    /// The elements; None if a text ends within one.
    pub fn of<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let elements = self.elements.iter();
        elements
            .map(|(begin, end)| text.get(*begin..*end))
            .collect()
    }

    /// Takes a block in which an element may begin or end; true at the end of the array.
    #[inline(never)]
    fn take(&mut self, block: &Block, at: usize, depth: &mut u64) -> bool {
        let mut brackets = block.opens | block.closes;
        while brackets != 0 {
            let bit = brackets & brackets.wrapping_neg();
            let place = at + brackets.trailing_zeros() as usize;
            brackets ^= bit;
            if block.opens & bit != 0 {
                if *depth == 0 {
                    self.elements.push((place, place));
                }
                *depth += 1;
            } else if *depth == 0 {
                self.end = place;
                return true;
            } else {
                *depth -= 1;
                if let (0, Some((_, end))) = (*depth, self.elements.last_mut()) {
                    *end = place + 1;
                }
            }
        }
        false
    }

    fn is_separated(&self, text: &[u8], begin: usize) -> bool {
        let between = |begin: usize, end: usize| text[begin..end].trim_ascii();
        let mut last = begin;
        for (number, (begin, end)) in self.elements.iter().enumerate() {
            let separator: &[u8] = if number == 0 { b"" } else { b"," };
            let is_object = text[*begin] == b'{' && text[*end - 1] == b'}';
            if !is_object || between(last, *begin) != separator {
                return false;
            }
            last = *end;
        }
        between(last, self.end).is_empty() && text[self.end] == b']'
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::Level;

    use super::{cut, guess};

    fn cut_of(text: &str) -> Option<Vec<&str>> {
        cut(Level::new(), text.as_bytes(), 1)?.of(text)
    }

    fn guess_of(text: &str) -> Option<Vec<&str>> {
        guess(Level::new(), text.as_bytes(), 1)?.of(text)
    }

    #[test]
    fn elements_are_cut_at_their_braces() {
        assert_eq!(cut_of("[]"), Some(vec![]));
        assert_eq!(cut_of("[ {} ]}"), Some(vec!["{}"]));
        let one = r#"{"a":[{"}":"\"]"},[]],"b":"\\"}"#;
        let text = format!("[{one},\n {one}],\"rest\":\"");
        assert_eq!(cut_of(&text), Some(vec![one, one]));
    }

    #[test]
    fn elements_are_guessed_by_how_the_first_begins() {
        let (one, two) = (
            r#"{"metadata":{"name":"a"}}"#,
            r#"{"metadata":{"x":{"metadata":{}}}}"#,
        );
        let three = format!("[ {one},\n{two} ,{one}]}}");
        assert_eq!(guess_of(&three), Some(vec![one, two, one]));
        // Another begin is found only at the end of the array.
        let other = format!(r#"[{one},{{"kind":"Pod"}}]"#);
        assert_eq!(guess_of(&other).unwrap().len(), 2);
        for text in [
            "[]",
            "[{}]",
            "[1,{\"metadata\":{}}]",
            "[{\"metadata\":{}},1]",
        ] {
            assert_eq!(guess_of(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_array_of_objects_is_left_alone() {
        for text in [
            "[",
            "[1]",
            "[[]]",
            "[{},]",
            "[{}{}]",
            "[{},,{}]",
            "[,{}]",
            "[{}}",
            "[{]]",
            "[{},1]",
            "[{\"a\":\"\n\"}]",
            "[{\\}]",
            "[{\"a\":\"}]",
        ] {
            assert_eq!(cut_of(text), None, "{text}");
        }
    }
}
