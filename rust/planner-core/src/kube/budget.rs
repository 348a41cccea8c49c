//! Budgets that live in the cluster: `PodDisruptionBudget` and `PodUnavailableBudget`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    scaled::{IntOrPercent, Resolved, Rounding},
    selector::Selector,
};

/// How many pods have to stay, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `minAvailable`
    MinAvailable(IntOrPercent),
    /// `maxUnavailable`
    MaxUnavailable(IntOrPercent),
    /// Neither is written.
    Unset,
}

/// A `PodDisruptionBudget`.
#[derive(Clone, Debug, PartialEq)]
pub struct DisruptionBudget {
    /// `metadata.namespace`
    pub namespace: Box<str>,
    /// `metadata.name`
    pub name: Box<str>,
    /// Pods of the namespace that it covers. Null covers none.
    pub selector: Selector,
    /// How many pods have to stay.
    pub bound: Bound,
    /// `unhealthyPodEvictionPolicy` is `AlwaysAllow`: pods that are not Ready are evicted freely.
    pub always_allow_unhealthy: bool,
}

/// A `PodUnavailableBudget` of `OpenKruise`.
#[derive(Clone, Debug, PartialEq)]
pub struct UnavailableBudget {
    /// `metadata.namespace`
    pub namespace: Box<str>,
    /// `metadata.name`
    pub name: Box<str>,
    /// The workload whose pods it covers; wins over the selector.
    pub target: Option<Target>,
    /// Pods of the namespace that it covers.
    pub selector: Selector,
    /// Of those, pods that it does not protect. Null ignores none.
    pub ignored: Selector,
    /// How many pods have to stay.
    pub bound: Bound,
    /// `protectTotalReplicas`: counts instead of the replicas of the controllers.
    pub total_replicas: Option<u32>,
}

/// `targetRef` of a `PodUnavailableBudget`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// For example `apps.kruise.io/v1beta1`.
    pub api_version: Box<str>,
    /// For example `CloneSet`.
    pub kind: Box<str>,
    /// Name in the budget's namespace.
    pub name: Box<str>,
}

/// A document cannot be read as a budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("budget {namespace}/{name}: {problem}; correct the object in the cluster")]
pub struct BudgetError {
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// What is wrong.
    pub problem: String,
}

/// Annotation of a pod that no `PodUnavailableBudget` protects when it says `true`.
pub const NO_PROTECTION: &str = "pub.kruise.io/no-protect";

const PROTECT_TOTAL_REPLICAS: &str = "pub.kruise.io/protect-total-replicas";

/// The sum of the replicas of the distinct controllers, given as pairs of uid and replicas, one
/// for each pod or fewer (`kubernetes pkg/controller/disruption getExpectedScale`). A pod without
/// controller is left out.
#[must_use]
pub fn scale(controllers: impl IntoIterator<Item = (u128, u32)>) -> u32 {
    let distinct: BTreeMap<u128, u32> = controllers.into_iter().collect();
    distinct.into_values().fold(0, u32::saturating_add)
}

impl DisruptionBudget {
    /// Reads a document.
    pub fn read(document: &Value) -> Result<Self, BudgetError> {
        let spec = &document["spec"];
        let fail = |problem: String| error(document, problem);
        Ok(Self {
            namespace: metadata(document, "namespace").into(),
            name: metadata(document, "name").into(),
            selector: Selector::deserialize(&spec["selector"])
                .map_err(|error| fail(error.to_string()))?,
            bound: Bound::read(spec).map_err(fail)?,
            always_allow_unhealthy: spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow",
        })
    }

    /// How many of the pods that match have to be healthy
    /// (`kubernetes pkg/controller/disruption getExpectedPodCount`): of `scale`, the sum of
    /// [`scale`], but an integer `minAvailable` is itself.
    #[must_use]
    pub fn desired_healthy(&self, scale: u32) -> u32 {
        self.bound.desired(scale)
    }

