"""Time, as an argument: milliseconds UTC since 1970."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Milliseconds UTC since 1970."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The clock of the machine."""

    def now_ms(self) -> int:
        """Milliseconds UTC since 1970."""
        return time.time_ns() // 1_000_000  # noqa: TID251 the one place that reads the clock


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until somebody moves it, for simulation and tests."""

    time_ms: int

    def now_ms(self) -> int:
        """Milliseconds UTC since 1970."""
        return self.time_ms

    def advance(self, step_ms: int) -> None:
        """Move the clock; a negative step moves it back, as real clocks sometimes do."""
        self.time_ms += step_ms
