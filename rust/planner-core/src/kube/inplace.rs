//! Which template changes `OpenKruise` carries out in place.
//!
//! The rule is a whitelist over the JSON patch between two templates (`openkruise/kruise
//! pkg/util/inplaceupdate defaultCalculateInPlaceUpdateSpec`): `replace` of the image of an
//! ordinary container, and anything under the template's metadata. One other operation, and the
//! pod is made anew. Containers are compared by their index, never by name. Resources do not
//! qualify: the gate `InPlaceWorkloadVerticalScaling` is off by default.

use serde_json::{Map, Value};

/// What an update from one template to another does to a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Same,
    /// The pod stays; these containers restart. None, when only metadata changes.
    InPlace {
        /// In the order of the template.
        containers: Vec<Box<str>>,
    },
    /// The pod has to be made anew.
    Recreate {
        /// For example `container main: env changed`.
        why: String,
    },
}

/// What `OpenKruise` would do to a pod of the template `old` to bring it to the template `new`.
///
/// Both are pod templates as in `spec.template` of a workload or in the data of a
/// `ControllerRevision`. Null is the same as absent: Go writes either, by version.
#[must_use]
pub fn change(old: &Value, new: &Value) -> Change {
    if let Some(why) = spec_obstacle(&old["spec"], &new["spec"]) {
        return Change::Recreate { why };
    }
    let (old_containers, new_containers) = (containers(&old["spec"]), containers(&new["spec"]));
    let keys = changed_metadata(&old["metadata"], &new["metadata"]);
    let restarted: Vec<Box<str>> = old_containers
        .iter()
        .zip(new_containers)
        .filter(|(old, new)| old["image"] != new["image"] || reads_metadata(new, &keys))
        .map(|(old, _)| name(old).into())
        .collect();
    if restarted.is_empty() && same(&old["metadata"], &new["metadata"]) {
        Change::Same
    } else {
        Change::InPlace {
            containers: restarted,
        }
    }
}

/// Whether a container that was updated in place runs its image: the image moved, or is what the
/// spec says. A new tag of the same digest moves nothing, and a runtime may call an image otherwise
/// than the spec does (`defaultCheckContainersInPlaceUpdateCompleted`).
#[must_use]
pub fn runs_image(wanted: Option<&str>, id_before: &str, image: &str, id: &str) -> bool {
    id != id_before || wanted.is_none_or(|wanted| is_same(wanted, image))
}

/// Without a tag an image is `latest`.
fn is_same(wanted: &str, runs: &str) -> bool {
    wanted == runs || (!wanted.contains(':') && runs.strip_suffix(":latest") == Some(wanted))
}

/// What [`change`] says when only the images of these ordinary containers differ.
#[must_use]
pub fn images_alone(containers: Vec<Box<str>>) -> Change {
    if containers.is_empty() {
        Change::Same
    } else {
        Change::InPlace { containers }
    }
}

/// Whether two values say the same when null counts as absent.
#[must_use]
pub fn same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => first_difference(old, new).is_none(),
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new))
        }
        _ => old == new,
    }
}

/// The first key, in alphabetical order, whose values differ.
fn first_difference<'a>(
    old: &'a Map<String, Value>,
    new: &'a Map<String, Value>,
) -> Option<&'a str> {
    let get = |map: &'a Map<String, Value>, key: &str| map.get(key).unwrap_or(&Value::Null);
    old.keys()
        .chain(new.keys())
        .filter(|key| !same(get(old, key), get(new, key)))
        .map(String::as_str)
        .min()
}

/// Why the pod spec cannot be brought to `new` in place.
fn spec_obstacle(old: &Value, new: &Value) -> Option<String> {
    if let Some(why) = containers_obstacle(containers(old), containers(new)) {
        return Some(why);
    }
    let (old, new) = (without_containers(old), without_containers(new));
    match first_difference(&old, &new)? {
        "initContainers" => Some(init_obstacle(&old, &new)),
        field => Some(format!("{field} changed")),
    }
}

