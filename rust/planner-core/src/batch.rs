//! A batch of observations: what the log stores of a cluster, as columns.
//!
//! | column | type | of |
//! | --- | --- | --- |
//! | `event` | `uint8`, an [`Event`] | every row |
//! | `resource` | `uint8`, a [`crate::resource::Resource`] | every row |
//! | `time_ms` | `int64`, milliseconds UTC at which it was observed | every row |
//! | `uid` | `fixed_size_binary(16)` | `observed`, `gone` |
//! | `resource_version` | `uint64`, comparable within one resource of one cluster only | all but `time_passed` |
//! | `namespace` | `dictionary<uint32, utf8>` | `observed`, `gone` |
//! | `name` | `utf8` | `observed`, `gone` |
//! | `document` | `utf8`, redacted JSON | `observed`, but for pods |
//! | `node`, `owner`, `revision`, `labels`, `annotations`, `spec`, `status` | `dictionary<uint32, utf8>` | `observed` pods |
//! | `created_s`, `ready_since_s` | `uint32`, seconds UTC | `observed` pods |
//! | `restarts` | `uint16`, saturating sum over containers | `observed` pods |
//! | `flags` | `uint16`, see [`flags`] | `observed` pods |
//!
//! The text columns of a pod hold what pods of one workload share, so that a dictionary makes
//! them cheap:
//! - `owner`: `resource group|kind|name|uid` of the controller, `""` without one;
//! - `revision`: the value of `controller-revision-hash`, else of `pod-template-hash`;
//! - `labels`: a JSON object with sorted keys, without those that follow from the pod's name and
//!   revision (a bit in [`flags`] says that they are there);
//! - `annotations`: a JSON object with sorted keys of the allowed annotations; `"redacted"` holds
//!   a salted digest of the others; `SidecarSet` hashes are kept without their time stamps;
//! - `spec`: `{"containers": [{"name", "image", "digest"?}], "initContainers": [{"name", "image",
//!   "restartPolicy"?, "digest"?}], "readinessGates": [..], "terminationGracePeriodSeconds",
//!   "requests": {"cpu": millicores, "memory": bytes}}`; `digest` is a salted digest of the
//!   container's env values;
//! - `status`: `[{"name", "image", "imageID", "ready"}]` over containers, then init containers.

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
    /// A volume of type `emptyDir` is mounted.
    pub const EMPTY_DIR: u16 = 1 << 8;
    /// Condition `Ready` is present (so that `ready_since_s` is its last transition).
    pub const READY_KNOWN: u16 = 1 << 9;
    /// Label `statefulset.kubernetes.io/pod-name` is there and equals the pod's name.
    pub const LABEL_POD_NAME: u16 = 1 << 10;
    /// Label `apps.kubernetes.io/pod-index` is there and equals what follows the last `-` of the
    /// pod's name.
    pub const LABEL_POD_INDEX: u16 = 1 << 11;
    /// Label `apps.kruise.io/cloneset-instance-id`, likewise.
    pub const LABEL_INSTANCE_ID: u16 = 1 << 12;
    /// Label `controller-revision-hash` is there and equals the column `revision`.
    pub const LABEL_REVISION: u16 = 1 << 13;
    /// Label `pod-template-hash` is there and equals what follows the last `-` of `revision`.
    pub const LABEL_TEMPLATE_HASH: u16 = 1 << 14;
}

/// The version of the columns above.
pub const CODEC: &str = "observations/1";
