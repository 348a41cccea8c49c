"""`planner lint`: what of a request does nothing, or blocks too much."""

import sys

import click

from planner.cli import options
from planner.cli.request import read_request
from planner.cli.session import console, is_verbose, log_at, print_json, progress, snapshots_of
from planner.fold.position import position_at
from planner.loop import observe_fleet
from planner.questions import lint_request
from planner.show.lint import tell_lint

EXIT_FOUND = 2


@click.command("lint")
@options.request_file
@options.database
@options.at
@options.output_format
@options.told
def command(request_path: str, db: str, at: str | None, form: str) -> None:
    """Show what of a request does nothing in this fleet, or blocks what it may not mean to block.

    Percentages that round to nothing, budgets that never bind because others are always as tight,
    dependencies that follow from others or whose workloads do not move, stages that hold nothing,
    selectors and names that match nothing; each with the remedy. Of many that say the same some are
    named, with -v all. Exit code 0: nothing was found; 2: something was.
    """
    request = read_request(request_path)
    with log_at(db) as log, progress() as told:
        told("folding the log")
        fleet = observe_fleet(log, position_at(log, at), snapshots_of(log))
        told("looking at the request")
        lint = lint_request(log, fleet, request)
    if form == "json":
        print_json(lint)
    else:
        tell_lint(lint, console(), everything=is_verbose())
    sys.exit(EXIT_FOUND if lint.findings else 0)
