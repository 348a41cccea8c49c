"""What a command needs of the outside: the log, where snapshots lie, where to print."""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import click
import msgspec
from rich.console import Console
from rich.text import Text

from planner.cli.interrupt import interruptible
from planner.cli.style import is_plain, styled
from planner.fold.snapshots import Snapshots
from planner.log import EventLog, History
from planner.log.sqlite import open_history
from planner.model.clock import SystemClock


def log_at(url: str, *, create: bool = False) -> EventLog:
    """Open the event log with the system's clock."""
    from planner.log.open import open_log  # noqa: PLC0415 imports SQLAlchemy

    return open_log(url, clock=SystemClock(), create=create)


def history_at(url: str) -> History:
    """Open the event log to read it, which is quicker."""
    return open_history(url, clock=SystemClock())


def snapshots_of(log: History) -> Snapshots:
    """Snapshots lie in the user's cache folder, one folder a log."""
    name = hashlib.sha256(log.identity.log_id).hexdigest()[:16]
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Snapshots(folder=Path(cache) / "planner" / "snapshots" / name)


@contextmanager
def progress(*, brief: bool = False) -> Iterator[Callable[[str], None]]:
    """Show on stderr which step runs: a line that goes away on a terminal, with -v one that stays.

    A Ctrl-C ends the program in any of them.

    Args:
        brief: the steps are over at once, and nobody waits for them but who asks with -v.
    """
    with interruptible(), _steps(brief=brief) as told:
        yield told


@contextmanager
def _steps(*, brief: bool) -> Iterator[Callable[[str], None]]:
    if is_quiet():
        yield lambda _: None
    elif is_verbose():
        began = time.monotonic()
        yield lambda step: click.echo(
            styled(f"{time.monotonic() - began:7.2f}s  {step}", dim=True), err=True
        )
    elif brief or not sys.stderr.isatty():
        yield lambda _: None
    elif is_plain():
        yield lambda step: click.echo(step, err=True)
    else:
        with Console(stderr=True).status("") as status:
            yield lambda step: status.update(Text(step, style="dim"))


def is_quiet() -> bool:
    """Whether -q asks for nothing but results and errors."""
    return bool(click.get_current_context().meta["planner.quiet"])


def is_verbose() -> bool:
    """Whether -v asks for all of what is shown."""
    return bool(click.get_current_context().meta["planner.verbose"])


class ResultConsole(Console):
    """Leaves a reader that went away to `planner.cli.main`."""

    def on_broken_pipe(self) -> None:
        """Pass the BrokenPipeError on."""
        raise  # noqa: PLE0704 rich calls it while it handles the error


def console() -> Console:
    """Give the console for results: as wide as the terminal, 120 columns without one."""
    width = None if sys.stdout.isatty() else 120
    colours: Literal["auto"] | None = None if is_plain() else "auto"
    return ResultConsole(file=sys.stdout, highlight=False, width=width, color_system=colours)


def print_json(value: object) -> None:
    """Print JSON as programs want it: one document, indented, a final newline."""
    raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
    stdout().write(msgspec.json.format(raw, indent=2) + b"\n")


def stdout() -> BinaryIO:
    """Give standard output for bytes."""
    sys.stdout.flush()
    return sys.stdout.buffer
