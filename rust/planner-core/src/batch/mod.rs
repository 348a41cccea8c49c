//! A batch of observations: what the log stores of a cluster, as columns.
//!
//! | column | type | of |
//! | --- | --- | --- |
//! | `event` | `uint8`, an [`Event`] | every row |
//! | `resource` | `uint8`, a [`crate::resource::Resource`] | every row |
//! | `time_ms` | `int64`, milliseconds UTC at which it was observed | every row |
//! | `uid` | `fixed_size_binary(16)`, bytes in the order of the text | `observed`, `gone` |
//! | `resource_version` | `uint64`, comparable within one resource of one cluster only; 0 where the API server gave none; of the list itself in marks of a list, of the bookmark in `time_passed` (null in logs of before bookmarks told theirs) | every row |
//! | `namespace` | `dictionary<uint32, utf8>`, `""` for objects of the cluster itself | `observed`, `gone` |
//! | `name` | `utf8` | `observed`, `gone` |
//! | `document` | `utf8`, redacted JSON with sorted keys | `observed`, but for pods |
//! | `node`, `owner`, `revision`, `labels`, `annotations`, `spec`, `status` | `dictionary<uint32, utf8>` | `observed` pods |
//! | `created_s`, `ready_since_s` | `uint32`, seconds UTC, 0 when unknown | `observed` pods |
//! | `restarts` | `uint16`, saturating sum over containers and init containers | `observed` pods |
//! | `flags` | `uint16`, see [`flags`] | `observed` pods |
//!
//! A column is null in the rows that lack it. The text columns of a pod hold what pods of one
//! workload share, so that a dictionary makes them cheap:
//! - `node`: `spec.nodeName`, `""` while unassigned;
//! - `owner`: `group|kind|name|uid` of the controller (the API group without its version),
//!   `""` without one;
//! - `revision`: the value of `controller-revision-hash`, else of `pod-template-hash`, else `""`;
//! - `labels`: a JSON object with sorted keys, without those that follow from the pod's name and
//!   revision (a bit in [`flags`] says that they are there);
//! - `annotations`: a JSON object with sorted keys of the allowed annotations. `"redacted"` holds
//!   a salted digest of the others. Values are texts, but those that Kruise writes as JSON are
//!   JSON here too, without their time stamps: `kruise.io/sidecarset-hash` and
//!   `..-hash-without-image` are `{"set": "hash"}`, `kruise.io/sidecarset-inplace-update-state` is
//!   `{"set": {"revision", "lastContainerStatuses"}}`, and so are
//!   `apps.kruise.io/inplace-update-state` and `apps.kruise.io/inplace-update-grace` (of what is to
//!   come but images the names of the containers); `"unreadable"` where they are not that;
//! - `spec`: `{"containers": [{"name", "image", "digest"?}], "initContainers": [{"name", "image",
//!   "restartPolicy"?, "digest"?}], "readinessGates": [..], "terminationGracePeriodSeconds",
//!   "requests": {"cpu": millicores, "memory": bytes}}`; `digest` is a salted digest of the names
//!   and values of the container's environment, `requests` what the scheduler reserves for the
//!   whole pod;
//! - `status`: `[{"name", "image", "imageID", "ready"}]` over containers, then init containers.
//!
//! The answer of `/version` has uid 0, version 0 and the name `version`.

mod builder;
mod codec;
mod columns;
mod reached;

use std::sync::{Arc, LazyLock};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
pub use builder::{BatchBuilder, BatchWriter, DictionaryBuilder, ObjectRow};
pub use columns::{Columns, Dictionary, text};
pub use reached::Reached;

use crate::resource::Resource;

/// What happened, as it is stored in the column `event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Event {
    /// A complete list of one resource begins; its objects follow.
    ListBegun = 0,
    /// An object was seen as it is in this row.
    Observed = 1,
    /// An object is gone.
    Gone = 2,
    /// The list is complete: what it did not mention is gone.
    ListCompleted = 3,
    /// Time passed without anything else to say (availability depends on it).
    TimePassed = 4,
}

impl Event {
    /// Every event, in the order of its code.
    pub const ALL: [Self; 5] = [
        Self::ListBegun,
        Self::Observed,
        Self::Gone,
        Self::ListCompleted,
        Self::TimePassed,
    ];

    /// The event with this stored code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ListBegun => "list_begun",
            Self::Observed => "observed",
            Self::Gone => "gone",
            Self::ListCompleted => "list_completed",
            Self::TimePassed => "time_passed",
        }
    }
}

