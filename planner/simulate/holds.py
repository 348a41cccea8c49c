"""What a move waits for where moves go without barriers: stages, and windows and freezes.

Budgets, dependencies and rates are asked as in waves. Times in milliseconds from the beginning of
the run.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from planner.model.scalars import duration_ms
from planner.simulate.planned import Planned, places_of
from planner.simulate.rates import Place

Span = tuple[int, int]


class Held(NamedTuple):
    """Why a move is not let go: others have to go first, or it may go by itself later."""

    why: str
    is_for_others: bool = False
    until_ms: int | None = None


class Stages:
    """How far each workload is in the stages of the request."""

    def __init__(self, header: Mapping[str, Any], planned: Iterable[Planned]) -> None:
        stages = header["request"]["spec"].get("stages") or ()
        self._names = [each["name"] for each in stages]
        self._index = {name: index for index, name in enumerate(self._names)}
        self._soak_ms = [duration_ms(each.get("soak") or "0s") for each in stages]
        self._left: dict[Place, Counter[int]] = {}
        self._over_ms: dict[tuple[Place, int], int] = {}
        self._recent: set[tuple[Place, int]] = set()
        """Stages of which moves were over in this leg."""
        for each in planned:
            if (stage := self._stage_of(each)) is not None:
                self._left.setdefault(each.place, Counter())[stage] += 1

    def _stage_of(self, planned: Planned) -> int | None:
        return self._index.get(planned.move.get("stage") or "")

    def over(self, planned: Planned, now_ms: int) -> None:
        """Note that a move is back, or that nobody waits for it any more."""
        if (stage := self._stage_of(planned)) is not None:
            self._left[planned.place][stage] -= 1
            self._over_ms[planned.place, stage] = now_ms
            self._recent.add((planned.place, stage))

    def end_leg(self, now_ms: int) -> None:
        """Let soaks of its stages begin with the end of a leg: a run remembers no more of it."""
        self._over_ms.update(dict.fromkeys(self._recent, now_ms))
        self._recent.clear()

    def hold(self, planned: Planned, now_ms: int) -> Held | None:
        """Whether a move has to wait for its stage."""
        stage, place = self._stage_of(planned), planned.place
        if stage is None:
            return None
        first = min(it for it, left in self._left[place].items() if left or it == stage)
        if first < stage:
            return Held(f"stage {self._names[first]} is not back", is_for_others=True)
        earlier = [it for it in self._left[place] if it < stage]
        if not earlier:
            return None
        from_ms = max(self._over_ms.get((place, it), 0) for it in earlier)
        last = max(earlier)
        until_ms = from_ms + self._soak_ms[last]
        soaks = now_ms < until_ms
        return Held(f"stage {self._names[last]} soaks", until_ms=until_ms) if soaks else None


class Calendars:
    """The windows and freezes of a plan."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        calendars = header.get("calendars") or ()
        self._names = [each["name"] for each in calendars]
        start_ms = _ms(header["start"]) if self._names else 0
        self._spans: list[list[Span]] = [
            [(_ms(begin) - start_ms, _ms(end) - start_ms) for begin, end in each["open"]]
            for each in calendars
        ]
        workloads = zip(places_of(header), header["workloads"], strict=True)
        self._of = {place: each.get("calendars") or () for place, each in workloads}

    def hold(self, place: Place, now_ms: int, length_ms: int) -> Held | None:
        """Whether what takes so long and begins now would not lie in all of a workload's."""
        opens = {it: _opens(self._spans[it], now_ms, length_ms) for it in self._of[place]}
        closed = [it for it, at in opens.items() if at != now_ms]
        if not closed:
            return None
        name = f"{self._names[closed[0]]} is closed"
        until_ms = self._next(self._of[place], now_ms, length_ms)
        return Held(name, until_ms=until_ms)

    def _next(self, calendars: Sequence[int], from_ms: int, length_ms: int) -> int | None:
        """The first time from then on at which all of them are open for so long."""
        while True:
            opens = [_opens(self._spans[it], from_ms, length_ms) for it in calendars]
            found = [ms for ms in opens if ms is not None]
            if len(found) < len(opens) or max(found) == from_ms:
                return max(found) if len(found) == len(opens) else None
            from_ms = max(found)


def _opens(spans: Iterable[Span], from_ms: int, length_ms: int) -> int | None:
    """The first time from then on at which so much lies in one span."""
    begins = ((max(begin, from_ms), end) for begin, end in spans)
    return min((at for at, end in begins if at + length_ms <= end and at < end), default=None)


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
