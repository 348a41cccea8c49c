//! What can be wrong with data that comes from outside.

use std::fmt;

/// Input that cannot be used. Nothing of it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// The file or stream, as the caller named it.
    pub source: String,
    /// Where in the decoded text of the source, in bytes from its start: the byte that is wrong,
    /// or the first byte of the object that is.
    pub offset: usize,
    /// What is wrong and what to do about it.
    pub message: String,
}

// By hand: a derive would take the field `source` for the cause of the error.
impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at byte {}: {}",
            self.source, self.offset, self.message
        )
    }
}

impl std::error::Error for InputError {}

/// Stored bytes that are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CodecError(pub String);

/// Events that come a second time or too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "events begin at position {found} but the fleet is at position {position}; \
     fold every event of the log once and in order"
)]
pub struct OrderError {
    /// The last position that was folded in.
    pub position: u64,
    /// The position that came.
    pub found: u64,
}