    /// How many of the `matched` pods may be down: matched less desired, 0 when nothing is
    /// expected (`updatePdbStatus`). What an integer `minAvailable` expects is the matched pods.
    #[must_use]
    pub fn limit(&self, matched: u32, scale: u32) -> Resolved {
        let expected = match self.bound {
            Bound::MinAvailable(IntOrPercent::Int(_)) => matched,
            Bound::MinAvailable(_) | Bound::MaxUnavailable(_) => scale,
            Bound::Unset => 0,
        };
        if expected == 0 {
            let text = "0 because no pods are expected".to_owned();
            return Resolved { value: 0, text };
        }
        self.bound.limit(matched, scale)
    }
}

impl UnavailableBudget {
    /// Reads a document of v1alpha1 or v1beta1; the former keeps the total in an annotation.
    pub fn read(document: &Value) -> Result<Self, BudgetError> {
        let spec = &document["spec"];
        let fail = |problem: String| error(document, problem);
        let selector = |field: &str| {
            Selector::deserialize(&spec[field]).map_err(|error| fail(error.to_string()))
        };
        let annotation = document["metadata"]["annotations"][PROTECT_TOTAL_REPLICAS].as_str();
        let total = spec["protectTotalReplicas"].as_u64();
        let total = total.or_else(|| annotation.and_then(|text| text.parse().ok()));
        Ok(Self {
            namespace: metadata(document, "namespace").into(),
            name: metadata(document, "name").into(),
            target: Option::deserialize(&spec["targetRef"])
                .map_err(|error| fail(error.to_string()))?,
            selector: selector("selector")?,
            ignored: selector("ignoredPodSelector")?,
            bound: Bound::read(spec).map_err(fail)?,
            total_replicas: total.and_then(|total| u32::try_from(total).ok()),
        })
    }

    /// How many pods have to be available
    /// (`openkruise/kruise pkg/controller/podunavailablebudget getDesiredAvailableForPub`).
    #[must_use]
    pub fn desired_available(&self, scale: u32) -> u32 {
        self.bound.desired(self.total_replicas.unwrap_or(scale))
    }

    /// How many of the `matched` pods may be down: matched less desired. `scale` is the sum of
    /// [`scale`]. When nothing has to be available, everything may be down
    /// (`pkg/control/pubcontrol PodUnavailableBudgetValidatePod`).
    #[must_use]
    pub fn limit(&self, matched: u32, scale: u32) -> Resolved {
        self.bound
            .limit(matched, self.total_replicas.unwrap_or(scale))
    }
}

impl Bound {
    /// `maxUnavailable` wins; a `PodDisruptionBudget` has only one of them.
    fn read(spec: &Value) -> Result<Self, String> {
        let amount = |field: &str| {
            let value = spec.get(field).filter(|value| !value.is_null());
            let amount = value.map(IntOrPercent::strict).transpose();
            amount.map_err(|error| format!("{field}: {error}"))
        };
        Ok(match (amount("maxUnavailable")?, amount("minAvailable")?) {
            (Some(most), _) => Self::MaxUnavailable(most),
            (None, Some(least)) => Self::MinAvailable(least),
            (None, None) => Self::Unset,
        })
    }

    fn desired(self, total: u32) -> u32 {
        match self {
            Self::MinAvailable(least) => least.ceil(total),
            Self::MaxUnavailable(most) => total.saturating_sub(most.ceil(total)),
            Self::Unset => 0,
        }
    }

    fn limit(self, matched: u32, total: u32) -> Resolved {
        let desired = self.desired(total);
        let value = matched.saturating_sub(desired);
        let Resolved {
            value: amount,
            text: written,
        } = match self {
            Self::MinAvailable(least) => least.explain("minAvailable", total, Rounding::Up),
            Self::MaxUnavailable(most) => most.explain("maxUnavailable", total, Rounding::Up),
            Self::Unset => Resolved {
                value: 0,
                text: "neither bound is set".to_owned(),
            },
        };
        let says_it = matches!(self, Self::MaxUnavailable(_)) && amount == value;
        let text = if says_it {
            written
        } else {
            format!("{value} of {matched} pods, for {desired} have to stay: {written}")
        };
        Resolved { value, text }
    }
}

fn metadata<'a>(document: &'a Value, field: &str) -> &'a str {
    document["metadata"][field].as_str().unwrap_or_default()
}

