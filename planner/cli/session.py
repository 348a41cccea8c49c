"""What a command needs of the outside: the log, where snapshots lie, where to print."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from rich.console import Console
from rich.text import Text

from planner.fold.snapshots import Snapshots
from planner.log import EventLog
from planner.log.open import open_log
from planner.model.clock import SystemClock


def log_at(url: str, *, create: bool = False) -> EventLog:
    """Open the event log with the system's clock."""
    return open_log(url, clock=SystemClock(), create=create)


def snapshots_of(log: EventLog) -> Snapshots:
    """Snapshots lie in the user's cache folder, one folder a log."""
    name = hashlib.sha256(log.identity.log_id).hexdigest()[:16]
    return Snapshots(folder=Path(click.get_app_dir("planner")) / "snapshots" / name)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show on stderr which step runs, on a terminal only; gone when the work is done."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    with Console(stderr=True).status("") as status:
        yield lambda text: status.update(Text(text, style="dim"))


def console() -> Console:
    """Give the console for results: as wide as the terminal, 120 columns without one."""
    width = None if sys.stdout.isatty() else 120
    return Console(file=sys.stdout, highlight=False, width=width, soft_wrap=False)


def print_json(value: object) -> None:
    """Print JSON as programs want it: one document, indented, a final newline."""
    raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
    stdout().write(msgspec.json.format(raw, indent=2) + b"\n")


def stdout() -> BinaryIO:
    """Give standard output for bytes."""
    sys.stdout.flush()
    return sys.stdout.buffer
