//! Goes over one JSON object whose strings and brackets are known, and jumps over what nobody reads.
//!
//! It takes what is written as the API server writes it and gives up on everything else, wrong or
//! only unusual, for the reader that tells what is wrong: None is no error.

use super::scan::Block;

/// A place in a text, outside strings.
#[derive(Debug)]
pub struct Cursor<'a, 'b> {
    text: &'a str,
    blocks: &'b [Block],
    marks: &'b mut Vec<Mark>,
    at: usize,
}

/// A part of a text that may differ from pod to pod, in bytes, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub begin: usize,
    pub end: usize,
    pub role: Role,
}

/// What a part of a pod says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing that is read; it may be a value of any kind.
    Unread,
    Name,
    Uid,
    Version,
    Created,
    Node,
    /// The last transition of a condition, by its place among those that have one.
    Transition,
    /// The object.
    Labels,
    /// The object.
    Annotations,
}

impl<'a, 'b> Cursor<'a, 'b> {
    /// At the begin of a text and of its blocks; adds to `marks` in the order of the text.
    pub fn new(text: &'a str, blocks: &'b [Block], marks: &'b mut Vec<Mark>) -> Self {
        Self {
            text,
            blocks,
            marks,
            at: 0,
        }
    }

    /// Marks what is written from a place to here.
    pub fn mark(&mut self, begin: usize, role: Role) {
        self.marks.push(Mark {
            begin,
            end: self.at,
            role,
        });
    }

    /// A string without escapes, which gets a mark.
    pub fn marked(&mut self, role: Role) -> Option<&'a str> {
        let begin = self.place()?;
        let text = self.plain()?;
        self.mark(begin, role);
        Some(text)
    }

    /// As [`Self::marked`], or none where `null` is written.
    #[expect(clippy::option_option, reason = "the outer one is of every step")]
    pub fn marked_or_null(&mut self, role: Role) -> Option<Option<&'a str>> {
        if self.null()? {
            return Some(None);
        }
        self.marked(role).map(Some)
    }

    /// Over a value that nobody reads.
    pub fn skip(&mut self) -> Option<()> {
        let begin = self.place()?;
        self.value()?;
        self.mark(begin, Role::Unread);
        Some(())
    }

    /// Nothing but whitespace is left.
    pub fn is_done(&self) -> bool {
        let rest = self.text.as_bytes().get(self.at..);
        rest.is_some_and(|rest| rest.trim_ascii().is_empty())
    }

    /// The next byte that is no whitespace.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if byte > b' ' {
                return Some(byte);
            }
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return None;
            }
            self.at += 1;
        }
    }

    /// Where the next byte is that is no whitespace.
    pub fn place(&mut self) -> Option<usize> {
        self.peek()?;
        Some(self.at)
    }

    /// What is written from a place to here.
    pub fn since(&self, place: usize) -> Option<&'a str> {
        self.text.get(place..self.at)
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// What is written in the quotes of a string, escapes as they are.
    pub fn raw(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let begin = self.at;
        let mut block = begin / 64;
        let mut quotes = self.blocks.get(block)?.quotes & (u64::MAX << (begin % 64));
        while quotes == 0 {
            block += 1;
            quotes = self.blocks.get(block)?.quotes;
        }
        let end = block * 64 + quotes.trailing_zeros() as usize;
        self.at = end + 1;
        self.text.get(begin..end)
    }

    /// A string without escapes.
    pub fn plain(&mut self) -> Option<&'a str> {
        let text = self.raw()?;
        let begin = self.at - 1 - text.len();
        (!self.has_escape(begin, text)).then_some(text)
    }

    fn has_escape(&self, begin: usize, text: &str) -> bool {
        let shift = begin % 64;
        if shift + text.len() >= 64 {
            return has_escape(text);
        }
        let bits = ((1u64 << text.len()) - 1) << shift;
        let block = self.blocks.get(begin / 64);
        block.is_some_and(|block| block.backslashes & bits != 0)
    }

    /// A value as it is written.
    pub fn value(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        let begin = self.at;
        match first {
            b'"' => {
                self.raw()?;
            }
            b'{' | b'[' => self.jump(first)?,
            _ => self.scalar()?,
        }
        self.text.get(begin..self.at)
    }

    /// A string without escapes, or none where `null` is written.
    #[expect(clippy::option_option, reason = "the outer one is of every step")]
    pub fn plain_or_null(&mut self) -> Option<Option<&'a str>> {
        if self.null()? {
            return Some(None);
        }
        self.plain().map(Some)
    }

    /// Takes `null`, if it is next.
    pub fn null(&mut self) -> Option<bool> {
        if self.peek()? != b'n' {
            return Some(false);
        }
        (self.value()? == "null").then_some(true)
    }

    /// Over a number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let length = rest
            .iter()
            .take_while(
                |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'-' | b'+' | b'.' | b'E'),
            )
            .count();
        self.at += length;
        (length > 0).then_some(())
    }

    /// Over an object or an array, to the bracket that closes it.
    fn jump(&mut self, first: u8) -> Option<()> {
        let mut number = self.at / 64;
        let mut block = *self.blocks.get(number)?;
        let mut rest = u64::MAX << (self.at % 64);
        let mut depth = 0u64;
        loop {
            let mut brackets = (block.opens | block.closes) & rest;
            while brackets != 0 {
                let place = brackets.trailing_zeros();
                brackets &= brackets - 1;
                if block.opens >> place & 1 == 1 {
                    depth += 1;
                    continue;
                }
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    self.at = number * 64 + place as usize + 1;
                    let last = self.text.as_bytes().get(self.at - 1)?;
                    // `]` and `}` follow `[` and `{` at the same distance.
                    return (*last == first + 2).then_some(());
                }
            }
            rest = u64::MAX;
            number += 1;
            block = *self.blocks.get(number)?;
            while u64::from(block.closed) < depth {
                depth = depth + u64::from(block.opened) - u64::from(block.closed);
                number += 1;
                block = *self.blocks.get(number)?;
            }
        }
    }

    /// Each field of an object: `field` is called with its key, which has no escapes, at its value.
    pub fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, &'a str) -> Option<()>,
    ) -> Option<()> {
        self.expect(b'{')?;
        if self.peek()? == b'}' {
            return self.expect(b'}');
        }
        loop {
            let key = self.plain()?;
            self.expect(b':')?;
            field(self, key)?;
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Each element of an array: `element` is called at it.
    pub fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.expect(b'[')?;
        if self.peek()? == b']' {
            return self.expect(b']');
        }
        loop {
            element(self)?;
            match self.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }
}

/// Whether a string as it is written stands for another text.
pub fn has_escape(raw: &str) -> bool {
    raw.bytes().any(|byte| byte == b'\\')
}
