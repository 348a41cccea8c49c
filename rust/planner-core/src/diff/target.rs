//! What each workload should become: its template with the images of the request, or the whole
//! workload of a manifest laid over what is there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    inventory::Inventory,
    kube::workload::Workload,
    request::{Image, Request, WorkloadRef, repository},
    resource::Resource,
};

/// The target of one workload.
#[derive(Debug)]
pub struct WorkloadTarget {
    /// Image that each named container has to run, by container.
    pub images: BTreeMap<String, String>,
    /// The pod template that the workload will have.
    pub template: Value,
    /// Whether a manifest speaks about the whole template, not only about images.
    pub whole: bool,
}

/// Whether a reference names this workload.
#[must_use]
pub fn names(reference: &WorkloadRef, workload: &Workload) -> bool {
    *reference.namespace == *workload.namespace
        && *reference.name == *workload.name
        && reference
            .kind
            .as_deref()
            .is_none_or(|kind| kind == workload.kind())
        && reference
            .cluster
            .as_deref()
            .is_none_or(|cluster| *cluster == *workload.cluster)
}

/// Lays a manifest over the observed workload; `None` when no manifest speaks of it.
#[must_use]
pub fn desired(workload: &Workload, document: &Value, manifests: &[Value]) -> Option<Value> {
    let manifest = manifests.iter().find(|manifest| {
        let text = |path: &str| manifest.pointer(path).and_then(Value::as_str);
        let resource = Resource::of(
            text("/apiVersion").unwrap_or_default(),
            text("/kind").unwrap_or_default(),
        );
        resource == Some(workload.resource)
            && text("/metadata/name") == Some(&*workload.name)
            && text("/metadata/namespace").unwrap_or("default") == &*workload.namespace
    })?;
    let mut desired = document.clone();
    if let Some(spec) = manifest.get("spec") {
        overlay(&mut desired["spec"], spec);
    }
    Some(desired)
}

/// Lays `over` on `base` as `kubectl apply` would: maps key by key, lists of named things by their
/// name in the order of `over`, other values whole. Keys that only the server sets stay.
fn overlay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(key) {
                    Some(known) => overlay(known, value),
                    None => drop(base.insert(key.clone(), value.clone())),
                }
            }
        }
        (Value::Array(base), Value::Array(over))
            if over.iter().all(|item| name_of(item).is_some()) =>
        {
            let laid = over.iter().map(|item| {
                let known = base.iter().find(|known| name_of(known) == name_of(item));
                let mut merged = known.cloned().unwrap_or_else(|| Value::Object(Map::new()));
                overlay(&mut merged, item);
                merged
            });
            *base = laid.collect();
        }
        (base, over) => *base = over.clone(),
    }
}

/// What identifies an item of a list: its name, or the port of a container port.
fn name_of(item: &Value) -> Option<&Value> {
    item.get("name").or_else(|| item.get("containerPort"))
}

/// The target of a workload; `None` when the request does not speak of it.
///
/// `manifested`: whether the workload was read from a manifest laid over the observed one.
#[must_use]
pub fn target_of(
    workload: &Workload,
    request: &Request,
    manifested: bool,
) -> Option<WorkloadTarget> {
    let mut template = workload.template.clone();
    let mut images = BTreeMap::new();
    for list in ["containers", "initContainers"] {
        let containers = template
            .pointer_mut(&format!("/spec/{list}"))
            .and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let name = container["name"].as_str().unwrap_or_default().to_owned();
            let image = container["image"].as_str().unwrap_or_default();
            let mut rules = request.spec.target.images.iter();
            // The last rule that speaks of a container wins, as with `kubectl set image`.
            if let Some(rule) = rules.rfind(|rule| applies(rule, workload, &name, image)) {
                container["image"] = rule.to.clone().into();
                images.insert(name, rule.to.clone());
            } else if manifested {
                images.insert(name, image.to_owned());
            }
        }
    }
    (manifested || !images.is_empty()).then_some(WorkloadTarget {
        images,
        template,
        whole: manifested,
    })
}

/// Warns of parts of the request that speak of nothing in the fleet.
pub(super) fn warn_unused(
    inventory: &Inventory<'_>,
    request: &Request,
    warnings: &mut Vec<String>,
) {
    for rule in &request.spec.target.images {
        let used = inventory.workloads.iter().any(|workload| {
            let containers = ["/spec/containers", "/spec/initContainers"].into_iter();
            let all = containers.filter_map(|list| workload.template.pointer(list)?.as_array());
            all.flatten().any(|container| {
                let text = |key: &str| container[key].as_str().unwrap_or_default();
                applies(rule, workload, text("name"), text("image"))
            })
        });
        if !used {
            let subject = rule.from.clone().or_else(|| {
                let reference = rule.workload.as_ref()?;
                let container = rule.container.as_deref().unwrap_or_default();
                Some(format!(
                    "{}/{} {container}",
                    reference.namespace, reference.name
                ))
            });
            let subject = subject.unwrap_or_default();
            warnings.push(format!("image {subject}: no workload has such a container"));
        }
    }
}

fn applies(rule: &Image, workload: &Workload, container: &str, image: &str) -> bool {
    match (&rule.from, &rule.workload) {
        (Some(from), _) => repository(image) == from,
        (None, Some(reference)) => {
            names(reference, workload) && rule.container.as_deref() == Some(container)
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::overlay;

    #[test]
    fn defaults_of_the_server_survive_a_manifest() {
        let mut base = json!({"containers": [
            {"name": "main", "image": "a:1", "imagePullPolicy": "Always"},
            {"name": "old", "image": "b:1"}]});
        overlay(
            &mut base,
            &json!({"containers": [{"name": "main", "image": "a:2"}]}),
        );
        assert_eq!(
            base,
            json!({"containers": [{"name": "main", "image": "a:2", "imagePullPolicy": "Always"}]})
        );
    }

    #[test]
    fn a_list_without_names_is_replaced_whole() {
        let mut base = json!({"args": ["a", "b"]});
        overlay(&mut base, &json!({"args": ["c"]}));
        assert_eq!(base, json!({"args": ["c"]}));
    }
}
