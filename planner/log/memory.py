"""A log in memory, with the same contract: for tests and simulation."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from threading import Lock
from types import TracebackType
from typing import Self

from planner.errors import LogError
from planner.log.chain import check_payload, commit_ids, genesis, seal, verify_chain
from planner.log.commit import Commit, Head, NewCommit, Stream, StreamKind
from planner.log.identity import LogIdentity
from planner.log.replay import check_ids, check_version, replayed
from planner.model.clock import Clock


class MemoryEventLog:
    """An event log that is gone with the process. Threads may share it."""

    def __init__(self, *, clock: Clock, identity: LogIdentity) -> None:
        self.identity = identity
        self._clock = clock
        self._lock = Lock()
        self._commits: list[Commit] = []
        self._by_id: dict[bytes, Commit] = {}
        self._versions: dict[Stream, int] = {}
        self._head = Head(position=0, digest=genesis(identity))

    def head(self) -> Head:
        """The end of the log."""
        with self._lock:
            return self._head

    def version(self, stream: Stream) -> int:
        """Number of events in a stream."""
        with self._lock:
            return self._versions.get(stream, 0)

    def streams(self, kind: StreamKind) -> list[Stream]:
        """All streams of a kind, by name."""
        with self._lock:
            return sorted(stream for stream in self._versions if stream.kind == kind)

    def position_at(self, time_ms: int) -> int:
        """The last position that was appended at or before a time."""
        with self._lock:
            before = (each for each in reversed(self._commits) if each.time_ms <= time_ms)
            commit = next(before, None)
        return commit.position_last if commit else 0

    def digest_at(self, position: int) -> bytes:
        """The chain digest of the commit that holds a position."""
        if position == 0:
            return genesis(self.identity)
        with self._lock:
            if position > self._head.position:
                raise LogError(f"position {position}: the log ends at {self._head.position}")
            return self._commits[self._index(position)].digest

    def append(
        self, stream: Stream, batches: Sequence[NewCommit], *, expected_version: int | None
    ) -> Head:
        """Append commits to a stream, all of them or none."""
        with self._lock:
            version = self._versions.get(stream, 0)
            base = version if expected_version is None else expected_version
            ids = commit_ids(stream, base, batches)
            check_ids(stream, ids)
            before = replayed(stream, batches, [self._by_id.get(each) for each in ids])
            if before:
                return before
            check_version(stream, expected_version, version)
            self._add(seal(self._head, stream, version, batches, self._now_ms()))
            return self._head

    def read(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        kind: StreamKind | None = None,
        stream: Stream | None = None,
    ) -> Iterator[Commit]:
        """Give the commits that hold a position in (after, until], in order."""
        with self._lock:
            commits = self._commits[self._index(after + 1) :]
        for commit in commits:
            if until is not None and commit.position_first > until:
                return
            if kind in {None, commit.stream.kind} and stream in {None, commit.stream}:
                check_payload(commit)
                yield commit

    def verify(self) -> Head:
        """Walk the whole chain and give its end."""
        with self._lock:
            commits, head = self._commits.copy(), self._head
        return verify_chain(self.identity, commits, head)

    def close(self) -> None:
        """Do nothing: memory goes with the process."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _index(self, position: int) -> int:
        return bisect_left(self._commits, position, key=lambda each: each.position_last)

    def _now_ms(self) -> int:
        last_ms = self._commits[-1].time_ms if self._commits else 0
        return max(self._clock.now_ms(), last_ms)

    def _add(self, commits: Sequence[Commit]) -> None:
        for commit in commits:
            self._commits.append(commit)
            self._by_id[commit.commit_id] = commit
            self._versions[commit.stream] = commit.version
            self._head = Head(position=commit.position_last, digest=commit.digest)