fn error(document: &Value, problem: String) -> BudgetError {
    let text = |field| metadata(document, field).to_owned();
    BudgetError {
        namespace: text("namespace"),
        name: text("name"),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{DisruptionBudget, UnavailableBudget, scale};

    fn pdb(spec: &Value) -> DisruptionBudget {
        DisruptionBudget::read(&json!({"metadata": {"name": "b", "namespace": "n"}, "spec": spec}))
            .unwrap()
    }

    fn pub_of(spec: &Value) -> UnavailableBudget {
        UnavailableBudget::read(&json!({"metadata": {"name": "b", "namespace": "n"}, "spec": spec}))
            .unwrap()
    }

    #[test]
    fn percentages_of_a_disruption_budget_round_up() {
        let most = pdb(&json!({"maxUnavailable": "50%"}));
        assert_eq!((most.desired_healthy(7), most.limit(7, 7).value), (3, 4));
        let least = pdb(&json!({"minAvailable": "50%"}));
        assert_eq!((least.desired_healthy(7), least.limit(7, 7).value), (4, 3));
    }

    #[test]
    fn an_integer_minimum_does_not_look_at_controllers() {
        let budget = pdb(&json!({"minAvailable": 4}));
        assert_eq!(budget.limit(5, 0).value, 1);
        assert_eq!(budget.limit(3, 100).value, 0);
    }

    #[test]
    fn a_maximum_counts_from_the_scale_and_not_from_the_pods() {
        let budget = pdb(&json!({"maxUnavailable": 2}));
        // Three surge pods may go as well; two missing pods are gone already.
        assert_eq!(budget.limit(13, 10).value, 5);
        assert_eq!(budget.limit(8, 10).value, 0);
        assert_eq!(budget.limit(1, 1).value, 1);
    }

    #[test]
    fn nothing_expected_allows_nothing() {
        assert_eq!(pdb(&json!({"maxUnavailable": "10%"})).limit(4, 0).value, 0);
        assert_eq!(pdb(&json!({"minAvailable": 0})).limit(0, 0).value, 0);
        assert_eq!(pdb(&json!({})).limit(4, 4).value, 0);
    }

    #[test]
    fn the_limit_explains_itself() {
        let most = pdb(&json!({"maxUnavailable": "10%"}));
        assert_eq!(
            most.limit(110, 110).text,
            "maxUnavailable 10% of 110 = 11 (rounded up)"
        );
        assert_eq!(
            pdb(&json!({"minAvailable": "80%"})).limit(10, 10).text,
            "2 of 10 pods, for 8 have to stay: minAvailable 80% of 10 = 8 (rounded up)"
        );
    }

    #[test]
    fn an_unavailable_budget_prefers_the_maximum_and_its_own_total() {
        let both = pub_of(&json!({"maxUnavailable": "15%", "minAvailable": "99%"}));
        assert_eq!(
            (both.desired_available(90), both.limit(90, 90).value),
            (76, 14)
        );
        let own = pub_of(&json!({"maxUnavailable": "10%", "protectTotalReplicas": 20}));
        assert_eq!(own.limit(20, 60).value, 2);
        let none = pub_of(&json!({"maxUnavailable": "100%"}));
        assert_eq!(none.limit(5, 5).value, 5);
    }

    #[test]
    fn the_old_version_keeps_its_total_in_an_annotation() {
        let document = json!({
            "metadata": {"annotations": {"pub.kruise.io/protect-total-replicas": "40"}},
            "spec": {"minAvailable": "50%", "targetRef":
                {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
        });
        let budget = UnavailableBudget::read(&document).unwrap();
        assert_eq!(budget.desired_available(7), 20);
        assert_eq!(budget.target.unwrap().name.as_ref(), "web");
    }

    #[test]
    fn each_controller_counts_once() {
        assert_eq!(scale([(1, 10), (1, 10), (2, 5)]), 15);
    }

    #[test]
    fn an_amount_that_is_none_names_the_budget() {
        let document = json!({"metadata": {"namespace": "trade", "name": "cart"},
            "spec": {"maxUnavailable": "ten"}});
        let error = DisruptionBudget::read(&document).unwrap_err().to_string();
        assert!(
            error.starts_with("budget trade/cart: maxUnavailable: \"ten\""),
            "{error}"
        );
    }
}
