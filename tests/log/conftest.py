"""One contract, three places to keep a log: memory, SQLite in a file, a real PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import column, delete, table, update

from planner.log import EventLog, LogIdentity, Stream
from planner.log.engine import make_engine, writing
from planner.log.memory import MemoryEventLog
from planner.log.open import open_log
from planner.log.rows import row_of
from planner.log.url import parse_url
from planner.model.clock import ManualClock

PLACES = ["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
COMMITS = table("commits", column("position_first"))


@pytest.fixture
def identity() -> LogIdentity:
    return LogIdentity(log_id=bytes(16), salt=bytes(range(32)))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(time_ms=1_700_000_000_000)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=PLACES[1:])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: SQLite, then PostgreSQL."""
    return _database_url(str(request.param), request, tmp_path)


@pytest.fixture
def open_again(
    place: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    clock: ManualClock,
    identity: LogIdentity,
) -> Iterator[Callable[[], EventLog]]:
    """Open one and the same log, with connections of its own each time."""
    with ExitStack() as opened:
        if place == "memory":
            log = MemoryEventLog(clock=clock, identity=identity)
            yield lambda: log
            return
        url = _database_url(place, request, tmp_path)
        yield lambda: opened.enter_context(
            open_log(url, clock=clock, new_identity=lambda: identity)
        )


@pytest.fixture
def log(open_again: Callable[[], EventLog]) -> EventLog:
    return open_again()


@pytest.fixture
def change(log: EventLog) -> Callable[[int, str, object], None]:
    """Change a column of the commit that begins at a position, behind the log's back."""

    def change_in_memory(position: int, name: str, value: object) -> None:
        assert isinstance(log, MemoryEventLog)
        index = log._index(position)
        commit = log._commits[index]
        row: dict[str, Any] = {**row_of(commit), name: value}
        stream = Stream(row.pop("stream_kind"), row.pop("stream_name"))
        log._commits[index] = replace(commit, **row, stream=stream)

    def change_in_database(position: int, name: str, value: object) -> None:
        commit = update(table("commits", column("position_first"), column(name)))
        _execute(log, commit.where(column("position_first") == position).values({name: value}))

    return change_in_memory if isinstance(log, MemoryEventLog) else change_in_database


@pytest.fixture
def cut(log: EventLog) -> Callable[[int], None]:
    """Take out the commit that begins at a position, behind the log's back."""

    def cut_in_memory(position: int) -> None:
        assert isinstance(log, MemoryEventLog)
        del log._commits[log._index(position)]

    def cut_in_database(position: int) -> None:
        _execute(log, delete(COMMITS).where(COMMITS.c.position_first == position))

    return cut_in_memory if isinstance(log, MemoryEventLog) else cut_in_database


@pytest.fixture
def fresh_log(
    place: str, request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> Callable[[], EventLog]:
    """Make an empty log each time; whoever asks closes it."""
    numbers = count(1)

    def make() -> EventLog:
        if place == "memory":
            return MemoryEventLog(clock=clock, identity=LogIdentity.random())
        if place == "sqlite":
            return open_log(f"sqlite:///{tmp_path}/{next(numbers)}.db", clock=clock)
        server = request.getfixturevalue("postgresql_url")
        name = f"{server.rpartition('/')[2]}_{next(numbers)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return open_log(f"{server.rpartition('/')[0]}/{name}", clock=clock)

    return make


def _database_url(place: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if place == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{folder}/planner.db"


def _execute(log: EventLog, statement: Any) -> None:  # noqa: ANN401 any statement of SQLAlchemy
    engine = make_engine(parse_url(log._engine.url.render_as_string(hide_password=False)))  # type: ignore[attr-defined]
    with writing(engine) as connection:
        connection.execute(statement)
    engine.dispose()
