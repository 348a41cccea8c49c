//! Labels of pods, and which pods a selector selects.
//!
//! Pods of one workload share all labels but those that follow from the pod's name and revision
//! (see [`crate::batch::flags`]). So labels are parsed once for each different text, and a selector
//! is tried on classes of pods, namespace and shared labels, instead of on pods. An index from
//! required pairs to classes leaves few classes to try.

use std::{borrow::Cow, collections::BTreeMap};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::Deserialize;

use super::{
    pod::PodsOf,
    selector::{Labels, Selector},
    state::LIFECYCLE,
};
use crate::{
    batch::flags,
    fleet::{PodRow, Pods, Symbol},
};

/// Labels that a pod carries besides its shared ones, and the flag that says so.
const DERIVED: [(&str, u16); 5] = [
    ("statefulset.kubernetes.io/pod-name", flags::LABEL_POD_NAME),
    ("apps.kubernetes.io/pod-index", flags::LABEL_POD_INDEX),
    (
        "apps.kruise.io/cloneset-instance-id",
        flags::LABEL_INSTANCE_ID,
    ),
    ("controller-revision-hash", flags::LABEL_REVISION),
    ("pod-template-hash", flags::LABEL_TEMPLATE_HASH),
];

/// The labels that pods share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedLabels<'f> {
    /// Ascending by key.
    pairs: Box<[(Text<'f>, Text<'f>)]>,
    /// Where [`LIFECYCLE`] is among them: every plan asks every pod for it.
    lifecycle: Option<usize>,
}

/// A text of the fleet, unless it had to be unescaped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
struct Text<'f>(#[serde(borrow)] Cow<'f, str>);

impl<'f> SharedLabels<'f> {
    /// Reads the column. A text that is no object of texts has no labels, for the log checks what
    /// it stores.
    #[must_use]
    pub fn read(text: &'f str) -> Self {
        let labels: BTreeMap<Text<'f>, Text<'f>> = serde_json::from_str(text).unwrap_or_default();
        Self {
            lifecycle: labels.keys().position(|key| key.0 == LIFECYCLE),
            pairs: labels.into_iter().collect(),
        }
    }

    /// The value of [`LIFECYCLE`].
    #[must_use]
    pub fn lifecycle(&self) -> Option<&str> {
        self.lifecycle.map(|at| &*self.pairs[at].1.0)
    }
}

impl Labels for SharedLabels<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let found = self
            .pairs
            .binary_search_by(|(known, _)| (*known.0).cmp(key))
            .ok()?;
        Some(&self.pairs[found].1.0)
    }
}

/// All labels of one pod.
#[derive(Clone, Copy, Debug)]
pub struct PodLabels<'a> {
    pub(super) shared: &'a SharedLabels<'a>,
    pub(super) name: &'a str,
    pub(super) revision: &'a str,
    pub(super) flags: u16,
}

impl Labels for PodLabels<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let derived = DERIVED.iter().find(|(known, _)| *known == key);
        match derived {
            Some((_, flag)) if self.flags & flag != 0 => Some(match *flag {
                flags::LABEL_POD_NAME => self.name,
                flags::LABEL_REVISION => self.revision,
                flags::LABEL_TEMPLATE_HASH => after_last_hyphen(self.revision),
                _ => after_last_hyphen(self.name),
            }),
            _ => self.shared.get(key),
        }
    }
}

/// Whether a selector can tell pods apart that share their labels.
#[must_use]
pub fn is_derived(selector: &Selector) -> bool {
    let mut keys = selector.keys();
    keys.any(|key| DERIVED.iter().any(|(known, _)| *known == key))
}

/// What follows the last `-`, or everything.
pub(super) fn after_last_hyphen(text: &str) -> &str {
    text.rsplit_once('-').map_or(text, |(_, last)| last)
}

/// Pods that no selector without derived keys can tell apart.
#[derive(Clone, Debug)]
struct Class {
    namespace: Symbol,
    labels: Symbol,
    /// Ascending.
    rows: Vec<PodRow>,
}

/// Finds the pods of one cluster that a selector selects. Pods that have ended by themselves are
/// not in it.
#[derive(Debug)]
pub struct LabelIndex<'a> {
    pods: PodsOf<'a>,
    classes: Vec<Class>,
    /// Classes by namespace.
    by_namespace: HashMap<Symbol, Vec<u32>, FxBuildHasher>,
    /// Classes by namespace and one pair of their shared labels.
    by_pair: HashMap<(Symbol, &'a str, &'a str), Vec<u32>, FxBuildHasher>,
}

impl<'a> LabelIndex<'a> {
    /// Indexes the live pods of a cluster.
    #[must_use]
    pub fn of(pods: PodsOf<'a>) -> Self {
        let classes = classes(pods.columns);
        let mut by_namespace = HashMap::<Symbol, Vec<u32>, FxBuildHasher>::default();
        let mut by_pair = HashMap::<_, Vec<u32>, FxBuildHasher>::default();
        for (class, number) in classes.iter().zip(0..) {
            by_namespace
                .entry(class.namespace)
                .or_default()
                .push(number);
            for (key, value) in &pods.shared_labels(class.labels).pairs {
                by_pair
                    .entry((class.namespace, &*key.0, &*value.0))
                    .or_default()
                    .push(number);
            }
        }
        Self {
            pods,
            classes,
            by_namespace,
            by_pair,
        }
    }

