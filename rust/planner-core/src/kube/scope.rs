//! Which pods a quota counts.

use serde::Deserialize;
use serde_json::Value;

use super::{asking::Asking, template::Template};

/// An entry of `spec.scopes`, or of `spec.scopeSelector`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    #[serde(rename = "scopeName")]
    name: Box<str>,
    operator: Box<str>,
    #[serde(default)]
    values: Option<Vec<Box<str>>>,
}

/// What of a template's pods tells in which scopes they are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Scoped {
    active_deadline_seconds: Option<i64>,
    priority_class_name: Option<Box<str>>,
    affinity: Option<Affinity>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Affinity {
    pod_affinity: Option<Terms>,
    pod_anti_affinity: Option<Terms>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Terms {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    required: Option<Vec<Term>>,
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    preferred: Option<Vec<Weighted>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Weighted {
    pod_affinity_term: Term,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Term {
    namespaces: Option<Vec<Box<str>>>,
    namespace_selector: Option<Value>,
}

impl Scope {
    /// An entry of `spec.scopes`.
    #[must_use]
    pub fn named(name: Box<str>) -> Self {
        Self {
            name,
            operator: "Exists".into(),
            values: None,
        }
    }

    /// Whether a pod is in it; none is in one that is not known (`kubernetes
    /// pkg/quota/v1/evaluator/core podMatchesScopeFunc`).
    #[must_use]
    pub fn holds(&self, scoped: &Scoped, asks: &Asking) -> bool {
        let is_terminating = scoped.active_deadline_seconds.is_some_and(|it| it >= 0);
        match &*self.name {
            "Terminating" => is_terminating,
            "NotTerminating" => !is_terminating,
            "BestEffort" => asks.is_best_effort(),
            "NotBestEffort" => !asks.is_best_effort(),
            "PriorityClass" => self.has_priority(scoped.priority_class_name.as_deref()),
            "CrossNamespacePodAffinity" => scoped.looks_elsewhere(),
            _ => false,
        }
    }

    /// As labels: a pod without a class is in `NotIn` and `DoesNotExist`.
    fn has_priority(&self, class: Option<&str>) -> bool {
        let class = class.filter(|class| !class.is_empty());
        let values = self.values.as_deref().unwrap_or_default();
        let is_listed = class.is_some_and(|class| values.iter().any(|it| **it == *class));
        match &*self.operator {
            "In" => is_listed,
            "NotIn" => !is_listed,
            "Exists" => class.is_some(),
            "DoesNotExist" => class.is_none(),
            _ => false,
        }
    }
}

impl Scoped {
    /// What a template says; `None` when that cannot be read.
    #[must_use]
    pub fn of(template: &Template<'_>) -> Option<Self> {
        template.spec().ok()
    }

    /// Whether it is near, or away from, pods of other namespaces (`usesCrossNamespacePodAffinity`).
    fn looks_elsewhere(&self) -> bool {
        let Some(affinity) = &self.affinity else {
            return false;
        };
        let both = [&affinity.pod_affinity, &affinity.pod_anti_affinity];
        both.into_iter().flatten().any(|terms| {
            let preferred = terms.preferred.iter().flatten();
            let preferred = preferred.map(|it| &it.pod_affinity_term);
            let mut all = terms.required.iter().flatten().chain(preferred);
            all.any(|it| {
                it.namespaces.iter().flatten().next().is_some() || it.namespace_selector.is_some()
            })
        })
    }
}

impl Asking {
    /// Whether no container asks for CPU or memory (`kubernetes pkg/apis/core/v1/helper/qos`).
    fn is_best_effort(&self) -> bool {
        let [cpu, memory, _] = self.amounts;
        let limit = |name: &str| self.limits.get(name).copied().unwrap_or(0);
        cpu == 0 && memory == 0 && limit("cpu") == 0 && limit("memory") == 0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Scope, Scoped};
    use crate::kube::{asking::Asking, template::Template};

    fn holds(scope: &Value, spec: &Value) -> bool {
        let scope: Scope = match scope.as_str() {
            Some(name) => Scope::named(name.into()),
            None => serde_json::from_value(scope.clone()).unwrap(),
        };
        let template = Template::from(&json!({ "spec": spec }));
        let asks = Asking::of(&template).unwrap();
        scope.holds(&Scoped::of(&template).unwrap(), &asks)
    }

    #[test]
    fn pods_are_in_scopes_by_what_their_template_says() {
        let limited = json!({"containers": [{"resources": {"limits": {"cpu": "1"}}}]});
        let gpu = json!({"containers": [{"resources": {"limits": {"example.com/gpu": "1"}}}]});
        let ends = json!({"activeDeadlineSeconds": 0});
        let high = json!({"priorityClassName": "high"});
        let near = json!({"affinity": {"podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": []}]}}});
        let far = json!({"affinity": {"podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"podAffinityTerm": {"namespaceSelector": {}}}]}}});
        let class = |operator: &str, values: &[&str]| json!({"scopeName": "PriorityClass", "operator": operator, "values": values});
        let cases = [
            (json!("Terminating"), &ends, &high),
            (json!("NotTerminating"), &high, &ends),
            (json!("BestEffort"), &gpu, &limited),
            (json!("NotBestEffort"), &limited, &gpu),
            (json!("PriorityClass"), &high, &ends),
            (class("In", &["low", "high"]), &high, &ends),
            (class("NotIn", &["high"]), &ends, &high),
            (class("DoesNotExist", &[]), &ends, &high),
            (json!("CrossNamespacePodAffinity"), &far, &near),
        ];
        for (scope, inside, outside) in cases {
            assert!(holds(&scope, inside), "{scope} {inside}");
            assert!(!holds(&scope, outside), "{scope} {outside}");
        }
        assert!(!holds(&json!("VolumeAttributesClass"), &high));
    }
}
