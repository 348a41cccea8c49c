//! What must not get into the log is replaced by salted digests, so that equal values stay equal.
//!
//! Values of environment variables, command lines and annotations may hold secrets, and
//! `last-applied-configuration` holds both once more. A digest of 64 bits keyed with the salt of
//! the log tells whether a value changed, and nothing to somebody who lacks the salt.

use serde_json::{Map, Value};

use crate::resource::Resource;

/// Annotations of objects other than pods that are kept as they are.
const KEPT: [&str; 13] = [
    "apps.kruise.io/sidecarset-base",
    "apps.kruise.io/sidecarset-canary",
    "controller.kubernetes.io/pod-deletion-cost",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deployment.kubernetes.io/revision",
    "kruise.io/related-pub",
    "kruise.io/sidecarset-hash",
    "kruise.io/sidecarset-hash-without-image",
    "kruise.io/sidecarset-injected-list",
    "pub.kruise.io/no-protect",
    "pub.kruise.io/protect-total-replicas",
    "pub.kruise.io/related-pub",
];

/// Prefixes of annotations by which Kruise Rollouts and the planner itself mark what they hold.
const KEPT_PREFIXES: [&str; 2] = ["fleet-upgrade-planner/", "rollouts.kruise.io/"];

/// The key that stands for all annotations that were left out.
pub const REDACTED: &str = "redacted";

/// The secret of one log that keys its digests.
#[derive(Clone, Copy)]
pub struct Salt(pub [u8; 32]);

// By hand, so that no log line ever shows it.
impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt")
    }
}

impl Salt {
    /// 16 hexadecimal digits that are equal exactly when the parts are.
    pub fn digest<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    fn redacted(&self, value: &Value) -> Value {
        let digest = match value {
            Value::String(text) => self.digest([text.as_str()]),
            other => self.digest([other.to_string().as_str()]),
        };
        Value::String(format!("{REDACTED}:{digest}"))
    }
}

/// A Kubernetes object, or a `List` of them, as it may be stored: keys in order, without
/// `managedFields`, annotations and environment redacted, the data of a `Secret` or `ConfigMap` too.
#[must_use]
pub fn redact(mut document: Value, salt: &Salt) -> Value {
    if let Some(items) = document.get_mut("items").and_then(Value::as_array_mut) {
        for item in items {
            *item = redact(item.take(), salt);
        }
    }
    let annotations = document
        .get_mut("metadata")
        .and_then(Value::as_object_mut)
        .and_then(|metadata| metadata.shift_remove("annotations"));
    let is_data = matches!(document["kind"].as_str(), Some("Secret" | "ConfigMap"));
    for key in ["data", "stringData", "binaryData"] {
        if let Some(Value::Object(data)) = document.get_mut(key).filter(|_| is_data) {
            redact_values(data, salt);
        }
    }
    walk(&mut document, salt);
    if let Some(Value::Object(annotations)) = annotations {
        let annotations = kept_annotations(annotations, salt);
        if !annotations.is_empty() {
            document["metadata"]["annotations"] = Value::Object(annotations);
        }
    }
    document.sort_all_objects();
    document
}

/// The document of an observed object that is not a pod; `api_version` and `kind` are those of its
/// list where it lacks its own.
#[must_use]
pub fn document(mut object: Value, resource: Resource, api_version: &str, salt: &Salt) -> Value {
    if resource == Resource::Nodes {
        object = node_document(&object);
    }
    if let (Value::Object(fields), true) = (&mut object, resource != Resource::Versions) {
        fields
            .entry("apiVersion")
            .or_insert_with(|| api_version.into());
        fields
            .entry("kind")
            .or_insert_with(|| resource.kind().into());
    }
    redact(object, salt)
}

/// Of a node only what scheduling needs: its status alone is longer than all of its pods' rows.
fn node_document(node: &Value) -> Value {
    let conditions = node["status"]["conditions"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let conditions: Vec<_> = conditions
        .iter()
        .map(|condition| pick(condition, &["type", "status"]))
        .collect();
    let mut status = pick(&node["status"], &["allocatable"]);
    status["conditions"] = conditions.into();
    status["nodeInfo"] = pick(&node["status"]["nodeInfo"], &["kubeletVersion"]);
    let mut kept = pick(node, &["apiVersion", "kind"]);
    kept["metadata"] = pick(
        &node["metadata"],
        &[
            "name",
            "uid",
            "resourceVersion",
            "labels",
            "creationTimestamp",
        ],
    );
    kept["spec"] = pick(&node["spec"], &["unschedulable", "taints"]);
    kept["status"] = status;
    kept
}

fn pick(object: &Value, keys: &[&str]) -> Value {
    let present = keys
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), object.get(*key)?.clone())));
    Value::Object(present.collect())
}

fn kept_annotations(annotations: Map<String, Value>, salt: &Salt) -> Map<String, Value> {
    let (mut kept, mut others): (Map<_, _>, Map<_, _>) =
        annotations.into_iter().partition(|(key, _)| {
            let has = |prefix: &&str| key.starts_with(*prefix);
            KEPT.contains(&key.as_str()) || KEPT_PREFIXES.iter().any(has)
        });
    if !others.is_empty() {
        others.sort_keys();
        let digest = salt.digest([Value::Object(others).to_string().as_str()]);
        kept.insert(REDACTED.to_owned(), digest.into());
    }
    kept
}

