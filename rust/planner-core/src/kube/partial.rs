//! Parts of documents: what nobody asks for is passed over, not made into values.

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

/// A document or a part of one whose `template` stays text.
#[derive(Debug, Default)]
pub(super) struct AroundTemplate<'a> {
    /// Everything else.
    pub rest: Map<String, Value>,
    pub template: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for AroundTemplate<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = AroundTemplate<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut found = AroundTemplate::default();
                while let Some(key) = map.next_key::<String>()? {
                    if key == "template" {
                        found.template = map.next_value()?;
                    } else {
                        found.rest.insert(key, map.next_value()?);
                    }
                }
                Ok(found)
            }
        }
        from.deserialize_map(Fields)
    }
}

/// These fields of an object; null when it is something else.
pub(super) fn only<'de, D: Deserializer<'de>>(
    fields: &'static [&'static str],
    from: D,
) -> Result<Value, D::Error> {
    from.deserialize_any(Only(fields))
}

struct Only(&'static [&'static str]);

impl<'de> Visitor<'de> for Only {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut found = Map::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if self.0.contains(&&*key) {
                found.insert(key.into_owned(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Value::Object(found))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Deserializer, Value, json};

    use super::only;

    #[test]
    fn only_the_fields_that_are_asked_for_are_read() {
        let read = |text: &str| {
            let mut from = Deserializer::from_str(text);
            let value = only(&["name", "uid"], &mut from).unwrap();
            from.end().unwrap();
            value
        };
        let text = r#"{"labels": {"a": [1]}, "na\u006de": "cart", "uid": {"deep": 1}}"#;
        assert_eq!(read(text), json!({"name": "cart", "uid": {"deep": 1}}));
        for other in ["null", "true", "-1", "1", "1.5", r#""text""#, "[{}, [2]]"] {
            assert_eq!(read(other), Value::Null, "{other}");
        }
    }
}