fn containers_obstacle(old: &[Value], new: &[Value]) -> Option<String> {
    let differs = old.iter().map(name).ne(new.iter().map(name));
    if differs {
        return Some(list_obstacle(old, new));
    }
    old.iter().zip(new).find_map(|(old, new)| {
        let field = container_obstacle(old.as_object()?, new.as_object()?)?;
        Some(format!("container {}: {field} changed", name(old)))
    })
}

/// What makes two lists of containers differ in their names.
fn list_obstacle(old: &[Value], new: &[Value]) -> String {
    let missing = |from: &[Value], of: &[Value]| {
        of.iter()
            .map(name)
            .find(|name| !from.iter().any(|other| self::name(other) == *name))
            .map(str::to_owned)
    };
    match (missing(old, new), missing(new, old)) {
        (Some(added), _) => format!("container {added} was added"),
        (None, Some(removed)) => format!("container {removed} was removed"),
        (None, None) => "containers were reordered".to_owned(),
    }
}

/// The field of a container that cannot change in place. An image qualifies when it is replaced
/// by another; one that appears or vanishes is an `add` or `remove` to the JSON patch.
fn container_obstacle(old: &Map<String, Value>, new: &Map<String, Value>) -> Option<String> {
    let replaced =
        |container: &Map<String, Value>| container.get("image").is_some_and(Value::is_string);
    let image_free = replaced(old) && replaced(new);
    let without_image = |container: &Map<String, Value>| {
        let kept = container
            .iter()
            .filter(|(key, _)| !(image_free && *key == "image"));
        kept.map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Map<_, _>>()
    };
    first_difference(&without_image(old), &without_image(new)).map(str::to_owned)
}

