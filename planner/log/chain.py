"""The chain: every commit carries a digest of all of its fields and of the commit before it.

Pure functions that memory, SQLite and PostgreSQL share, so that they cannot differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from planner.errors import ChainBrokenError
from planner.log.commit import EVENTS_MAX, Commit, CommitHeader, Head, NewCommit, Stream
from planner.log.identity import LogIdentity

GENESIS: Final = b"planner log 1 genesis"
COMMIT: Final = b"planner log 1 commit"
COMMIT_ID: Final = b"planner log 1 commit id"


def genesis(identity: LogIdentity) -> bytes:
    """Digest of the empty log; it binds the chain to the identity."""
    return _digest(GENESIS, identity.log_id, identity.salt)


def commit_id(stream: Stream, expected_version: int, commit: NewCommit) -> bytes:
    """The writer's own id, or what the content and the place in the stream give."""
    if commit.commit_id is not None:
        return commit.commit_id
    return _digest(
        COMMIT_ID,
        stream.kind,
        stream.name,
        expected_version,
        commit.events,
        commit.author,
        commit.codec,
        commit.payload,
    )


def commit_ids(stream: Stream, version: int, batches: Sequence[NewCommit]) -> list[bytes]:
    """The ids of commits that follow each other from a version on."""
    ids = []
    for batch in batches:
        ids.append(commit_id(stream, version, batch))
        version += batch.events
    return ids


def link(previous: bytes, commit: CommitHeader) -> bytes:
    """Digest of the chain up to a commit: of every field of it and of the chain before it."""
    return _digest(
        COMMIT,
        previous,
        commit.position_first,
        commit.position_last,
        commit.stream.kind,
        commit.stream.name,
        commit.expected_version,
        commit.commit_id,
        commit.time_ms,
        commit.author,
        commit.codec,
        commit.payload_sha256,
    )


def seal(
    head: Head, stream: Stream, version: int, batches: Sequence[NewCommit], time_ms: int
) -> list[Commit]:
    """Give commits their positions and link them to the chain."""
    commits = []
    for batch in batches:
        unlinked = Commit(
            position_first=head.position + 1,
            position_last=head.position + batch.events,
            stream=stream,
            expected_version=version,
            commit_id=commit_id(stream, version, batch),
            time_ms=time_ms,
            author=batch.author,
            codec=batch.codec,
            payload_sha256=sha256(batch.payload).digest(),
            digest=b"",
            payload=batch.payload,
        )
        commits.append(replace(unlinked, digest=link(head.digest, unlinked)))
        head = Head(position=unlinked.position_last, digest=commits[-1].digest)
        version = unlinked.version
    return commits


def check_payload(commit: Commit) -> None:
    """Compare a payload with its digest, as every read does.

    Raises:
        ChainBrokenError: it is not what was appended.
    """
    if sha256(commit.payload).digest() != commit.payload_sha256:
        raise ChainBrokenError(
            commit.position_first, "the payload is not what was appended (SHA-256 differs)"
        )


def verify_chain(identity: LogIdentity, commits: Iterable[Commit], head: Head) -> Head:
    """Walk the whole chain, from the identity to the head that the log states.

    Raises:
        ChainBrokenError: something was changed, taken out, put in or cut off.
    """
    walked = Head(position=0, digest=genesis(identity))
    versions: dict[Stream, int] = {}
    for commit in commits:
        _check_place(walked, commit)
        check_payload(commit)
        _check_link(walked, commit, versions.get(commit.stream, 0))
        versions[commit.stream] = commit.version
        walked = Head(position=commit.position_last, digest=commit.digest)
    if walked.position < head.position:
        raise ChainBrokenError(
            walked.position + 1,
            f"the log ends here, but commits up to position {head.position} were appended",
        )
    if walked != head:
        raise ChainBrokenError(
            max(head.position, 1),
            "the end of the log that is noted beside the commits is not that of the chain",
        )
    return walked


def _check_place(walked: Head, commit: CommitHeader) -> None:
    if commit.position_first != walked.position + 1:
        raise ChainBrokenError(
            walked.position + 1,
            f"no commit begins here, the next one states position {commit.position_first}",
        )
    if not 1 <= commit.events <= EVENTS_MAX:
        raise ChainBrokenError(commit.position_first, f"a commit of {commit.events} events")


def _check_link(walked: Head, commit: CommitHeader, version: int) -> None:
    if link(walked.digest, commit) != commit.digest:
        raise ChainBrokenError(
            commit.position_first, "a field of the commit was changed (chain digest differs)"
        )
    if commit.expected_version != version:
        raise ChainBrokenError(
            commit.position_first,
            f"{commit.stream} has {version} events, the commit expects {commit.expected_version}",
        )


def _digest(*fields: bytes | str | int) -> bytes:
    """SHA-256 over fields, each behind its length so that they cannot run into each other."""
    digest = sha256()
    for field in fields:
        if isinstance(field, int):
            encoded = field.to_bytes(8, "big", signed=True)
        elif isinstance(field, str):
            # A damaged text must give another digest, not another error.
            encoded = field.encode("utf-8", "surrogateescape")
        else:
            encoded = field
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()
