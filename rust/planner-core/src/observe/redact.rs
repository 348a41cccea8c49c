//! What must not get into the log is replaced by salted digests, so that equal values stay equal.
//!
//! Values of environment variables, command lines and annotations may hold secrets, and
//! `last-applied-configuration` holds both once more. A digest of 64 bits keyed with the salt of
//! the log tells whether a value changed, and nothing to somebody who lacks the salt.

use super::{text::Pairs, tree::Tree};
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

    fn redact(&self, value: &mut Tree<'_>) {
        let digest = match value.text() {
            Some(text) => self.digest([text]),
            None => self.digest([value.to_string().as_str()]),
        };
        *value = Tree::Text(format!("{REDACTED}:{digest}").into());
    }
}

/// A Kubernetes object as JSON, or a `List` of them, as it may be stored: keys in order, without
/// `managedFields`, annotations and environment redacted, the data of a `Secret` or `ConfigMap` too.
pub fn redact(document: &[u8], salt: &Salt) -> serde_json::Result<String> {
    let document: Tree<'_> = serde_json::from_slice(document)?;
    Ok(redacted(document, salt).to_string())
}

fn redacted<'a>(mut document: Tree<'a>, salt: &Salt) -> Tree<'a> {
    for item in document
        .get_mut("items")
        .and_then(Tree::elements)
        .into_iter()
        .flatten()
    {
        *item = redacted(std::mem::take(item), salt);
    }
    let metadata = document.get_mut("metadata");
    let annotations = metadata.map_or(Tree::Null, |it| it.take("annotations"));
    let kind = document.at(&["kind"]).and_then(Tree::text);
    if matches!(kind, Some("Secret" | "ConfigMap")) {
        for key in ["data", "stringData", "binaryData"] {
            redact_values(document.get_mut(key), salt);
        }
    }
    walk(&mut document, salt);
    let annotations = kept_annotations(annotations, salt);
    if let (Some(annotations), Some(metadata)) = (annotations, document.get_mut("metadata")) {
        metadata.put("annotations", annotations);
    }
    document
}

/// The document of an observed object that is not a pod; `api_version` and `kind` are those of its
/// list where it lacks its own.
#[must_use]
pub fn document<'a>(
    mut object: Tree<'a>,
    resource: Resource,
    api_version: &'a str,
    salt: &Salt,
) -> Tree<'a> {
    if resource == Resource::Nodes {
        object = node_document(object);
    }
    if resource != Resource::Versions {
        object.put("apiVersion", Tree::Text(api_version.into()));
        object.put("kind", Tree::Text(resource.kind().into()));
    }
    redacted(object, salt)
}

/// Of a node only what scheduling needs: its status alone is longer than all of its pods' rows.
fn node_document(mut node: Tree<'_>) -> Tree<'_> {
    let (mut metadata, mut spec) = (node.take("metadata"), node.take("spec"));
    let mut status = node.take("status");
    let mut conditions = status.take("conditions");
    let conditions = conditions
        .elements()
        .map(std::mem::take)
        .unwrap_or_default();
    let conditions = conditions.into_iter();
    let conditions = conditions.map(|mut condition| pick(&mut condition, &["type", "status"]));
    let mut info = status.take("nodeInfo");
    let named = [
        "name",
        "uid",
        "resourceVersion",
        "labels",
        "creationTimestamp",
    ];
    let mut kept = pick(&mut node, &["apiVersion", "kind"]);
    kept.put("metadata", pick(&mut metadata, &named));
    kept.put("spec", pick(&mut spec, &["unschedulable", "taints"]));
    let mut of_status = pick(&mut status, &["allocatable"]);
    of_status.put("conditions", Tree::Array(conditions.collect()));
    of_status.put("nodeInfo", pick(&mut info, &["kubeletVersion"]));
    kept.put("status", of_status);
    kept
}

/// Some fields of an object, as far as they are there.
fn pick<'a>(object: &mut Tree<'a>, keys: &[&'static str]) -> Tree<'a> {
    let is_there = |key: &&&str| object.at(&[key]).is_some();
    let there: Vec<&str> = keys.iter().filter(is_there).copied().collect();
    Tree::object(there.into_iter().map(|key| (key, object.take(key))))
}

/// Annotations as they may be stored, if there are any.
fn kept_annotations<'a>(mut annotations: Tree<'a>, salt: &Salt) -> Option<Tree<'a>> {
    let annotations = std::mem::take(annotations.fields()?);
    let (kept, others): (Vec<_>, Vec<_>) = annotations.into_iter().partition(|(key, _)| {
        let has = |prefix: &&str| key.starts_with(*prefix);
        KEPT.contains(&&**key) || KEPT_PREFIXES.iter().any(has)
    });
    let is_empty = kept.is_empty() && others.is_empty();
    let mut kept = Tree::Object(Pairs(kept));
    if !others.is_empty() {
        let digest = salt.digest([Tree::Object(Pairs(others)).to_string().as_str()]);
        kept.put(REDACTED, Tree::Text(digest.into()));
    }
    (!is_empty).then_some(kept)
}