/// Init containers never qualify, not even native sidecars.
fn init_obstacle(old: &Map<String, Value>, new: &Map<String, Value>) -> String {
    let list = |spec: &Map<String, Value>| {
        spec.get("initContainers")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let (old, new) = (list(old), list(new));
    if old.iter().map(name).ne(new.iter().map(name)) {
        return format!("init {}", list_obstacle(&old, &new));
    }
    let changed = old.iter().zip(&new).find(|(old, new)| !same(old, new));
    let field = changed.and_then(|(old, new)| first_difference(old.as_object()?, new.as_object()?));
    let container = changed.map_or("", |(old, _)| name(old));
    format!(
        "init container {container}: {} changed",
        field.unwrap_or("definition")
    )
}

fn without_containers(spec: &Value) -> Map<String, Value> {
    let fields = spec
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != "containers");
    fields
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn containers(spec: &Value) -> &[Value] {
    spec["containers"].as_array().map_or(&[], Vec::as_slice)
}

fn name(container: &Value) -> &str {
    container["name"].as_str().unwrap_or_default()
}

/// Downward API paths (`metadata.labels['key']`) of the labels and annotations that are added or
/// take another value.
fn changed_metadata(old: &Value, new: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    for field in ["labels", "annotations"] {
        for (key, value) in new[field].as_object().into_iter().flatten() {
            if !same(&old[field][key], value) {
                paths.push(format!("metadata.{field}['{key}']"));
            }
        }
    }
    paths
}

/// Whether an environment variable of the container is drawn from one of these paths: then
/// kruise-daemon restarts it (gate `InPlaceUpdateEnvFromMetadata`, on by default).
fn reads_metadata(container: &Value, paths: &[String]) -> bool {
    let variables = container["env"].as_array().into_iter().flatten();
    let mut sources =
        variables.filter_map(|variable| variable["valueFrom"]["fieldRef"]["fieldPath"].as_str());
    sources.any(|source| paths.iter().any(|path| path == source))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Change, change};

    fn template() -> Value {
        json!({
            "metadata": {"creationTimestamp": null, "labels": {"app": "cart", "zone": "a"}},
            "spec": {
                "initContainers": [{"name": "setup", "image": "setup:1"}],
                "containers": [
                    {"name": "main", "image": "cart:1", "env": [{"name": "A", "value": "1"}],
                     "resources": {"requests": {"cpu": "1"}}},
                    {"name": "exporter", "image": "exporter:1", "env": [
                        {"name": "ZONE", "valueFrom":
                            {"fieldRef": {"fieldPath": "metadata.labels['zone']"}}}]},
                ],
                "terminationGracePeriodSeconds": 30,
            },
        })
    }

    fn after(edit: impl FnOnce(&mut Value)) -> Change {
        let mut new = template();
        edit(&mut new);
        change(&template(), &new)
    }

    fn in_place(names: &[&str]) -> Change {
        Change::InPlace {
            containers: names.iter().map(|name| (*name).into()).collect(),
        }
    }

    fn recreate(why: &str) -> Change {
        Change::Recreate {
            why: why.to_owned(),
        }
    }

    #[test]
    fn equal_templates_need_nothing() {
        assert_eq!(after(|_| ()), Change::Same);
        assert_eq!(
            after(|new| new["spec"]["volumes"] = Value::Null),
            Change::Same
        );
        assert_eq!(after(|new| new["$patch"] = json!("replace")), Change::Same);
    }

    #[test]
    fn images_of_ordinary_containers_change_in_place() {
        let main = after(|new| new["spec"]["containers"][0]["image"] = json!("cart:2"));
        assert_eq!(main, in_place(&["main"]));
        let both = after(|new| {
            new["spec"]["containers"][0]["image"] = json!("cart:2");
            new["spec"]["containers"][1]["image"] = json!("exporter:2");
        });
        assert_eq!(both, in_place(&["main", "exporter"]));
    }

    #[test]
    fn metadata_changes_in_place_without_a_restart() {
        let added = after(|new| new["metadata"]["annotations"] = json!({"config-hash": "2"}));
        assert_eq!(added, in_place(&[]));
        let removed = after(|new| {
            new["metadata"]["labels"]
                .as_object_mut()
                .unwrap()
                .remove("zone");
        });
        assert_eq!(removed, in_place(&[]));
    }

    #[test]
    fn a_label_that_feeds_an_env_restarts_its_container() {
        let zone = after(|new| new["metadata"]["labels"]["zone"] = json!("b"));
        assert_eq!(zone, in_place(&["exporter"]));
    }

    #[test]
    fn any_other_field_of_a_container_recreates() {
        let env = after(|new| new["spec"]["containers"][0]["env"][0]["value"] = json!("2"));
        assert_eq!(env, recreate("container main: env changed"));
        let cpu = after(|new| {
            new["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("2");
        });
        assert_eq!(cpu, recreate("container main: resources changed"));
        let mixed = after(|new| {
            new["spec"]["containers"][0]["image"] = json!("cart:2");
            new["spec"]["containers"][1]["args"] = json!(["-v"]);
        });
        assert_eq!(mixed, recreate("container exporter: args changed"));
    }

    #[test]
    fn an_image_that_appears_is_not_a_replacement() {
        let gone = after(|new| {
            new["spec"]["containers"][0]
                .as_object_mut()
                .unwrap()
                .remove("image");
        });
        assert_eq!(gone, recreate("container main: image changed"));
    }

    #[test]
    fn containers_are_compared_by_index() {
        let swapped = after(|new| new["spec"]["containers"].as_array_mut().unwrap().reverse());
        assert_eq!(swapped, recreate("containers were reordered"));
        let added = after(|new| {
            let containers = new["spec"]["containers"].as_array_mut().unwrap();
            containers.insert(0, json!({"name": "proxy", "image": "proxy:1"}));
        });
        assert_eq!(added, recreate("container proxy was added"));
        let removed = after(|new| {
            new["spec"]["containers"].as_array_mut().unwrap().pop();
        });
        assert_eq!(removed, recreate("container exporter was removed"));
    }

    #[test]
    fn init_containers_never_qualify() {
        let image = after(|new| new["spec"]["initContainers"][0]["image"] = json!("setup:2"));
        assert_eq!(image, recreate("init container setup: image changed"));
        let gone = after(|new| new["spec"]["initContainers"] = Value::Null);
        assert_eq!(gone, recreate("init container setup was removed"));
    }

    #[test]
    fn other_fields_of_the_pod_recreate() {
        let grace = after(|new| new["spec"]["terminationGracePeriodSeconds"] = json!(60));
        assert_eq!(grace, recreate("terminationGracePeriodSeconds changed"));
        let volume = after(|new| new["spec"]["volumes"] = json!([{"name": "data"}]));
        assert_eq!(volume, recreate("volumes changed"));
    }
}