    /// The pods that are indexed.
    #[must_use]
    pub fn pods(&self) -> PodsOf<'a> {
        self.pods
    }

    /// Rows of the pods of that namespace that the selector selects, ascending.
    #[must_use]
    pub fn rows(&self, namespace: &str, selector: &Selector) -> Vec<PodRow> {
        let Some(namespace) = self.pods.texts.find(namespace) else {
            return Vec::new();
        };
        let mut rows = Vec::new();
        self.select(namespace, selector, &mut rows);
        rows.sort_unstable();
        rows
    }

    /// Rows of the pods of every namespace that passes, by its name; ascending.
    pub fn rows_of_namespaces(
        &self,
        selector: &Selector,
        mut passes: impl FnMut(&str) -> bool,
    ) -> Vec<PodRow> {
        let mut rows = Vec::new();
        for namespace in self.by_namespace.keys() {
            if passes(self.pods.texts.text(*namespace)) {
                self.select(*namespace, selector, &mut rows);
            }
        }
        ascending(rows, self.pods.columns.len())
    }

    /// Rows of every pod that the selector selects; ascending.
    #[must_use]
    pub fn rows_everywhere(&self, selector: &Selector) -> Vec<PodRow> {
        if selector.is_everything() {
            let pods = self.pods.columns;
            let mut rows = Vec::with_capacity(pods.len());
            rows.extend(pods.rows().filter(|row| !pods.is_finished(*row)));
            return rows;
        }
        self.rows_of_namespaces(selector, |_| true)
    }

    fn select(&self, namespace: Symbol, selector: &Selector, rows: &mut Vec<PodRow>) {
        let is_derived = is_derived(selector);
        // Its candidates are those that carry the pair.
        let is_one_pair = selector.is_one_pair();
        for number in self.candidates(namespace, selector) {
            let class = &self.classes[*number as usize];
            if is_derived {
                let selected = |row: &&PodRow| selector.matches(&self.pods.labels(**row));
                rows.extend(class.rows.iter().filter(selected));
            } else if is_one_pair || selector.matches(self.pods.shared_labels(class.labels)) {
                rows.extend(&class.rows);
            }
        }
    }

    /// The fewest classes that hold every pod that could match: those of the rarest pair that the
    /// selector requires, or all of the namespace. A derived key has no pairs here.
    fn candidates<'b>(&'b self, namespace: Symbol, selector: &'b Selector) -> &'b [u32] {
        if selector.is_nothing() {
            return &[];
        }
        let indexed = |(key, _): &(&str, &str)| DERIVED.iter().all(|(known, _)| known != key);
        let lists = selector
            .required_pairs()
            .filter(indexed)
            .map(|(key, value)| {
                self.by_pair
                    .get(&(namespace, key, value))
                    .map_or(&[][..], Vec::as_slice)
            });
        let all = || {
            self.by_namespace
                .get(&namespace)
                .map_or(&[][..], Vec::as_slice)
        };
        lists.min_by_key(|list| list.len()).unwrap_or_else(all)
    }
}

/// Distinct rows below `end` in order. Sorting most of a million takes ten times as long as going
/// through all.
fn ascending(mut rows: Vec<PodRow>, end: usize) -> Vec<PodRow> {
    if rows.len() < end / 16 {
        rows.sort_unstable();
        return rows;
    }
    let mut is_in = vec![false; end];
    for row in rows.drain(..) {
        is_in[row as usize] = true;
    }
    rows.extend((0..end as PodRow).filter(|row| is_in[*row as usize]));
    rows
}

/// Classes in the order of their first pod.
fn classes(pods: &Pods) -> Vec<Class> {
    let mut numbers = HashMap::<(Symbol, Symbol), usize, FxBuildHasher>::default();
    let mut classes: Vec<Class> = Vec::new();
    // Pods of one owner mostly lie together, so the last class mostly comes again.
    let mut last = usize::MAX;
    for row in pods.rows().filter(|row| !pods.is_finished(*row)) {
        let shared = pods.class(row);
        let (namespace, labels) = (shared.namespace, shared.labels);
        let is_last = |class: &Class| (class.namespace, class.labels) == (namespace, labels);
        let number = if classes.get(last).is_some_and(is_last) {
            last
        } else {
            *numbers.entry((namespace, labels)).or_insert(classes.len())
        };
        last = number;
        if number == classes.len() {
            classes.push(Class {
                namespace,
                labels,
                rows: Vec::new(),
            });
        }
        classes[number].rows.push(row);
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::ascending;

    #[test]
    fn few_rows_and_most_rows_are_put_in_the_same_order() {
        let few = vec![90, 3, 50];
        assert_eq!(ascending(few, 100), [3, 50, 90]);
        let most: Vec<u32> = (10..100).rev().collect();
        assert_eq!(ascending(most, 100), (10..100).collect::<Vec<_>>());
    }
}
