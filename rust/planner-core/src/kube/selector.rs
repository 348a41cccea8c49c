//! Label selectors.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// Labels of one object.
pub trait Labels {
    /// The value of this key, if the object carries it.
    fn get(&self, key: &str) -> Option<&str>;
}

impl Labels for BTreeMap<Box<str>, Box<str>> {
    fn get(&self, key: &str) -> Option<&str> {
        BTreeMap::get(self, key).map(|value| &**value)
    }
}

/// A `metav1.LabelSelector`. Absent or null matches nothing, `{}` matches everything
/// (`k8s.io/apimachinery pkg/apis/meta/v1 LabelSelectorAsSelector`). The default is the absent one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    terms: Option<Terms>,
}

/// Everything that has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terms {
    #[serde(deserialize_with = "null_is_empty")]
    match_labels: BTreeMap<Box<str>, Box<str>>,
    #[serde(deserialize_with = "null_is_empty")]
    match_expressions: Vec<Expression>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Expression {
    key: Box<str>,
    operator: Operator,
    #[serde(default, deserialize_with = "null_is_empty")]
    values: Vec<Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

/// Go writes an empty list or map as null.
fn null_is_empty<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self {
            terms: Option::deserialize(from)?,
        })
    }
}

impl Selector {
    /// The selector that matches every object, as `{}`.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            terms: Some(Terms::default()),
        }
    }

    /// Whether everything matches because nothing is asked for.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.terms.as_ref() == Some(&Terms::default())
    }

    /// Whether nothing can match because the selector is absent.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.terms.is_none()
    }

    /// Whether an object with these labels is selected. As in Kubernetes, `NotIn` and
    /// `DoesNotExist` hold for an object that lacks the key.
    #[must_use]
    pub fn matches(&self, labels: &(impl Labels + ?Sized)) -> bool {
        let Some(terms) = &self.terms else {
            return false;
        };
        terms
            .match_labels
            .iter()
            .all(|(key, value)| labels.get(key) == Some(&**value))
            && terms
                .match_expressions
                .iter()
                .all(|term| term.holds(labels.get(&term.key)))
    }

    /// Pairs `(key, value)` that every selected object carries: an index may look these up
    /// instead of trying every object.
    pub fn required_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let labels = self.terms.iter().flat_map(|terms| &terms.match_labels);
        let singles = self
            .terms
            .iter()
            .flat_map(|terms| &terms.match_expressions)
            .filter_map(|term| match (term.operator, &*term.values) {
                (Operator::In, [only]) => Some((&*term.key, &**only)),
                _ => None,
            });
        labels.map(|(key, value)| (&**key, &**value)).chain(singles)
    }

    /// Whether one required pair is all that the selector asks for.
    #[must_use]
    pub fn is_one_pair(&self) -> bool {
        let terms = self.terms.as_ref();
        let count = terms.map_or(0, |it| it.match_labels.len() + it.match_expressions.len());
        count == 1 && self.required_pairs().count() == 1
    }

    /// Every key that the selector looks at.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().flat_map(|terms| {
            let expressions = terms.match_expressions.iter().map(|term| &*term.key);
            terms
                .match_labels
                .keys()
                .map(|key| &**key)
                .chain(expressions)
        })
    }
}

impl Expression {
    fn holds(&self, value: Option<&str>) -> bool {
        let listed = value.is_some_and(|value| self.values.iter().any(|known| &**known == value));
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, from_value, json};

    use super::Selector;

    fn matches(selector: Value, labels: &[(&str, &str)]) -> bool {
        let labels: BTreeMap<Box<str>, Box<str>> = labels
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect();
        from_value::<Selector>(selector).unwrap().matches(&labels)
    }

    #[test]
    fn null_matches_nothing_and_empty_matches_everything() {
        assert!(!matches(Value::Null, &[("app", "cart")]));
        assert!(!Selector::default().matches(&BTreeMap::new()));
        assert!(matches(json!({}), &[("app", "cart")]));
        assert!(matches(
            json!({"matchLabels": null, "matchExpressions": null}),
            &[]
        ));
        assert!(Selector::everything().matches(&BTreeMap::new()));
    }

    #[test]
    fn all_terms_have_to_hold() {
        let selector = json!({"matchLabels": {"app": "cart", "tier": "core"}});
        assert!(matches(
            selector.clone(),
            &[("app", "cart"), ("tier", "core"), ("team", "a")]
        ));
        assert!(!matches(selector, &[("app", "cart"), ("tier", "edge")]));
    }

    #[test]
    fn each_operator_has_its_rule_for_a_missing_key() {
        let with = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]});
        let carts: [&[(&str, &str)]; 3] = [&[("app", "cart")], &[("app", "web")], &[]];
        for (operator, values, expected) in [
            ("In", json!(["cart", "pay"]), [true, false, false]),
            ("NotIn", json!(["cart", "pay"]), [false, true, true]),
            ("Exists", Value::Null, [true, true, false]),
            ("DoesNotExist", json!([]), [false, false, true]),
        ] {
            let got = carts.map(|labels| matches(with(operator, values.clone()), labels));
            assert_eq!(got, expected, "{operator}");
        }
    }

    #[test]
    fn one_pair_is_one_term_that_names_one_value() {
        let term = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]});
        for (selector, expected) in [
            (json!({"matchLabels": {"app": "cart"}}), true),
            (term("In", json!(["cart"])), true),
            (term("In", json!(["cart", "pay"])), false),
            (term("NotIn", json!(["cart"])), false),
            (term("Exists", Value::Null), false),
            (
                json!({"matchLabels": {"app": "cart", "tier": "core"}}),
                false,
            ),
            (json!({}), false),
            (Value::Null, false),
        ] {
            let read: Selector = from_value(selector.clone()).unwrap();
            assert_eq!(read.is_one_pair(), expected, "{selector}");
        }
    }

    #[test]
    fn an_unknown_operator_is_refused() {
        let bad = json!({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]});
        assert!(from_value::<Selector>(bad).is_err());
    }

    #[test]
    fn only_pairs_that_every_match_carries_are_required() {
        let selector: Selector = from_value(json!({
            "matchLabels": {"app": "cart"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["core"]},
                {"key": "zone", "operator": "In", "values": ["a", "b"]},
                {"key": "team", "operator": "NotIn", "values": ["x"]},
            ],
        }))
        .unwrap();
        let pairs: Vec<_> = selector.required_pairs().collect();
        assert_eq!(pairs, [("app", "cart"), ("tier", "core")]);
        assert!(!selector.is_one_pair());
        assert_eq!(
            selector.keys().collect::<Vec<_>>(),
            ["app", "tier", "zone", "team"]
        );
    }
}
