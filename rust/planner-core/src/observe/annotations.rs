//! Which annotations of a pod are kept, and in which form.

use serde::{Deserialize, Serialize, Serializer, de::IgnoredAny};
use serde_json::value::{RawValue, to_raw_value};

use super::{
    redact::{REDACTED, Salt},
    text::{Pairs, Text, or_default},
};

/// The column `annotations`: JSON without time stamps and without anything that may be secret.
pub fn annotations_column(mut annotations: Pairs<'_, Text<'_>>, salt: &Salt) -> String {
    annotations.sort();
    let mut kept: Vec<(&str, Kept<'_>)> = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    for (key, value) in &annotations.0 {
        match form(key) {
            Form::Ignored => {}
            Form::Text => kept.push((key, Kept::Text(value))),
            Form::Digest => others.extend([&**key, &**value]),
            Form::Json(normalise) => match normalise(value) {
                Some(json) => kept.push((key, Kept::Json(json))),
                None => others.extend([&**key, &**value]),
            },
            // OpenKruise holds an update that it cannot read for one that is not over.
            Form::Update(normalise) => kept.push((
                key,
                normalise(value).map_or(Kept::Text(UNREADABLE), Kept::Json),
            )),
        }
    }
    let digest;
    if !others.is_empty() {
        digest = salt.digest(others);
        kept.push((REDACTED, Kept::Text(&digest)));
        kept.sort_by_key(|(key, _)| *key);
    }
    serde_json::to_string(&Object(kept)).expect("texts and JSON can be written")
}

/// Stands for an update in place that is recorded otherwise than `OpenKruise` does.
const UNREADABLE: &str = "unreadable";

/// Rewrites the JSON in an annotation; nothing when it is not what it should be.
type Normalise = fn(&str) -> Option<Box<RawValue>>;

/// Whether an annotation says nothing about the column.
pub fn is_ignored(key: &str) -> bool {
    matches!(form(key), Form::Ignored)
}

/// Whether an annotation is expected to mention when it was written, as `updateTimestamp` in JSON.
pub fn has_time_stamps(key: &str) -> bool {
    matches!(form(key), Form::Json(_) | Form::Update(_))
}

/// What becomes of an annotation.
enum Form {
    Text,
    Json(Normalise),
    /// An update in place that is under way or was.
    Update(Normalise),
    Digest,
    /// Different in every pod and of no use: it would only make each pod's text its own.
    Ignored,
}

fn form(key: &str) -> Form {
    match key {
        "controller.kubernetes.io/pod-deletion-cost"
        | "kruise.io/related-pub"
        | "kruise.io/sidecarset-injected-list"
        | "pub.kruise.io/no-protect"
        | "pub.kruise.io/related-pub" => Form::Text,
        "kruise.io/sidecarset-hash" | "kruise.io/sidecarset-hash-without-image" => {
            Form::Json(sidecar_set_hashes)
        }
        "kruise.io/sidecarset-inplace-update-state" => {
            Form::Update(|value| rewrite::<Pairs<'_, InPlaceUpdate<'_>>>(value))
        }
        // Those without a prefix are of before OpenKruise 1.0.
        "apps.kruise.io/inplace-update-state" | "inplace-update-state" => {
            Form::Update(|value| rewrite::<InPlaceUpdate<'_>>(value))
        }
        "apps.kruise.io/inplace-update-grace" | "inplace-update-grace" => {
            Form::Update(|value| rewrite::<Grace<'_>>(value))
        }
        "apps.kruise.io/runtime-containers-meta"
        | "kubernetes.io/config.mirror"
        | "lifecycle.apps.kruise.io/timestamp" => Form::Ignored,
        _ => Form::Digest,
    }
}

/// Reads the fields that `T` knows and writes them again.
fn rewrite<'a, T: Deserialize<'a> + Serialize>(value: &'a str) -> Option<Box<RawValue>> {
    let known: T = serde_json::from_str(value).ok()?;
    to_raw_value(&known).ok()
}

/// `{"set": {"hash": "..", "updateTimestamp": .., ..}}`, before Kruise 0.7 `{"set": "hash"}`, becomes
/// `{"set": "hash"}`.
fn sidecar_set_hashes(value: &str) -> Option<Box<RawValue>> {
    let Ok(mut sets) = serde_json::from_str::<Pairs<'_, SidecarSetHash<'_>>>(value) else {
        return rewrite::<Pairs<'_, Text<'_>>>(value);
    };
    sets.sort();
    let hashes = sets
        .0
        .iter()
        .map(|(set, record)| (&**set, Kept::Text(&record.hash)))
        .collect();
    to_raw_value(&Object(hashes)).ok()
}

#[derive(Deserialize)]
struct SidecarSetHash<'a> {
    #[serde(borrow)]
    hash: Text<'a>,
}

/// An update in place under way, as `OpenKruise` records it, without its time stamps
/// (`apis/apps/pub/inplace_update.go`, `pkg/control/sidecarcontrol`).
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct InPlaceUpdate<'a> {
    #[serde(borrow, default)]
    revision: Text<'a>,
    /// `null` where no image changes, and as long as a grace period lasts.
    #[serde(borrow, default, deserialize_with = "or_default")]
    last_container_statuses: Pairs<'a, LastContainerStatus<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    update_images: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    update_env_from_metadata: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    update_resources: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    next_container_images: Option<Pairs<'a, Text<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    next_container_ref_metadata: Option<Names<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    next_container_resources: Option<Names<'a>>,
}

