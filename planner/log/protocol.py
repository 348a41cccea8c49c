"""What every event log can do, wherever it keeps its commits."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

from planner.log.commit import Commit, Head, NewCommit, Stream, StreamKind
from planner.log.identity import LogIdentity


class History(Protocol):
    """What can be read of an event log: commits in one order, each the events of one stream.

    Positions number events from 1, without gaps, in the order in which commits became visible:
    a reader that repeats `read(after=last)` misses nothing, however many writers there are.
    """

    @property
    def identity(self) -> LogIdentity:
        """Made once when the log was created."""
        ...

    def head(self) -> Head:
        """The end of the log."""
        ...

    def position_at(self, time_ms: int) -> int:
        """The last position that was appended at or before a time (UTC); 0 when none was."""
        ...

    def digest_at(self, position: int) -> bytes:
        """The chain digest of the commit that holds a position; of the empty log for 0.

        Raises:
            LogError: the log ends before the position.
        """
        ...

    def read(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        kind: StreamKind | None = None,
        stream: Stream | None = None,
    ) -> Iterator[Commit]:
        """Give the commits that hold a position in (after, until], in order, a few at a time.

        A commit is given whole: the first one may begin before `after`, and the last one may end
        behind `until`. Payloads are compared with their digests; decode them with
        `planner.log.codec`. Close the iterator (or use it up) to let go of the database.

        Args:
            after: the position that was read last.
            until: the last position of interest; None reads up to the end as it is now.
            kind: only streams of this kind.
            stream: only this stream.

        Raises:
            ChainBrokenError: a commit is not what was appended.
        """
        ...

    def close(self) -> None:
        """Let go of everything; a second time does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class EventLog(History, Protocol):
    """An append-only history, and its streams."""

    def version(self, stream: Stream) -> int:
        """Number of events in a stream; 0 when it does not exist yet."""
        ...

    def streams(self, kind: StreamKind) -> list[Stream]:
        """All streams of a kind, by name."""
        ...

    def append(
        self, stream: Stream, batches: Sequence[NewCommit], *, expected_version: int | None
    ) -> Head:
        """Append commits to a stream, all of them or none, and give the end of the last one.

        Commits whose ids are in the log already are not appended again: the result is that of
        the first time, whatever version is expected.

        Args:
            stream: to append to.
            batches: one row each, in this order.
            expected_version: number of events that the stream has; None accepts any number.

        Raises:
            ConflictError: the stream has another version, or an id is in the log with another
                content; nothing was appended.
        """
        ...

    def verify(self) -> Head:
        """Walk the whole chain and give its end.

        Raises:
            ChainBrokenError: names the first position that is not what was appended.
        """
        ...
