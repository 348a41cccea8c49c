"""When something is said, and for how long again.

What is sent goes in turn. What was overtaken is counted, what is unknown is timed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from planner.apply.answers import Meaning
from planner.errors import ClusterError

ATTEMPTS: Final = 8
"""How often something that moved on meanwhile is read and written again."""
SILENT_S: Final = 300.0
"""How long an API server may be away, or fail at one thing, before the run stops."""
BACKOFF_S: Final = (0.2, 5.0)
"""The first wait and the longest one."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How seconds go by.

    Attributes:
        wait: lets them go by; gives True when the executor has to end.
        now: tells them, from any beginning.
    """

    wait: Callable[[float], bool]
    now: Callable[[], float] = time.monotonic


class Turns:
    """Lets so many things a second be sent, one after the other."""

    def __init__(self, per_s: int, timing: Timing) -> None:
        self._gap_s = 1.0 / per_s
        self._timing = timing
        self._next_s = 0.0

    def take(self) -> None:
        """Wait until it is the next one's turn.

        Raises:
            ClusterError: the executor has to end.
        """
        now = self._timing.now()
        if self._next_s > now and self._timing.wait(self._next_s - now):
            raise ClusterError(0, "interrupted")
        self._next_s = max(now, self._next_s) + self._gap_s


class Tries:
    """What became of one thing so far.

    Attributes:
        what: it is about, for messages.
    """

    def __init__(self, what: str, timing: Timing) -> None:
        self.what = what
        self._timing = timing
        self._overtaken = 0
        self._unknown = 0
        self._until_s = timing.now() + SILENT_S

    def again(self, meaning: Meaning, error: ClusterError) -> bool:
        """Whether to read and say it once more; waits where nobody knows whether it was done.

        Raises:
            ClusterError: that has been so for too long, or the executor has to end.
        """
        if meaning != "unknown":
            self._overtaken += 1
            return self._overtaken < ATTEMPTS
        first, longest = BACKOFF_S
        seconds = max(min(first * 2.0**self._unknown, longest), error.retry_after_s)
        self._unknown += 1
        if self._timing.now() + seconds > self._until_s or self._timing.wait(seconds):
            message = f"{self.what}: {error.message}"
            raise ClusterError(error.status, message, reason=error.reason) from error
        return True
