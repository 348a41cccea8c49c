"""`planner import`: append a recorded cluster to the log."""

import sys
from pathlib import Path

import click

from planner.cli import options
from planner.cli.session import log_at, print_json, progress
from planner.loop import Imported, import_recorded
from planner.observe.files import find_sources


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--cluster", required=True, metavar="NAME", help="What to call the cluster.")
@click.option(
    "--partial",
    is_flag=True,
    help="The lists are not the whole cluster: what they do not mention stays.",
)
@options.database
@options.output_format
@options.told
def command(
    paths: tuple[Path, ...],
    cluster: str,
    db: str,
    form: str,
    *,
    partial: bool,
) -> None:
    """Append a recorded cluster to the log, whole or not at all.

    PATHS are files or folders: raw API lists, `kubectl get -o json` or `-o yaml`, recorded watch
    events (JSON lines), plain or .gz, .xz, .zst, a .tar of them, or `-` for standard input.
    """
    sources = find_sources(paths, sys.stdin.buffer)
    with log_at(db, create=True) as log, progress() as told:
        done = import_recorded(log, cluster, sources, partial=partial, progress=told)
    if form == "json":
        print_json(done)
    else:
        _tell(done)


def _tell(done: Imported) -> None:
    click.echo(
        f"Imported {done.events:,} events of cluster {done.cluster}, log at {done.position:,}"
    )
    counts = ", ".join(f"{count:,} {kind}" for kind, count in done.objects.items() if count)
    click.echo(f"  {counts}")
    if done.skipped:
        skipped = ", ".join(f"{count:,} {kind}" for kind, count in done.skipped.items())
        click.echo(f"  not used by the planner, not stored: {skipped}")
