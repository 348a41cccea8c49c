//! The fleet: everything known of every cluster at one position of the log, as columns.
//!
//! Text is interned once for the whole fleet ([`Symbol`]); a pod is a row over symbols and
//! numbers. Objects that are few (workloads, budgets, nodes) stay redacted JSON documents and are
//! read by [`crate::kube`] when somebody asks. Texts and documents are kept packed ([`Archive`]).

mod archive;
mod classes;
mod digest;
mod interner;
mod pods;
mod stored;
mod table;

use std::{collections::BTreeMap, sync::OnceLock};

pub use archive::{Archive, Span};
pub use classes::{Class, Classes};
use hashbrown::HashSet;
pub use interner::{Interner, Symbol};
pub use pods::{Pod, PodRow, Pods, UidIndex};
use rustc_hash::FxBuildHasher;

use crate::resource::Resource;

/// Makes room for an eighth more: doubling would leave up to half of a large fleet's memory unused.
fn make_room<T>(column: &mut Vec<T>) {
    if column.len() == column.capacity() {
        column.reserve_exact((column.len() / 8).max(64));
    }
}

/// All clusters at one position of the log.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// The last position that was folded in; 0 before the first.
    pub position: u64,
    /// Time of the last event, milliseconds UTC.
    pub now_ms: i64,
    /// Every text of every column, and the names of objects.
    pub texts: Interner,
    /// What is known of each object: redacted JSON as the API server sent it, without
    /// `managedFields`.
    pub documents: Archive,
    /// By name, so that iteration order means the same everywhere.
    pub clusters: BTreeMap<Box<str>, Cluster>,
}

/// What was seen of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Every pod seen; rows of pods that are gone have `live` unset.
    pub pods: Pods,
    /// Rows of the pods that exist, by uid; made when somebody asks, which a plan does not.
    pub(crate) rows: OnceLock<UidIndex>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// The empty text for objects of the cluster itself.
    pub namespace: Symbol,
    /// `metadata.name`
    pub name: Symbol,
    /// Comparable within one resource of one cluster only.
    pub resource_version: u64,
    /// Where it is among [`Fleet::documents`].
    pub document: Span,
}

impl Fleet {
    /// Memory held, in bytes: what the vectors and texts have reserved.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.texts.bytes()
            + self.documents.bytes()
            + self.clusters.values().map(Cluster::bytes).sum::<usize>()
    }

    /// Rows of pods, those of pods that are gone included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.clusters.values().map(|it| it.pods.len()).sum()
    }

    /// The document of an object.
    #[must_use]
    pub fn document(&self, object: &Object) -> &str {
        self.documents.text(object.document)
    }

    /// Opens every text and document, for whoever reads most of them.
    pub fn open(&self) {
        rayon::join(|| self.texts.open(), || self.documents.open());
    }

    /// Puts texts and documents away, packed.
    pub fn pack(&mut self) {
        if self.documents.is_mostly_forgotten() {
            self.drop_forgotten();
        }
        self.texts.pack();
        self.documents.pack();
    }

    /// Gives back what was made room for, after much was folded in.
    pub fn shrink(&mut self) {
        self.texts.shrink();
        for cluster in self.clusters.values_mut() {
            cluster.pods.shrink();
            cluster.rows.take();
        }
    }
}

impl Cluster {
    /// The row of the pod with this uid, if it exists.
    #[must_use]
    pub fn row(&self, uid: u128) -> Option<PodRow> {
        let rows = self.rows.get_or_init(|| UidIndex::of(&self.pods));
        rows.find(&self.pods, uid)
    }

    fn bytes(&self) -> usize {
        let objects: usize = self.objects.values().map(BTreeMap::len).sum();
        let mentioned: usize = self
            .lists
            .values()
            .map(|list| list.mentioned.capacity())
            .sum();
        self.pods.bytes()
            + self.rows.get().map_or(0, UidIndex::bytes)
            + objects * (size_of::<u128>() + size_of::<Object>())
            + mentioned * size_of::<u128>()
    }
}
