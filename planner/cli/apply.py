"""`planner apply`: a plan on live clusters, wave by wave."""

import getpass
from pathlib import Path
from typing import Any, Final

import click
import yaml

from planner import core
from planner.apply.beginning import run_ids
from planner.apply.journal import Journal
from planner.apply.preflight import executor_role
from planner.cli import options
from planner.cli.carrying import Asked, leave, run_options, world
from planner.cli.request import read_request
from planner.cli.session import log_at
from planner.errors import UsageError
from planner.log import EventLog
from planner.model.progress import Tried
from planner.runs import (
    World,
    begin_run,
    carry_out,
    find_run,
    load_plan,
    manifests_of,
    try_out,
)

ROLE_NAME: Final = "planner-executor"


@click.command("apply")
@click.argument("plan", required=False)
@options.clusters
@click.option(
    "-f",
    "--file",
    "request_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="REQUEST",
    help="The request of the plan, when it brings whole manifests: the log keeps no secrets.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check rights and let the servers try every write, and do nothing else.",
)
@click.option(
    "--role",
    is_flag=True,
    help="Print the ClusterRole that an executor needs besides that of an observer.",
)
@run_options
@options.database
@options.output_format
@options.told
def command(
    plan: str | None,
    *,
    request_path: Path | None,
    dry_run: bool,
    role: bool,
    **rest: Any,  # noqa: ANN401 the options of `carrying`
) -> None:
    """Carry PLAN out on live clusters, wave by wave, or go on with a run.

    PLAN is a plan (a file or an id of the log), or the id of a run that is not over. Everything
    that is done is appended to the log first, so that a run that was killed goes on where it was.
    The clusters are observed meanwhile. Exit codes: 0 done, 5 stopped by a gate, by failures, by
    drift or by a refusal, aborted, or incomplete: planned pods stay behind (the log says which).
    """
    if role:
        click.echo(yaml.safe_dump(executor_role(ROLE_NAME), sort_keys=False), nl=False)
        return
    if plan is None:
        raise UsageError("which plan? give its file or its id, or the id of a run")
    asked = Asked(**rest)
    with log_at(asked.db) as log:
        request = read_request(str(request_path)) if request_path else None
        made = load_plan(log, _plan_of(log, plan))
        manifests = manifests_of(log, made, request)
        with world(asked, log, manifests) as (outside, progress):
            if dry_run:
                refused = try_out(log, made, outside, asked.policy)
                progress.tell(Tried(plan=plan, refused_for_now=refused))
                return
            journal = _journal(log, plan, made, asked, outside)
            progress.begin(journal.run_id, journal.run)
            ending = carry_out(log, journal, outside, waits_at_gates=asked.waits_at_gates)
        leave(log, ending, journal, progress)


def _plan_of(log: EventLog, reference: str) -> str:
    """The plan that is named, or that of the run that is."""
    return find_run(log, reference).run.plan if reference in run_ids(log) else reference


def _journal(
    log: EventLog, reference: str, made: core.Plan, asked: Asked, outside: World
) -> Journal:
    """The run that is named, or that of the plan that is."""
    if reference in run_ids(log):
        return find_run(log, reference)
    return begin_run(log, made, asked.policy, getpass.getuser(), outside)