/// Redacts every environment, command line, probe header and annotation below, wherever a kind of workload puts it.
fn walk(value: &mut Tree<'_>, salt: &Salt) {
    value.take("managedFields");
    for (key, field) in value.fields().into_iter().flatten() {
        match (&**key, &mut *field) {
            ("annotations", Tree::Object(_)) => redact_values(Some(field), salt),
            ("env" | "httpHeaders", Tree::Array(pairs)) => redact_pairs(pairs, salt),
            ("args" | "command", Tree::Array(words)) => {
                for word in words {
                    salt.redact(word);
                }
            }
            _ => walk(field, salt),
        }
    }
    for element in value.elements().into_iter().flatten() {
        walk(element, salt);
    }
}

/// Variables of an environment, headers of a probe: the name stays.
fn redact_pairs(pairs: &mut [Tree<'_>], salt: &Salt) {
    for pair in pairs {
        if let Some(value) = pair.get_mut("value") {
            salt.redact(value);
        }
    }
}

fn redact_values(object: Option<&mut Tree<'_>>, salt: &Salt) {
    for (_, value) in object.and_then(Tree::fields).into_iter().flatten() {
        salt.redact(value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Salt, Tree, document};
    use crate::resource::Resource;

    const SALT: Salt = Salt([7; 32]);

    fn redact(value: &Value, salt: &Salt) -> Value {
        let redacted = super::redact(value.to_string().as_bytes(), salt);
        serde_json::from_str(&redacted.unwrap()).unwrap()
    }

    #[test]
    fn equal_environments_stay_equal_and_unreadable() {
        let workload = |value: &str| {
            let env = json!([{"name": "TOKEN", "value": value}]);
            json!({"kind": "Deployment", "spec": {"template": {
                "metadata": {"annotations": {"config": value}},
                "spec": {"containers": [{"env": env}], "initContainers": [{"env": env}]}}}})
        };
        let redacted = redact(&workload("hunter2"), &SALT);
        assert!(!redacted.to_string().contains("hunter2"));
        assert_eq!(redacted, redact(&workload("hunter2"), &SALT));
        assert_ne!(redacted, redact(&workload("hunter3"), &SALT));
        assert_ne!(redacted, redact(&workload("hunter2"), &Salt([8; 32])));
        let digest = &redacted["spec"]["template"]["metadata"]["annotations"]["config"];
        assert_eq!(digest.as_str().unwrap().len(), "redacted:".len() + 16);
    }

    #[test]
    fn a_revision_keeps_its_structure() {
        let revision = json!({"kind": "ControllerRevision", "metadata": {"name": "cart-1"}, "data": {
            "spec": {"template": {"$patch": "replace", "spec": {"containers": [
                {"name": "main", "image": "cart:1"}]}}}}, "revision": 1});
        assert_eq!(redact(&revision, &SALT), revision);
    }

    #[test]
    fn annotations_of_the_object_are_kept_by_name_only() {
        let set = json!({"kind": "SidecarSet", "metadata": {"managedFields": [1], "annotations": {
            "kruise.io/sidecarset-hash": "abc", "rollouts.kruise.io/x": "y", "note": "hunter2"}}});
        let annotations = &redact(&set, &SALT)["metadata"]["annotations"];
        assert_eq!(annotations["kruise.io/sidecarset-hash"], "abc");
        assert_eq!(annotations["rollouts.kruise.io/x"], "y");
        assert_eq!(annotations["redacted"].as_str().unwrap().len(), 16);
        assert_eq!(annotations.as_object().unwrap().len(), 3);
    }

    #[test]
    fn a_secret_in_a_list_keeps_its_keys_only() {
        let list = json!({"kind": "List", "items": [
            {"kind": "Secret", "data": {"password": "hunter2"}, "stringData": {"a": "hunter2"}}]});
        let redacted = redact(&list, &SALT);
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
        let text = node.to_string();
        let node: Tree<'_> = serde_json::from_str(&text).unwrap();
        let kept = document(node, Resource::Nodes, "v1", &SALT).to_string();
        assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), expected);
    }
}
