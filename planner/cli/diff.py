"""`planner diff`: what would have to change."""

import sys

import click
import msgspec

from planner import core
from planner.cli import options
from planner.cli.request import read_request
from planner.cli.session import (
    console,
    is_verbose,
    log_at,
    print_json,
    progress,
    snapshots_of,
)
from planner.fold.position import position_at
from planner.loop import canonical_redacted, observe_fleet
from planner.show.diff import tell_diff

EXIT_SOMETHING_TO_DO = 2


@click.command("diff")
@options.request_file
@options.database
@options.at
@options.output_format
@options.told
def command(request_path: str, db: str, at: str | None, form: str) -> None:
    """Show what would have to change, by workload and kind of move, and what cannot be moved.

    Of many workloads the largest are shown; -v shows them all. Exit code 0: nothing to do; 2:
    something to do.
    """
    request = read_request(request_path)
    with log_at(db) as log, progress() as told:
        told("folding the log")
        fleet = observe_fleet(log, position_at(log, at), snapshots_of(log))
        told("comparing every pod")
        changes = core.diff(fleet, canonical_redacted(log, request))
    read = msgspec.json.decode(changes)
    if form == "json":
        print_json(changes)
    else:
        tell_diff(read, console(), everything=is_verbose())
    sys.exit(EXIT_SOMETHING_TO_DO if read["totals"]["differ"] else 0)
