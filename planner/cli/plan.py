"""`planner plan`: make a plan and keep it."""

import sys
from pathlib import Path

import click
import msgspec

from planner import core
from planner.cli import options
from planner.cli.request import read_request
from planner.cli.session import console, log_at, print_json, progress, snapshots_of
from planner.loop import make_plan, observe_fleet, position_at
from planner.show.plan import tell_plan

EXIT_PLAN_MADE = 2


@click.command("plan")
@options.request_file
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the plan to a file (Arrow IPC, readable by polars, pyarrow and DuckDB).",
)
@click.option(
    "--strict", is_flag=True, help="No plan at all when a single pod that differs cannot move."
)
@options.database
@options.at
@options.output_format
@options.quiet
def command(
    request_path: str,
    output: Path | None,
    db: str,
    at: str | None,
    form: str,
    *,
    strict: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Plan an upgrade: every move of every wave, a proof of how good it is, what cannot move.

    Exit code 0: nothing to do; 2: a plan was made; 3: no plan exists.
    """
    request = read_request(request_path)
    with log_at(db) as log, progress(quiet=quiet) as told:
        told("folding the log")
        fleet = observe_fleet(log, position_at(log, at), snapshots_of(log))
        told("planning")
        plan = make_plan(log, fleet, request, strict=strict)
    if output:
        write_whole(output, plan)
    if form == "json":
        print_json(plan.header())
    else:
        tell_plan(msgspec.json.decode(plan.header()), console(), everything=verbose)
        if output:
            click.echo(f"written to {output}")
    sys.exit(EXIT_PLAN_MADE if len(plan) else 0)


def write_whole(path: Path, plan: core.Plan) -> None:
    """Write a plan so that a file of that name is never half a plan."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(plan.to_bytes())
    partial.replace(path)
