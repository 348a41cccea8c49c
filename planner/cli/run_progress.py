"""What `planner apply` says while it runs: for a person on a terminal, JSON lines in a pipe."""

import sys
from threading import Lock

import click
import msgspec

from planner.apply.state import Run
from planner.cli.metrics import Metrics
from planner.cli.style import is_plain, styled
from planner.model.progress import Ended, Named, Progress
from planner.observe.pace import Line
from planner.show.run import event_text, is_passing


class RunProgress:
    """Tells how a run goes. Threads may share it.

    On a terminal what passes is shown in one line that changes, and what stays in lines of its own;
    elsewhere every event is a line of JSON on stdout.
    """

    def __init__(self, *, form: str, quiet: bool, verbose: bool, metrics: int | None) -> None:
        self._json = form == "json" or not sys.stdout.isatty()
        self._changes = sys.stderr.isatty() and not is_plain()
        self._quiet = quiet
        self._verbose = verbose
        self._lock = Lock()
        self._last: Progress | None = None
        self._shown = ""
        self._metrics = Metrics(metrics) if metrics else None

    def begin(self, run_id: str, run: Run) -> None:
        """Say which run it is."""
        self.tell(Named(run=run_id, plan=run.plan, moved=run.moved))

    def tell(self, event: Progress) -> None:
        """Say what happened; the same thing is said once."""
        with self._lock:
            if event == self._last:
                return
            self._last = event
            if self._metrics:
                self._metrics.take(event)
            if self._json:
                click.echo(msgspec.json.encode(event))
            elif isinstance(event, Ended) or not self._quiet:
                self._tell_person(event)

    def _tell_person(self, event: Progress) -> None:
        text = event_text(event)
        if self._verbose or not is_passing(event):
            self._show("")
            click.echo(text)
        elif self._changes:
            self._show(text)

    def hear(self, line: Line) -> None:
        """Say what the observer has to say, where that is trouble."""
        if self._quiet or not (self._verbose or line.warns or line.sees is False):
            return
        with self._lock:
            self._show("")
            click.echo(f"{styled(line.about, bold=True)}: {line.text}", err=True)

    def close(self) -> None:
        """Take away what changes."""
        with self._lock:
            self._show("")

    def _show(self, text: str) -> None:
        """Let the line that changes say this."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
        if text:
            click.echo(styled(text, dim=True), err=True, nl=False)
        self._shown = text
