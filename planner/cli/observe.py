"""`planner observe`: list and watch live clusters into the log until stopped."""

import random
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Final

import click
import yaml

from planner.cli import options
from planner.cli.observer_progress import ObserverProgress
from planner.cli.session import is_quiet, is_verbose, log_at, print_json
from planner.errors import UsageError
from planner.kube.cluster import Cluster
from planner.model.clock import SystemClock
from planner.observe.follow import Outside
from planner.observe.inbox import Inbox
from planner.observe.kinds import observer_role
from planner.observe.live import CONNECTIONS, Observed, observe_clusters
from planner.observe.pace import Pace

ROLE_NAME: Final = "planner-observer"


@click.command("observe")
@click.option(
    "--cluster",
    "clusters",
    multiple=True,
    metavar="NAME=CONTEXT",
    help="What to call a cluster, and its context in the kubeconfig. May be repeated.",
)
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Instead of KUBECONFIG or ~/.kube/config.",
)
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
    doors = _doors(_contexts(clusters), kubeconfig)
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
        _stop_on_signals(outside.stop)
        try:
            done = observe_clusters(log, doors, outside, appended=progress.appended)
        finally:
            progress.end()
    if form == "json":
        print_json(done)
    else:
        _tell(done)


def _contexts(clusters: Sequence[str]) -> Mapping[str, str]:
    """Read NAME=CONTEXT, each name once."""
    if not clusters:
        raise UsageError("which clusters? give --cluster NAME=CONTEXT, once for each")
    contexts: dict[str, str] = {}
    for each in clusters:
        name, _, context = each.partition("=")
        if not name or not context:
            raise UsageError(f"--cluster {each}: write NAME=CONTEXT, such as hangzhou=hz-prod")
        if name in contexts:
            raise UsageError(f"--cluster {each}: {name} is given twice; give each cluster a name")
        contexts[name] = context
    return contexts


def _doors(contexts: Mapping[str, str], kubeconfig: Path | None) -> Mapping[str, Cluster]:
    from planner.kube.live import connect  # noqa: PLC0415 the client takes a second to import

    return {
        name: connect(context, kubeconfig=kubeconfig, connections=CONNECTIONS)
        for name, context in contexts.items()
    }


def _stop_on_signals(stop: Event) -> None:
    """Stop cleanly at the first signal; a second one ends the program as it always does."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        # Nothing is printed here: the signal may have come in the middle of a line.
        stop.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, handle)


def _tell(done: Observed) -> None:
    for name, events in done.events.items():
        click.echo(f"Observed {events:,} events of cluster {name}")
    click.echo(f"Log at {done.position}")
