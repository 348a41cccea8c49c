"""Which live clusters a command works on, and how it is told to stop."""

import signal
from collections.abc import Mapping, Sequence
from threading import Event
from types import FrameType

from planner.errors import UsageError


def contexts_of(clusters: Sequence[str]) -> Mapping[str, str]:
    """Read NAME=CONTEXT, each name once.

    Raises:
        UsageError: there is none, or one is none.
    """
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


def stop_on_signals(stop: Event) -> None:
    """Stop cleanly at the first signal; a second one ends the program as it always does."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        # Nothing is printed here: the signal may have come in the middle of a line.
        stop.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, handle)
