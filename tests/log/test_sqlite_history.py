"""A log in SQLite answers the same whether SQLAlchemy reads it or not."""

import sqlite3
from collections.abc import Callable
from operator import methodcaller
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import PlannerError
from planner.log import History, NewCommit, Stream
from planner.log.open import open_log
from planner.log.schema import REVISIONS
from planner.log.sqlite import COLUMNS, REVISION, SqliteHistory, open_history
from planner.log.tables import commits
from planner.model.clock import ManualClock

STREAMS = [Stream("cluster", "hangzhou"), Stream("cluster", "shanghai"), Stream("plan", "9f86")]
CLOCK = ManualClock(0)
Opened = Callable[[], History]
BAD_AUTHOR = "UPDATE commits SET author = CAST(x'ff' AS TEXT) WHERE position_first = 4"
APPENDS = st.lists(st.tuples(st.sampled_from(STREAMS), st.integers(1, 5), st.integers(0, 3)))


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def filled(path: Path, appends: list[tuple[Stream, int, int]]) -> Path:
    """Make a log: of each commit its stream, how many events, milliseconds after the last."""
    clock = ManualClock(1000)
    with open_log(url_of(path), clock=clock) as log:
        for stream, events, step_ms in appends:
            clock.advance(step_ms)
            commit = NewCommit(codec="observations/1", payload=b"p", events=events, author="us")
            log.append(stream, [commit], expected_version=None)
    return path


def reading_after(position: int) -> Callable[[History], object]:
    return lambda log: list(log.read(after=position, until=position + 2))


def answers(opened: Opened) -> list[object]:
    """Everything that a log answers, or what it says instead."""
    said: list[object] = []

    def ask(question: Callable[[History], object]) -> None:
        try:
            with opened() as log:
                said.append(question(log))
        except PlannerError as error:
            said.append((type(error), str(error)))

    ask(lambda log: (log.identity, log.head()))
    for position in range(8):
        ask(methodcaller("digest_at", position))
        ask(methodcaller("position_at", 1000 + position))
        ask(reading_after(position))
    ask(lambda log: list(log.read()))
    ask(lambda log: list(log.read(kind="cluster")))
    ask(lambda log: list(log.read(stream=STREAMS[1])))
    return said


def both(path: Path) -> tuple[list[object], list[object]]:
    history = answers(lambda: open_history(url_of(path), clock=CLOCK))
    return history, answers(lambda: open_log(url_of(path), clock=CLOCK, create=False))


@settings(max_examples=15, deadline=None)
@given(appends=APPENDS)
def test_history_answers_as_the_log_does(
    appends: list[tuple[Stream, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = filled(tmp_path_factory.mktemp("log") / "planner.db", appends)
    with open_history(url_of(path), clock=CLOCK) as history:
        assert isinstance(history, SqliteHistory)
    read, expected = both(path)
    assert read == expected


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE commits SET payload = x'00' WHERE position_first = 4",
        "UPDATE commits SET payload = 'text' WHERE position_first = 4",
        BAD_AUTHOR,
        "UPDATE commits SET stream_name = '' WHERE position_first = 4",
        "UPDATE commits SET digest = 7 WHERE position_first = 4",
        "UPDATE commits SET time_ms = 'late' WHERE position_first = 4",
        "DELETE FROM commits",
        "DELETE FROM log_head",
        "UPDATE log_identity SET salt = x'00'",
        "DELETE FROM log_identity",
        "UPDATE alembic_version SET version_num = '0001'",
        "UPDATE alembic_version SET version_num = '9999'",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
        "DROP TABLE commits",
    ],
)
def test_history_says_of_what_was_changed_what_the_log_says(change: str, tmp_path: Path) -> None:
    path = filled(tmp_path / "planner.db", [(each, 3, 1) for each in STREAMS])
    connection = sqlite3.connect(path)
    connection.execute(change)
    connection.commit()
    connection.close()
    read, expected = both(path)
    assert read == expected


@pytest.mark.parametrize("damaged", [b"", b"no database", None])
def test_history_says_of_what_is_no_log_what_the_log_says(
    damaged: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "planner.db"
    if damaged is not None:
        path.write_bytes(damaged)
    read, expected = both(path)
    assert read == expected
    assert damaged is not None or not path.exists()


def test_history_that_is_damaged_on_the_way_gives_each_commit_once(tmp_path: Path) -> None:
    path = filled(tmp_path / "planner.db", [(STREAMS[0], 3, 1)] * 3)
    with sqlite3.connect(path) as connection:
        connection.execute(BAD_AUTHOR)
    connection.close()
    with open_history(url_of(path), clock=CLOCK) as history:
        assert [commit.position_last for commit in history.read()] == [3, 6, 9]


def test_url_that_only_sqlalchemy_reads_is_left_to_it(tmp_path: Path) -> None:
    path = filled(tmp_path / "planner.db", [(STREAMS[0], 1, 1)])
    filled(tmp_path / "other.db", []).rename(tmp_path / "planner.db?timeout=5")
    for url in (f"sqlite+pysqlite:///{path}", f"sqlite:///{path}?timeout=5"):
        with open_history(url, clock=CLOCK) as log:
            assert log.head().position == 1


def test_history_knows_the_tables_as_they_are() -> None:
    assert REVISIONS[-1] == REVISION
    assert {each.name: each.type.python_type for each in commits.c} == COLUMNS
