"""What `planner apply` and `planner rollback` share: options, and carrying a run out."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Final, TypeVar

import click

from planner.apply.course import Place
from planner.apply.journal import Journal
from planner.apply.levers.held import Object
from planner.apply.policy import Policy
from planner.cli.doors import contexts_of, stop_on_signals
from planner.cli.interrupt import EXIT_INTERRUPTED
from planner.cli.run_progress import RunProgress
from planner.cli.session import is_quiet, is_verbose, log_at, snapshots_of
from planner.log import EventLog
from planner.model.clock import SystemClock
from planner.model.progress import Ending
from planner.observe.doors import doors_of
from planner.runs import World, how_it_ended

F = TypeVar("F", bound=Callable[..., Any])

EXIT_STOPPED: Final = 5
_CODES: Final = {"done": 0, "interrupted": EXIT_INTERRUPTED}

_OPTIONS: Final = (
    click.option(
        "--patience",
        type=click.IntRange(min=1),
        default=600,
        show_default=True,
        metavar="SECONDS",
        help="How much longer than its plan expects a wave waits after its last pod came back, "
        "until the others have failed.",
    ),
    click.option(
        "--failures",
        default="0",
        show_default=True,
        metavar="N|P%",
        help="Pods that may fail in the whole run; one more stops it.",
    ),
    click.option(
        "--failures-per-wave",
        metavar="N|P%",
        help="The same of one wave; by default as of the run.",
    ),
    click.option(
        "--failures-per-workload",
        metavar="N|P%",
        help="The same of one workload, over all waves; by default as of the run.",
    ),
    click.option(
        "--writes-per-second",
        type=click.IntRange(min=1),
        default=50,
        show_default=True,
        metavar="N",
        help="Writes to one cluster.",
    ),
    click.option(
        "--wait/--no-wait",
        default=None,
        help="Wait for approvals, or stop there with exit code 5. Waits on a terminal by default.",
    ),
    click.option(
        "--observe/--no-observe",
        "observes",
        default=True,
        help="Observe the clusters meanwhile, or rely on a `planner observe` that is at work.",
    ),
    click.option(
        "--metrics",
        type=click.IntRange(min=1, max=65535),
        metavar="PORT",
        help="Serve metrics for Prometheus on 127.0.0.1:PORT.",
    ),
)


def run_options(command: F) -> F:
    """Take the options of a command that carries a run out."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a command was asked for."""

    clusters: Sequence[str]
    kubeconfig: Path | None
    patience: int
    failures: str
    failures_per_wave: str | None
    failures_per_workload: str | None
    writes_per_second: int
    wait: bool | None
    observes: bool
    metrics: int | None
    db: str
    form: str

    @property
    def policy(self) -> Policy:
        """How the run is to be carried out."""
        return Policy.asked(
            patience_s=self.patience,
            failures=self.failures,
            failures_per_wave=self.failures_per_wave,
            failures_per_workload=self.failures_per_workload,
            writes_per_s=self.writes_per_second,
        )

    @property
    def waits_at_gates(self) -> bool:
        """Whether it waits for approvals."""
        return sys.stderr.isatty() if self.wait is None else self.wait


@contextmanager
def world(
    asked: Asked, log: EventLog, manifests: Mapping[Place, Object]
) -> Iterator[tuple[World, RunProgress]]:
    """Give the world of a run, and who tells how it goes."""
    contexts = contexts_of(asked.clusters)
    progress = RunProgress(
        form=asked.form, quiet=is_quiet(), verbose=is_verbose(), metrics=asked.metrics
    )
    stop = Event()
    stop_on_signals(stop)
    given = World(
        open_log=lambda: log_at(asked.db),
        connect=lambda: doors_of(contexts, asked.kubeconfig),
        clock=SystemClock(),
        stop=stop,
        tell=progress.tell,
        hear=progress.hear,
        snapshots=snapshots_of(log),
        manifests=manifests,
        observes=asked.observes,
    )
    try:
        yield given, progress
    finally:
        progress.close()


def leave(log: EventLog, ending: Ending, journal: Journal, progress: RunProgress) -> None:
    """Say how a run ended, and exit with the code that says so too."""
    progress.tell(how_it_ended(log, journal, ending))
    if code := _CODES.get(ending, EXIT_STOPPED):
        sys.exit(code)
