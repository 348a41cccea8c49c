//! Pods as columns, and where a uid is among them.

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

use super::{Class, Classes, Symbol};
use crate::batch::flags;

/// Row of a pod in [`Pods`]; stable while the fleet lives.
pub type PodRow = u32;

/// One pod, as it enters and leaves the columns of [`Pods`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "told at the columns of Pods")]
pub struct Pod<'a> {
    pub uid: u128,
    pub name: &'a str,
    pub node: Symbol,
    pub class: Class,
    pub created_s: u32,
    pub ready_since_s: u32,
    pub restarts: u16,
    pub flags: u16,
    pub resource_version: u64,
}

impl Pod<'_> {
    /// Every text: the namespace, the node, then the others of its class.
    pub(super) fn texts(&self) -> [Symbol; Class::TEXTS + 1] {
        let [namespace, rest @ ..] = self.class.texts();
        let mut texts = [namespace; Class::TEXTS + 1];
        texts[1] = self.node;
        texts[2..].copy_from_slice(&rest);
        texts
    }

    /// The same pod over the symbols of another interner.
    #[must_use]
    pub fn map_texts(self, mut symbol: impl FnMut(Symbol) -> Symbol) -> Self {
        Self {
            node: symbol(self.node),
            class: self.class.map_texts(symbol),
            ..self
        }
    }
}

/// Pods as columns of equal length. The meaning of each is told in [`crate::batch`].
#[derive(Clone, Debug, Default)]
pub struct Pods {
    /// False once the pod is gone.
    pub live: Vec<bool>,
    /// `metadata.uid`
    pub uid: Vec<u128>,
    /// Where each name ends in `names`; a name begins where the one before it ends.
    pub name_end: Vec<u32>,
    /// All names, one after the other.
    pub names: String,
    /// `spec.nodeName`, the empty text while unassigned
    pub node: Vec<Symbol>,
    /// All other texts of each pod.
    pub classes: Classes,
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
    /// Appends a row.
    pub fn push(&mut self, pod: &Pod<'_>) -> PodRow {
        let row = u32::try_from(self.uid.len()).expect("fewer than 2^32 pods of a cluster");
        if self.uid.len() == self.uid.capacity() {
            self.grow();
        }
        self.live.push(true);
        self.uid.push(pod.uid);
        self.names.push_str(pod.name);
        self.name_end
            .push(u32::try_from(self.names.len()).expect("names below 4 GiB"));
        self.node.push(pod.node);
        self.classes.push(&pod.class);
        self.created_s.push(pod.created_s);
        self.ready_since_s.push(pod.ready_since_s);
        self.restarts.push(pod.restarts);
        self.flags.push(pod.flags);
        self.resource_version.push(pod.resource_version);
        row
    }

    /// Replaces what may change of a pod: namespace and name belong to the uid for ever.
    pub fn replace(&mut self, row: PodRow, pod: &Pod<'_>) {
        let row = row as usize;
        debug_assert_eq!(self.uid[row], pod.uid);
        self.node[row] = pod.node;
        self.classes.replace(row, &pod.class);
        self.created_s[row] = pod.created_s;
        self.ready_since_s[row] = pod.ready_since_s;
        self.restarts[row] = pod.restarts;
        self.flags[row] = pod.flags;
        self.resource_version[row] = pod.resource_version;
    }

    /// Supposes that a pod runs another spec and serves; one that did not, since it was made.
    pub fn settle(&mut self, row: PodRow, spec: Symbol) {
        let is_ready = self.is_ready(row);
        let row = row as usize;
        let class = Class {
            spec,
            ..*self.classes.of(row)
        };
        self.classes.replace(row, &class);
        if !is_ready {
            self.ready_since_s[row] = self.created_s[row];
        }
        let left = flags::PENDING | flags::DELETING | flags::IN_PLACE_UPDATE_SHUT;
        self.flags[row] &= !left;
        self.flags[row] |= flags::READY | flags::READY_KNOWN | flags::RUNNING;
    }

