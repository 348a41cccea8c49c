"""Ctrl-C, also while the core is at work."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

import click

from planner.cli.style import is_plain, tell_error

EXIT_INTERRUPTED: Final = 130
INTERRUPTED: Final = "interrupted; the log holds whole commits only, run the command again"
GRACE_S: Final = 1.0
"""How long Python has to end the program by itself."""
_SHOW_CURSOR: Final = "\r\x1b[K\x1b[?25h"


@contextmanager
def interruptible() -> Iterator[None]:
    """End the program soon after a Ctrl-C, in whatever call of the core it is.

    Python raises KeyboardInterrupt only when such a call is over, which may take minutes. Nothing
    is lost when it does not come back: a commit of the log is one transaction, and a plan's file is
    renamed when it is whole. Signals are told to the main thread, so only that may enter.
    """
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    before = signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    over = Event()
    Thread(target=_watch, args=(ours, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(before)
        os.close(theirs)


def _watch(told: int, over: Event) -> None:
    with os.fdopen(told, "rb", buffering=0) as signals:
        while number := signals.read(1):
            if number[0] == signal.SIGINT and not over.wait(GRACE_S):
                if sys.stderr.isatty() and not is_plain():
                    click.echo(_SHOW_CURSOR, err=True, nl=False)
                tell_error(INTERRUPTED)
                os._exit(EXIT_INTERRUPTED)
