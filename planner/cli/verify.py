"""`planner verify`: check a plan independently."""

import sys

import click

from planner.cli import options
from planner.cli.session import log_at, print_json, progress
from planner.loop import load_plan, verify_plan

EXIT_VIOLATED = 4
SHOWN_MAX = 50


@click.command("verify")
@click.argument("plan")
@options.database
@options.output_format
@options.told
def command(plan: str, db: str, form: str) -> None:
    """Check every rule of PLAN against the observed fleet, sharing no code with the scheduler.

    Exit code 0: it holds; 4: it is violated, and each violation is named.
    """
    told = progress()
    with log_at(db) as log:
        told("reading the plan")
        loaded = load_plan(lambda: log, plan)
        told("checking every rule")
        violations = verify_plan(log, loaded)
    if form == "json":
        report = {
            "apiVersion": "planner/v1",
            "kind": "Report",
            "plan": loaded.id,
            "holds": not violations,
            "violations": violations,
        }
        print_json(report)
    elif violations:
        for violation in violations[:SHOWN_MAX]:
            wave = "" if violation.wave is None else f" in wave {violation.wave}"
            click.echo(f"{violation.rule}: {violation.subject}{wave}: {violation.message}")
        if len(violations) > SHOWN_MAX:
            click.echo(f"... and {len(violations) - SHOWN_MAX:,} more; --format json gives all")
    else:
        click.echo(f"The plan holds: {len(loaded):,} moves keep every rule.")
    sys.exit(EXIT_VIOLATED if violations else 0)
