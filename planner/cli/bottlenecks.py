"""`planner bottlenecks`: what one unit more of each limit would save."""

import click

from planner.cli import options
from planner.cli.pace import paced
from planner.cli.session import (
    console,
    is_verbose,
    log_at,
    print_json,
    progress,
    snapshots_of,
)
from planner.errors import UsageError
from planner.loop import load_plan, observe_fleet, position_of
from planner.questions import find_bottlenecks, is_of_this_version
from planner.show.bottlenecks import tell_bottlenecks

TRIES = 100


@click.command("bottlenecks")
@click.argument("plan")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=TRIES,
    show_default=True,
    metavar="N",
    help="How many units are tried at most, those that hold up most first.",
)
@options.database
@options.output_format
@options.told
def command(plan: str, limit: int, db: str, form: str) -> None:
    """Say what ONE unit more of each budget, dependency, stage or sequence would save PLAN.

    A unit is one pod more at once, one pod fewer to wait for, a minute less of soak, a stage that
    is one move larger, a sequence less. Nothing is estimated: the plan's problem is solved again
    with each unit that alone holds something up in the plan; the others would let no move go
    earlier, and are named with why.
    """
    with log_at(db) as log, progress() as told:
        told("reading the plan")
        loaded = load_plan(lambda: log, plan)
        position = position_of(log, loaded)
        if not is_of_this_version(loaded):
            raise UsageError(
                f"plan {loaded.id} was made by another version; make it again with "
                f"`planner whatif {plan} -o FILE`"
            )
        told("folding the log")
        fleet = observe_fleet(log, position, snapshots_of(log))
        told("solving")
        found = find_bottlenecks(
            log,
            fleet,
            loaded,
            limit=limit,
            progress=paced(told, "solving with one unit more"),
        )
    if form == "json":
        print_json(found)
    else:
        tell_bottlenecks(found, console(), everything=is_verbose())
