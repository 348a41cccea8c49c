//! A pod template, kept as text until somebody asks what is in it.
//!
//! Templates are most of what a fleet's documents hold, and a plan looks into few of them.

use std::borrow::Cow;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

/// A pod template as JSON text, mostly that of the document which holds it: copied, the templates
/// of a large fleet take longer than what a plan reads in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template<'f>(Cow<'f, str>);

/// How the template of a `ControllerRevision` begins: it is a patch that replaces.
const PATCH: &str = r#"{"$patch":"replace","#;

/// A container of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateContainer {
    /// Its name in the pod.
    pub name: Box<str>,
    /// The image that it should run.
    pub image: Box<str>,
}

/// What every plan needs of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Ordinary containers, then init containers.
    pub containers: Vec<TemplateContainer>,
    /// How many of them are ordinary.
    pub ordinary: usize,
    /// `spec.terminationGracePeriodSeconds`
    pub grace_s: Option<u64>,
}

impl From<&Value> for Template<'_> {
    fn from(value: &Value) -> Self {
        Self(value.to_string().into())
    }
}

impl<'f> From<&'f RawValue> for Template<'f> {
    fn from(text: &'f RawValue) -> Self {
        Self(text.get().into())
    }
}

impl Template<'_> {
    /// Everything in it.
    #[must_use]
    pub fn read(&self) -> Value {
        serde_json::from_str(&self.0).expect("it was part of a JSON document")
    }

    /// Whether it is written as `other` is, but for the directive with which a patch begins. Keys of
    /// documents are sorted, so templates that say the same mostly are.
    #[must_use]
    pub fn is_written_as(&self, other: &Template<'_>) -> bool {
        match self.0.strip_prefix(PATCH) {
            Some(rest) => other.0.strip_prefix('{') == Some(rest),
            None => self.is_object() && self == other,
        }
    }

    /// Whether there was none.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0 == "null"
    }

    /// Whether it is a template at all, and not null.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }

    /// What of the spec of its pods few plans need.
    pub fn spec<T: DeserializeOwned + Default>(&self) -> Result<T, serde_json::Error> {
        let whole: Option<Whole<T>> = serde_json::from_str(&self.0)?;
        Ok(whole.and_then(|whole| whole.spec).unwrap_or_default())
    }

    /// Its containers and what else every plan needs.
    pub fn outline(&self) -> Result<Outline, serde_json::Error> {
        let head: Option<Head<'_>> = serde_json::from_str(&self.0)?;
        let spec = head.and_then(|head| head.spec).unwrap_or_default();
        let ordinary = spec.containers.as_ref().map_or(0, Vec::len);
        let lists = [spec.containers, spec.init_containers];
        let named = lists.into_iter().flatten().flatten();
        let containers = named.map(|it| TemplateContainer {
            name: it.name.unwrap_or_default().into(),
            image: it.image.unwrap_or_default().into(),
        });
        Ok(Outline {
            containers: containers.collect(),
            ordinary,
            grace_s: spec.termination_grace_period_seconds,
        })
    }
}

#[derive(Deserialize)]
struct Whole<T> {
    spec: Option<T>,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    spec: Option<HeadSpec<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadSpec<'a> {
    #[serde(borrow)]
    containers: Option<Vec<HeadContainer<'a>>>,
    #[serde(borrow)]
    init_containers: Option<Vec<HeadContainer<'a>>>,
    termination_grace_period_seconds: Option<u64>,
}

#[derive(Deserialize)]
struct HeadContainer<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    image: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Outline, Template};

    #[test]
    fn containers_are_named_before_the_rest_is_read() {
        let value = json!({"spec": {
            "initContainers": [{"name": "setup", "image": "setup:1"}],
            "containers": [{"name": "ma\"in", "image": "cart:1", "env": []}, {"name": "bare"}],
            "terminationGracePeriodSeconds": 5, "volumes": null}});
        let outline = Template::from(&value).outline().unwrap();
        let containers = outline.containers.iter();
        let containers: Vec<_> = containers.map(|it| (&*it.name, &*it.image)).collect();
        assert_eq!(
            containers,
            [("ma\"in", "cart:1"), ("bare", ""), ("setup", "setup:1")]
        );
        assert_eq!(outline.grace_s, Some(5));
        assert_eq!(Template::from(&value).read(), value);
    }

    #[test]
    fn a_patch_is_written_as_what_it_replaces() {
        let template = Template::from(&json!({"metadata": {}, "spec": {"containers": []}}));
        let patch = json!({"$patch": "replace", "metadata": {}, "spec": {"containers": []}});
        assert!(Template::from(&patch).is_written_as(&template));
        assert!(template.is_written_as(&template));
        let other = json!({"$patch": "replace", "metadata": {}, "spec": {}});
        assert!(!Template::from(&other).is_written_as(&template));
        assert!(!Template::from(&json!(null)).is_written_as(&Template::from(&json!(null))));
    }

    #[test]
    fn what_is_no_template_has_no_containers() {
        for value in [json!(null), json!({}), json!({"spec": null})] {
            let template = Template::from(&value);
            assert_eq!(template.outline().unwrap(), Outline::default());
        }
        assert!(Template::from(&json!({"spec": 7})).outline().is_err());
    }
}
