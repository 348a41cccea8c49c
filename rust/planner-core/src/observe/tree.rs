//! Any JSON value as a tree that borrows its texts from the input, with the keys of objects in order.
//!
//! Documents are read, redacted and written as such. `serde_json::Value` would own every text and hash
//! every key.

use std::{cmp::Ordering, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;

use super::text::{Pairs, Text};

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Tree<'a> {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    Text(Text<'a>),
    Array(Vec<Self>),
    /// By key, each once.
    Object(Pairs<'a, Self>),
}

impl<'a> Tree<'a> {
    /// An object with what is there of these fields.
    pub fn object(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let fields = fields.into_iter().map(|(key, value)| (key.into(), value));
        Self::of_pairs(fields.collect())
    }

    /// An object. Of a key that is there twice the last value counts, as for Go and `serde_json`.
    fn of_pairs(mut pairs: Vec<(Text<'a>, Self)>) -> Self {
        let is_before = |pair: &[(Text<'a>, Self)]| pair[0].0 < pair[1].0;
        if !pairs.windows(2).all(is_before) {
            pairs.sort_by(|one, other| one.0.cmp(&other.0));
            pairs.dedup_by(|later, kept| {
                let is_again = later.0 == kept.0;
                if is_again {
                    std::mem::swap(&mut later.1, &mut kept.1);
                }
                is_again
            });
        }
        Self::Object(Pairs(pairs))
    }

    /// The fields of an object, by key.
    pub fn fields(&mut self) -> Option<&mut Vec<(Text<'a>, Self)>> {
        match self {
            Self::Object(fields) => Some(&mut fields.0),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn elements(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// What is written in a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |tree, key| match tree {
            Self::Object(fields) => fields.get(key),
            _ => None,
        })
    }

    /// The value of a key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let fields = self.fields()?;
        let index = place(fields, key).ok()?;
        Some(&mut fields[index].1)
    }

    /// Takes a field out; null where there is none.
    pub fn take(&mut self, key: &str) -> Self {
        let Some(fields) = self.fields() else {
            return Self::Null;
        };
        let index = place(fields, key);
        index.map_or(Self::Null, |index| fields.remove(index).1)
    }

    /// Puts a field where there is none of its key; nothing else than an object has fields.
    pub fn put(&mut self, key: &'a str, value: Self) {
        let Some(fields) = self.fields() else {
            return;
        };
        if let Err(index) = place(fields, key) {
            fields.insert(index, (key.into(), value));
        }
    }
}

fn place(fields: &[(Text<'_>, Tree<'_>)], key: &str) -> Result<usize, usize> {
    fields.binary_search_by(|(known, _)| -> Ordering { (**known).cmp(key) })
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::Array(elements) => elements.serialize(serializer),
            Self::Object(fields) => fields.serialize(serializer),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Tree<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Tree<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any valid JSON value")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Tree::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Tree::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Tree::Number(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Tree::Number(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Tree::Text(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Tree::Text(text.to_owned().into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = seq.next_element()? {
                    elements.push(element);
                }
                Ok(Tree::Array(elements))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Tree::of_pairs(pairs))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::Tree;

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|it| it.to_string()),
            any::<i64>().prop_map(|it| it.to_string()),
            any::<f64>().prop_map(|it| serde_json::to_string(&it).expect("a float")),
            r#"[a-c"\\\n€]{0,4}"#.prop_map(|it| serde_json::to_string(&it).expect("a text")),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|it| format!("[{}]", it.join(","))),
                prop::collection::vec(("[a-c\u{e9}]{1,2}", inner), 0..4).prop_map(|it| {
                    let fields = it.iter().map(|(key, value)| format!("\"{key}\": {value}"));
                    format!("{{{}}}", fields.collect::<Vec<_>>().join(" ,"))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_tree_is_written_as_a_sorted_value(text in json()) {
            let tree: Tree<'_> = serde_json::from_str(&text).unwrap();
            let mut value: Value = serde_json::from_str(&text).unwrap();
            value.sort_all_objects();
            prop_assert_eq!(tree.to_string(), value.to_string());
        }
    }

    #[test]
    fn fields_are_found_taken_and_put_by_key() {
        let mut tree: Tree<'_> = serde_json::from_str(r#"{"c":{"d":1},"a":2,"a":3}"#).unwrap();
        assert_eq!(tree.at(&["c", "d"]), Some(&Tree::Number(1.into())));
        assert_eq!(tree.take("b"), Tree::Null);
        tree.put("b", Tree::Text("x".into()));
        tree.put("a", Tree::Null);
        assert_eq!(tree.to_string(), r#"{"a":3,"b":"x","c":{"d":1}}"#);
        assert_eq!(tree.take("c").to_string(), r#"{"d":1}"#);
    }
}
