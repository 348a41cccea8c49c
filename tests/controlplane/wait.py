"""Waits for conditions, never for time: every wait has a deadline and says what it waited for.

A machine that stands still for minutes is not waited for: time between two looks counts in part.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 300.0
"""On a busy machine a rollout of 40 pods, one after the other, takes half of it."""
LOOK_S = 0.1
STANDSTILL_S = 10.0
"""What lasts longer than this from one look to the next is no time in which anything happened."""


def until(what: str, look: Callable[[], T | None], *, deadline_s: float = DEADLINE_S) -> T:
    """Look again and again until there is something true, and give it."""
    waited_s, before = 0.0, time.monotonic()
    while True:
        found = look()
        if found:
            return found
        if waited_s > deadline_s:
            raise TimeoutError(f"{what}: not within {deadline_s:.0f} s")
        time.sleep(LOOK_S)
        now = time.monotonic()
        waited_s += min(now - before, STANDSTILL_S)
        before = now


def at_once(do: Callable[[T], object], each: Iterable[T]) -> None:
    """Do something with each at the same time; what one raises is raised when all are over."""
    with ThreadPoolExecutor() as pool:
        doing = [pool.submit(do, it) for it in each]
    for it in doing:
        it.result()
