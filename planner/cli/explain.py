"""`planner explain`: why something is where it is in a plan."""

import click
import msgspec

from planner.cli import options
from planner.cli.session import console, log_at, print_json, progress
from planner.loop import load_plan, moves_naming
from planner.plan.explain import explain
from planner.show.explain import tell_reasons


@click.command("explain")
@click.argument("plan")
@click.argument("what")
@options.database
@options.output_format
@options.told
def command(plan: str, what: str, db: str, form: str) -> None:
    """Say why WHAT is in its wave, what holds it there, and what would move it.

    WHAT is a pod (`cart-45q7m` or `trade/cart-45q7m`), a workload (`cart` or `trade/cart`), a
    wave (`wave 7`), a budget (`pdb/trade/cart`), a node that is drained, or `plan`. Exit code 1:
    the plan has no such thing.
    """
    with progress(brief=True) as told:
        told("reading the plan")
        loaded = load_plan(lambda: log_at(db), plan)
    header = msgspec.json.decode(loaded.header())
    reasons = explain(header, moves_naming(loaded, what), what)
    if form == "json":
        print_json(reasons)
    else:
        tell_reasons(reasons, console())
