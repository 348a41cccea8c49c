"""`planner whatif`: what would come of asking otherwise."""

import sys
from pathlib import Path

import click

from planner.cli import options
from planner.cli.plan import check_folder, write_whole
from planner.cli.plan_diff import EXIT_DIFFERENT
from planner.cli.session import (
    console,
    is_quiet,
    is_verbose,
    log_at,
    print_json,
    progress,
    snapshots_of,
)
from planner.errors import UsageError
from planner.loop import fleet_of, load_plan
from planner.model.amend import read_assignment
from planner.model.suppose import Supposed, suppose
from planner.questions import ask, compare_plans, is_of_this_version, keep
from planner.show.plan_diff import tell_plan_diff


@click.command("whatif")
@click.argument("plan")
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="PATH=VALUE",
    help="What the request says instead, VALUE as in YAML; or +1 for a budget of the clusters. "
    "May be repeated.",
)
@click.option(
    "--unset", "unsets", multiple=True, metavar="PATH", help="What to take out. May be repeated."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the other plan to a file.",
)
@click.option("--keep", "kept", is_flag=True, help="Keep the other plan in the log.")
@options.database
@options.output_format
@options.told
def command(
    plan: str,
    sets: tuple[str, ...],
    unsets: tuple[str, ...],
    output: Path | None,
    db: str,
    form: str,
    *,
    kept: bool,
) -> None:
    """Plan the request of PLAN again with something otherwise, and show what becomes different.

    A PATH leads into the spec of the request, items of lists by their names: `--set
    budgets.fleet.maxUnavailable=4%`, `--set stages.canary.soak=5m`, `--unset
    dependencies.trade/cart`, `--set 'budgets.new={scope: node, maxUnavailable: 1}'`. Or it is a
    budget of the clusters: `--set pdb/trade/cart=+1`. What is unset goes first.

    It is planned from the same position of the log. A question changes nothing: neither the log
    (unless --keep) nor a file (unless -o). Exit code 0: nothing becomes different; 2: something
    does; 3: no plan would exist.
    """
    supposed = suppose(map(read_assignment, sets), unsets)
    _check(supposed, output, kept=kept)
    with log_at(db) as log, progress() as told:
        told("reading the plan")
        before = load_plan(lambda: log, plan)
        told("folding the log")
        fleet = fleet_of(log, before, snapshots_of(log))
        if not is_of_this_version(before):
            told("planning what it was planned from")
            before = ask(log, fleet, before, Supposed())
            if not is_quiet():
                click.echo(
                    "made by another version: compared with its request planned anew", err=True
                )
        told("planning")
        after = ask(log, fleet, before, supposed)
        told("comparing every move")
        diff = compare_plans(before, after)
        if kept:
            keep(log, after)
    if output:
        write_whole(output, after)
    if form == "json":
        print_json(diff)
    else:
        tell_plan_diff(diff, console(), everything=is_verbose())
        if output:
            click.echo(f"written to {output}")
        if kept:
            click.echo(f"kept in the log as {after.id}")
    sys.exit(0 if diff.same else EXIT_DIFFERENT)


def _check(supposed: Supposed, output: Path | None, *, kept: bool) -> None:
    """Refuse to keep a plan that breaks a budget of the clusters as they are.

    Raises:
        UsageError: it was asked for, or the file cannot be written.
    """
    if supposed.allowances and (kept or output):
        raise UsageError(
            f"a plan with another {supposed.allowances[0].name} breaks that budget as it is; "
            "change it in the cluster, observe, and plan"
        )
    if output:
        check_folder(output)
