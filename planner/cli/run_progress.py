"""What `planner apply` says while it runs: for a person on a terminal, JSON lines in a pipe."""

import sys
from collections.abc import Mapping
from threading import Lock
from typing import Any

import click
import msgspec

from planner.apply.executor import Ending
from planner.apply.pace import Fidelity
from planner.apply.state import Run
from planner.cli.metrics import Metrics
from planner.cli.style import is_plain, styled
from planner.observe.pace import Line
from planner.show.run import ended_lines, event_line, is_passing


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
        self._last: tuple[str, Mapping[str, Any]] = ("", {})
        self._shown = ""
        self._metrics = Metrics(metrics) if metrics else None

    def begin(self, run_id: str, run: Run) -> None:
        """Say which run it is."""
        self.tell("run", {"run": run_id, "plan": run.plan, "moved": run.moved})

    def tell(self, what: str, numbers: Mapping[str, Any]) -> None:
        """Say what happened; the same thing is said once."""
        with self._lock:
            if (what, numbers) == self._last:
                return
            self._last = (what, numbers)
            if self._metrics:
                self._metrics.take(what, numbers)
            if self._json:
                click.echo(msgspec.json.encode({"event": what, **numbers}))
            elif not self._quiet:
                self._tell_person(what, numbers)

    def _tell_person(self, what: str, numbers: Mapping[str, Any]) -> None:
        text = event_line(what, numbers)
        if not is_passing(what) or self._verbose:
            self._show("")
            click.echo(text)
        elif self._changes:
            self._show(text)

    def hear(self, line: Line) -> None:
        """Say what the observer has to say, where that is trouble."""
        if self._quiet or not (self._verbose or line.sees is False):
            return
        with self._lock:
            self._show("")
            click.echo(f"{styled(line.about, bold=True)}: {line.text}", err=True)

    def close(self) -> None:
        """Take away what changes."""
        with self._lock:
            self._show("")

    def ended(self, ending: Ending, run: Run, run_id: str, went: Fidelity) -> None:
        """Say how it ended."""
        numbers = {
            "run": run_id,
            "ending": ending,
            "why": run.stopped,
            "moved": run.moved,
            "failed": run.failed,
            "writes": run.writes,
            "plans": list(run.plans),
            "held": list(run.held),
            "fidelity": msgspec.to_builtins(went),
        }
        if self._json:
            self.tell("ended", numbers)
        else:
            for line in ended_lines(numbers):
                click.echo(line)

    def _show(self, text: str) -> None:
        """Let the line that changes say this."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
        if text:
            click.echo(styled(text, dim=True), err=True, nl=False)
        self._shown = text
