"""How many moves may go for their images to be pulled at the rates of the plan: pure decisions."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

from planner.apply.course import Course, Place, place_of
from planner.apply.moveset import MoveSet
from planner.apply.steps import Going
from planner.apply.wave import Due
from planner.apply.wave_state import Wave

AWAY_MS: Final = 2_000
"""How long an executor looks away at most: a tick, and what it does in it."""


class Pulls:
    """The rates of registries at one moment of a wave.

    A move may go when everything that was let go before it has been pulled at the rate (the virtual
    scheduling of ITU-T I.371). What could have gone while the executor looked away may go at once;
    what was not used for longer is lost.
    """

    def __init__(self, course: Course, due: Iterable[Due], wave: Wave, now_ms: int) -> None:
        self._now_ms = now_ms
        self._names = [rate.name for rate in course.pulls]
        self._takes_ms = course.pull_ms
        self._free_ms: list[Fraction | None] = [None] * len(self._names)
        """When each has pulled all that was let go; None before anything was."""
        if self._names:
            places = {each.number: place_of(each.move) for each in due}
            for ms, moves in wave.let_go_at:
                for number in MoveSet.parse(moves):
                    if number in places:
                        self._take(places[number], ms)

    def late(self, waiting: Iterable[Due]) -> dict[int, str]:
        """Moves that have to wait for a registry, with why."""
        busy = ((each.number, self._busy(place_of(each.move))) for each in waiting)
        return {number: f"{name} pulls for others" for number, name in busy if name}

    def in_turn(self, going: Sequence[Going]) -> list[Going]:
        """Those that may go now, the first ones first."""
        kept = []
        for each in going:
            place = place_of(each.move)
            if not self._busy(place):
                self._take(place, self._now_ms)
                kept.append(each)
        return kept

    def _busy(self, place: Place) -> str:
        """The rate that has to pull something else before; empty when there is none."""
        mine = self._takes_ms.get(place, ())
        free_ms = {it: self._free_ms[it] or 0 for it in mine}
        return next((self._names[it] for it in mine if free_ms[it] > self._now_ms), "")

    def _take(self, place: Place, ms: int) -> None:
        for index, takes_ms in self._takes_ms.get(place, {}).items():
            free_ms = self._free_ms[index]
            away_ms = Fraction(ms - AWAY_MS)
            self._free_ms[index] = (ms if free_ms is None else max(free_ms, away_ms)) + takes_ms
