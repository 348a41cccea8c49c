"""What `planner observe` says on stderr while it runs."""

import sys
from threading import Lock

import click

from planner.cli.style import styled
from planner.observe.pace import Line


class ObserverProgress:
    """Lines of their own when piped.

    On a terminal what goes well is shown in one line that changes, unless `verbose`. Threads may
    share it.
    """

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._changes = sys.stderr.isatty() and not quiet
        self._lock = Lock()
        self._shown = ""

    def tell(self, line: Line) -> None:
        """Say what the observer has to say."""
        if self._quiet:
            return
        with self._lock:
            if self._changes and line.routine and not self._verbose:
                self._show(str(line))
                return
            shown = self._shown
            self._show("")
            click.echo(f"{styled(line.about, bold=True)}: {line.text}", err=True)
            self._show(shown)

    def appended(self, events: int, position: int) -> None:
        """Say how far the log is."""
        text = f"{events:,} events, log at {position:,}"
        if self._changes:
            with self._lock:
                self._show(text)
        elif self._verbose:
            self.tell(Line(about="log", text=text))

    def end(self) -> None:
        """Take the line that changes away."""
        with self._lock:
            self._show("")

    def _show(self, text: str) -> None:
        """Let the line that changes say this."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
        if text:
            click.echo(styled(text, dim=True), err=True, nl=False)
        self._shown = text
