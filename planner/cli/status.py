"""`planner status`: what the fleet looks like, and what is already wrong with it."""

import click
import msgspec

from planner import core
from planner.cli import options
from planner.cli.session import (
    console,
    history_at,
    is_verbose,
    print_json,
    progress,
    snapshots_of,
)
from planner.fold.position import position_at
from planner.fold.project import fleet_at
from planner.show.status import tell_status


@click.command("status")
@options.database
@options.at
@options.output_format
@options.told
def command(db: str, at: str | None, form: str) -> None:
    """Show the fleet: clusters, workloads, pods, budgets, and trouble already there.

    Of each kind of trouble the worst is shown; -v shows all of it.
    """
    with history_at(db) as log, progress() as told:
        told("folding the log")
        fleet = fleet_at(log, until=position_at(log, at), snapshots=snapshots_of(log))
        told("looking for trouble")
        status = core.status(fleet)
    if form == "json":
        print_json(status)
    else:
        tell_status(msgspec.json.decode(status), console(), everything=is_verbose())
