//! Raw bytes of the Kubernetes API become batches of observations.
//!
//! Secrets end here: what could hold one is replaced by a digest before it gets into a column, and
//! kinds that the planner has no use for are counted and not read.

mod annotations;
mod cursor;
mod cut;
mod envelope;
mod feed;
mod intake;
mod likeness;
mod listed;
mod memo;
mod object;
mod pod;
mod pod_columns;
mod quick;
#[cfg(test)]
mod quick_laws;
mod quick_meta;
mod quick_pod;
#[cfg(test)]
mod quick_samples;
mod reader;
mod redact;
mod scalar;
mod scan;
mod text;
mod tree;
mod updated;
mod whole;

pub use feed::Feed;
pub use intake::Intake;
pub use redact::{Salt, redact};
pub use scalar::{parse_milli, uid_text};
