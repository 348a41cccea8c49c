//! The fleet: everything known of every cluster at one position of the log, as columns.
//!
//! Text is interned once for the whole fleet ([`Symbol`]); a pod is a row over symbols and
//! numbers. Objects that are few (workloads, budgets, nodes) stay redacted JSON documents and are
//! read by [`crate::kube`] when somebody asks.

mod digest;
mod interner;
mod pods;
mod table;

use std::collections::BTreeMap;

use hashbrown::HashSet;
pub use interner::{Interner, Symbol};
pub use pods::{Pod, PodRow, Pods, UidIndex};
use rustc_hash::FxBuildHasher;

use crate::resource::Resource;

/// All clusters at one position of the log.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// The last position that was folded in; 0 before the first.
    pub position: u64,
    /// Time of the last event, milliseconds UTC.
    pub now_ms: i64,
    /// Every text of every column.
    pub texts: Interner,
    /// By name, so that iteration order means the same everywhere.
    pub clusters: BTreeMap<Box<str>, Cluster>,
}

/// What was seen of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Every pod seen; rows of pods that are gone have `live` unset.
    pub pods: Pods,
    /// Rows of the pods that exist, by uid.
    pub rows: UidIndex,
    /// Everything else, by resource and then by uid.
    pub objects: BTreeMap<Resource, BTreeMap<u128, Object>>,
    /// The lists that have begun and are not complete yet.
    pub lists: BTreeMap<Resource, List>,
}

/// A list that is being folded in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The `resourceVersion` of the list itself.
    pub resource_version: u64,
    /// Uids of what it has mentioned so far. Only ever asked, never iterated.
    pub mentioned: HashSet<u128, FxBuildHasher>,
}

/// An object that is not a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// `""` for objects of the cluster itself.
    pub namespace: Box<str>,
    /// `metadata.name`
    pub name: Box<str>,
    /// Comparable within one resource of one cluster only.
    pub resource_version: u64,
    /// Redacted JSON as the API server sent it, without `managedFields`.
    pub document: Box<str>,
}

impl Fleet {
    /// Memory held, in bytes: what the vectors and texts have reserved.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.texts.bytes() + self.clusters.values().map(Cluster::bytes).sum::<usize>()
    }
}

impl Cluster {
    fn bytes(&self) -> usize {
        let objects = self.objects.values().flat_map(BTreeMap::values);
        let mentioned: usize = self
            .lists
            .values()
            .map(|list| list.mentioned.capacity())
            .sum();
        self.pods.bytes()
            + self.rows.bytes()
            + objects.map(Object::bytes).sum::<usize>()
            + mentioned * size_of::<u128>()
    }
}

impl Object {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of::<u128>()
            + self.namespace.len()
            + self.name.len()
            + self.document.len()
    }
}
