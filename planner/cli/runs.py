"""`planner runs`: which runs the log has, and how far each is."""

import click

from planner.cli import options
from planner.cli.session import console, is_verbose, log_at, print_json
from planner.runs import list_runs
from planner.show.run import tell_runs


@click.command("runs")
@options.database
@options.output_format
@options.told
def command(db: str, form: str) -> None:
    """List the runs of the log: the plan of each, how far it is, and what it waits for.

    With -v also the workloads that a run left held.
    """
    with log_at(db) as log:
        runs = list_runs(log)
    if form == "json":
        print_json(runs)
    else:
        tell_runs(runs.runs, console(), everything=is_verbose())
