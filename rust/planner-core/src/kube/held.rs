//! What a run of a plan changed of an object's spec to hold its pods back.
//!
//! A run moves the levers of controllers: partitions, limits, selectors. They are its tools and not the
//! rules of the object's owner, so what the owner wrote is kept in an annotation, and read instead.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// The annotation: a JSON object of the fields of the spec as the owner wrote them, null where the
/// owner wrote nothing.
pub const HELD: &str = "fleet-upgrade-planner/held";

/// The spec as the owner wrote it. An annotation that is no JSON object is passed over.
#[must_use]
pub fn owners_spec<'a>(metadata: &Value, spec: &'a Value) -> Cow<'a, Value> {
    let text = metadata["annotations"][HELD].as_str();
    let held = text.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let (Some(held), Value::Object(fields)) = (held, spec) else {
        return Cow::Borrowed(spec);
    };
    let mut fields = fields.clone();
    for (field, value) in held {
        match value {
            Value::Null => fields.remove(&field),
            value => fields.insert(field, value),
        };
    }
    Cow::Owned(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::owners_spec;
    use serde_json::json;

    #[test]
    fn what_the_owner_wrote_is_read_instead() {
        let held = r#"{"strategy":{"type":"RollingUpdate"},"minReadySeconds":null}"#;
        let metadata = json!({"annotations": {"fleet-upgrade-planner/held": held}});
        let spec = json!({"replicas": 3, "strategy": {"x": 1}, "minReadySeconds": 7});
        let expected = json!({"replicas": 3, "strategy": {"type": "RollingUpdate"}});
        assert_eq!(*owners_spec(&metadata, &spec), expected);
    }

    #[test]
    fn without_the_annotation_it_is_the_spec() {
        let spec = json!({"replicas": 3});
        assert_eq!(*owners_spec(&json!({}), &spec), spec);
        let broken = json!({"annotations": {"fleet-upgrade-planner/held": "[]"}});
        assert_eq!(*owners_spec(&broken, &spec), spec);
    }
}
