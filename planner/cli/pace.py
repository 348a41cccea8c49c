"""How fast a long step goes, and how long it will still take."""

import time
from collections.abc import Callable

from planner.show.table import duration

SETTLED_S = 2.0
"""Before that a rate says little, and nobody has waited for long."""


def paced(
    tell: Callable[[str], None], step: str, clock: Callable[[], float] = time.monotonic
) -> Callable[[int, int], None]:
    """Give what tells how many of how many are done, with the rate since it was first told.

    Args:
        tell: shows a step.
        step: what is done.
        clock: seconds that only grow.
    """
    began: float | None = None

    def done(count: int, of: int) -> None:
        nonlocal began
        now = clock()
        began = now if began is None else began
        text = f"{step}: {count:,} of {of:,}"
        spent_s = now - began
        if count and spent_s >= SETTLED_S:
            rate = count / spent_s
            left = duration((of - count) / rate)
            text += f", {rate:,.1f} a second, {left} left"
        tell(text)

    return done
