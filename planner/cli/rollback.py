"""`planner rollback`: the way back from a run."""

import getpass
from typing import Any

import click

from planner.cli import options
from planner.cli.carrying import Asked, leave, run_options, world
from planner.cli.session import log_at
from planner.runs import begin_run, carry_out, find_run, plan_back


@click.command("rollback")
@click.argument("run", required=False)
@options.clusters
@click.option(
    "--plan-only", is_flag=True, help="Make the plan of the way back, and do not carry it out."
)
@run_options
@options.database
@options.output_format
@options.told
def command(
    run: str | None,
    *,
    plan_only: bool,
    **rest: Any,  # noqa: ANN401 the options of `carrying`
) -> None:
    """Bring back what was there before RUN, by a plan under the same budgets.

    Without RUN: the one that is not over; it is aborted first. Workloads that wait for each other
    go back in the opposite order.
    """
    asked = Asked(**rest)
    with log_at(asked.db) as log:
        journal = find_run(log, run)
        with world(asked, log, {}) as (outside, progress):
            plan = plan_back(log, journal, outside, getpass.getuser())
            if plan_only:
                click.echo(f"Plan {plan.id} leads back from run {journal.run_id}")
                return
            back = begin_run(log, plan, asked.policy, getpass.getuser(), outside)
            progress.begin(back.run_id, back.run)
            ending = carry_out(log, back, outside, waits_at_gates=asked.waits_at_gates)
        leave(log, ending, back, progress)