#[derive(Deserialize, Serialize)]
struct LastContainerStatus<'a> {
    #[serde(borrow, default, rename = "imageID")]
    image_id: Text<'a>,
}

/// An object of which only the keys are kept: labels and annotations may be secret.
#[derive(Deserialize)]
#[serde(transparent)]
struct Names<'a>(#[serde(borrow)] Pairs<'a, IgnoredAny>);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.0.iter().map(|(name, _)| name))
    }
}

/// An update in place that waits for its grace period.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Grace<'a> {
    #[serde(borrow, default)]
    revision: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    container_images: Option<Pairs<'a, Text<'a>>>,
    #[serde(default, rename = "graceSeconds")]
    seconds: i64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Kept<'a> {
    Text(&'a str),
    Json(Box<RawValue>),
}

struct Object<'a>(Vec<(&'a str, Kept<'a>)>);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Salt, annotations_column};

    fn column(annotations: &serde_json::Value) -> String {
        let text = annotations.to_string();
        annotations_column(serde_json::from_str(&text).unwrap(), &Salt([1; 32]))
    }

    #[test]
    fn sidecar_set_hashes_lose_their_time_stamps() {
        let hashes = |seconds: u32| {
            let hash = format!(
                r#"{{"mesh":{{"updateTimestamp":"2026-11-23T09:40:{seconds}Z","hash":"f7"}}}}"#
            );
            column(&serde_json::json!({"kruise.io/sidecarset-hash": hash}))
        };
        assert_eq!(hashes(10), r#"{"kruise.io/sidecarset-hash":{"mesh":"f7"}}"#);
        assert_eq!(hashes(10), hashes(11));
    }

    #[test]
    fn the_order_of_sidecar_sets_says_nothing() {
        let hashes = |hashes| column(&serde_json::json!({"kruise.io/sidecarset-hash": hashes}));
        assert_eq!(
            hashes(r#"{"b":{"hash":"1"},"a":{"hash":"2"}}"#),
            hashes(r#"{"a":{"hash":"2"},"b":{"hash":"1"}}"#)
        );
    }

    #[test]
    fn an_update_in_place_keeps_what_tells_whether_it_is_done() {
        let state = r#"{"revision":"r","updateTimestamp":"2026-11-23T09:37:24Z",
            "lastContainerStatuses":{"main":{"imageID":"sha256:1"}},"updateImages":true,
            "updateEnvFromMetadata":true,
            "nextContainerRefMetadata":{"main":{"annotations":{"token":"hunter2"}}},
            "nextContainerResources":{"log":{"limits":{"cpu":"1"}}},
            "preCheckBeforeNext":{"containersRequiredReady":["mesh"]}}"#;
        assert_eq!(
            column(&serde_json::json!({"apps.kruise.io/inplace-update-state": state})),
            r#"{"apps.kruise.io/inplace-update-state":{"revision":"r","lastContainerStatuses":{"main":{"imageID":"sha256:1"}},"updateImages":true,"updateEnvFromMetadata":true,"nextContainerRefMetadata":["main"],"nextContainerResources":["log"]}}"#
        );
    }

    #[test]
    fn an_update_that_changes_no_image_yet_is_read_too() {
        let state = |seconds: u32| {
            let state = format!(
                r#"{{"revision":"r","updateTimestamp":"2026-11-23T09:37:{seconds}Z","lastContainerStatuses":null}}"#
            );
            column(&serde_json::json!({"apps.kruise.io/inplace-update-state": state}))
        };
        assert_eq!(
            state(10),
            r#"{"apps.kruise.io/inplace-update-state":{"revision":"r","lastContainerStatuses":{}}}"#
        );
        assert_eq!(state(10), state(11));
    }

    #[test]
    fn an_update_that_cannot_be_read_is_told_and_not_shown() {
        let broken = serde_json::json!({"apps.kruise.io/inplace-update-grace": "hunter2"});
        assert_eq!(
            column(&broken),
            r#"{"apps.kruise.io/inplace-update-grace":"unreadable"}"#
        );
    }

    #[test]
    fn containers_that_the_daemon_names_do_not_tell_pods_apart() {
        let meta = |id: &str| {
            let meta = format!(r#"{{"containers":[{{"name":"main","containerID":"{id}"}}]}}"#);
            column(&serde_json::json!({"apps.kruise.io/runtime-containers-meta": meta}))
        };
        assert_eq!((&*meta("a"), &*meta("b")), ("{}", "{}"));
    }

    #[test]
    fn other_annotations_become_one_digest() {
        let one = column(&serde_json::json!({"b": "hunter2", "a": "x"}));
        assert!(
            one.starts_with(r#"{"redacted":""#) && !one.contains("hunter2"),
            "{one}"
        );
        assert_eq!(one, column(&serde_json::json!({"a": "x", "b": "hunter2"})));
        assert_ne!(one, column(&serde_json::json!({"a": "x", "b": "hunter3"})));
    }

    #[test]
    fn what_is_not_the_json_it_should_be_is_redacted() {
        let broken = column(&serde_json::json!({"kruise.io/sidecarset-hash": "hunter2"}));
        assert!(
            broken.starts_with(r#"{"redacted":""#) && !broken.contains("hunter2"),
            "{broken}"
        );
    }

    #[test]
    fn no_annotations_are_an_empty_object() {
        assert_eq!(column(&serde_json::json!({})), "{}");
    }
}
