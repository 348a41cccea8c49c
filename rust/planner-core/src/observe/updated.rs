//! Whether an update in place is over, as `OpenKruise` decides it from the whole pod
//! (`openkruise/kruise pkg/util/inplaceupdate/inplace_update_defaults.go
//! defaultCheckContainersInPlaceUpdateCompleted`).
//!
//! Its daemon tells in an annotation which container runs, and the hash that the kubelet started it
//! by. Ids of containers are of one pod only, hashes of environments are of what may be secret: here
//! they are compared, and nothing is kept of them but the answer.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{
    pod_columns::flag,
    scalar::parse_milli,
    text::{Pairs, Text},
    whole::{Container, ContainerStatus, Hashes, Runtime, State, Whole},
};
use crate::{batch::flags, kube::inplace::runs_image};

/// What an update in place is recorded in; the second is of before `OpenKruise` 1.0.
const STATES: [&str; 2] = [
    "apps.kruise.io/inplace-update-state",
    "inplace-update-state",
];
const RUNTIME: &str = "apps.kruise.io/runtime-containers-meta";

/// Variables that `OpenKruise` itself writes, and leaves out of the hash.
const NO_VARIABLES: [&str; 2] = ["SIDECARSET_VERSION", "SIDECARSET_VERSION_ALT"];

static STATE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#"inplace-update-state""#));

/// Whether annotations, as they are written, are those of a pod that was updated in place: false
/// says that they are not.
pub fn is_recorded(annotations: &str) -> bool {
    let bytes = annotations.as_bytes();
    let mut found = STATE.find_iter(bytes);
    // What goes before it in `kruise.io/sidecarset-inplace-update-state` is a hyphen.
    found.any(|at| at > 0 && matches!(bytes[at - 1], b'"' | b'/'))
}

/// The same of annotations that were read.
pub fn was_updated(annotations: &Pairs<'_, Text<'_>>) -> bool {
    STATES.iter().any(|key| annotations.get(key).is_some())
}

/// The flag of an update in place that is over. Only of a pod that was updated so all is read once
/// more.
pub fn update_bits(was_updated: bool, pod: &str) -> u16 {
    flag(was_updated && is_over(pod), flags::IN_PLACE_UPDATE_OVER)
}

/// Whether the containers of a pod, as it is written, are those that its update in place wanted.
/// Batches to come and grace periods are not looked at. No update, and what cannot be read, is not
/// over.
fn is_over(pod: &str) -> bool {
    let whole: Option<Whole<'_>> = serde_json::from_str(pod).ok();
    whole.is_some_and(|whole| whole.is_over().is_some())
}