    /// The pod of a row.
    #[must_use]
    pub fn get(&self, row: PodRow) -> Pod<'_> {
        let name = self.name(row);
        let class = *self.class(row);
        let row = row as usize;
        Pod {
            uid: self.uid[row],
            name,
            node: self.node[row],
            class,
            created_s: self.created_s[row],
            ready_since_s: self.ready_since_s[row],
            restarts: self.restarts[row],
            flags: self.flags[row],
            resource_version: self.resource_version[row],
        }
    }

    /// Memory reserved by the columns, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.live.capacity()
            + self.uid.capacity() * size_of::<u128>()
            + self.name_end.capacity() * size_of::<u32>()
            + self.names.capacity()
            + self.node.capacity() * size_of::<Symbol>()
            + self.classes.bytes()
            + (self.created_s.capacity() + self.ready_since_s.capacity()) * size_of::<u32>()
            + (self.restarts.capacity() + self.flags.capacity()) * size_of::<u16>()
            + self.resource_version.capacity() * size_of::<u64>()
    }

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
        &self.names[begin as usize..self.name_end[row] as usize]
    }

    /// What it shares with others.
    #[must_use]
    pub fn class(&self, row: PodRow) -> &Class {
        self.classes.of(row as usize)
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

    /// Makes room for an eighth more rows: doubling would leave up to half of a large fleet's
    /// memory unused.
    fn grow(&mut self) {
        let rows = (self.len() / 8).max(64);
        // Names to come are as long as those that came.
        let name = self.names.len().div_ceil(self.len().max(1)).max(16);
        self.reserve(rows, rows * name);
    }

    /// Gives back what was made room for.
    pub fn shrink(&mut self) {
        self.live.shrink_to_fit();
        self.uid.shrink_to_fit();
        self.name_end.shrink_to_fit();
        self.names.shrink_to_fit();
        self.node.shrink_to_fit();
        self.classes.shrink();
        self.created_s.shrink_to_fit();
        self.ready_since_s.shrink_to_fit();
        self.restarts.shrink_to_fit();
        self.flags.shrink_to_fit();
        self.resource_version.shrink_to_fit();
    }

    /// Makes room for so many more rows with names of so many bytes in all.
    fn reserve(&mut self, rows: usize, name_bytes: usize) {
        self.names.reserve_exact(name_bytes);
        self.live.reserve_exact(rows);
        self.uid.reserve_exact(rows);
        self.name_end.reserve_exact(rows);
        self.node.reserve_exact(rows);
        self.classes.reserve(rows);
        self.created_s.reserve_exact(rows);
        self.ready_since_s.reserve_exact(rows);
        self.restarts.reserve_exact(rows);
        self.flags.reserve_exact(rows);
        self.resource_version.reserve_exact(rows);
    }
}

/// Rows by uid. Keeps row numbers only; the uids are those of the columns.
#[derive(Clone, Debug, Default)]
pub struct UidIndex {
    rows: HashTable<PodRow>,
}

impl UidIndex {
    /// The rows of the pods that exist.
    #[must_use]
    pub fn of(pods: &Pods) -> Self {
        let mut index = Self::default();
        index.reserve(pods, pods.rows().count());
        pods.rows().for_each(|row| index.insert(pods, row));
        index
    }

    /// The row of a uid.
    #[must_use]
    pub fn find(&self, pods: &Pods, uid: u128) -> Option<PodRow> {
        self.rows
            .find(hash(uid), |row| pods.uid[*row as usize] == uid)
            .copied()
    }

    /// Makes room for so many more pods.
    pub fn reserve(&mut self, pods: &Pods, more: usize) {
        self.rows.reserve(more, |row| hash(pods.uid[*row as usize]));
    }

    /// Adds the row of a uid that is not there yet.
    pub fn insert(&mut self, pods: &Pods, row: PodRow) {
        let uid_of = |row: &PodRow| pods.uid[*row as usize];
        self.rows
            .insert_unique(hash(uid_of(&row)), row, |row| hash(uid_of(row)));
    }

    /// Removes a uid and tells the row that it had.
    pub fn remove(&mut self, pods: &Pods, uid: u128) -> Option<PodRow> {
        let known = self
            .rows
            .find_entry(hash(uid), |row| pods.uid[*row as usize] == uid)
            .ok()?;
        Some(known.remove().0)
    }

    /// How many pods exist.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no pod exists.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rows.allocation_size()
    }
}

fn hash(uid: u128) -> u64 {
    FxBuildHasher.hash_one(uid)
}
