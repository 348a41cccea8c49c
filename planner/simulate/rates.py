"""When moves may begin at the rates of a plan: writes to API servers, and pulls of images."""

from collections.abc import Mapping
from typing import Any, Final

from planner.simulate.cluster import Key

Place = tuple[str, Key]
"""A cluster and a workload."""

TICK_MS: Final = 500
"""How often an executor looks who may go next: those that could have gone since then go at once."""


class Rates:
    """What has begun at each rate so far. Times in milliseconds."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        rates = header.get("rates", ())
        self._names = [rate["name"] for rate in rates]
        self._free_ms: list[float] = [0.0] * len(rates)
        """When each has begun all that was let go."""
        self._takes_ms: dict[Place, dict[int, float]] = {}
        workloads = [
            (each["cluster"], Key(each["kind"], each["namespace"], each["name"]))
            for each in header["workloads"]
        ]
        for index, rate in enumerate(rates):
            if "registry" in rate:
                per_s, needs = rate["pulls_per_second"], rate["pulls_a_move"]
            else:
                per_s, cluster = rate["writes_per_second"], rate["cluster"]
                needs = [(at, 1) for at, place in enumerate(workloads) if place[0] == cluster]
            for at, units in needs:
                self._takes_ms.setdefault(workloads[at], {})[index] = units * 1000 / per_s

    def busy(self, place: Place, now_ms: int) -> str:
        """The rate at which a move of a workload has to wait for others; empty without any."""
        mine = self._takes_ms.get(place, ())
        return next((f"rate {self._names[it]}" for it in mine if self._free_ms[it] > now_ms), "")

    def take(self, place: Place, now_ms: int) -> None:
        """Let a move go."""
        for index, takes_ms in self._takes_ms.get(place, {}).items():
            free_ms = self._free_ms[index]
            # Nobody makes up for time in which nothing waited.
            begin_ms = free_ms if free_ms >= now_ms - TICK_MS else now_ms
            self._free_ms[index] = begin_ms + takes_ms

    def next_ms(self, now_ms: int) -> int | None:
        """When somebody may go who may not now; None when everybody may."""
        busy = [free_ms for free_ms in self._free_ms if free_ms > now_ms]
        return max(int(min(busy)) + 1, now_ms + TICK_MS) if busy else None
