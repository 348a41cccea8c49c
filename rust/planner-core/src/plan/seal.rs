//! The seal of a plan's file: a digest of its bytes, in the file's own metadata.
//!
//! Readers of Arrow trust lengths and offsets of a file: a damaged one makes them panic or ask for
//! all the memory there is. So a plan's file is checked before it is decoded.

/// What stands before the digest.
const MARK: &[u8] = b"planner.seal.blake3:";
/// Characters of the digest.
const DIGEST: usize = 64;

/// What the seal is while the file is written.
pub(super) fn blank() -> String {
    let mark = std::str::from_utf8(MARK).expect("the mark is ASCII");
    mark.to_owned() + &"0".repeat(DIGEST)
}

/// Puts the digest of all other bytes where the blank is.
pub(super) fn set(bytes: &mut [u8]) {
    let at = find(bytes).expect("the blank was written");
    let digest = digest(bytes, at);
    bytes[at..at + DIGEST].copy_from_slice(digest.as_bytes());
}

/// Whether the bytes are those that were sealed.
pub(super) fn holds(bytes: &[u8]) -> bool {
    find(bytes).is_some_and(|at| bytes[at..at + DIGEST] == *digest(bytes, at).as_bytes())
}

/// Where the digest begins: metadata of the file stand near its end.
fn find(bytes: &[u8]) -> Option<usize> {
    let at = memchr::memmem::rfind(bytes, MARK)? + MARK.len();
    (at + DIGEST <= bytes.len()).then_some(at)
}

fn digest(bytes: &[u8], at: usize) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update_rayon(&bytes[..at]);
    hasher.update_rayon(&bytes[at + DIGEST..]);
    hasher.finalize().to_hex().to_string()
}
