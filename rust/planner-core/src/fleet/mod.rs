//! The fleet: everything known of every cluster at one position of the log, as columns.
//!
//! Text is interned once for the whole fleet ([`Symbol`]); a pod is a row over symbols and
//! numbers. Objects that are few (workloads, budgets, nodes) stay redacted JSON documents and are
//! read by [`crate::kube`] when somebody asks.

mod interner;

use std::collections::BTreeMap;

pub use interner::{Interner, Symbol};

use crate::{batch::flags, resource::Resource};

/// Row of a pod in [`Pods`]; stable while the fleet lives.
pub type PodRow = u32;

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
    /// Everything else, by resource and then by uid.
    pub objects: BTreeMap<Resource, BTreeMap<u128, Object>>,
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

/// Pods as columns of equal length. The meaning of each is told in [`crate::batch`].
#[derive(Clone, Debug, Default)]
pub struct Pods {
    /// False once the pod is gone.
    pub live: Vec<bool>,
    /// `metadata.uid`
    pub uid: Vec<u128>,
    /// Where each name ends in `name_bytes`; a name begins where the one before it ends.
    pub name_end: Vec<u32>,
    /// All names, one after the other.
    pub name_bytes: Vec<u8>,
    /// `metadata.namespace`
    pub namespace: Vec<Symbol>,
    /// `spec.nodeName`, the empty text while unassigned
    pub node: Vec<Symbol>,
    /// `resource group|kind|name|uid` of the controller, the empty text without one
    pub owner: Vec<Symbol>,
    /// Revision label
    pub revision: Vec<Symbol>,
    /// JSON object
    pub labels: Vec<Symbol>,
    /// JSON object of allowed annotations
    pub annotations: Vec<Symbol>,
    /// JSON object of what of the spec matters
    pub spec: Vec<Symbol>,
    /// JSON array of container statuses
    pub status: Vec<Symbol>,
    /// `metadata.creationTimestamp`, seconds UTC
    pub created_s: Vec<u32>,
    /// Last transition of condition `Ready`, seconds UTC
    pub ready_since_s: Vec<u32>,
    /// Restarts of all containers
    pub restarts: Vec<u16>,
    /// See [`crate::batch::flags`]
    pub flags: Vec<u16>,
    /// `metadata.resourceVersion`
    pub resource_version: Vec<u64>,
}

impl Pods {
    /// Rows, those of pods that are gone included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.uid.len()
    }

    /// Whether no pod was ever seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.uid.is_empty()
    }

    /// Rows of the pods that exist, in order.
    pub fn rows(&self) -> impl Iterator<Item = PodRow> + '_ {
        (0..self.uid.len() as u32).filter(|row| self.live[*row as usize])
    }

    /// The pod's name.
    #[must_use]
    pub fn name(&self, row: PodRow) -> &str {
        let row = row as usize;
        let begin = if row == 0 { 0 } else { self.name_end[row - 1] };
        let bytes = &self.name_bytes[begin as usize..self.name_end[row] as usize];
        str::from_utf8(bytes).expect("names are checked when they are appended")
    }

    /// Whether a flag of [`crate::batch::flags`] is set.
    #[must_use]
    pub fn has(&self, row: PodRow, flag: u16) -> bool {
        self.flags[row as usize] & flag != 0
    }

    /// Whether the pod has ended by itself (phase Succeeded or Failed).
    #[must_use]
    pub fn is_finished(&self, row: PodRow) -> bool {
        self.has(row, flags::SUCCEEDED | flags::FAILED)
    }

    /// Whether the pod serves: Ready and not being deleted. No `minReadySeconds`.
    #[must_use]
    pub fn is_ready(&self, row: PodRow) -> bool {
        self.flags[row as usize] & (flags::READY | flags::DELETING) == flags::READY
    }
}
