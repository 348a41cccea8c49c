"""`planner schema`: the JSON Schema of what goes in and out."""

import click

from planner.cli.session import print_json
from planner.model.published import SCHEMAS


@click.command("schema")
@click.argument("name", type=click.Choice(sorted(SCHEMAS)))
def command(name: str) -> None:
    """Print the JSON Schema of what goes in and out: a request, a plan's header, and so on."""
    print_json(SCHEMAS[name]())
