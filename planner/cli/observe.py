"""`planner observe`: list and watch live clusters into the log until stopped."""

import random
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Final

import click
import yaml

from planner.cli import options
from planner.cli.doors import contexts_of, stop_on_signals
from planner.cli.observer_progress import ObserverProgress
from planner.cli.session import is_quiet, is_verbose, log_at, print_json
from planner.model.clock import SystemClock
from planner.observe.doors import doors_of
from planner.observe.follow import Outside
from planner.observe.inbox import Inbox
from planner.observe.kinds import observer_role
from planner.observe.live import Observed, observe_clusters
from planner.observe.pace import Pace

ROLE_NAME: Final = "planner-observer"


@click.command("observe")
@options.clusters
@click.option(
    "--role",
    is_flag=True,
    help="Print the ClusterRole that is enough for an observer, and do nothing else.",
)
@options.database
@options.output_format
@options.told
def command(
    clusters: Sequence[str],
    kubeconfig: Path | None,
    db: str,
    form: str,
    *,
    role: bool,
) -> None:
    """List and watch live clusters into the log until stopped (SIGINT, SIGTERM).

    Goes on where the log ends when the API server still knows that version, and lists again when it
    does not. Kinds that a cluster does not serve are skipped. Only one observer at a time may write
    to a cluster of a log.
    """
    if role:
        click.echo(yaml.safe_dump(observer_role(ROLE_NAME), sort_keys=False), nl=False)
        return
    doors = doors_of(contexts_of(clusters), kubeconfig)
    progress = ObserverProgress(quiet=is_quiet(), verbose=is_verbose())
    pace = Pace()
    outside = Outside(
        inbox=Inbox(bytes_max=pace.inbox_bytes),
        pace=pace,
        clock=SystemClock(),
        random=random.SystemRandom().random,
        stop=Event(),
        tell=progress.tell,
    )
    with log_at(db, create=True) as log:
        stop_on_signals(outside.stop)
        try:
            done = observe_clusters(log, doors, outside, appended=progress.appended)
        finally:
            progress.end()
    if form == "json":
        print_json(done)
    else:
        _tell(done)


def _tell(done: Observed) -> None:
    for name, events in done.events.items():
        click.echo(f"Observed {events:,} events of cluster {name}")
    click.echo(f"Log at {done.position}")
