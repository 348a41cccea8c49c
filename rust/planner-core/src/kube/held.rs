//! What a run of a plan changed of an object's spec to hold its pods back.
//!
//! A run moves the levers of controllers: partitions, limits, selectors. They are its tools and not the
//! rules of the object's owner, so what the owner wrote is kept in an annotation, and read instead.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// The annotation: a JSON object of the fields of the spec as the owner wrote them, null where the
/// owner wrote nothing.
pub const HELD: &str = "fleet-upgrade-planner/held";

/// The annotation: the same fields as the run wrote them. What differs there by now was written since,
/// by the owner.
pub const WROTE: &str = "fleet-upgrade-planner/wrote";

/// The spec as the owner wrote it, before the run or since. An annotation that is no JSON object is
/// passed over.
#[must_use]
pub fn owners_spec<'a>(metadata: &Value, spec: &'a Value) -> Cow<'a, Value> {
    let read = |name| {
        let text = metadata["annotations"][name].as_str();
        text.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok())
    };
    let (Some(held), Value::Object(live)) = (read(HELD), spec) else {
        return Cow::Borrowed(spec);
    };
    let wrote = read(WROTE).unwrap_or_default();
    let mut fields = live.clone();
    for (field, value) in held {
        let now = live.get(&field).unwrap_or(&Value::Null);
        let value = match wrote.get(&field) {
            Some(wrote) => since(value, wrote, now),
            None => value,
        };
        match value {
            Value::Null => fields.remove(&field),
            value => fields.insert(field, value),
        };
    }
    Cow::Owned(Value::Object(fields))
}

/// Lays what changed from what the run wrote to what there is over what the owner wrote before.
///
/// What the run took away and is there again is put there by the server, which has defaults.
fn since(owners: Value, wrote: &Value, live: &Value) -> Value {
    if wrote == live {
        return owners;
    }
    let (Value::Object(wrote), Value::Object(live)) = (wrote, live) else {
        return live.clone();
    };
    let before = match owners {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let mut after = before.clone();
    for key in wrote.keys().filter(|key| !live.contains_key(*key)) {
        after.remove(key);
    }
    for (key, now) in live {
        let value = match wrote.get(key) {
            Some(wrote) if wrote == now => continue,
            Some(wrote) => since(before.get(key).cloned().unwrap_or_default(), wrote, now),
            None if before.contains_key(key) => continue,
            None => now.clone(),
        };
        after.insert(key.clone(), value);
    }
    Value::Object(after)
}

#[cfg(test)]
mod tests {
    use super::owners_spec;
    use serde_json::{Value, json};

    #[test]
    fn what_the_owner_wrote_is_read_instead() {
        let held = r#"{"strategy":{"type":"RollingUpdate"},"minReadySeconds":null}"#;
        let metadata = json!({"annotations": {"fleet-upgrade-planner/held": held}});
        let spec = json!({"replicas": 3, "strategy": {"x": 1}, "minReadySeconds": 7});
        let expected = json!({"replicas": 3, "strategy": {"type": "RollingUpdate"}});
        assert_eq!(*owners_spec(&metadata, &spec), expected);
    }

    #[test]
    fn what_the_owner_wrote_since_is_read_too() {
        let rolling = |fields| json!({"updateStrategy": {"rollingUpdate": fields}});
        let annotations = json!({
            "fleet-upgrade-planner/held":
                rolling(json!({"maxUnavailable": "20%", "scatterStrategy": [1]})).to_string(),
            "fleet-upgrade-planner/wrote":
                rolling(json!({"maxUnavailable": "20%", "partition": 8})).to_string(),
        });
        let metadata = json!({"annotations": annotations});
        let live = json!({"maxUnavailable": 1, "partition": 8, "paused": true});
        let owners = json!({"maxUnavailable": 1, "paused": true, "scatterStrategy": [1]});
        assert_eq!(*owners_spec(&metadata, &rolling(live)), rolling(owners));
        let defaulted = json!({"maxUnavailable": "20%", "partition": 8, "scatterStrategy": []});
        let before = json!({"maxUnavailable": "20%", "scatterStrategy": [1]});
        assert_eq!(
            *owners_spec(&metadata, &rolling(defaulted)),
            rolling(before)
        );
    }

    #[test]
    fn a_pause_of_a_run_is_not_the_owners_and_his_is() {
        let read = |owner: &str, wrote: &str, live: &Value| {
            let annotations = json!({
                "fleet-upgrade-planner/held": owner,
                "fleet-upgrade-planner/wrote": wrote,
            });
            owners_spec(&json!({"annotations": annotations}), live).into_owned()
        };
        let (none, paused) = (r#"{"paused":null}"#, r#"{"paused":true}"#);
        assert_eq!(read(none, paused, &json!({"paused": true})), json!({}));
        assert_eq!(
            read(none, none, &json!({"paused": true})),
            json!({"paused": true})
        );
        assert_eq!(read(paused, paused, &json!({})), json!({}), "he resumed it");
    }

    #[test]
    fn without_the_annotation_it_is_the_spec() {
        let spec = json!({"replicas": 3});
        assert_eq!(*owners_spec(&json!({}), &spec), spec);
        let broken = json!({"annotations": {"fleet-upgrade-planner/held": "[]"}});
        assert_eq!(*owners_spec(&broken, &spec), spec);
    }
}
