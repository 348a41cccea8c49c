//! A large JSON object in pieces, so that all cores can write it.

use rayon::prelude::*;
use serde::Serialize;

/// A text in pieces, in order.
#[derive(Debug)]
pub(in crate::plan) struct Pieces(Vec<String>);

impl Pieces {
    /// An object with the keys of `head`, which is one too and not empty, and then these lists.
    pub fn object(mut head: String, lists: Vec<(&str, Vec<String>)>) -> Self {
        assert_eq!(head.pop(), Some('}'), "an object");
        let mut pieces = vec![head];
        for (key, items) in lists {
            pieces.push(format!(",\"{key}\":["));
            pieces.extend(items);
            pieces.push("]".to_owned());
        }
        pieces.push("}".to_owned());
        Self(pieces)
    }

    /// The pieces in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|piece| &**piece)
    }

    /// The whole text, with the first `old` in its first piece replaced.
    pub fn concat_with(&self, old: &str, new: &str) -> String {
        let mut whole =
            String::with_capacity(self.0.iter().map(String::len).sum::<usize>() + new.len());
        let (first, rest) = self.0.split_first().expect("an object has a first piece");
        whole.push_str(&first.replacen(old, new, 1));
        for piece in rest {
            whole.push_str(piece);
        }
        whole
    }
}

/// A value as JSON.
pub(super) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a header is JSON")
}

/// The items of a list as JSON, with commas between them; one core writes so many at once.
pub(super) fn list<I>(at_once: usize, items: I) -> Vec<String>
where
    I: IndexedParallelIterator<Item: Serialize>,
{
    let mut parts: Vec<String> = items
        .fold_chunks(at_once, Vec::new, |mut part, item| {
            part.push(b',');
            serde_json::to_writer(&mut part, &item).expect("a vector takes every byte");
            part
        })
        .map(|part| String::from_utf8(part).expect("JSON is UTF-8"))
        .collect();
    if let Some(first) = parts.first_mut() {
        first.remove(0);
    }
    parts
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;
    use serde_json::json;

    use super::{Pieces, list, text};

    #[test]
    fn pieces_make_the_object_that_one_writer_would_have_written() {
        let numbers: Vec<u32> = (0..2000).collect();
        let lists = vec![
            ("numbers", list(512, numbers.par_iter())),
            ("none", list(1, Vec::<u32>::new().into_par_iter())),
        ];
        let pieces = Pieces::object(text(&json!({"id": "", "name": "it"})), lists);
        let whole = pieces.concat_with(r#""id":"""#, r#""id":"7""#);
        let expected = json!({"id": "7", "name": "it", "numbers": numbers, "none": []});
        assert_eq!(whole, expected.to_string());
        assert_eq!(pieces.iter().map(str::len).sum::<usize>() + 1, whole.len());
    }
}
