"""How long to wait before a cluster is asked again."""

from collections.abc import Callable
from dataclasses import dataclass

Random = Callable[[], float]
"""Gives a number in [0, 1), another one each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that grow with failures in a row; by default as long as those of client-go's reflector.

    Attributes:
        first_s: after the first failure.
        longest_s: no wait is longer, before jitter.
        factor: from one wait to the next.
    """

    first_s: float = 0.8
    longest_s: float = 30.0
    factor: float = 2.0

    def wait_s(self, failures: int, random: Random, *, at_least_s: float = 0.0) -> float:
        """Give the wait after so many failures in a row (from 1): once to twice the bare one.

        The jitter keeps observers that lost one server at once from coming back at once.
        """
        assert failures >= 1
        bare = self.first_s
        for _ in range(failures - 1):
            bare = min(bare * self.factor, self.longest_s)
        return max(at_least_s, bare * (1.0 + random()))
