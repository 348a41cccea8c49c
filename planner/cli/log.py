"""`planner log`: the event log itself."""

import click
import msgspec

from planner import core
from planner.cli import options
from planner.cli.session import log_at, print_json, progress, stdout
from planner.log.schema import migrate
from planner.loop import observed_rows


@click.group("log", no_args_is_help=False)
def command() -> None:
    """Look at the event log: its end, its chain, its content, its schema."""


@command.command("head")
@options.database
@options.output_format
@options.told
def head(db: str, form: str) -> None:
    """Show the position and the digest of the last commit."""
    with log_at(db) as log:
        at = log.head()
    if form == "json":
        print_json({"position": at.position, "digest": at.digest.hex()})
    else:
        click.echo(f"{at.position} {at.digest.hex()}")


@command.command("verify")
@options.database
@options.output_format
@options.told
def verify(db: str, form: str) -> None:
    """Walk the whole chain. Exit code 6: it is broken, and where."""
    with log_at(db) as log, progress() as told:
        told("reading every commit")
        at = log.verify()
    if form == "json":
        print_json({"holds": True, "position": at.position, "digest": at.digest.hex()})
    else:
        click.echo(f"The chain holds up to position {at.position:,}, digest {at.digest.hex()}.")


@command.command("export")
@options.database
@options.told
def export(db: str) -> None:
    """Print every observation as a line of JSON."""
    with log_at(db) as log:
        for row in observed_rows(log, until=log.head().position):
            stdout().write(msgspec.json.encode(row) + b"\n")


@command.command("migrate")
@options.database
@options.output_format
@options.told
def migrate_log(db: str, form: str) -> None:
    """Bring the schema of the log up to date, data kept."""
    schema = migrate(db)
    if form == "json":
        print_json({"schema": schema, "codec": core.CODEC})
    else:
        click.echo(f"The log has schema {schema}, codec {core.CODEC}.")
