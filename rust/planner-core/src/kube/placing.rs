//! Which nodes a pod may be put on: its selector, its required affinity, and taints that it
//! tolerates. What the scheduler asks besides (other pods, volumes, ports of the host) is not read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::node::Place;

/// What a pod says of its nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Placing {
    node_selector: Option<BTreeMap<Box<str>, Box<str>>>,
    tolerations: Option<Vec<Toleration>>,
    affinity: Option<Affinity>,
}

/// What keeps pods off a node that do not tolerate it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct Taint {
    key: Box<str>,
    #[serde(default)]
    value: Option<Box<str>>,
    effect: Box<str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
struct Toleration {
    key: Option<Box<str>>,
    operator: Option<Box<str>>,
    value: Option<Box<str>>,
    effect: Option<Box<str>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Affinity {
    node_affinity: Option<NodeAffinity>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
struct NodeAffinity {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    required: Option<Required>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Required {
    node_selector_terms: Option<Vec<Term>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Term {
    match_expressions: Option<Vec<Requirement>>,
    match_fields: Option<Vec<Requirement>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
struct Requirement {
    key: Box<str>,
    operator: Box<str>,
    #[serde(default)]
    values: Option<Vec<Box<str>>>,
}

impl Placing {
    /// Whether the scheduler may put the pod on a node of this name, as far as that is read here
    /// (`kubernetes pkg/scheduler/framework/plugins nodeaffinity, tainttoleration`).
    #[must_use]
    pub fn allows(&self, name: &str, place: &Place) -> bool {
        let label = |key: &str| place.labels.get(key).map(|value| &**value);
        let mut wanted = self.node_selector.iter().flatten();
        let tolerations = self.tolerations.as_deref().unwrap_or_default();
        let is_tolerated = |taint: &Taint| tolerations.iter().any(|it| it.tolerates(taint));
        wanted.all(|(key, value)| label(key) == Some(value))
            && place
                .taints
                .iter()
                .filter(|it| it.repels())
                .all(is_tolerated)
            && self.is_required(name, label)
    }

    /// One of the terms is enough; one that says nothing is never met.
    fn is_required<'n>(&self, name: &'n str, label: impl Fn(&str) -> Option<&'n str>) -> bool {
        let affinity = self
            .affinity
            .as_ref()
            .and_then(|it| it.node_affinity.as_ref());
        let Some(required) = affinity.and_then(|it| it.required.as_ref()) else {
            return true;
        };
        let field = |key: &str| (key == "metadata.name").then_some(name);
        let mut terms = required.node_selector_terms.iter().flatten();
        terms.any(|term| {
            let expressions = term.match_expressions.as_deref().unwrap_or_default();
            let fields = term.match_fields.as_deref().unwrap_or_default();
            !(expressions.is_empty() && fields.is_empty())
                && expressions.iter().all(|it| it.is_met_by(label(&it.key)))
                && fields.iter().all(|it| it.is_met_by(field(&it.key)))
        })
    }
}

impl Taint {
    /// Whether it keeps new pods away, and does not only make the node the last choice.
    fn repels(&self) -> bool {
        matches!(&*self.effect, "NoSchedule" | "NoExecute")
    }
}

impl Toleration {
    /// `k8s.io/api core/v1 Toleration.ToleratesTaint`; operators that compare numbers tolerate
    /// nothing here.
    fn tolerates(&self, taint: &Taint) -> bool {
        let text = |it: &Option<Box<str>>| it.clone().unwrap_or_default();
        let (key, effect) = (text(&self.key), text(&self.effect));
        if !(effect.is_empty() || effect == taint.effect) {
            return false;
        }
        if !(key.is_empty() || key == taint.key) {
            return false;
        }
        match &*text(&self.operator) {
            "Exists" => true,
            "" | "Equal" => !key.is_empty() && text(&self.value) == text(&taint.value),
            _ => false,
        }
    }
}

impl Requirement {
    /// `k8s.io/component-helpers/scheduling/corev1/nodeaffinity`: a label that is missing meets
    /// `NotIn`. An operator that is not known is not met.
    fn is_met_by(&self, value: Option<&str>) -> bool {
        let values = self.values.as_deref().unwrap_or_default();
        let is_listed = || value.is_some_and(|value| values.iter().any(|it| **it == *value));
        let number = |text: &str| text.parse::<i64>().ok();
        let both = || Some((number(value?)?, number(values.first()?)?));
        match &*self.operator {
            "In" => is_listed(),
            "NotIn" => !is_listed(),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" => both().is_some_and(|(value, than)| value > than),
            "Lt" => both().is_some_and(|(value, than)| value < than),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Placing;
    use crate::kube::node::Place;

    fn allows(pod: Value) -> bool {
        let node = json!({
            "metadata": {"labels": {"pool": "new", "cores": "16"}},
            "spec": {"taints": [{"key": "team", "value": "trade", "effect": "NoSchedule"},
                                {"key": "old", "effect": "PreferNoSchedule"}]},
            "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "10"},
                       "conditions": [{"type": "Ready", "status": "True"}]}});
        let place = Place::read(&node.to_string()).unwrap();
        let placing: Placing = serde_json::from_value(pod).unwrap();
        placing.allows("node-1", &place)
    }

    #[test]
    fn a_taint_keeps_pods_off_that_do_not_tolerate_it() {
        assert!(!allows(json!({})));
        for tolerated in [
            json!({"operator": "Exists"}),
            json!({"key": "team", "value": "trade"}),
            json!({"key": "team", "operator": "Exists", "effect": "NoSchedule"}),
        ] {
            assert!(allows(json!({"tolerations": [tolerated]})), "{tolerated}");
        }
        for not in [
            json!({"key": "team", "value": "shop"}),
            json!({"key": "team", "operator": "Exists", "effect": "NoExecute"}),
            json!({"key": "other", "operator": "Exists"}),
            json!({"value": "trade"}),
            json!({"key": "team", "operator": "Lt", "value": "trade"}),
        ] {
            assert!(!allows(json!({"tolerations": [not]})), "{not}");
        }
    }

    #[test]
    fn one_term_of_the_affinity_has_to_hold_and_all_that_is_in_it() {
        let with = |terms: Value, selector: Value| {
            let required = json!({"nodeSelectorTerms": terms});
            allows(json!({
                "nodeSelector": selector,
                "tolerations": [{"operator": "Exists"}],
                "affinity": {"nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": required}}}))
        };
        let is = |key: &str, operator: &str, values: Value| json!({"key": key, "operator": operator, "values": values});
        let pool = is("pool", "In", json!(["new"]));
        let other = is("pool", "NotIn", json!(["new"]));
        let named = |name: &str| is("metadata.name", "In", json!([name]));
        for (terms, holds) in [
            (json!([{"matchExpressions": [pool]}]), true),
            (json!([{"matchExpressions": [pool, other]}]), false),
            (
                json!([{"matchExpressions": [other]}, {"matchExpressions": [pool]}]),
                true,
            ),
            (json!([{"matchFields": [named("node-1")]}]), true),
            (json!([{"matchFields": [named("node-2")]}]), false),
            (
                json!([{"matchExpressions": [is("cores", "Gt", json!(["8"]))]}]),
                true,
            ),
            (
                json!([{"matchExpressions": [is("cores", "Lt", json!(["16"]))]}]),
                false,
            ),
            (
                json!([{"matchExpressions": [is("gpu", "NotIn", json!(["a"]))]}]),
                true,
            ),
            (
                json!([{"matchExpressions": [is("gpu", "Exists", json!(null))]}]),
                false,
            ),
            (json!([{}]), false),
        ] {
            assert_eq!(with(terms.clone(), json!(null)), holds, "{terms}");
        }
        assert!(!with(
            json!([{"matchExpressions": [pool]}]),
            json!({"pool": "old"})
        ));
    }
}
