"""Connections to SQLite and PostgreSQL that keep what an append-only log promises.

SQLite: `journal_mode=WAL` (readers never wait for a writer), `synchronous=FULL` (a commit is on the
disk when `append` returns), `foreign_keys=ON`, `busy_timeout` 60 s. The driver's own transaction
control begins transactions late and not at all for reads, so it is switched off and every
transaction begins with a statement of ours: IMMEDIATE for writers, so that what a writer reads
cannot change before it writes.

PostgreSQL: READ COMMITTED, stated because a database may default to another level: a writer that
has waited for the lock must see what the one before it committed. Durability is the server's.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from planner.errors import ChainBrokenError, LogError, UsageError
from planner.log.url import describe, without_secrets

WAIT_S: Final = 60
SQLITE_DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")
POSTGRESQL_DAMAGED: Final = ("XX001", "XX002")


def make_engine(url: URL) -> Engine:
    """Make an engine for a URL of `parse_url`; nothing is connected yet.

    Raises:
        UsageError: the driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, hide_parameters=True)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(url, hide_parameters=True, isolation_level="READ COMMITTED")
    except ModuleNotFoundError:
        raise UsageError(
            "PostgreSQL needs its driver; pip install 'fleet-upgrade-planner[postgresql]'"
        ) from None


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Run one transaction that may write; writers of SQLite wait here for their turn."""
    with translated(engine), engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_S}s'"))
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Run one transaction that sees one state of the database and does not write."""
    with translated(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn what a driver raises into errors of the planner.

    Raises:
        ChainBrokenError: the database itself is damaged.
        LogError: it cannot be reached, is locked for too long, is full and so on.
    """
    try:
        yield
    except DBAPIError as error:
        reason = without_secrets(engine.url, str(error.orig))
        place = describe(engine.url)
        if is_damaged(error):
            raise ChainBrokenError(0, f"{place} is damaged: {reason}") from None
        raise LogError(f"{place}: {reason}; {_remedy(error.orig)}") from None


def is_damaged(error: DBAPIError) -> bool:
    """Say whether an error means that the database cannot be read any more where it was written."""
    if isinstance(error.orig, sqlite3.Error):
        # Errors of the Python driver itself carry no name of SQLite's.
        return getattr(error.orig, "sqlite_errorname", "").startswith(SQLITE_DAMAGED)
    return getattr(error.orig, "sqlstate", None) in POSTGRESQL_DAMAGED


def _remedy(error: BaseException | None) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_BUSY") or getattr(error, "sqlstate", "") == "55P03":
        return f"another writer held the log for more than {WAIT_S} s, run the command again"
    if name.startswith("SQLITE_CANTOPEN"):
        return "make the folder, or choose another file with --db"
    return "check that --db names the right database and that it can be written"


def _set_up_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    raw: Any = connection
    raw.isolation_level = None
    # A text with flipped bits must be found by its digest, not stop the walk to it.
    raw.text_factory = _decoded
    for pragma in (
        f"busy_timeout = {WAIT_S * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        raw.execute(f"PRAGMA {pragma}")


def _decoded(text_bytes: bytes) -> str:
    return text_bytes.decode("utf-8", "surrogateescape")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
