"""A plan carried out wave by wave: each waits for the one before."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.simulate.course import WaveRun
from planner.simulate.driver import PATIENCE_MS, Driver
from planner.simulate.planned import Planned, claim

if TYPE_CHECKING:
    from planner.simulate.rates import Place


class Waves:
    """The waves of a plan."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._held: list[Planned] = []

    def carry_out(self) -> Iterator[WaveRun]:
        """Carry out one wave after the other."""
        begin, planned = 0, self._driver.planned
        for told in self._driver.header["per_wave"]:
            end = begin
            while end < len(planned) and planned[end].move["wave"] == told["wave"]:
                end += 1
            self._driver.rest(int(told["waits_s"] * 1000))
            yield self._wave(told, planned[begin:end])
            begin = end

    def _wave(self, told: Mapping[str, Any], planned: Sequence[Planned]) -> WaveRun:
        driver = self._driver
        driver.slots.wave = told["wave"]
        begin = driver.run_ms
        progress = driver.now_ms
        left = len(planned) + 1
        # What was held in earlier waves goes before what comes after it, and nobody waits for it.
        due = [*self._held, *planned]
        while True:
            for part in self._parts(due):
                driver.let_go(self._free(part))
                driver.settle()
            driver.note_back()
            open_moves = [each for each in planned if not each.back]
            if len(open_moves) < left:
                left, progress = len(open_moves), driver.now_ms
            if not open_moves or driver.now_ms >= progress + PATIENCE_MS:
                break
            driver.step(self._next_moment(open_moves, progress + PATIENCE_MS))
        self._held = [each for each in due if not each.let_go]
        return WaveRun(
            wave=told["wave"],
            begin_ms=begin,
            end_ms=driver.run_ms,
            planned_s=told["seconds"],
            moves=len(planned),
            not_back=left,
        )

    @staticmethod
    def _parts(due: Sequence[Planned]) -> Iterator[Sequence[Planned]]:
        """What the workloads change first, then who only leaves its node.

        A partition says how many are new, and not which: the other way round the new pod could
        come in the stead of one that was let go, which would then stay old.
        """
        yield [each for each in due if not each.only_leaves]
        leaving = [each for each in due if each.only_leaves]
        if leaving:
            yield leaving

    def _free(self, due: Sequence[Planned]) -> list[Planned]:
        """Those that nothing holds."""
        driver, claimed = self._driver, self._driver.claims()
        free: list[Planned] = []
        full: dict[Place, str] = {}
        for each in due:
            place = each.place
            if each.let_go:
                continue
            # What comes after it in the controller's order would go in its place.
            each.held_by = (
                full.get(place)
                or driver.awaits(place)
                or driver.rates.busy(place, driver.now_ms)
                or claim(each, claimed)
            )
            if each.held_by:
                full[place] = each.held_by
                continue
            driver.rates.take(place, driver.now_ms)
            free.append(each)
        return free

    def _next_moment(self, open_moves: Sequence[Planned], deadline_ms: int) -> int:
        """The next moment at which a pod has served for long enough, or another may begin."""
        begins = self._driver.rates.next_ms(self._driver.now_ms)
        moments = self._driver.ready_ms(open_moves)
        return min([*moments, deadline_ms if begins is None else begins])
