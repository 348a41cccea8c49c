"""Opens a log by its URL: SQLite in a file, or PostgreSQL."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, exists, insert, select

from planner.errors import ChainBrokenError, LogError
from planner.log.chain import genesis
from planner.log.commit import Head
from planner.log.engine import make_engine, reading, writing
from planner.log.identity import LogIdentity
from planner.log.schema import check_schema, migrate_engine
from planner.log.sql import SqlEventLog
from planner.log.tables import commits, log_head, log_identity
from planner.log.url import describe, parse_url
from planner.model.clock import Clock


def open_log(
    url: str,
    *,
    clock: Clock,
    create: bool = True,
    new_identity: Callable[[], LogIdentity] = LogIdentity.random,
) -> SqlEventLog:
    """Open a log; the first use of a database makes it.

    Args:
        url: `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE` (psycopg 3).
        clock: gives the times of commits.
        create: make the log where there is none.
        new_identity: called once, when the log is made.

    Raises:
        UsageError: the URL cannot be used.
        LogError: the database cannot be reached, or there is no log and none is to be made.
        LogSchemaError: the tables are older or newer than this planner.
        ChainBrokenError: the identity of the log was changed.
    """
    parsed = parse_url(url)
    if not create and parsed.get_backend_name() == "sqlite":
        # Connecting would leave an empty file behind.
        _require_file(str(parsed.database))
    engine = make_engine(parsed)
    try:
        identity = _load(engine) or _make(engine, create, new_identity)
    except BaseException:
        engine.dispose()
        raise
    return SqlEventLog(engine, clock=clock, identity=identity)


def _load(engine: Engine) -> LogIdentity | None:
    with reading(engine) as connection:
        return _identity(connection) if check_schema(engine, connection) else None


def _make(engine: Engine, create: bool, new_identity: Callable[[], LogIdentity]) -> LogIdentity:  # noqa: FBT001
    if not create:
        raise LogError(f"{describe(engine.url)} holds no log; import or observe a cluster first")
    migrate_engine(engine)
    with writing(engine) as connection:
        # Another process may have been faster since we looked.
        return _identity(connection, lock=True) or _insert(connection, new_identity())


def _identity(connection: Connection, *, lock: bool = False) -> LogIdentity | None:
    if lock and connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE log_identity IN EXCLUSIVE MODE")
    row = connection.execute(select(log_identity)).one_or_none()
    if row is None:
        if connection.execute(select(exists(select(commits.c.position_last)))).scalar_one():
            raise ChainBrokenError(0, "there are commits, but the log's identity is gone")
        return None
    identity = LogIdentity(log_id=row.log_id, salt=row.salt)
    if genesis(identity) != row.genesis:
        raise ChainBrokenError(0, "the log's id or salt was changed")
    return identity


def _insert(connection: Connection, identity: LogIdentity) -> LogIdentity:
    head = Head(position=0, digest=genesis(identity))
    connection.execute(
        insert(log_identity).values(
            singleton=1, log_id=identity.log_id, salt=identity.salt, genesis=head.digest
        )
    )
    connection.execute(
        insert(log_head).values(singleton=1, position=head.position, digest=head.digest, time_ms=0)
    )
    return identity


def _require_file(path: str) -> None:
    if not Path(path).is_file():
        raise LogError(f"{path}: no such log; import or observe a cluster first")
