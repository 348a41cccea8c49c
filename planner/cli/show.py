"""`planner show`: a plan for reading, by people and by programs."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import click
import msgspec

from planner import core
from planner.cli import options
from planner.cli.pace import paced
from planner.cli.session import console, log_at, print_json, progress, stdout
from planner.loop import jsonl, load_plan
from planner.show.plan import tell_plan

MOVES_A_TELL: Final = 50_000


@click.command("show")
@click.argument("plan")
@click.option(
    "-o",
    "--output",
    "--format",
    "form",
    type=click.Choice(["text", "json", "jsonl", "html"]),
    default="text",
    show_default=True,
    help="jsonl: one move a line; json: the header; html: one page that needs no network.",
)
@options.database
@options.told
def command(plan: str, form: str, db: str) -> None:
    """Show PLAN, a file or an id in the log."""
    with progress(brief=True) as told:
        told("reading the plan")
        loaded = load_plan(lambda: log_at(db), plan)
    if form == "json":
        print_json(loaded.header())
    elif form == "jsonl":
        for line in jsonl(loaded):
            stdout().write(line + b"\n")
    elif form == "html":
        from planner.show.html import render  # noqa: PLC0415 the page is large and seldom asked for

        with progress() as told:
            moves = _told(loaded, paced(told, "writing the moves"))
            render(msgspec.json.decode(loaded.header()), moves, stdout())
    else:
        tell_plan(loaded.header(), console(), everything=True)


def _told(plan: core.Plan, tell: Callable[[int, int], None]) -> Iterator[dict[str, Any]]:
    """Give the moves, and tell now and then how many were given."""
    for number, line in enumerate(jsonl(plan)):
        if number % MOVES_A_TELL == 0:
            tell(number, len(plan))
        yield msgspec.json.decode(line)