/// Bits of a pod's column `flags`.
pub mod flags {
    /// Condition `Ready` is True.
    pub const READY: u16 = 1;
    /// `metadata.deletionTimestamp` is set.
    pub const DELETING: u16 = 1 << 1;
    /// Phase `Pending`. None of the four phase bits: phase `Unknown`.
    pub const PENDING: u16 = 1 << 2;
    /// Phase `Running`.
    pub const RUNNING: u16 = 1 << 3;
    /// Phase `Succeeded`.
    pub const SUCCEEDED: u16 = 1 << 4;
    /// Phase `Failed`.
    pub const FAILED: u16 = 1 << 5;
    /// Condition `InPlaceUpdateReady` is present and not True.
    pub const IN_PLACE_UPDATE_SHUT: u16 = 1 << 6;
    /// A mirror pod of a static manifest (annotation `kubernetes.io/config.mirror`).
    pub const MIRROR: u16 = 1 << 7;
    /// A volume of type `emptyDir` is declared: its data goes with the pod.
    pub const EMPTY_DIR: u16 = 1 << 8;
    /// Condition `Ready` is present (so that `ready_since_s` is its last transition).
    pub const READY_KNOWN: u16 = 1 << 9;
    /// Label `statefulset.kubernetes.io/pod-name` is there and equals the pod's name.
    pub const LABEL_POD_NAME: u16 = 1 << 10;
    /// Label `apps.kubernetes.io/pod-index` is there and equals what follows the last `-` of the
    /// pod's name.
    pub const LABEL_POD_INDEX: u16 = 1 << 11;
    /// Label `apps.kruise.io/cloneset-instance-id` is there and equals what follows the last `-` of
    /// the pod's name.
    pub const LABEL_INSTANCE_ID: u16 = 1 << 12;
    /// Label `controller-revision-hash` is there and equals the column `revision`.
    pub const LABEL_REVISION: u16 = 1 << 13;
    /// Label `pod-template-hash` is there and equals what follows the last `-` of `revision` (all
    /// of it without a `-`).
    pub const LABEL_TEMPLATE_HASH: u16 = 1 << 14;
    /// The update in place of which `inplace-update-state` tells has its containers, by the test of
    /// `OpenKruise` on the whole pod. Rows of before there was this bit lack it: their images tell.
    pub const IN_PLACE_UPDATE_OVER: u16 = 1 << 15;
}

/// The version of the columns above.
pub const CODEC: &str = "observations/1";

/// The most rows of one batch.
pub const ROWS_MAX: usize = 65_536;

/// Bytes of documents at which a batch is full: whoever reads a log holds one batch at a time.
pub const DOCUMENT_BYTES: usize = 1 << 25;

/// Observations as columns, every row checked against the table above.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch(RecordBatch);

impl Batch {
    /// The columns for other readers of Arrow, shared and not copied.
    #[must_use]
    pub fn records(&self) -> &RecordBatch {
        &self.0
    }

    /// The columns with their types.
    #[must_use]
    pub fn columns(&self) -> Columns<'_> {
        Columns::new(&self.0)
    }

    /// Rows, each of which takes one position of the log.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.num_rows()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `count` rows from `begin` on, fewer at the end; shared and not copied.
    #[must_use]
    pub fn slice(&self, begin: usize, count: usize) -> Self {
        let begin = begin.min(self.len());
        Self(self.0.slice(begin, count.min(self.len() - begin)))
    }

    /// The resources whose lists were completed.
    #[must_use]
    pub fn listed(&self) -> Vec<Resource> {
        let columns = self.columns();
        let is_end = |row: &usize| columns.event.value(*row) == Event::ListCompleted as u8;
        let rows = (0..self.len()).filter(is_end);
        rows.filter_map(|row| Resource::from_code(columns.resource.value(row)))
            .collect()
    }

    /// The latest time of any row, milliseconds UTC; 0 without rows.
    #[must_use]
    pub fn time_last_ms(&self) -> i64 {
        self.columns()
            .time_ms
            .values()
            .iter()
            .copied()
            .max()
            .unwrap_or(0)
    }
}

/// The Arrow schema of a batch.
#[must_use]
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let texts = DataType::Dictionary(DataType::UInt32.into(), DataType::Utf8.into());
        let mut fields = vec![
            Field::new("event", DataType::UInt8, false),
            Field::new("resource", DataType::UInt8, false),
            Field::new("time_ms", DataType::Int64, false),
            Field::new("uid", DataType::FixedSizeBinary(16), true),
            Field::new("resource_version", DataType::UInt64, true),
            Field::new("namespace", texts.clone(), true),
            Field::new("name", DataType::Utf8, true),
            Field::new("document", DataType::Utf8, true),
        ];
        let pod_texts = [
            "node",
            "owner",
            "revision",
            "labels",
            "annotations",
            "spec",
            "status",
        ];
        fields.extend(pod_texts.map(|name| Field::new(name, texts.clone(), true)));
        fields.extend([
            Field::new("created_s", DataType::UInt32, true),
            Field::new("ready_since_s", DataType::UInt32, true),
            Field::new("restarts", DataType::UInt16, true),
            Field::new("flags", DataType::UInt16, true),
        ]);
        let metadata = [("codec".to_owned(), CODEC.to_owned())];
        Arc::new(Schema::new(fields).with_metadata(metadata.into()))
    });
    Arc::clone(&SCHEMA)
}