/// Redacts every environment, command line, probe header and annotation below, wherever a kind of workload puts it.
fn walk(value: &mut Value, salt: &Salt) {
    match value {
        Value::Object(fields) => {
            fields.shift_remove("managedFields");
            for (key, field) in fields.iter_mut() {
                match (key.as_str(), &mut *field) {
                    ("annotations", Value::Object(annotations)) => redact_values(annotations, salt),
                    ("env" | "httpHeaders", Value::Array(pairs)) => redact_pairs(pairs, salt),
                    ("args" | "command", Value::Array(words)) => redact_words(words, salt),
                    _ => walk(field, salt),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| walk(element, salt)),
        _ => {}
    }
}

/// Variables of an environment, headers of a probe: the name stays.
fn redact_pairs(pairs: &mut [Value], salt: &Salt) {
    for pair in pairs {
        if let Some(value) = pair.get_mut("value") {
            *value = salt.redacted(value);
        }
    }
}

/// A command line, of a container or of a probe.
fn redact_words(words: &mut [Value], salt: &Salt) {
    for word in words {
        *word = salt.redacted(word);
    }
}

fn redact_values(fields: &mut Map<String, Value>, salt: &Salt) {
    for (_, value) in fields.iter_mut() {
        *value = salt.redacted(value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Salt, document, redact};
    use crate::resource::Resource;

    const SALT: Salt = Salt([7; 32]);

    #[test]
    fn equal_environments_stay_equal_and_unreadable() {
        let workload = |value: &str| {
            let env = json!([{"name": "TOKEN", "value": value}]);
            json!({"kind": "Deployment", "spec": {"template": {
                "metadata": {"annotations": {"config": value}},
                "spec": {"containers": [{"env": env}], "initContainers": [{"env": env}]}}}})
        };
        let redacted = redact(workload("hunter2"), &SALT);
        assert!(!redacted.to_string().contains("hunter2"));
        assert_eq!(redacted, redact(workload("hunter2"), &SALT));
        assert_ne!(redacted, redact(workload("hunter3"), &SALT));
        assert_ne!(redacted, redact(workload("hunter2"), &Salt([8; 32])));
        let digest = &redacted["spec"]["template"]["metadata"]["annotations"]["config"];
        assert_eq!(digest.as_str().unwrap().len(), "redacted:".len() + 16);
    }

    #[test]
    fn a_revision_keeps_its_structure() {
        let revision = json!({"kind": "ControllerRevision", "metadata": {"name": "cart-1"}, "data": {
            "spec": {"template": {"$patch": "replace", "spec": {"containers": [
                {"name": "main", "image": "cart:1"}]}}}}, "revision": 1});
        assert_eq!(redact(revision.clone(), &SALT), revision);
    }

    #[test]
    fn annotations_of_the_object_are_kept_by_name_only() {
        let set = json!({"kind": "SidecarSet", "metadata": {"managedFields": [1], "annotations": {
            "kruise.io/sidecarset-hash": "abc", "rollouts.kruise.io/x": "y", "note": "hunter2"}}});
        let annotations = &redact(set, &SALT)["metadata"]["annotations"];
        assert_eq!(annotations["kruise.io/sidecarset-hash"], "abc");
        assert_eq!(annotations["rollouts.kruise.io/x"], "y");
        assert_eq!(annotations["redacted"].as_str().unwrap().len(), 16);
        assert_eq!(annotations.as_object().unwrap().len(), 3);
    }

    #[test]
    fn a_secret_in_a_list_keeps_its_keys_only() {
        let list = json!({"kind": "List", "items": [
            {"kind": "Secret", "data": {"password": "hunter2"}, "stringData": {"a": "hunter2"}}]});
        let redacted = redact(list, &SALT);
        assert!(!redacted.to_string().contains("hunter2"));
        assert!(redacted["items"][0]["data"]["password"].is_string());
    }

    #[test]
    fn a_node_keeps_what_scheduling_needs() {
        let node = json!({"metadata": {"name": "n", "annotations": {"a": "b"}, "labels": {"zone": "z"}},
            "spec": {"unschedulable": true, "podCIDR": "10.0.0.0/24"},
            "status": {"allocatable": {"cpu": "16"}, "images": [1], "conditions": [
                {"type": "Ready", "status": "True", "lastHeartbeatTime": "x"}],
                "nodeInfo": {"kubeletVersion": "v1.34.4", "bootID": "x"}}});
        let expected = json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"labels": {"zone": "z"}, "name": "n"}, "spec": {"unschedulable": true},
            "status": {"allocatable": {"cpu": "16"},
                "conditions": [{"status": "True", "type": "Ready"}],
                "nodeInfo": {"kubeletVersion": "v1.34.4"}}});
        assert_eq!(document(node, Resource::Nodes, "v1", &SALT), expected);
    }
}
