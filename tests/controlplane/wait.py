"""Waits for conditions, never for time: every wait has a deadline and says what it waited for."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 300.0
"""On a busy machine a rollout of 40 pods, one after the other, takes half of it."""
LOOK_S = 0.1


def until(what: str, look: Callable[[], T | None], *, deadline_s: float = DEADLINE_S) -> T:
    """Look again and again until there is something true, and give it."""
    end = time.monotonic() + deadline_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {deadline_s:.0f} s")
        time.sleep(LOOK_S)


def at_once(do: Callable[[T], object], each: Iterable[T]) -> None:
    """Do something with each at the same time; what one raises is raised when all are over."""
    with ThreadPoolExecutor() as pool:
        doing = [pool.submit(do, it) for it in each]
    for it in doing:
        it.result()
