//! `ResourceQuota`: what all pods of a namespace together may ask for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    asking::Asking,
    scope::{Scope, Scoped},
};
use crate::observe::parse_milli;

/// A `ResourceQuota`, as far as pods are charged against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// `metadata.namespace`
    pub namespace: Box<str>,
    /// `metadata.name`
    pub name: Box<str>,
    /// What it limits.
    pub items: Vec<Item>,
    /// A pod counts that is in all of these.
    scopes: Vec<Scope>,
}

/// One resource of a quota, as its status has it: admission looks at nothing else
/// (`kubernetes staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota CheckRequest`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// For example `requests.cpu`.
    pub resource: Box<str>,
    /// `status.hard`, as written.
    pub hard_text: Box<str>,
    /// `status.used`, as written.
    pub used_text: Box<str>,
    /// `status.hard` in thousandths.
    pub hard: i128,
    /// `status.used` in thousandths.
    pub used: i128,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    namespace: Box<str>,
    name: Box<str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    scopes: Option<Vec<Box<str>>>,
    scope_selector: Option<ScopeSelector>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ScopeSelector {
    match_expressions: Option<Vec<Scope>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    hard: Option<BTreeMap<Box<str>, Value>>,
    used: Option<BTreeMap<Box<str>, Value>>,
}

impl Quota {
    /// Reads a document. What its status does not say, or says in a way that cannot be read,
    /// limits nothing.
    pub fn read(document: &Value) -> Result<Self, String> {
        let read = Document::deserialize(document).map_err(|error| {
            let of = |key: &str| document["metadata"][key].as_str().unwrap_or_default();
            format!(
                "quota {}/{}: {error}; correct the object in the cluster",
                of("namespace"),
                of("name")
            )
        })?;
        let used = read.status.used.unwrap_or_default();
        let hard = read.status.hard.unwrap_or_default().into_iter();
        let items = hard.filter_map(|(resource, hard_text)| {
            let (hard_text, used_text) = (written(&hard_text)?, written(used.get(&resource)?)?);
            Some(Item {
                hard: parse_milli(&hard_text)?.into(),
                used: parse_milli(&used_text)?.into(),
                resource,
                hard_text,
                used_text,
            })
        });
        let named = read.spec.scopes.unwrap_or_default().into_iter();
        let named = named.map(Scope::named);
        let selected = read.spec.scope_selector.unwrap_or_default();
        let selected = selected.match_expressions.unwrap_or_default();
        Ok(Self {
            namespace: read.metadata.namespace,
            name: read.metadata.name,
            items: items.collect(),
            scopes: named.chain(selected).collect(),
        })
    }

    /// Whether a pod counts: it is in every scope.
    #[must_use]
    pub fn counts(&self, scoped: &Scoped, asks: &Asking) -> bool {
        self.scopes.iter().all(|scope| scope.holds(scoped, asks))
    }
}

