"""Logs of older and newer planners; migrations up and down, with data."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from planner.errors import ChainBrokenError, LogError, LogSchemaError
from planner.log import Commit, NewCommit, Stream
from planner.log.engine import make_engine, writing
from planner.log.open import open_log
from planner.log.schema import MIGRATIONS, REVISIONS, migrate
from planner.log.url import parse_url
from planner.model.clock import ManualClock

HANGZHOU = Stream("cluster", "hangzhou")


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = make_engine(parse_url(url))
    with writing(engine) as connection:
        yield connection
    engine.dispose()


def execute(url: str, statement: str) -> None:
    with connected(url) as connection:
        connection.execute(text(statement))


def fill(url: str, payload: bytes = b"payload") -> list[Commit]:
    """Append a commit and give all that the log holds."""
    with open_log(url, clock=ManualClock(7)) as log:
        batch = NewCommit(codec="observations/1", payload=payload, events=2, author="us")
        log.append(HANGZHOU, [batch], expected_version=None)
        return list(log.read())


def read(url: str) -> list[Commit]:
    with open_log(url, clock=ManualClock(7), create=False) as log:
        log.verify()
        return list(log.read())


def config(connection: Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["connection"] = connection
    return made


def test_first_use_makes_the_log_and_the_second_finds_it(database_url: str) -> None:
    with open_log(database_url, clock=ManualClock(0)) as log:
        identity = log.identity
    assert len(identity.salt) == 32
    with open_log(database_url, clock=ManualClock(0), create=False) as log:
        assert log.identity == identity


def test_log_that_is_not_there_is_not_made_for_a_reader(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="import or observe a cluster first"):
        open_log(database_url, clock=ManualClock(0), create=False)
    assert list(tmp_path.iterdir()) == []


def test_tables_are_what_the_migrations_make(database_url: str) -> None:
    migrate(database_url)
    with connected(database_url) as connection:
        command.check(config(connection))


def test_newest_revision_is_the_one_that_the_planner_asks_for() -> None:
    script = ScriptDirectory.from_config(config())
    assert tuple(each.revision for each in script.walk_revisions())[::-1] == REVISIONS


def test_migrations_down_and_up_keep_every_commit(database_url: str) -> None:
    fill(database_url)
    commits = fill(database_url, b"second")
    assert migrate(database_url, "0001") == "0001"
    assert migrate(database_url) == "0002"
    assert read(database_url) == commits
    assert len(fill(database_url, b"third")) == 3


def test_migrations_down_and_up_keep_an_empty_log(database_url: str) -> None:
    with open_log(database_url, clock=ManualClock(0)) as log:
        head = log.head()
    migrate(database_url, "0001")
    migrate(database_url)
    with open_log(database_url, clock=ManualClock(0)) as log:
        assert log.verify() == head


def test_empty_tables_migrate_down_to_nothing_and_up_again(database_url: str) -> None:
    migrate(database_url)
    assert migrate(database_url, "base") == "base"
    assert len(fill(database_url)) == 1


def test_migration_that_would_lose_commits_is_refused_as_a_whole(database_url: str) -> None:
    commits = fill(database_url)
    with pytest.raises(LogSchemaError, match="the log holds 1 commits, which would be lost"):
        migrate(database_url, "base")
    assert read(database_url) == commits


def test_migrating_the_newest_schema_changes_nothing(database_url: str) -> None:
    commits = fill(database_url)
    assert migrate(database_url) == "0002"
    assert read(database_url) == commits


def test_older_schema_is_refused_with_the_remedy(database_url: str) -> None:
    fill(database_url)
    migrate(database_url, "0001")
    with pytest.raises(LogSchemaError, match=r"schema 0001.*run `planner log migrate`"):
        open_log(database_url, clock=ManualClock(0))


def test_newer_schema_is_refused_with_the_remedy(database_url: str) -> None:
    fill(database_url)
    execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LogSchemaError, match=r"schema 9999.*upgrade the planner"):
        open_log(database_url, clock=ManualClock(0))
    with pytest.raises(LogSchemaError, match="upgrade the planner"):
        migrate(database_url)


@pytest.mark.parametrize("column", ["salt", "log_id", "genesis"])
def test_change_of_the_identity_is_found_when_the_log_is_opened(
    database_url: str, column: str
) -> None:
    fill(database_url)
    execute(database_url, f"UPDATE log_identity SET {column} = commit_id FROM commits")  # noqa: S608 a fixed name
    with pytest.raises(ChainBrokenError) as caught:
        open_log(database_url, clock=ManualClock(0))
    assert caught.value.position == 0


def test_identity_that_is_gone_is_not_replaced(database_url: str) -> None:
    fill(database_url)
    execute(database_url, "DELETE FROM log_identity")
    with pytest.raises(ChainBrokenError, match="the log's identity is gone"):
        open_log(database_url, clock=ManualClock(0))


def test_end_that_is_noted_wrongly_is_found(database_url: str) -> None:
    fill(database_url)
    execute(database_url, "UPDATE log_head SET digest = commit_id FROM commits")
    with (
        open_log(database_url, clock=ManualClock(0)) as log,
        pytest.raises(ChainBrokenError, match="position 2: the end of the log"),
    ):
        log.verify()
