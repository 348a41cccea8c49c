//! Text that borrows from the input, and where in the input a piece of it is.

use std::{borrow::Cow, fmt, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::error::Category;

/// A JSON string: borrowed from the input, owned only where it had escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<'a>(Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;

        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Borrow)
    }
}

/// A JSON object as its pairs, in the order of the input until [`Pairs::sort`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs<'a, T>(pub Vec<(Text<'a>, T)>);

impl<T> Default for Pairs<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Pairs<'_, T> {
    /// Orders the pairs by key, so that equal objects are written equally.
    pub fn sort(&mut self) {
        self.0.sort_by(|one, other| one.0.cmp(&other.0));
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.0
            .iter()
            .find(|(known, _)| &**known == key)
            .map(|(_, value)| value)
    }
}

impl<T: Serialize> Serialize for Pairs<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Pairs<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Collect<T> {
            type Value = Pairs<'de, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Collect(std::marker::PhantomData))
    }
}

/// Reads a value that Go may write as `null` where it has none.
pub fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// What is wrong in a text, before the source has its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Bytes from the start of the source's text.
    pub offset: usize,
    /// What is wrong and what to do about it.
    pub message: String,
    /// Whether that may come of items that were only guessed.
    pub is_of_guess: bool,
}

impl Fault {
    /// A fault of the object that begins at `offset`.
    pub fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset,
            message: message.into(),
            is_of_guess: false,
        }
    }

    /// The same fault where the object that it is in begins at `offset`.
    pub fn within(self, offset: usize) -> Self {
        Self {
            offset: self.offset + offset,
            ..self
        }
    }

    /// What the parser had to say of `part`, which begins at `offset` of its source. Broken syntax
    /// points at the byte that breaks it; a value of the wrong type at the object that holds it.
    pub fn of_json(error: &serde_json::Error, part: &str, offset: usize) -> Self {
        let at = match error.classify() {
            Category::Eof => offset + part.len(),
            Category::Syntax => offset + byte_of(part, error.line(), error.column()),
            Category::Data | Category::Io => offset,
        };
        let message = error.to_string();
        // The parser counts lines of the part; the offset says it better.
        let message = message.split(" at line ").next().unwrap_or_default();
        let remedy = match error.classify() {
            Category::Eof => "the text is cut off; record it again",
            _ => "expected what the Kubernetes API server sends",
        };
        Self::new(at, format!("{message}: {remedy}"))
    }
}

/// The byte of a line and column (both from 1) of `text`.
fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let begin = match line.checked_sub(2) {
        None => 0,
        Some(newline) => memchr::memchr_iter(b'\n', text.as_bytes())
            .nth(newline)
            .map_or(text.len(), |newline| newline + 1),
    };
    (begin + column.saturating_sub(1)).min(text.len())
}

/// Where `part`, a slice of `text`, begins in it.
pub fn offset_of(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

#[cfg(test)]
mod tests {
    use super::{Fault, Pairs, Text};

    #[test]
    fn escapes_are_resolved() {
        let pairs: Pairs<'_, Text<'_>> = serde_json::from_str(r#"{"b":"x\ny","a":"z"}"#).unwrap();
        assert_eq!(&**pairs.get("b").unwrap(), "x\ny");
    }

    #[test]
    fn broken_syntax_points_at_its_byte() {
        let text = "{\n \"a\": 1,\n \"b\": ?}";
        let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
        assert_eq!(
            Fault::of_json(&error, text, 100).offset,
            100 + text.find('?').unwrap()
        );
    }

    #[test]
    fn a_cut_text_points_at_its_end() {
        let error = serde_json::from_str::<serde_json::Value>("{\"a\": [1,").unwrap_err();
        assert_eq!(Fault::of_json(&error, "{\"a\": [1,", 0).offset, 9);
    }
}