impl Whole<'_> {
    fn is_over(&self) -> Option<()> {
        let annotations = &self.metadata.annotations;
        let state = STATES.iter().find_map(|key| annotations.get(key))?;
        let state: State<'_> = serde_json::from_str(state).ok()?;
        let runtime: Option<Runtime<'_>> = match annotations.get(RUNTIME) {
            Some(text) => Some(serde_json::from_str(text).ok()?),
            None => None,
        };
        let containers = self
            .spec
            .containers
            .iter()
            .map(|it| Container::read(it.get()));
        let containers: Vec<Container<'_>> = containers.collect::<Option<_>>()?;
        let agrees = |is_same: &dyn Fn(&Container<'_>, &Hashes) -> bool| {
            let runtime = runtime.as_ref();
            runtime.is_some_and(|it| self.agrees(it, &containers, is_same))
        };
        if state.update_env_from_metadata {
            let is_same = |container: &Container<'_>, hashes: &Hashes| {
                hashes.extracted_env_from_metadata_hash == self.env_hash(container)
            };
            agrees(&is_same).then_some(())?;
        }
        if state.update_resources {
            self.has_resources(&containers).then_some(())?;
        }
        let is_over = agrees(&|container, hashes| container.is_of(hashes.plain_hash))
            || self.runs_images(&state, &containers);
        is_over.then_some(())
    }

    /// `checkAllContainersHashConsistent`: all containers are told, with the ids of their statuses.
    fn agrees(
        &self,
        runtime: &Runtime<'_>,
        containers: &[Container<'_>],
        is_same: &dyn Fn(&Container<'_>, &Hashes) -> bool,
    ) -> bool {
        containers.iter().all(|container| {
            let status = self.status_of(&container.name);
            // The last one, as there.
            let mut running = runtime.containers.iter().rev();
            let running = running.find(|it| it.name == container.name);
            let both = status.zip(running);
            both.is_some_and(|(status, it)| it.id == status.id && is_same(container, &it.hashes))
        })
    }

    fn status_of(&self, name: &str) -> Option<&ContainerStatus<'_>> {
        let mut statuses = self.status.container_statuses.iter();
        statuses.find(|status| &*status.name == name)
    }

    fn runs_images(&self, state: &State<'_>, containers: &[Container<'_>]) -> bool {
        state.last_container_statuses.0.iter().all(|(name, last)| {
            let wanted = containers.iter().find(|it| it.name == *name);
            let wanted = wanted.map(|it| &*it.image);
            self.status_of(name).is_some_and(|status| {
                runs_image(wanted, &last.image_id, &status.image, &status.image_id)
            })
        })
    }

    /// `NativeVerticalUpdate.IsUpdateCompleted`.
    fn has_resources(&self, containers: &[Container<'_>]) -> bool {
        let is_same = |container: &Container<'_>| {
            let status = self.status_of(&container.name);
            let now = status.and_then(|it| it.resources.as_ref());
            let wanted = &container.resources;
            now.is_some_and(|now| {
                are_equal(&wanted.limits, &now.limits) && are_equal(&wanted.requests, &now.requests)
            })
        };
        self.status.container_statuses.len() == containers.len() && containers.iter().all(is_same)
    }

    /// The hash of the variables that come from labels and annotations (`pkg/util/containermeta
    /// GetExpectHash`).
    fn env_hash(&self, container: &Container<'_>) -> u64 {
        let metadata = &self.metadata;
        let from_metadata = container.env.iter().filter_map(|variable| {
            let source = variable.value_from.field_ref.as_ref()?;
            let is_plain = !variable.value.is_empty() || NO_VARIABLES.contains(&&*variable.name);
            let (path, key) = source.field_path.strip_suffix("']")?.split_once("['")?;
            let of = match path {
                "metadata.annotations" => &metadata.annotations,
                "metadata.labels" => &metadata.labels,
                _ => return None,
            };
            (!is_plain).then(|| (&*variable.name, of.get(key).map_or("", |value| value)))
        });
        let mut variables: Vec<(&str, &str)> = from_metadata.collect();
        variables.sort_by_key(|(name, _)| *name);
        let written = variables.iter().map(|(name, value)| {
            let name = go_text(name);
            match *value {
                "" => format!(r#"{{"name":{name}}}"#),
                value => format!(r#"{{"name":{name},"value":{}}}"#, go_text(value)),
            }
        });
        let written: Vec<String> = written.collect();
        match &*written {
            [] => hash("null"),
            written => hash(&format!("[{}]", written.join(","))),
        }
    }
}

impl Container<'_> {
    /// Whether a kubelet starts it by this hash: of its name and image since Kubernetes 1.31, of all
    /// that the API server writes of it before (`kubernetes/kubernetes
    /// pkg/kubelet/container/helpers.go HashContainer`). `OpenKruise` takes either.
    fn is_of(&self, plain_hash: u64) -> bool {
        let (image, name) = (go_text(&self.image), go_text(&self.name));
        plain_hash == hash(&format!(r#"{{"image":{image},"name":{name}}}"#))
            || plain_hash == hash(self.raw)
    }
}

fn are_equal(wanted: &Pairs<'_, Text<'_>>, now: &Pairs<'_, Text<'_>>) -> bool {
    let is_there = |(key, quantity): &(Text<'_>, Text<'_>)| {
        now.get(key).is_some_and(|now| {
            let [one, other] = [quantity, now].map(|it| parse_milli(it));
            quantity == now || (one.is_some() && one == other)
        })
    };
    wanted.0.len() == now.0.len() && wanted.0.iter().all(is_there)
}

/// `kubernetes/kubernetes pkg/util/hash/hash.go DeepHashObject` of bytes, as FNV-1a of 32 bits: of
/// how they are printed, `([]uint8)[123 125]`.
fn hash(json: &str) -> u64 {
    let numbers: Vec<String> = json.bytes().map(|byte| byte.to_string()).collect();
    let printed = format!("([]uint8)[{}]", numbers.join(" "));
    let hash = printed.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    u64::from(hash)
}

/// A text as Go writes it in JSON: with escapes that HTML wants.
fn go_text(text: &str) -> String {
    let mut written = serde_json::to_string(text).expect("texts can be written");
    for (char, escape) in [
        ("<", r"\u003c"),
        (">", r"\u003e"),
        ("&", r"\u0026"),
        ("\u{2028}", r"\u2028"),
        ("\u{2029}", r"\u2029"),
    ] {
        if written.contains(char) {
            written = written.replace(char, escape);
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::{Container, go_text, hash, is_over, is_recorded};

    /// Of `TestConsistentHashContainer` in `kubernetes/kubernetes
    /// pkg/kubelet/container/container_hash_test.go`, as Go writes it.
    const SAMPLE: &str = r#"{"name":"test_container","image":"foo/image:v1","command":["/bin/testcmd"],"args":["/bin/sh","-c","echo abc"],"ports":[{"containerPort":8001}],"env":[{"name":"ENV_FOO","value":"bar"},{"name":"ENV_BAR","valueFrom":{"secretKeyRef":{"name":"foo","key":"bar","optional":true}}}],"resources":{"limits":{"foo":"1G"},"requests":{"foo":"500M"}}}"#;

    #[test]
    fn hashes_are_those_of_the_tests_of_the_kubelet() {
        assert_eq!(hash(SAMPLE), 0x0311_670a, "sampleV115HashValue");
        let sample = Container::read(SAMPLE).unwrap();
        assert!(sample.is_of(0x0311_670a));
        assert!(sample.is_of(0x8e45_cbd0), "sampleV131HashValue");
        assert!(!sample.is_of(0x8e45_cbd1));
        let other = Container::read(r#"{"name":"foo","image":"bar"}"#).unwrap();
        assert!(
            other.is_of(0x11a6_d6d6),
            "TestHashContainerWithoutResources"
        );
    }

    #[test]
    fn texts_are_written_as_go_writes_them() {
        let text = "a<b>&\"\\\n\u{1}\u{7f}\u{2028}é";
        let written = "\"a\\u003cb\\u003e\\u0026\\\"\\\\\\n\\u0001\u{7f}\\u2028é\"";
        assert_eq!(go_text(text), written);
    }

    /// A pod of one container, which ran `sha256:1` before and runs it again: one digest by two tags,
    /// in a runtime that names images otherwise.
    fn pod(state: &str, runtime: Option<&str>) -> String {
        let state = format!(r#"{{"revision":"r","lastContainerStatuses":{state}}}"#);
        let mut annotations = serde_json::json!({"apps.kruise.io/inplace-update-state": state});
        if let Some(runtime) = runtime {
            let runtime = format!(r#"{{"containers":[{runtime}]}}"#);
            annotations["apps.kruise.io/runtime-containers-meta"] = runtime.into();
        }
        annotations["config"] = "7".into();
        format!(
            r#"{{"metadata":{{"annotations":{annotations}}},
              "spec":{{"containers":[{{"name":"main","image":"cart:2","env":[
                {{"name":"B","value":"x"}},
                {{"name":"e2","valueFrom":{{"fieldRef":{{"fieldPath":"metadata.annotations['config']"}}}}}}],
                "resources":{{"limits":{{"cpu":"1"}}}}}}]}},
              "status":{{"containerStatuses":[{{"name":"main","image":"sha256:0","imageID":"sha256:1",
                "containerID":"containerd://a","resources":{{"limits":{{"cpu":"1000m"}}}}}}]}}}}"#
        )
    }

    const RETAGGED: &str = r#"{"main":{"imageID":"sha256:1"}}"#;
    /// Of `{"image":"cart:2","name":"main"}`, and of `[{"name":"e2","value":"7"}]`.
    const AGREES: &str = r#"{"name":"main","containerID":"containerd://a","restartCount":1,
        "hashes":{"plainHash":2733481972,"extractedEnvFromMetadataHash":ENV}}"#;

    fn agrees() -> String {
        AGREES.replace("ENV", &hash(r#"[{"name":"e2","value":"7"}]"#).to_string())
    }

    #[test]
    fn a_new_tag_of_one_digest_is_seen_by_the_hash_of_the_runtime() {
        assert!(
            !is_over(&pod(RETAGGED, None)),
            "by images nothing has moved"
        );
        assert!(is_over(&pod(RETAGGED, Some(&agrees()))));
        let [old, other] = [
            agrees().replace("2733481972", "1996985934"),
            agrees().replace("//a", "//b"),
        ];
        assert!(!is_over(&pod(RETAGGED, Some(&old))), "of cart:1");
        assert!(
            !is_over(&pod(RETAGGED, Some(&other))),
            "of a container of before"
        );
        assert!(!is_over(&pod(RETAGGED, Some(""))), "of no container");
        assert!(!is_over(&pod(RETAGGED, Some("}"))), "of nobody knows what");
    }

    #[test]
    fn what_the_daemon_does_not_know_goes_by_images() {
        let moved = RETAGGED.replace("sha256:1", "sha256:0");
        assert!(is_over(&pod(&moved, None)));
        assert!(is_over(&pod(&moved, Some(""))));
        assert!(is_over(&pod("null", None)), "nothing but metadata changed");
        assert!(
            !is_over(r#"{"metadata":{"annotations":{"config":"7"}}}"#),
            "no update"
        );
    }

    #[test]
    fn variables_from_metadata_are_there_when_the_daemon_says_so() {
        let pod = |runtime: Option<&str>| {
            let pod = pod("null", runtime);
            pod.replace("null}", r#"null,\"updateEnvFromMetadata\":true}"#)
        };
        assert!(!is_over(&pod(None)), "nobody tells");
        assert!(is_over(&pod(Some(&agrees()))));
        assert!(!is_over(
            &pod(Some(&agrees())).replace(r#""config":"7""#, r#""config":"8""#)
        ));
    }

    #[test]
    fn resources_are_there_when_the_status_has_them() {
        let pod = pod("null", None).replace("null}", r#"null,\"updateResources\":true}"#);
        assert!(is_over(&pod));
        assert!(!is_over(&pod.replace("1000m", "500m")));
        assert!(!is_over(&pod.replace(
            r#""resources":{"limits":{"cpu":"1000m"}}"#,
            r#""x":0"#
        )));
    }

    #[test]
    fn only_pods_that_were_updated_are_asked() {
        assert!(is_recorded(
            r#"{"apps.kruise.io/inplace-update-state" : "{}"}"#
        ));
        assert!(is_recorded(r#"{"inplace-update-state":"{}"}"#));
        assert!(!is_recorded(
            r#"{"kruise.io/sidecarset-inplace-update-state":"{}"}"#
        ));
    }
}
