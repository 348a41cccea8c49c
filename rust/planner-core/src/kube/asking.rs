//! What a new pod of a template asks its node and its namespace for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{node::Amounts, template::Template};
use crate::observe::parse_milli;

/// What one pod reserves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asking {
    /// CPU, memory, and the pod itself.
    pub amounts: Amounts,
    /// Other resources, in thousandths.
    pub others: BTreeMap<Box<str>, u64>,
    /// The most that it may ever use, of resources for which that is said, in thousandths.
    pub limits: BTreeMap<Box<str>, u64>,
}

/// By name of the resource, in thousandths.
type Sums = BTreeMap<Box<str>, u64>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    containers: Option<Vec<Container>>,
    init_containers: Option<Vec<Container>>,
    overhead: Option<BTreeMap<Box<str>, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    restart_policy: Option<Box<str>>,
    #[serde(default)]
    resources: Option<Resources>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: Option<BTreeMap<Box<str>, Value>>,
    limits: Option<BTreeMap<Box<str>, Value>>,
}

impl Asking {
    /// What the template alone asks for; `None` when that cannot be read. The larger of all
    /// containers together and the hungriest moment of initialisation (`PodRequests` and `PodLimits`
    /// of `k8s.io/component-helpers/resource/helpers.go`); an init container that always restarts
    /// stays.
    #[must_use]
    pub fn of(template: &Template<'_>) -> Option<Self> {
        let spec: Spec = template.spec().ok()?;
        let overhead = sums(spec.overhead.iter().flatten())?;
        let mut sum = spec.together(Container::asks)?;
        add(&mut sum, &overhead);
        let mut limits = spec.together(Container::limits)?;
        // Overhead raises a limit, and makes none (`PodLimits`).
        let limited = overhead.into_iter();
        let limited = limited.filter(|(name, _)| limits.get(name).is_some_and(|it| *it > 0));
        let limited: Sums = limited.collect();
        add(&mut limits, &limited);
        let mut take = |name: &str| sum.remove(name).map_or(0, i128::from);
        let amounts = [take("cpu"), take("memory"), 1_000];
        let others = sum.into_iter().filter(|(_, amount)| *amount > 0);
        Some(Self {
            amounts,
            others: others.collect(),
            limits,
        })
    }

    /// How many such pods fit into this room.
    #[must_use]
    pub fn fit_in(&self, free: &Amounts) -> u64 {
        let asked = free
            .iter()
            .zip(&self.amounts)
            .filter(|(_, asks)| **asks > 0);
        let fit = asked.map(|(free, asks)| (free / asks).max(0)).min();
        fit.map_or(u64::MAX, |fit| u64::try_from(fit).unwrap_or(u64::MAX))
    }
}

impl Spec {
    /// The larger of all containers together and the hungriest moment of initialisation.
    fn together(&self, own: impl Fn(&Container) -> Option<Sums>) -> Option<Sums> {
        let (mut sidecars, mut peak) = (Sums::new(), Sums::new());
        for container in self.init_containers.iter().flatten() {
            let mut moment = sidecars.clone();
            add(&mut moment, &own(container)?);
            raise(&mut peak, &moment);
            if container.restart_policy.as_deref() == Some("Always") {
                sidecars = moment;
            }
        }
        let mut sum = sidecars;
        for container in self.containers.iter().flatten() {
            add(&mut sum, &own(container)?);
        }
        raise(&mut sum, &peak);
        Some(sum)
    }
}

impl Container {
    /// A limit is a request where nothing is requested
    /// (`kubernetes pkg/apis/core/v1/defaults.go SetDefaults_Pod`).
    fn asks(&self) -> Option<Sums> {
        let Some(resources) = &self.resources else {
            return Some(Sums::new());
        };
        let requests = sums(resources.requests.iter().flatten())?;
        let mut asks = sums(resources.limits.iter().flatten())?;
        asks.extend(requests);
        Some(asks)
    }

    fn limits(&self) -> Option<Sums> {
        let limits = self.resources.as_ref().and_then(|it| it.limits.as_ref());
        sums(limits.into_iter().flatten())
    }
}

/// Memory counts in whole bytes, as it does for pods that are there.
fn sums<'a>(quantities: impl Iterator<Item = (&'a Box<str>, &'a Value)>) -> Option<Sums> {
    let read = quantities.map(|(name, quantity)| {
        let milli = match quantity {
            Value::String(text) => parse_milli(text)?,
            Value::Number(number) => parse_milli(&number.to_string())?,
            _ => return None,
        };
        let whole = if &**name == "memory" {
            milli.div_ceil(1_000) * 1_000
        } else {
            milli
        };
        Some((name.clone(), whole))
    });
    read.collect()
}

fn add(to: &mut Sums, what: &Sums) {
    for (name, amount) in what {
        let sum = to.entry(name.clone()).or_default();
        *sum = sum.saturating_add(*amount);
    }
}

fn raise(to: &mut Sums, what: &Sums) {
    for (name, amount) in what {
        let most = to.entry(name.clone()).or_default();
        *most = (*most).max(*amount);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Asking;
    use crate::kube::template::Template;

    fn asking(spec: &Value) -> Option<Asking> {
        Asking::of(&Template::from(&json!({ "spec": spec })))
    }

    #[test]
    fn a_pod_asks_for_its_hungriest_moment_and_its_overhead() {
        let asks = |cpu: &str| json!({"requests": {"cpu": cpu}});
        let spec = json!({
            "initContainers": [
                {"name": "mesh", "restartPolicy": "Always", "resources": asks("500m")},
                {"name": "setup", "resources": asks("2")}],
            "containers": [{"name": "main", "resources": asks("1")}, {"name": "bare"}],
            "overhead": {"cpu": "100m"}});
        assert_eq!(asking(&spec).unwrap().amounts, [2_600, 0, 1_000]);
    }

    #[test]
    fn a_limit_is_a_request_where_none_is_written() {
        let resources = json!({
            "requests": {"memory": "1Gi"},
            "limits": {"cpu": 2, "memory": "2Gi", "example.com/gpu": "1"}});
        let found = asking(&json!({"containers": [{"resources": resources}]})).unwrap();
        assert_eq!(found.amounts, [2_000, 1_000 << 30, 1_000]);
        assert_eq!(found.others, [("example.com/gpu".into(), 1_000)].into());
    }

    #[test]
    fn a_pod_that_asks_for_nothing_still_counts_as_one() {
        let found = asking(&json!({"containers": [{"name": "main"}]})).unwrap();
        assert_eq!(found.fit_in(&[-5, 0, 3_500]), 3);
        assert_eq!(found.fit_in(&[0, 0, -1_000]), 0);
        assert_eq!(
            asking(&json!({"containers": [{"resources": {"limits": {"cpu": []}}}]})),
            None
        );
    }
}