/// A quantity as people write it.
fn written(quantity: &Value) -> Option<Box<str>> {
    match quantity {
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

impl Item {
    /// How much of it a pod is charged with, in thousandths (`podComputeUsageHelper`).
    #[must_use]
    pub fn asked(&self, asks: &Asking) -> i128 {
        match &*self.resource {
            "pods" | "count/pods" => 1_000,
            name => match name.strip_prefix("limits.") {
                Some(name @ ("cpu" | "memory" | "ephemeral-storage")) => {
                    asks.limits.get(name).copied().unwrap_or(0).into()
                }
                Some(_) => 0,
                None => asks.requested(name),
            },
        }
    }

    /// Where a pod's own requests say how much of it it has: the place among its amounts.
    #[must_use]
    pub fn place(&self) -> Option<usize> {
        match &*self.resource {
            "cpu" | "requests.cpu" => Some(0),
            "memory" | "requests.memory" => Some(1),
            _ => None,
        }
    }

    /// What is left of it; less than nothing where the quota was lowered.
    #[must_use]
    pub fn left(&self) -> i128 {
        self.hard - self.used
    }

    /// An amount of it in words, as `1.5` CPUs or `2.00 GiB`.
    #[must_use]
    pub fn text(&self, amount: i128) -> String {
        let whole = amount as f64 / 1e3;
        let in_bytes = ["memory", "storage", "hugepages"];
        if in_bytes.iter().any(|it| self.resource.contains(it)) {
            format!("{:.2} GiB", whole / f64::from(1 << 30))
        } else {
            whole.to_string()
        }
    }
}

impl Asking {
    /// What is requested of a resource as quotas name it: by itself, or after `requests.`; an extended
    /// one only so.
    fn requested(&self, name: &str) -> i128 {
        let [cpu, memory, _] = self.amounts;
        let (plain, is_prefixed) = match name.strip_prefix("requests.") {
            Some(plain) => (plain, true),
            None => (name, false),
        };
        match plain {
            "cpu" => cpu,
            "memory" => memory,
            _ if is_prefixed || plain == "ephemeral-storage" || plain.starts_with("hugepages-") => {
                self.others.get(plain).copied().unwrap_or(0).into()
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Quota;
    use crate::kube::{asking::Asking, template::Template};

    fn template(resources: &Value, more: &Value) -> Template<'static> {
        let mut spec = json!({"containers": [{"name": "main", "resources": resources}]});
        for (key, value) in more.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        Template::from(&json!({ "spec": spec }))
    }

    fn quota(spec: &Value, hard: &Value, used: &Value) -> Quota {
        let document = json!({
            "metadata": {"namespace": "trade", "name": "compute"},
            "spec": spec,
            "status": {"hard": hard, "used": used},
        });
        Quota::read(&document).unwrap()
    }

    #[test]
    fn a_pod_is_charged_by_the_names_of_quotas() {
        let resources = json!({
            "requests": {"cpu": "1", "hugepages-2Mi": "4Mi", "example.com/gpu": "2"},
            "limits": {"cpu": "2", "memory": "1Gi", "ephemeral-storage": "1G", "example.com/gpu": "2"}});
        let overhead = json!({"overhead": {"cpu": "100m", "ephemeral-storage": "1k", "pods": "0"}});
        let asks = Asking::of(&template(&resources, &overhead)).unwrap();
        let charged = [
            ("pods", 1_000),
            ("count/pods", 1_000),
            ("cpu", 1_100),
            ("requests.cpu", 1_100),
            ("limits.cpu", 2_100),
            ("memory", 1_000 << 30),
            ("limits.memory", 1_000 << 30),
            ("ephemeral-storage", 1_000_001_000_000),
            ("requests.ephemeral-storage", 1_000_001_000_000),
            ("limits.ephemeral-storage", 1_000_001_000_000),
            ("hugepages-2Mi", 4_000 << 20),
            ("requests.hugepages-2Mi", 4_000 << 20),
            ("requests.example.com/gpu", 2_000),
            ("example.com/gpu", 0),
            ("limits.example.com/gpu", 0),
            ("services", 0),
            ("requests.storage", 0),
        ];
        for (resource, amount) in charged {
            let one = json!({ resource: "1" });
            let quota = quota(&json!({}), &one, &one);
            assert_eq!(quota.items[0].asked(&asks), amount, "{resource}");
        }
    }

    #[test]
    fn only_what_the_status_says_limits() {
        let hard = json!({"cpu": "10", "memory": "some", "pods": 4, "services": "5"});
        let read = quota(
            &json!({"hard": {"cpu": "20"}}),
            &hard,
            &json!({"cpu": "10500m", "memory": "1Gi", "pods": "3"}),
        );
        let items = read.items.iter();
        let items: Vec<_> = items.map(|it| (&*it.resource, it.left())).collect();
        assert_eq!(items, [("cpu", -500), ("pods", 1_000)]);
        let silent = json!({"metadata": {"namespace": "trade", "name": "new"}, "spec": {}});
        assert_eq!(Quota::read(&silent).unwrap().items, []);
        let broken = json!({"metadata": {"namespace": "trade", "name": "new"}, "spec": 7});
        let error = Quota::read(&broken).unwrap_err();
        assert!(error.starts_with("quota trade/new: "), "{error}");
    }
}
