"""What of the time of a wave an executor saw go by: in the rest nobody knows what pods did.

A gap is a time in which no executor was there, or a person had paused the run. A move that was let
go before it and was back after it may have been back for hours, or have waited for a person.
"""

from collections.abc import Iterable
from typing import Final

Gap = tuple[int, int]
"""From and until, milliseconds UTC."""
OPEN: Final = 1 << 62
"""Until when a gap lasts whose end nobody knows yet."""


def is_seen(gaps: Iterable[Gap], from_ms: int, until_ms: int) -> bool:
    """Whether somebody saw all of a time go by."""
    return not any(begin < until_ms and from_ms < end for begin, end in gaps)


def seen_ms(gaps: Iterable[Gap], from_ms: int, until_ms: int) -> int:
    """How much of a time somebody saw go by; gaps may overlap."""
    seen, at = 0, from_ms
    for begin, end in sorted(gaps):
        seen += max(0, min(begin, until_ms) - at)
        at = max(at, min(end, until_ms))
    return seen + max(0, until_ms - at)


def resumed(gaps: Iterable[Gap], now_ms: int) -> tuple[Gap, ...]:
    """End the gaps that last still."""
    return tuple((begin, now_ms if end == OPEN else end) for begin, end in gaps)
