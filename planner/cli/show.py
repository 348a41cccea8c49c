"""`planner show`: a plan for reading, by people and by programs."""

import click
import msgspec

from planner.cli import options
from planner.cli.session import console, log_at, print_json, progress, stdout
from planner.loop import jsonl, load_plan
from planner.show.plan import tell_plan


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

        moves = (msgspec.json.decode(line) for line in jsonl(loaded))
        render(msgspec.json.decode(loaded.header()), moves, stdout())
    else:
        tell_plan(loaded.header(), console(), everything=True)
