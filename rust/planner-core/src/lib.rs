//! The thinking of the fleet upgrade planner: pure functions over columns.
//!
//! ```text
//! observe: raw API bytes -> batch      fold: (fleet, batch) -> fleet
//! diff: (fleet, request) -> changes    schedule: problem -> schedule + bound
//! plan: all of it, dressed for reading
//! checkpoint: what a run of a plan has to know before its next step
//! project: activities that take time over resources, without waves -> schedule + bound
//! ```
//!
//! No Python, no I/O, no clock and no chance but a seed: whatever a function needs is an argument, and
//! the same arguments give the same bytes.
#![forbid(unsafe_code)]

pub mod batch;
pub mod checkpoint;
pub mod diff;
pub mod error;
pub mod fleet;
pub mod fold;
pub mod inventory;
pub mod kube;
pub mod lint;
pub mod model;
pub mod observe;
pub mod plan;
pub mod project;
pub mod request;
pub mod resource;
pub mod schedule;
pub mod snapshot;
pub mod status;
pub mod time;
