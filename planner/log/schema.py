"""The schema of a log: which one a database has, and the way to the newest."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from planner.errors import LogSchemaError
from planner.log.engine import make_engine, writing
from planner.log.url import describe, parse_url

# Told apart without Alembic, whose import costs more than opening the log.
REVISIONS: Final = ("0001", "0002")
MIGRATIONS: Final = Path(__file__).parent / "migrations"
VERSION_TABLE: Final = "alembic_version"
# Any number will do that other users of the same database are not likely to choose.
MIGRATION_LOCK: Final = 0x706C616E


def migrate(url: str, revision: str = "head") -> str:
    """Bring the tables of a log to a revision (the newest by default) and give its name.

    Commits are kept, upward and downward; migrating below the first revision would lose them
    and is refused unless there are none.

    Raises:
        UsageError: the URL cannot be used.
        LogSchemaError: a newer planner made the tables, or commits would be lost.
    """
    engine = make_engine(parse_url(url))
    try:
        return migrate_engine(engine, revision)
    finally:
        engine.dispose()


def migrate_engine(engine: Engine, revision: str = "head") -> str:
    """Migrate over an engine, in one transaction; others who want the same wait for it."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        current = current_revision(connection)
        _check_known(engine, current)
        _run_alembic(connection, current, revision)
        return current_revision(connection) or "base"


def check_schema(engine: Engine, connection: Connection) -> bool:
    """Say whether there is a log at all; refuse one whose schema is not ours.

    Raises:
        LogSchemaError: the tables are older or newer than this planner.
    """
    current = current_revision(connection)
    if current is None:
        return False
    _check_known(engine, current)
    if current != REVISIONS[-1]:
        raise LogSchemaError(
            f"{describe(engine.url)}: the log has schema {current}, this planner needs "
            f"{REVISIONS[-1]}; run `planner log migrate`"
        )
    return True


def current_revision(connection: Connection) -> str | None:
    """The revision of the tables, None when there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 a constant
    return None if found is None else str(found)


def _check_known(engine: Engine, current: str | None) -> None:
    if current is not None and current not in REVISIONS:
        raise LogSchemaError(
            f"{describe(engine.url)}: the log has schema {current}, which a newer planner made "
            f"(this one knows up to {REVISIONS[-1]}); upgrade the planner"
        )


def _run_alembic(connection: Connection, current: str | None, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 costs more than opening the log
    from alembic.config import Config  # noqa: PLC0415 likewise

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    wanted = REVISIONS[-1] if revision == "head" else revision
    if wanted == "base" or (current is not None and wanted < current):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
