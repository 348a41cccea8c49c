"""A log in a database; SQLAlchemy Core, SQLite and PostgreSQL."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from types import TracebackType
from typing import Final, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from planner.errors import ChainBrokenError, LogError
from planner.log.chain import check_payload, commit_ids, genesis, seal, verify_chain
from planner.log.commit import (
    EVENTS_MAX,
    Commit,
    CommitHeader,
    Head,
    NewCommit,
    Stream,
    StreamKind,
)
from planner.log.engine import is_damaged, reading, writing
from planner.log.identity import LogIdentity
from planner.log.replay import check_ids, check_version, replayed
from planner.log.rows import HEADER_COLUMNS, commit_of, header_of, row_of
from planner.log.tables import commits, log_head
from planner.model.clock import Clock

# A payload may have megabytes, so few rows are held at once. SQLite has no round trips to save,
# and one row at a time shows exactly which row cannot be read.
ROWS_AT_ONCE: Final = {"sqlite": 1, "postgresql": 8}


class SqlEventLog:
    """An event log in SQLite or PostgreSQL; `planner.log.open` makes it. Threads may share it."""

    def __init__(self, engine: Engine, *, clock: Clock, identity: LogIdentity) -> None:
        self.identity = identity
        self._engine = engine
        self._clock = clock

    def head(self) -> Head:
        """The end of the log."""
        with reading(self._engine) as connection:
            return _head(connection)[0]

    def version(self, stream: Stream) -> int:
        """Number of events in a stream."""
        with reading(self._engine) as connection:
            return _version(connection, stream)

    def streams(self, kind: StreamKind) -> list[Stream]:
        """All streams of a kind, by name."""
        names = select(commits.c.stream_name).where(commits.c.stream_kind == kind).distinct()
        with reading(self._engine) as connection:
            # Sorted here, because databases disagree about the order of texts.
            return sorted(Stream(kind, name) for name in connection.scalars(names))

    def position_at(self, time_ms: int) -> int:
        """The last position that was appended at or before a time."""
        last = select(func.max(commits.c.position_last)).where(commits.c.time_ms <= time_ms)
        with reading(self._engine) as connection:
            return connection.scalar(last) or 0

    def digest_at(self, position: int) -> bytes:
        """The chain digest of the commit that holds a position."""
        if position == 0:
            return genesis(self.identity)
        holds = (
            select(commits.c.digest)
            .where(commits.c.position_last >= position)
            .order_by(commits.c.position_last)
            .limit(1)
        )
        with reading(self._engine) as connection:
            digest: bytes | None = connection.scalar(holds)
            if digest is None:
                end = _head(connection)[0].position
                raise LogError(f"position {position}: the log ends at {end}")
            return digest

    def append(
        self, stream: Stream, batches: Sequence[NewCommit], *, expected_version: int | None
    ) -> Head:
        """Append commits to a stream, all of them or none."""
        with writing(self._engine) as connection:
            # The lock on the head is held until the commit: positions are given in its order.
            head, last_ms = _head(connection, lock=True)
            version = _version(connection, stream)
            base = version if expected_version is None else expected_version
            ids = commit_ids(stream, base, batches)
            check_ids(stream, ids)
            before = replayed(stream, batches, [_find(connection, each) for each in ids])
            if before:
                return before
            check_version(stream, expected_version, version)
            time_ms = max(self._clock.now_ms(), last_ms)
            return _insert(connection, head, seal(head, stream, version, batches, time_ms))

    def read(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        kind: StreamKind | None = None,
        stream: Stream | None = None,
    ) -> Iterator[Commit]:
        """Give the commits that hold a position in (after, until], in order."""
        conditions = [commits.c.position_last > after]
        if until is not None:
            # The second condition follows from the first and lets the walk along the key end.
            conditions.append(commits.c.position_first <= until)
            conditions.append(commits.c.position_last < until + EVENTS_MAX)
        if kind is not None:
            conditions.append(commits.c.stream_kind == kind)
        if stream is not None:
            conditions.append(commits.c.stream_kind == stream.kind)
            conditions.append(commits.c.stream_name == stream.name)
        # What is not read to its end is closed before its transaction is.
        with (
            reading(self._engine) as connection,
            closing(_walk(connection, conditions, after)) as walk,
        ):
            for commit in walk:
                check_payload(commit)
                yield commit

    def verify(self) -> Head:
        """Walk the whole chain and give its end."""
        with reading(self._engine) as connection:
            head, _ = _head(connection)
            with closing(_walk(connection, [], 0)) as walk:
                return verify_chain(self.identity, walk, head)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _head(connection: Connection, *, lock: bool = False) -> tuple[Head, int]:
    """The noted end of the log and its time; locked until the transaction ends, if so wished.

    SQLite has no row locks and needs none: its writers began with BEGIN IMMEDIATE.
    """
    query = select(log_head)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise ChainBrokenError(0, "the end of the log is not noted any more")
    return Head(position=row.position, digest=row.digest), row.time_ms


def _version(connection: Connection, stream: Stream) -> int:
    last = (
        select(*HEADER_COLUMNS)
        .where(commits.c.stream_kind == stream.kind, commits.c.stream_name == stream.name)
        .order_by(commits.c.expected_version.desc())
        .limit(1)
    )
    row = connection.execute(last).one_or_none()
    return header_of(row).version if row else 0


def _find(connection: Connection, commit_id: bytes) -> CommitHeader | None:
    found = select(*HEADER_COLUMNS).where(commits.c.commit_id == commit_id)
    row = connection.execute(found).one_or_none()
    return header_of(row) if row else None


def _insert(connection: Connection, head: Head, sealed: Sequence[Commit]) -> Head:
    if not sealed:
        return head
    last = sealed[-1]
    connection.execute(insert(commits), [row_of(commit) for commit in sealed])
    connection.execute(
        update(log_head).values(
            position=last.position_last, digest=last.digest, time_ms=last.time_ms
        )
    )
    return Head(position=last.position_last, digest=last.digest)


def _walk(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], after: int
) -> Generator[Commit, None, None]:
    query = select(commits).where(*conditions).order_by(commits.c.position_last)
    streaming = {"yield_per": ROWS_AT_ONCE[connection.dialect.name]}
    try:
        with connection.execute(query, execution_options=streaming) as result:
            for row in result:
                commit = commit_of(row)
                after = commit.position_last
                yield commit
    except DBAPIError as error:
        if not is_damaged(error):
            raise
        raise ChainBrokenError(after + 1, f"the database is damaged ({error.orig})") from None
