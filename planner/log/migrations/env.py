"""Runs migrations over the connection that the log gives, or for the `alembic` command.

The command takes the database from `-x db=URL`, from PLANNER_DB or from alembic.ini.
"""

import os

from alembic import context
from sqlalchemy import Connection

from planner.log.engine import make_engine, writing
from planner.log.tables import metadata
from planner.log.url import parse_url


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _url() -> str:
    named = context.get_x_argument(as_dictionary=True).get("db") or os.environ.get("PLANNER_DB")
    return named or context.config.get_main_option("sqlalchemy.url", "")


def _run_command() -> None:
    engine = make_engine(parse_url(_url()))
    try:
        with writing(engine) as connection:
            _run(connection)
    finally:
        engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    _run_command()
else:
    _run(given)
