"""`planner plan-diff`: what became different from one plan to another."""

import sys

import click

from planner.cli import options
from planner.cli.session import console, is_verbose, log_at, print_json, progress
from planner.loop import load_plan
from planner.questions import compare_plans
from planner.show.plan_diff import tell_plan_diff

EXIT_DIFFERENT = 2


@click.command("plan-diff")
@click.argument("before")
@click.argument("after")
@options.database
@options.output_format
@options.told
def command(before: str, after: str, db: str, form: str) -> None:
    """Show what became different from plan BEFORE to plan AFTER, each a file or an id in the log.

    Waves and time; by workload the moves that came, went, or are in another wave, with what holds
    them there now and held them before; budgets, dependencies and pods that cannot be moved. Of
    many workloads those with the most changes are shown; -v shows them all. Exit code 0: the plans
    are the same; 2: they differ.
    """
    with progress(brief=True) as told:
        told("reading the plans")
        one, other = (load_plan(lambda: log_at(db), each) for each in (before, after))
        told("comparing every move")
        diff = compare_plans(one, other)
    if form == "json":
        print_json(diff)
    else:
        tell_plan_diff(diff, console(), everything=is_verbose())
    sys.exit(0 if diff.same else EXIT_DIFFERENT)
