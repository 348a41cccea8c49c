"""What is SQLite's own: safe settings, and bits that flip in the file."""

from pathlib import Path

import pytest
from sqlalchemy import text

from planner.errors import ChainBrokenError
from planner.log import NewCommit, Stream
from planner.log.engine import make_engine, reading, writing
from planner.log.open import open_log
from planner.log.url import parse_url
from planner.model.clock import ManualClock

PAYLOAD = b"a payload that is found in the file " * 10
AUTHOR = "the one who appended"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Path of a log of three commits, closed."""
    path = tmp_path / "planner.db"
    with open_log(f"sqlite:///{path}", clock=ManualClock(0)) as log:
        for number in range(3):
            batch = NewCommit(
                codec="observations/1",
                payload=PAYLOAD + b"%d" % number,
                events=10,
                author=f"{AUTHOR} {number}",
            )
            log.append(Stream("cluster", "hangzhou"), [batch], expected_version=10 * number)
    return path


def flip(path: Path, found: bytes, bit: int) -> None:
    """Flip a bit of the first byte of what is found once in a file."""
    content = bytearray(path.read_bytes())
    assert content.count(found) == 1
    content[content.index(found)] ^= 1 << bit
    path.write_bytes(content)


def broken_position(path: Path) -> int:
    with (
        pytest.raises(ChainBrokenError) as caught,
        open_log(f"sqlite:///{path}", clock=ManualClock(0)) as log,
    ):
        log.verify()
    return caught.value.position


@pytest.mark.parametrize("bit", range(8))
@pytest.mark.parametrize("found", [PAYLOAD + b"1", f"{AUTHOR} 1".encode()])
def test_bit_that_flips_in_the_file_is_found(path: Path, found: bytes, bit: int) -> None:
    flip(path, found, bit)
    assert broken_position(path) == 11


def test_value_of_another_type_is_found(path: Path) -> None:
    engine = make_engine(parse_url(f"sqlite:///{path}"))
    with writing(engine) as connection:
        connection.execute(text("UPDATE commits SET payload = 'text' WHERE position_first = 11"))
    engine.dispose()
    assert broken_position(path) == 11


def test_file_that_is_cut_short_is_a_broken_chain(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with (
        pytest.raises(ChainBrokenError, match="damaged"),
        open_log(f"sqlite:///{path}", clock=ManualClock(0)) as log,
    ):
        log.verify()


def test_file_of_something_else_is_a_broken_chain(tmp_path: Path) -> None:
    path = tmp_path / "planner.db"
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(ChainBrokenError, match="file is not a database"):
        open_log(f"sqlite:///{path}", clock=ManualClock(0))


def test_connections_have_the_safe_settings(path: Path) -> None:
    engine = make_engine(parse_url(f"sqlite:///{path}"))
    names = ["journal_mode", "synchronous", "foreign_keys", "busy_timeout"]
    with reading(engine) as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in names]
    engine.dispose()
    assert found == ["wal", 2, 1, 60_000]


def test_transaction_that_fails_takes_its_tables_back(path: Path) -> None:
    engine = make_engine(parse_url(f"sqlite:///{path}"))

    def make_table_and_fail() -> None:
        with writing(engine) as connection:
            connection.execute(text("CREATE TABLE half (done INTEGER)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_table_and_fail()
    with reading(engine) as connection:
        tables = connection.scalars(text("SELECT name FROM sqlite_master")).all()
    engine.dispose()
    assert "half" not in tables
