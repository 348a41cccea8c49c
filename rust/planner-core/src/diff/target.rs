//! What each workload should become: its template with the images of the request, or the whole
//! workload of a manifest laid over what is there.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use hashbrown::HashMap;
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;
use serde_json::{Map, Value};

use crate::{
    inventory::Inventory,
    kube::{
        template::{Outline, TemplateContainer},
        workload::Workload,
    },
    request::{Image, Request, WorkloadRef, repository},
    resource::Resource,
};

/// The target of one workload.
#[derive(Debug)]
pub struct WorkloadTarget {
    /// Image that each named container has to run, by container.
    pub images: BTreeMap<String, String>,
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

/// The manifest that speaks of a workload.
#[must_use]
pub fn manifest_of<'m>(workload: &Workload, manifests: &'m [Value]) -> Option<&'m Value> {
    manifests.iter().find(|manifest| {
        let text = |path: &str| manifest.pointer(path).and_then(Value::as_str);
        let resource = Resource::of(
            text("/apiVersion").unwrap_or_default(),
            text("/kind").unwrap_or_default(),
        );
        resource == Some(workload.resource)
            && text("/metadata/name") == Some(&*workload.name)
            && text("/metadata/namespace").unwrap_or("default") == &*workload.namespace
    })
}

/// The document of a workload with a manifest laid over it.
#[must_use]
pub fn desired(mut document: Value, manifest: &Value) -> Value {
    if let Some(spec) = manifest.get("spec") {
        overlay(&mut document["spec"], spec);
    }
    document
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

/// The image rules of a request, found by what they speak of instead of tried one by one.
#[derive(Debug)]
pub struct ImageRules<'r> {
    rules: &'r [Image],
    by_repository: HashMap<&'r str, Vec<usize>, FxBuildHasher>,
    by_workload: HashMap<(&'r str, &'r str), Vec<usize>, FxBuildHasher>,
}

impl WorkloadTarget {
    /// The ordinary containers whose image changes, when nothing else of the template does: then
    /// nobody has to compare templates. `None`: somebody has to.
    #[must_use]
    pub fn ordinary_images(&self, workload: &Workload) -> Option<Vec<Box<str>>> {
        let Outline {
            containers,
            ordinary,
            ..
        } = &workload.outline;
        let changed = |it: &&TemplateContainer| {
            self.images
                .get(&*it.name)
                .is_some_and(|image| **image != *it.image)
        };
        let (ordinary, init) = containers.split_at(*ordinary);
        let is_plain = !self.whole
            && !init.iter().any(|it| changed(&it))
            && ordinary.iter().all(|it| !it.image.is_empty());
        let changed = ordinary.iter().filter(changed).map(|it| it.name.clone());
        is_plain.then(|| changed.collect())
    }

    /// The pod template that the workload will have.
    #[must_use]
    pub fn template(&self, workload: &Workload) -> Value {
        let mut template = workload.template.read();
        for list in ["/spec/containers", "/spec/initContainers"] {
            let containers = template.pointer_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                let name = container["name"].as_str().unwrap_or_default();
                if let Some(image) = self.images.get(name).filter(|it| !it.is_empty()) {
                    container["image"] = image.clone().into();
                }
            }
        }
        template
    }
}

impl<'r> ImageRules<'r> {
    /// Indexes the rules of a request.
    #[must_use]
    pub fn of(request: &'r Request) -> Self {
        let rules = &request.spec.target.images;
        let mut by_repository = HashMap::<&str, Vec<usize>, FxBuildHasher>::default();
        let mut by_workload = HashMap::<(&str, &str), Vec<usize>, FxBuildHasher>::default();
        for (index, rule) in rules.iter().enumerate() {
            match (&rule.from, &rule.workload) {
                (Some(from), _) => by_repository.entry(from).or_default().push(index),
                (None, Some(it)) => {
                    by_workload
                        .entry((&it.namespace, &it.name))
                        .or_default()
                        .push(index);
                }
                (None, None) => {}
            }
        }
        Self {
            rules,
            by_repository,
            by_workload,
        }
    }

    /// The rules that speak of one container of a workload, in the order of the request.
    fn applying(&self, workload: &Workload, container: &str, image: &str) -> Vec<usize> {
        let repositories = self
            .by_repository
            .get(repository(image))
            .into_iter()
            .flatten();
        let place = (&*workload.namespace, &*workload.name);
        let named = self
            .by_workload
            .get(&place)
            .into_iter()
            .flatten()
            .filter(|index| {
                let rule = &self.rules[**index];
                rule.container.as_deref() == Some(container)
                    && rule
                        .workload
                        .as_ref()
                        .is_some_and(|reference| names(reference, workload))
            });
        let mut applying: Vec<usize> = repositories.chain(named).copied().collect();
        applying.sort_unstable();
        applying
    }

    /// The image that a container outside of any template should run, when it runs another.
    #[must_use]
    pub fn changes(&self, image: &str) -> bool {
        let rules = self
            .by_repository
            .get(repository(image))
            .into_iter()
            .flatten();
        rules
            .into_iter()
            .any(|index| self.rules[*index].to != image)
    }

    /// The target of a workload; `None` when the request does not speak of it.
    ///
    /// `manifested`: whether the workload was read from a manifest laid over the observed one.
    #[must_use]
    pub fn target_of(&self, workload: &Workload, manifested: bool) -> Option<WorkloadTarget> {
        let mut images = BTreeMap::new();
        for TemplateContainer { name, image } in &workload.outline.containers {
            // The last rule that speaks of a container wins, as with `kubectl set image`.
            if let Some(rule) = self.applying(workload, name, image).last() {
                images.insert(name.to_string(), self.rules[*rule].to.clone());
            } else if manifested {
                images.insert(name.to_string(), image.to_string());
            }
        }
        (manifested || !images.is_empty()).then_some(WorkloadTarget {
            images,
            whole: manifested,
        })
    }

    /// Warns of rules that speak of nothing in the fleet.
    pub(super) fn warn_unused(&self, inventory: &Inventory<'_>, warnings: &mut Vec<String>) {
        let used: Vec<AtomicBool> = self.rules.iter().map(|_| AtomicBool::new(false)).collect();
        inventory.workloads.par_iter().for_each(|workload| {
            for container in &workload.outline.containers {
                for rule in self.applying(workload, &container.name, &container.image) {
                    used[rule].store(true, Ordering::Relaxed);
                }
            }
        });
        let used = used.into_iter().map(AtomicBool::into_inner);
        let unused = self.rules.iter().zip(used).filter(|(_, used)| !used);
        warnings.extend(
            unused.map(|(rule, _)| {
                format!("image {}: no workload has such a container", subject(rule))
            }),
        );
    }
}

/// What a rule speaks of.
fn subject(rule: &Image) -> String {
    match (&rule.from, &rule.workload) {
        (Some(from), _) => from.clone(),
        (None, Some(it)) => {
            let container = rule.container.as_deref().unwrap_or_default();
            format!("{}/{} {container}", it.namespace, it.name)
        }
        (None, None) => String::new(),
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
