//! Which pods `OpenKruise` updates first, beyond the base order: priority and scatter.

use serde::Deserialize;
use serde_json::Value;

use super::selector::{Labels, Selector};

/// An `UpdatePriorityStrategy`. Weights win when both are written, although validation refuses
/// that (`openkruise/kruise pkg/util/updatesort prioritySort.compare`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Priority {
    weight_priority: Vec<Weight>,
    order_priority: Vec<OrderedKey>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Weight {
    weight: i64,
    #[serde(default)]
    match_selector: Selector,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderedKey {
    ordered_key: Box<str>,
}

/// A label whose pods are spread evenly among the others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ScatterTerm {
    /// Label key.
    pub key: Box<str>,
    /// Label value. `SidecarSets` know `*`: every value that is seen.
    pub value: Box<str>,
}

impl Priority {
    /// Reads the strategy; null is none.
    pub fn read(value: &Value) -> Result<Self, serde_json::Error> {
        Ok(Option::deserialize(value)?.unwrap_or_default())
    }

    /// Whether there is nothing to order by.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weight_priority.is_empty() && self.order_priority.is_empty()
    }

    /// The smaller, the earlier.
    ///
    /// With weights, the sum of the weights that match, larger first. With ordered keys, the first
    /// key of the list that the pod carries: by its place, then by the digits that end its value,
    /// larger first. A pod that carries none of them has level -1 and so goes before all others,
    /// against the comment of the API (`getPodOrderPriority`).
    #[must_use]
    pub fn rank(&self, labels: &(impl Labels + ?Sized)) -> (i64, i64) {
        if !self.weight_priority.is_empty() {
            let matching = self
                .weight_priority
                .iter()
                .filter(|w| w.match_selector.matches(labels));
            return (-matching.map(|weight| weight.weight).sum::<i64>(), 0);
        }
        let mut levels = self.order_priority.iter().zip(0..);
        let found = levels.find_map(|(key, level)| Some((level, labels.get(&key.ordered_key)?)));
        found.map_or((-1, 0), |(level, value)| (level, -trailing_number(value)))
    }
}

impl ScatterTerm {
    /// Reads the terms; null is none.
    pub fn read(value: &Value) -> Result<Vec<Self>, serde_json::Error> {
        Ok(Option::deserialize(value)?.unwrap_or_default())
    }
}

/// The digits that end the text, 0 without any or when they are too many
/// (`getIntFromStringSuffix`).
fn trailing_number(text: &str) -> i64 {
    let digits = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    text[text.len() - digits..].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::Priority;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<Box<str>, Box<str>> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    }

    #[test]
    fn weights_add_up_and_the_larger_sum_goes_first() {
        let priority = Priority::read(&json!({"weightPriority": [
            {"weight": 50, "matchSelector": {"matchLabels": {"env": "test"}}},
            {"weight": 30, "matchSelector": {"matchLabels": {"zone": "a"}}},
        ]}))
        .unwrap();
        assert_eq!(
            priority.rank(&labels(&[("env", "test"), ("zone", "a")])),
            (-80, 0)
        );
        assert_eq!(priority.rank(&labels(&[("zone", "a")])), (-30, 0));
        assert_eq!(priority.rank(&labels(&[])), (0, 0));
    }

    #[test]
    fn pods_without_an_ordered_key_go_before_those_with_one() {
        let keys = json!({"orderPriority": [{"orderedKey": "first"}, {"orderedKey": "second"}]});
        let priority = Priority::read(&keys).unwrap();
        let mut pods = [
            labels(&[("second", "x9")]),
            labels(&[("first", "batch-2")]),
            labels(&[("first", "batch-10"), ("second", "x1")]),
            labels(&[("app", "cart")]),
        ];
        pods.sort_by_key(|pod| priority.rank(pod));
        assert_eq!(pods[0], labels(&[("app", "cart")]));
        assert_eq!(pods[1], labels(&[("first", "batch-10"), ("second", "x1")]));
        assert_eq!(pods[2], labels(&[("first", "batch-2")]));
        assert_eq!(pods[3], labels(&[("second", "x9")]));
    }

    #[test]
    fn only_trailing_digits_count() {
        for (text, number) in [("a12", 12), ("12a", 0), ("7", 7), ("", 0), ("é3", 3)] {
            assert_eq!(super::trailing_number(text), number, "{text}");
        }
        assert_eq!(super::trailing_number("99999999999999999999"), 0);
    }
}
