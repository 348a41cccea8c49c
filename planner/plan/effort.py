"""How long a short plan is looked for: a number of starts, or for as long as there is time."""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from planner import core

Effort = Literal["fast", "balanced", "best"]

STARTS: Final[dict[Effort, int]] = {"fast": 0, "balanced": 1, "best": 32}
"""How often the search begins."""
MORE: Final = 4
"""How many times as many starts are tried next while there is time: a quarter of the time goes
into plans that are thrown away."""
MOST: Final = MORE**12
"""Most starts that are tried, however much time there is: where windows say when something moves
the search has no more rules to try, and however often it begins it takes no longer."""


class _Proved(msgspec.Struct, frozen=True):
    waves: int
    waves_bound: int
    seconds: float
    seconds_bound: float

    @property
    def is_best(self) -> bool:
        return (self.waves, self.seconds) == (self.waves_bound, self.seconds_bound)


def within(limit_s: float, make: Callable[[int], core.Plan], now: Callable[[], float]) -> core.Plan:
    """Plan again and again, with up to `MOST` starts, until no plan can be better or time is up.

    The first plan is made however long it takes. Which is the last one depends on the machine; the
    same number of starts (in its header) gives the same plan on each.

    Args:
        limit_s: seconds.
        make: plans with a number of starts; never worse with more of them.
        now: seconds, from any beginning.
    """
    begin_s, starts = now(), STARTS["balanced"]
    while True:
        before_s = now()
        plan = make(starts)
        if msgspec.json.decode(plan.header(), type=_Proved).is_best:
            return plan
        # What comes next takes as many times as long.
        is_late = now() + MORE * (now() - before_s) > begin_s + limit_s
        if is_late or starts == MOST:
            return plan
        starts *= MORE
