//! The quick way over the `metadata` of a pod; see [`super::quick_pod`].

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{
    annotations::{has_time_stamps, is_ignored},
    cursor::{Cursor, Role, has_escape},
    memo::Key,
    pod_columns::{REVISION_LABELS, flag, implied_label},
    quick_pod::Once,
    scalar::{parse_resource_version, parse_timestamp, parse_uid},
};
use crate::batch::flags;

/// What is before a time stamp of a `SidecarSet`, in JSON within a string. To get ready to look for it
/// takes longer than to look.
static STAMP: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(r#"\"updateTimestamp\":\""#));

/// `metadata`.
#[derive(Debug, Default)]
pub struct Meta<'a> {
    pub name: &'a str,
    pub namespace: &'a str,
    pub uid: u128,
    pub resource_version: u64,
    pub created_s: u32,
    /// Flags of what it has.
    pub bits: u16,
    /// What names the revision of the pod, or nothing.
    pub revision: &'a str,
    /// As they are written.
    pub labels: Option<&'a str>,
    /// What the column `labels` depends on.
    pub labels_key: Key,
    /// As they are written.
    pub annotations: Option<&'a str>,
    /// What the column `annotations` depends on, if not on time stamps.
    pub annotations_key: Key,
    /// Time stamps in annotations that are left out of the key.
    pub stamps: Vec<&'a str>,
    /// As they are written.
    pub owners: Option<&'a str>,
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Meta<'a> {
    /// Forgets the pod before.
    pub fn clear(&mut self) {
        (self.name, self.namespace, self.revision) = ("", "", "");
        (self.labels, self.annotations, self.owners) = (None, None, None);
        (self.resource_version, self.created_s, self.bits) = (0, 0, 0);
        self.labels_key.begin(b'l');
        self.annotations_key.begin(b'a');
        self.stamps.clear();
        self.pairs.clear();
    }

    /// Reads it, which must be enough to tell who a pod is.
    pub fn read(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        let mut once = Once::default();
        let mut uid = None;
        cursor.object(|at, key| match key {
            "name" => {
                once.take(0)?;
                self.name = at.marked(Role::Name)?;
                Some(())
            }
            "namespace" => {
                once.take(1)?;
                self.namespace = at.plain()?;
                Some(())
            }
            "uid" => {
                once.take(2)?;
                uid = Some(parse_uid(at.marked(Role::Uid)?)?);
                Some(())
            }
            "resourceVersion" => {
                once.take(3)?;
                self.resource_version = parse_resource_version(at.marked(Role::Version)?)?;
                Some(())
            }
            "creationTimestamp" => {
                once.take(4)?;
                let created = at.marked_or_null(Role::Created)?;
                self.created_s = created.map_or(Some(0), parse_timestamp)?;
                Some(())
            }
            "deletionTimestamp" => {
                once.take(5)?;
                self.bits |= flag(at.plain_or_null()?.is_some(), flags::DELETING);
                Some(())
            }
            "labels" => {
                once.take(6)?;
                self.labels(at)
            }
            "annotations" => {
                once.take(7)?;
                self.annotations(at)
            }
            "ownerReferences" => {
                once.take(8)?;
                self.owners = Some(at.value()?);
                Some(())
            }
            _ => at.skip(),
        })?;
        self.uid = uid?;
        let is_known = !self.name.is_empty() && !self.namespace.is_empty();
        is_known.then(|| self.imply_labels())?
    }

    /// Reads `labels`.
    pub fn labels(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        if cursor.null()? {
            return Some(());
        }
        let begin = cursor.place()?;
        cursor.object(|at, key| {
            self.pairs.push((key, at.raw()?));
            Some(())
        })?;
        self.labels = Some(cursor.since(begin)?);
        cursor.mark(begin, Role::Labels);
        Some(())
    }

    /// What is left of the labels without those that are implied, as `labels_column` has it.
    pub fn imply_labels(&mut self) -> Option<()> {
        let of = |wanted: &&str| self.pairs.iter().find(|(key, _)| key == wanted);
        let revision = REVISION_LABELS.iter().find_map(of);
        self.revision = revision.map_or("", |(_, value)| value);
        for (key, value) in &self.pairs {
            if let Some((bit, implied)) = implied_label(key, self.name, self.revision) {
                // Escapes could stand for what is implied.
                if has_escape(value) {
                    return None;
                }
                if *value == implied {
                    self.bits |= bit;
                    continue;
                }
            }
            self.labels_key.add(b'"', key);
            self.labels_key.add(b'"', value);
        }
        Some(())
    }

    /// Reads `annotations`.
    pub fn annotations(&mut self, cursor: &mut Cursor<'a, '_>) -> Option<()> {
        if cursor.null()? {
            return Some(());
        }
        let begin = cursor.place()?;
        cursor.object(|at, key| {
            let value = at.raw()?;
            if is_ignored(key) {
                self.bits |= flag(key == "kubernetes.io/config.mirror", flags::MIRROR);
                return Some(());
            }
            self.annotations_key.add(b'"', key);
            self.annotations_key.add(b'"', "");
            if has_time_stamps(key) {
                self.without_stamps(value);
            } else {
                self.annotations_key.extend(value);
            }
            Some(())
        })?;
        self.annotations = Some(cursor.since(begin)?);
        cursor.mark(begin, Role::Annotations);
        Some(())
    }

    /// Adds to the key what is between the time stamps of JSON in a string.
    fn without_stamps(&mut self, value: &'a str) {
        let mut rest = value;
        while let Some(at) = STAMP.find(rest.as_bytes()) {
            let (before, after) = rest.split_at(at + STAMP.needle().len());
            let is_of_time = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b':' | b'T' | b'Z');
            let length = after.bytes().take_while(is_of_time).count();
            let (stamp, after) = after.split_at(length);
            self.annotations_key.extend(before);
            self.stamps.push(stamp);
            rest = after;
        }
        self.annotations_key.extend(rest);
    }
}
