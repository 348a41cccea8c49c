"""A plan carried out without barriers: each move goes as soon as its own rules let it.

The waves say in which order. All waves up to one after which somebody approves are a leg, and a leg
waits for the one before (docs/apply.md). Times in milliseconds from the beginning of the run.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from planner.simulate.course import WaveRun
from planner.simulate.driver import PATIENCE_MS, Driver
from planner.simulate.holds import Calendars, Held, Stages
from planner.simulate.planned import Planned
from planner.simulate.rates import Place
from planner.simulate.room import Room, needs_room

AHEAD: Final = 4
"""Of each workload as many moves are asked about as this many of its waves have."""

_STATEFUL: Final = ("StatefulSet", "AdvancedStatefulSet")
_FIRST: Final = Held("others go first", is_for_others=True)


@dataclass(slots=True, eq=False)
class _Queue:
    """The moves of a workload: those that wait, in the order of the plan, and those under way.

    `asked`: of how many that wait somebody asks at once. `is_ordered`: nobody passes another.
    `under_way`: from when each is waited for. `given_up`: those for which nobody waits.
    """

    asked: int
    is_ordered: bool
    waiting: list[Planned] = field(default_factory=list)
    under_way: dict[Planned, int] = field(default_factory=dict)
    given_up: set[Planned] = field(default_factory=set)


class Legs:
    """The legs of a plan."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._waves = driver.header["per_wave"]
        self._stages = Stages(driver.header, driver.planned)
        self._calendars = Calendars(driver.header)
        self._room = Room(driver)
        self._queues = {place: _queue(place, its) for place, its in _by_place(driver.planned)}
        self._order = {each: number for number, each in enumerate(driver.planned)}
        self._open = 0
        """Moves of the leg for which somebody waits."""
        self._progress_ms = 0
        self._check_ms = 0
        """When somebody may lose patience with what is under way, or earlier."""
        self._opens_ms: list[int] = []
        self._blocked: list[Planned] = []
        """Moves that wait for nothing that comes by itself, nor for others of their workload."""

    @property
    def gates(self) -> int:
        """How often all wait for an approval."""
        return sum(bool(each["approvals"]) for each in self._waves[:-1])

    def carry_out(self) -> Iterator[WaveRun]:
        """Carry out one leg after the other; gives how each wave went."""
        leg: list[Mapping[str, Any]] = []
        number = begin = 0
        begun = _phases_begin(self._driver.header)
        for wave in self._waves:
            leg.append(wave)
            if wave["approvals"] or wave is self._waves[-1] or wave["wave"] + 1 in begun:
                number += 1
                its = self._of_waves(begin, leg[-1]["wave"])
                self._leg(number, leg[0], its)
                yield from self._told(leg, its)
                begin += len(its)
                leg = []

    def _of_waves(self, begin: int, last: int) -> Sequence[Planned]:
        """The moves from one on up to the end of a wave."""
        end, planned = begin, self._driver.planned
        while end < len(planned) and planned[end].move["wave"] <= last:
            end += 1
        return planned[begin:end]

    def _leg(self, number: int, first: Mapping[str, Any], its: Sequence[Planned]) -> None:
        driver = self._driver
        if number > 1:
            soaks_s = first.get("soaks_s")
            driver.rest(int((first["waits_s"] if soaks_s is None else soaks_s) * 1000))
        for each in its:
            self._queues[each.place].waiting.append(each)
        self._open, self._progress_ms = len(its), driver.run_ms
        while True:
            self._look()
            while self._let_go(number):
                driver.settle()
                self._look()
            if not self._open:
                break
            if not self._give_up_in_vain():
                driver.step(self._next_ms() - driver.run_ms + driver.now_ms)
        self._stages.end_leg(driver.run_ms)

    def _look(self) -> None:
        """See who is back, and lose patience with who is not."""
        now_ms = self._driver.run_ms
        for each in self._driver.note_back():
            queue = self._queues[each.place]
            del queue.under_way[each]
            if each not in queue.given_up:
                self._over(each)
            for other in queue.under_way:
                # Controllers may take what was let go together one by one.
                if other.let_go_ms >= each.let_go_ms:
                    queue.under_way[other] = now_ms
        if now_ms < self._check_ms:
            return
        for queue in self._queues.values():
            late = [it for it, ms in queue.under_way.items() if now_ms >= ms + PATIENCE_MS]
            self._give_up(it for it in late if it not in queue.given_up)
        since = [ms for _, ms in self._waited_for()]
        self._check_ms = min(since, default=now_ms) + PATIENCE_MS

    def _waited_for(self) -> Iterator[tuple[Planned, int]]:
        for queue in self._queues.values():
            yield from (it for it in queue.under_way.items() if it[0] not in queue.given_up)

    def _over(self, planned: Planned) -> None:
        self._open -= 1
        self._progress_ms = self._driver.run_ms
        self._stages.over(planned, self._driver.run_ms)

    def _give_up(self, moves: Iterable[Planned]) -> None:
        for each in moves:
            self._queues[each.place].given_up.add(each)
            self._over(each)

    def _give_up_in_vain(self) -> bool:
        """Give a wave up of which nothing can go, when nothing is under way and nothing opens."""
        is_late = self._driver.run_ms >= self._progress_ms + PATIENCE_MS
        if not is_late or self._opens_ms or any(True for _ in self._waited_for()):
            return False
        queues = self._queues
        waiting = [it for queue in queues.values() for it in queue.waiting]
        left = [it for it in waiting if it not in queues[it.place].given_up]
        found = [it for it in self._blocked if it not in queues[it.place].given_up] or left
        first = min(it.move["wave"] for it in found)
        self._give_up(it for it in found if it.move["wave"] == first)
        return True

    def _next_ms(self) -> int:
        """The next moment at which somebody serves for long enough, may go, or is late."""
        driver = self._driver
        from_ms = driver.now_ms - driver.run_ms
        ready = [ms - from_ms for ms in driver.ready_ms(driver.under_way)]
        late = self._check_ms if any(True for _ in self._waited_for()) else None
        if late is None and not self._opens_ms:
            late = self._progress_ms + PATIENCE_MS
        return min([*ready, *self._opens_ms, *([] if late is None else [late])])

    def _let_go(self, number: int) -> int:
        """Let go what nothing holds, in the order of the plan; says how many went."""
        self._room.look()
        self._opens_ms, self._blocked = [], []
        asked = [
            each
            for place, queue in self._queues.items()
            if queue.waiting
            for each in self._asked(place, queue)
        ]
        asked.sort(key=self._order.__getitem__)
        count = 0
        for going in self._parts(asked):
            for each in going:
                each.slot.wave = each.move["wave"]
            count += self._driver.let_go(going, number)
            self._note_gone(going)
        return count

    def _note_gone(self, going: Iterable[Planned]) -> None:
        now_ms = self._driver.run_ms
        for each in going:
            if each.let_go:
                queue = self._queues[each.place]
                queue.waiting.remove(each)
                queue.under_way[each] = self._progress_ms = now_ms
            else:
                each.slot.wave = 0
                self._blocked.append(each)

    def _asked(self, place: Place, queue: _Queue) -> Iterable[Planned]:
        """The next moves of a workload, but for those of which one knows that they cannot go."""
        asked = queue.waiting[: queue.asked]
        first = asked[0]
        held = self._awaits(place) or self._staged(first)
        if held:
            self._note(held)
            for each in asked:
                each.held_by = held.why
            return ()
        if why := self._room.full(place):
            its = [it for it in asked if needs_room(it)]
            self._blocked += its
            for each in its:
                each.held_by = why
            if queue.is_ordered and its:
                return asked[: asked.index(its[0])]
            return [it for it in asked if not needs_room(it)]
        return asked

    def _parts(self, asked: Sequence[Planned]) -> Iterator[Sequence[Planned]]:
        """What workloads change first, then who only leaves its node (see `Waves`)."""
        changing = {
            each.place
            for each in self._driver.under_way
            if each.application and each.slot.taken is None
        }
        its = [each for each in asked if not each.only_leaves]
        free = self._free(its)
        yield free
        changing |= {each.place for each in free if each.application}
        leaving = [it for it in asked if it.only_leaves and it.place not in changing]
        if leaving:
            yield self._free(leaving)

    def _free(self, asked: Iterable[Planned]) -> Sequence[Planned]:
        """Those that nothing holds."""
        rates, now_ms = self._driver.rates, self._driver.now_ms
        free: list[Planned] = []
        stopped: set[Place] = set()
        surging: dict[Place, bool] = {}
        for each in asked:
            place = each.place
            held = _FIRST if place in stopped else self._held(each)
            if not held and self._is_beside(each, surging):
                stopped.add(place)
                held = _FIRST
            if not held and (full := self._room.take(each)):
                held = Held(full)
                self._blocked.append(each)
            if held:
                self._note(held)
                each.held_by = held.why
                if self._queues[place].is_ordered:
                    stopped.add(place)
                continue
            rates.take(place, now_ms)
            free.append(each)
        return free

    def _held(self, planned: Planned) -> Held | None:
        place, driver = planned.place, self._driver
        if held := self._staged(planned):
            return held
        length_ms = int(self._waves[planned.move["wave"] - 1]["seconds"] * 1000)
        if held := self._calendars.hold(place, driver.run_ms, length_ms):
            return held
        busy = driver.rates.busy(place, driver.now_ms)
        free_ms = driver.rates.next_ms(driver.now_ms)
        if busy and free_ms is not None:
            return Held(busy, until_ms=free_ms - driver.now_ms + driver.run_ms)
        return None

    def _staged(self, planned: Planned) -> Held | None:
        return self._stages.hold(planned, self._driver.run_ms)

    def _awaits(self, place: Place) -> Held | None:
        why = self._driver.awaits(place)
        return Held(why, is_for_others=True) if why else None

    def _note(self, held: Held) -> None:
        if held.until_ms is not None:
            self._opens_ms.append(held.until_ms)

    def _is_beside(self, planned: Planned, surging: dict[Place, bool]) -> bool:
        """Whether a move would go beside a surge of its Deployment, or as one beside others.

        The two halves of a surge are counted by themselves.
        """
        place = planned.place
        if place[1].kind != "Deployment":
            return False
        surges: bool = planned.move["kind"] == "surge"
        moving = self._queues[place].under_way
        if moving and (surges or any(it.move["kind"] == "surge" for it in moving)):
            return True
        return surging.setdefault(place, surges) != surges

    def _told(
        self, waves: Iterable[Mapping[str, Any]], its: Sequence[Planned]
    ) -> Iterator[WaveRun]:
        """How the waves of a leg went."""
        now_ms = self._driver.run_ms
        of_wave: dict[int, list[Planned]] = {}
        for each in its:
            of_wave.setdefault(each.move["wave"], []).append(each)
        for wave in waves:
            moves = of_wave.get(wave["wave"], [])
            begin_s = min((it.move["start_s"] for it in moves), default=0.0)
            end_s = max((it.move["start_s"] + it.move["seconds"] for it in moves), default=0.0)
            yield WaveRun(
                wave=wave["wave"],
                begin_ms=min((it.let_go_ms if it.let_go else now_ms for it in moves), default=0),
                end_ms=max((it.back_ms if it.back else now_ms for it in moves), default=0),
                planned_begin_ms=round(begin_s * 1000),
                planned_s=end_s - begin_s,
                moves=len(moves),
                not_back=sum(not it.back for it in moves),
            )


def _by_place(planned: Iterable[Planned]) -> Iterable[tuple[Place, Sequence[Planned]]]:
    found: dict[Place, list[Planned]] = {}
    for each in planned:
        found.setdefault(each.place, []).append(each)
    return found.items()


def _queue(place: Place, its: Sequence[Planned]) -> _Queue:
    """The queue of a workload of which nobody waits yet."""
    _, key = place
    workload = its[0].slot.cluster.objects[key]
    rolling = (workload["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return _Queue(
        asked=AHEAD * max(Counter(each.move["wave"] for each in its).values()),
        is_ordered=key.kind in _STATEFUL and rolling.get("unorderedUpdate") is None,
    )


def _phases_begin(header: Mapping[str, Any]) -> frozenset[int]:
    """Waves in which a phase of a sequence begins that comes after another: all wait for those."""
    phases = header.get("sequences") or ()
    pairs = pairwise(phases)
    follow = (
        phase
        for before, phase in pairs
        if (before["sequence"], before["place"]) == (phase["sequence"], phase["place"])
    )
    return frozenset(it["first_wave"] for it in follow if it["first_wave"])
