"""Which databases are taken, and that no password is ever shown."""

import socket

import pytest

from planner.errors import LogError, UsageError
from planner.log import LogIdentity
from planner.log.open import open_log
from planner.log.url import describe, parse_url, without_secrets
from planner.model.clock import ManualClock

SECRET = "hunter2"  # noqa: S105 it is what must not be shown


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_means_psycopg(scheme: str) -> None:
    assert parse_url(f"{scheme}://me@db.example.com/planner").drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url",
    [
        "planner.db",
        f"mysql://me:{SECRET}@db.example.com/planner",
        f"postgresql+psycopg2://me:{SECRET}@db.example.com/planner",
        f"postgresql//me:{SECRET}@db.example.com/planner",
        f"postgresql://me:{SECRET}@db.example.com:port/planner",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:planner?mode=memory&uri=true",
    ],
)
def test_url_that_cannot_hold_a_log_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UsageError, match="write sqlite:///planner") as caught:
        parse_url(url)
    assert SECRET not in str(caught.value)
    assert caught.value.exit_code == 64


def test_description_names_the_database_and_nobody() -> None:
    url = parse_url(f"postgresql://me:{SECRET}@db.example.com:5433/planner?sslpassword={SECRET}")
    assert describe(url) == "database planner on db.example.com:5433"


def test_password_is_taken_out_of_a_message_wherever_the_url_had_it() -> None:
    url = parse_url("postgresql://me:first@db.example.com/planner?sslpassword=second")
    assert without_secrets(url, "no first,\n no second") == "no ***, no ***"


def test_refused_password_is_not_shown(postgresql_url: str) -> None:
    url = postgresql_url.replace("open-sesame", SECRET)
    with pytest.raises(LogError, match="password authentication failed") as caught:
        open_log(url, clock=ManualClock(0))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_server_that_does_not_answer_is_named_without_the_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(LogError, match=f"database planner on 127.0.0.1:{port}") as caught:
            open_log(f"postgresql://me:{SECRET}@127.0.0.1:{port}/planner", clock=ManualClock(0))
    assert SECRET not in str(caught.value)


def test_folder_that_is_not_there_is_named_with_the_remedy() -> None:
    with pytest.raises(LogError, match=r"/no/such/planner\.db.*make the folder"):
        open_log("sqlite:////no/such/planner.db", clock=ManualClock(0))


def test_salt_is_not_shown() -> None:
    salt = bytes(range(32))
    assert salt.hex() not in repr(LogIdentity(log_id=bytes(16), salt=salt))
    assert repr(salt) not in repr(LogIdentity(log_id=bytes(16), salt=salt))
