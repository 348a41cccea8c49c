"""A log in SQLite, read without SQLAlchemy, whose import takes longer than a quick command.

Whatever is not as it should be is left to `planner.log.open`, which knows what to say of it.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from planner.errors import UsageError
from planner.log.chain import check_payload, genesis
from planner.log.commit import EVENTS_MAX, Commit, Head, Stream, StreamKind
from planner.log.identity import LogIdentity
from planner.log.protocol import EventLog, History
from planner.model.clock import Clock

# As `planner.log.schema` and `planner.log.tables` have it: a test compares them.
REVISION: Final = "0002"
COLUMNS: Final[dict[str, type]] = {
    "position_last": int,
    "position_first": int,
    "stream_kind": str,
    "stream_name": str,
    "expected_version": int,
    "commit_id": bytes,
    "time_ms": int,
    "author": str,
    "codec": str,
    "payload_sha256": bytes,
    "digest": bytes,
    "payload": bytes,
}
# Others have options or characters that only SQLAlchemy reads as it does.
PLAIN_URL: Final = re.compile(r"sqlite:///(?!:memory:|file:)([^?%#]+)")


class _UnlikeALogError(Exception):
    """A row is not what a log of ours holds."""


def open_history(url: str, *, clock: Clock) -> History:
    """Open a log that is there, to read it.

    Raises:
        UsageError: the URL cannot be used.
        LogError: the database cannot be reached, or there is no log.
        LogSchemaError: the tables are older or newer than this planner.
        ChainBrokenError: the identity of the log was changed.
    """
    plain = PLAIN_URL.fullmatch(url)
    if plain and Path(plain[1]).is_file():
        try:
            return SqliteHistory(url, Path(plain[1]), clock=clock)
        except (sqlite3.Error, _UnlikeALogError):
            pass
    return _open_log(url, clock)


class SqliteHistory:
    """The history of a log in SQLite; for one thread."""

    def __init__(self, url: str, path: Path, *, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._log: EventLog | None = None
        self._connection = sqlite3.connect(path, isolation_level=None)
        try:
            self.identity = self._read_identity()
        except BaseException:
            self._connection.close()
            raise

    def head(self) -> Head:
        """The end of the log."""
        try:
            position, digest = self._one("SELECT position, digest FROM log_head", (int, bytes))
        except (sqlite3.Error, _UnlikeALogError):
            return self._whole().head()
        return Head(position=position, digest=digest)

    def position_at(self, time_ms: int) -> int:
        """The last position that was appended at or before a time."""
        last = "SELECT coalesce(max(position_last), 0) FROM commits WHERE time_ms <= ?"
        try:
            position: int = self._one(last, (int,), time_ms)[0]
        except (sqlite3.Error, _UnlikeALogError):
            return self._whole().position_at(time_ms)
        return position

    def digest_at(self, position: int) -> bytes:
        """The chain digest of the commit that holds a position."""
        if position == 0:
            return genesis(self.identity)
        holds = "SELECT digest FROM commits WHERE position_last >= ? ORDER BY position_last LIMIT 1"
        try:
            digest: bytes = self._one(holds, (bytes,), position)[0]
        except (sqlite3.Error, _UnlikeALogError):
            return self._whole().digest_at(position)
        return digest

    def read(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        kind: StreamKind | None = None,
        stream: Stream | None = None,
    ) -> Iterator[Commit]:
        """Give the commits that hold a position in (after, until], in order."""
        conditions: list[tuple[str, int | str]] = [("position_last > ?", after)]
        if until is not None:
            # The second condition follows from the first and lets the walk along the key end.
            conditions.append(("position_first <= ?", until))
            conditions.append(("position_last < ?", until + EVENTS_MAX))
        if kind is not None:
            conditions.append(("stream_kind = ?", kind))
        if stream is not None:
            conditions.append(("stream_kind = ?", stream.kind))
            conditions.append(("stream_name = ?", stream.name))
        where = " AND ".join(condition for condition, _ in conditions)
        query = f"SELECT {', '.join(COLUMNS)} FROM commits WHERE {where} ORDER BY position_last"  # noqa: S608 constants
        try:
            with closing(self._connection.execute(query, [value for _, value in conditions])) as it:
                for row in it:
                    commit = _commit_of(row)
                    check_payload(commit)
                    yield commit
                    after = commit.position_last
        except (sqlite3.Error, _UnlikeALogError):
            yield from self._whole().read(after=after, until=until, kind=kind, stream=stream)

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._connection.close()
        if self._log is not None:
            self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read_identity(self) -> LogIdentity:
        (revision,) = self._one("SELECT version_num FROM alembic_version", (str,))
        log_id, salt, noted = self._one(
            "SELECT log_id, salt, genesis FROM log_identity", (bytes, bytes, bytes)
        )
        identity = LogIdentity(log_id=log_id, salt=salt)
        if revision != REVISION or genesis(identity) != noted:
            raise _UnlikeALogError
        return identity

    def _one(self, query: str, types: Sequence[type], *values: int) -> tuple[Any, ...]:
        rows = self._connection.execute(query, values).fetchall()
        if len(rows) != 1:
            raise _UnlikeALogError
        return _checked(rows[0], types)

    def _whole(self) -> EventLog:
        if self._log is None:
            self._log = _open_log(self._url, self._clock)
        return self._log


def _open_log(url: str, clock: Clock) -> EventLog:
    from planner.log.open import open_log  # noqa: PLC0415 imports SQLAlchemy

    return open_log(url, clock=clock, create=False)


def _commit_of(row: Sequence[object]) -> Commit:
    fields: dict[str, Any] = dict(zip(COLUMNS, _checked(row, tuple(COLUMNS.values())), strict=True))
    kind, name = fields.pop("stream_kind"), fields.pop("stream_name")
    try:
        return Commit(**fields, stream=Stream(kind, name))
    except UsageError:
        raise _UnlikeALogError from None


def _checked(row: Sequence[object], types: Sequence[type]) -> tuple[Any, ...]:
    """SQLite stores any type in any column."""
    if not all(map(isinstance, row, types)):
        raise _UnlikeALogError
    return tuple(row)
