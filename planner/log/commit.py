"""What the log is made of: streams and commits."""

import re
from dataclasses import dataclass
from typing import Final, Literal, Self, cast, get_args

from planner.errors import LogError, UsageError

StreamKind = Literal["cluster", "plan", "run"]

EVENTS_MAX: Final = 65_536
NAME_CHARS_MAX: Final = 253
AUTHOR_CHARS_MAX: Final = 253
COMMIT_ID_BYTES: Final = range(16, 33)
CODEC: Final = re.compile(r"[a-z][a-z-]{0,30}/[0-9]{1,4}")


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """One cluster, plan or run: what writers take turns on.

    Raises:
        UsageError: the kind is unknown, or the name is empty, too long or not printable.
    """

    kind: StreamKind
    name: str

    def __post_init__(self) -> None:
        if self.kind not in get_args(StreamKind):
            known = ", ".join(get_args(StreamKind))
            raise UsageError(f"{self.kind}: no such kind of stream; there are {known}")
        if not self.name.isprintable() or not 0 < len(self.name) <= NAME_CHARS_MAX:
            raise UsageError(
                f"{self.name[:40]!r} cannot name a {self.kind}; "
                f"use 1 to {NAME_CHARS_MAX} printable characters"
            )

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote, such as `cluster/hangzhou`.

        Raises:
            UsageError: it is no stream.
        """
        kind, _, name = text.partition("/")
        return cls(cast("StreamKind", kind), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommit:
    """1 to 65,536 events of one stream, to be appended as one row.

    Without an id of the writer's own, a commit is known by its content and its place in the
    stream, so that repeating an append that may or may not have happened is safe. Writers that
    must be told apart although they say the same thing (two executors of one run) give ids.

    Raises:
        LogError: a field is out of range.
    """

    codec: str
    payload: bytes
    events: int
    author: str
    commit_id: bytes | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.events <= EVENTS_MAX:
            raise LogError(f"a commit holds 1 to {EVENTS_MAX:,} events, not {self.events:,}")
        if not CODEC.fullmatch(self.codec):
            raise LogError(f"{self.codec!r} is no codec; write it as NAME/VERSION")
        if not self.author.isprintable() or not 0 < len(self.author) <= AUTHOR_CHARS_MAX:
            raise LogError(
                f"{self.author[:40]!r} cannot be an author; "
                f"use 1 to {AUTHOR_CHARS_MAX} printable characters"
            )
        if self.commit_id is not None and len(self.commit_id) not in COMMIT_ID_BYTES:
            raise LogError(f"a commit id has 16 to 32 bytes, not {len(self.commit_id)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitHeader:
    """All that the log keeps of a commit but its payload.

    Attributes:
        position_first: position in the log of its first event, from 1.
        position_last: position of its last event.
        stream: whose events they are.
        expected_version: number of events in the stream before this commit.
        commit_id: 16 to 32 bytes, unique in the log.
        time_ms: when it was appended, UTC; never less than that of the commit before.
        author: who appended it.
        codec: name and version of the payload's form.
        payload_sha256: SHA-256 of the payload.
        digest: SHA-256 of this header and of the chain up to here.
    """

    position_first: int
    position_last: int
    stream: Stream
    expected_version: int
    commit_id: bytes
    time_ms: int
    author: str
    codec: str
    payload_sha256: bytes
    digest: bytes

    @property
    def events(self) -> int:
        """How many events it holds."""
        return self.position_last - self.position_first + 1

    @property
    def version(self) -> int:
        """Number of events in the stream after this commit."""
        return self.expected_version + self.events


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(CommitHeader):
    """A commit as it was appended."""

    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a log: the last position (0 when it is empty) and the digest of the chain there.

    Whoever keeps a head elsewhere can prove later that the log up to there was not rewritten.
    """

    position: int
    digest: bytes
