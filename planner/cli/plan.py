"""`planner plan`: make a plan and keep it."""

import os
import sys
from pathlib import Path

import click

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
from planner.errors import UsageError
from planner.fold.position import position_at
from planner.loop import make_plan, observe_fleet
from planner.plan.effort import STARTS, Effort
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
    "--strict",
    is_flag=True,
    help="No plan at all when a pod that differs cannot move, but for those that the request "
    "leaves out.",
)
@click.option(
    "--effort",
    type=click.Choice(list(STARTS)),
    help="How hard a short plan is looked for, `balanced` by default. More never gives a worse "
    "plan.",
)
@click.option(
    "--time-limit",
    "limit_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Instead of an effort: look for a shorter plan while there is time.",
)
@options.database
@options.at
@options.output_format
@options.told
def command(
    request_path: str,
    output: Path | None,
    db: str,
    at: str | None,
    form: str,
    *,
    strict: bool,
    effort: Effort | None,
    limit_s: float | None,
) -> None:
    """Plan an upgrade: every move of every wave, a proof of how good it is, what cannot move.

    Exit code 0: nothing to do; 2: a plan was made; 3: no plan exists: of the pods that differ
    none can move, and the rules that conflict are named.
    """
    if effort and limit_s:
        raise UsageError("--effort and --time-limit say the same: give one of them")
    request = read_request(request_path)
    if output:
        check_folder(output)
    with log_at(db) as log, progress() as told:
        told("folding the log")
        fleet = observe_fleet(log, position_at(log, at), snapshots_of(log))
        told("planning")
        plan = make_plan(log, fleet, request, strict=strict, effort=limit_s or effort or "balanced")
    if output:
        write_whole(output, plan)
    if form == "json":
        print_json(plan.header())
    else:
        tell_plan(plan.header(), console(), everything=is_verbose())
        if output:
            click.echo(f"written to {output}")
    sys.exit(EXIT_PLAN_MADE if len(plan) else 0)


def check_folder(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is planned and kept.

    Raises:
        UsageError: its folder is not there, or cannot be written to.
    """
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}; make it, or choose another")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path}: the folder {path.parent} cannot be written to; choose another")


def write_whole(path: Path, plan: core.Plan) -> None:
    """Write a plan so that a file of that name is never half a plan."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(plan.to_bytes())
    partial.replace(path)
