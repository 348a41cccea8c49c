"""Decides about an append that may have happened before."""

from collections.abc import Sequence
from hashlib import sha256

from planner.errors import ConflictError
from planner.log.commit import CommitHeader, Head, NewCommit, Stream


def replayed(
    stream: Stream, batches: Sequence[NewCommit], found: Sequence[CommitHeader | None]
) -> Head | None:
    """Say what an append gave when it happened before, None when it did not.

    Args:
        stream: of the commits.
        batches: the commits to append.
        found: for each of them the commit that the log holds under its id.

    Raises:
        ConflictError: some are in the log and some are not, or with another content.
    """
    known = [header for header in found if header is not None]
    if not known:
        return None
    if len(known) < len(found):
        raise ConflictError(
            f"{stream}: {len(known)} of {len(found)} commits are in the log already; "
            "append exactly what was appended before, or use new commit ids"
        )
    for batch, header in zip(batches, known, strict=True):
        if not _same(stream, batch, header):
            raise ConflictError(
                f"{stream}: commit id {header.commit_id.hex()} is in the log with another content "
                f"(position {header.position_first}); use a new id for a new commit"
            )
    return Head(position=known[-1].position_last, digest=known[-1].digest)


def check_version(stream: Stream, expected: int | None, actual: int) -> None:
    """Refuse an append that was decided on what is no longer the end of the stream.

    Raises:
        ConflictError: the stream has another number of events.
    """
    if expected is not None and expected != actual:
        raise ConflictError(
            f"{stream}: expected {expected} events, but there are {actual}; "
            "another writer was faster, read what it appended and decide again"
        )


def check_ids(stream: Stream, ids: Sequence[bytes]) -> None:
    """Refuse an append that uses an id twice.

    Raises:
        ConflictError: two commits have one id.
    """
    if len(set(ids)) < len(ids):
        raise ConflictError(f"{stream}: two commits of one append have the same id")


def _same(stream: Stream, batch: NewCommit, header: CommitHeader) -> bool:
    return (
        stream == header.stream
        and batch.events == header.events
        and batch.author == header.author
        and batch.codec == header.codec
        and sha256(batch.payload).digest() == header.payload_sha256
    )
