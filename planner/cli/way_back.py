"""`planner way-back`: how long the way back would take."""

import sys

import click

from planner.cli import options
from planner.cli.session import (
    console,
    is_verbose,
    log_at,
    print_json,
    progress,
    snapshots_of,
)
from planner.forecast import way_back
from planner.loop import fleet_of, load_plan
from planner.show.way_back import tell_way_back

EXIT_STAYS = 2


@click.command("way-back")
@click.argument("plan")
@click.option(
    "--wave",
    "waves",
    type=click.IntRange(min=0),
    multiple=True,
    metavar="K",
    help="After which wave; by default after each stage, in the middle and at the end. "
    "May be repeated.",
)
@options.database
@options.output_format
@options.told
def command(plan: str, waves: tuple[int, ...], db: str, form: str) -> None:
    """Say how long it takes to go back when PLAN is given up after some of its waves.

    Until then its moves are supposed to be made and their pods to serve. Back they go as `planner
    rollback` plans it: under the same budgets, dependencies turned round, without stages, windows
    and freezes. Nothing is kept. Exit code 0: everything can go back; 2: something would stay.
    """
    with log_at(db) as log, progress() as told:
        told("reading the plan")
        loaded = load_plan(lambda: log, plan)
        told("folding the log")
        fleet = fleet_of(log, loaded, snapshots_of(log))
        found = way_back(log, fleet, loaded, waves=waves, tell=told)
    if form == "json":
        print_json(found)
    else:
        tell_way_back(found, console(), everything=is_verbose())
    stays = any(each.stays or each.reason for each in found.after)
    sys.exit(EXIT_STAYS if stays else 0)
