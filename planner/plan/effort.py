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


class _Proved(msgspec.Struct, frozen=True):
    waves: int
    waves_bound: int
    seconds: float
    seconds_bound: float

    @property
    def is_best(self) -> bool:
        return (self.waves, self.seconds) == (self.waves_bound, self.seconds_bound)


def within(limit_s: float, make: Callable[[int], core.Plan], now: Callable[[], float]) -> core.Plan:
    """Plan again and again, with more starts, until no plan can be better or the time is used up.

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
        if now() + MORE * (now() - before_s) > begin_s + limit_s:
            return plan
        starts *= MORE
