//! A fleet as bytes: its columns, packed, as they are in memory.
//!
//! ```text
//! "planner-fleet/3\n"  blocks  checksum of everything before it
//! ```
//!
//! What each type of the fleet writes and reads, in which order, is told where it is
//! ([`Fleet::store`] and those that it calls). The checksum stands for all that is not checked
//! here: a snapshot is a cache of the same program on the same machine.

pub mod blocks;

use crate::{error::CodecError, fleet::Fleet};
use blocks::{Reader, Writer};

const MAGIC: &[u8; 16] = b"planner-fleet/3\n";
const CHECKSUM_BYTES: usize = 32;

/// The fleet as bytes, without pods that are gone and texts that nobody uses any more.
#[must_use]
pub fn to_snapshot(fleet: &Fleet) -> Vec<u8> {
    let mut writer = Writer::default();
    fleet.compact().store(&mut writer);
    let mut bytes = MAGIC.to_vec();
    bytes.extend(writer.finish());
    let checksum = checksum(&bytes);
    bytes.extend(checksum.as_bytes());
    bytes
}

/// The fleet of which [`to_snapshot`] made these bytes.
pub fn from_snapshot(bytes: &[u8]) -> Result<Fleet, CodecError> {
    let (content, expected) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(cut)?;
    let Some(blocks) = content.strip_prefix(MAGIC) else {
        return Err(CodecError(
            "these bytes are no snapshot planner-fleet/3; fold the log from its start".to_owned(),
        ));
    };
    // Before anything else: a damaged length would ask for all the memory there is.
    if checksum(content) != *expected {
        return Err(cut());
    }
    let mut reader = Reader::new(blocks)?;
    let fleet = Fleet::load(&mut reader)?;
    if reader.is_empty() {
        Ok(fleet)
    } else {
        Err(cut())
    }
}

fn checksum(bytes: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update_rayon(bytes);
    hasher.finalize()
}

fn cut() -> CodecError {
    CodecError("this snapshot is damaged; fold the log from its start".to_owned())
}
