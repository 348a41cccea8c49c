"""How fast the workloads could go at best, whatever else there is: what the bounds rest on.

Each is taken by itself, with the room that its budgets have once every pod of the plan that is
down is back. No plan of the same moves is faster, so whoever claims more has proved nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from itertools import accumulate, count, pairwise
from typing import TYPE_CHECKING

import numpy as np

from planner.verify.columns import alike, codes_of
from planner.verify.dependencies import needed, waited_for
from planner.verify.numbers import seconds_of
from planner.verify.rates import Rate, begun_ms, begun_of, rates_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from planner.verify.bound import Moves
    from planner.verify.columns import Ints
    from planner.verify.fleet import Workload, WorkloadKey
    from planner.verify.plan import Case
    from planner.verify.usage import Usage, Usages


def room_of(usage: Usage) -> int:
    """How many pods a wave may take from a budget once all that comes back is back."""
    return max(1, usage.budget.limit - usage.stays_down)


def at(most: Sequence[int], wave: int) -> int:
    """The most moves in so many waves."""
    return most[min(wave, len(most)) - 1] if wave > 0 else 0


def steps(stages: Iterable[int], free: int, room: int) -> list[int]:
    """The most moves after 1, 2, .. waves of one stage each: `room` a wave besides `free` ones."""
    most: list[int] = []
    before = 0
    for size in stages:
        for wave in count(1):
            inside = min(size, free + wave * room)
            most.append(min(before + inside, free + (len(most) + 1) * room))
            if inside == size:
                break
        before += size
    while most[-1] < before:
        most.append(min(before, free + (len(most) + 1) * room))
    return most


def steps_in_order(
    moves: Sequence[Sequence[int]], stages: Iterable[int], rooms: Mapping[int, int]
) -> list[int]:
    """The same where no move, given by its budgets, may go in an earlier wave than the one before.

    To put as many into a wave as fit leaves least for the others.
    """
    ends, most = set(accumulate(stages)), []
    taken: Counter[int] = Counter()
    for done, budgets in enumerate(moves):
        if done in ends or any(taken[each] >= rooms[each] for each in budgets):
            most.append(done)
            taken.clear()
        taken.update(budgets)
    return [*most, len(moves)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """What moves of a workload need that do not wait for their wave.

    Waves are needed all the same: cut the time in which nothing soaks into slots as long as the
    shortest move. Moves that begin in one slot are under way together when the last of them
    begins, and are of one stage; so slots are waves, some of them empty.
    """

    waves: int
    shortest_ms: int
    longest_ms: int
    """One of the moves takes so long."""
    soaks_ms: int
    begun_ms: int
    """From when the first has begun at the rate until the last has."""

    @property
    def ms(self) -> int:
        """From when the first may begin until the last is over."""
        return max(
            self.soaks_ms + self.waves * self.shortest_ms,
            self.soaks_ms + self.longest_ms,
            self.begun_ms + self.shortest_ms,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Pace:
    """The moves of one workload by themselves."""

    moves: Moves
    """In the order of the controller if that binds."""
    usages: Usages
    ordered: bool
    stages: Sequence[tuple[int, int]]
    """Moves of each stage that has any, and its soak in milliseconds."""
    ms_of: Mapping[str, int]
    """What a move takes at most, by its kind: the shortest wave of the plan with such a move, but
    for the time in which its moves begin."""
    own_ms_of: Mapping[str, int]
    """What a move of a streaming plan takes, by its kind; empty in other plans."""
    needs: Sequence[tuple[int, int]]
    """What a move needs of each rate by which it goes, and units of that a second."""

    @cached_property
    def _takes(self) -> tuple[Ints, Ints]:
        """The budgets from which moves take, one move after the other; and how many of each."""
        return self.usages.takers.budgets(self.moves.rows)

    @cached_property
    def sizes(self) -> list[int]:
        """Moves of each stage."""
        return [size for size, _ in self.stages]

    @cached_property
    def taking(self) -> Counter[Usage]:
        """Moves that take from each budget."""
        places, moves = np.unique(self._takes[0], return_counts=True)
        both = zip(places.tolist(), moves.tolist(), strict=True)
        return Counter({self.usages.all[place]: moves for place, moves in both})

    @cached_property
    def first(self) -> Sequence[int]:
        """The most moves in the first 1, 2, .. waves of the workload."""
        return self._most(1)

    @cached_property
    def last(self) -> Sequence[int]:
        """The most moves in the last 1, 2, .. waves of the workload."""
        return self._most(-1)

    def _most(self, step: int) -> Sequence[int]:
        places, counts = self._takes
        if self.ordered:
            ends = np.cumsum(counts).tolist()
            takes = [places[begin:end].tolist() for begin, end in pairwise((0, *ends))]
            rooms = {place: room_of(self.usages.all[place]) for place in set(places.tolist())}
            return steps_in_order(takes[::step], self.sizes[::step], rooms)
        free = int(np.count_nonzero(counts == 0))
        always = [it for it, moves in self.taking.items() if moves == len(counts) - free]
        return steps(self.sizes[::step], free, min(map(room_of, always), default=len(counts)))

    def waves(self, moves: int) -> int:
        """The fewest waves that hold so many moves."""
        paced = bisect_left(self.first, moves) + 1
        if moves < len(self.moves):
            return paced
        return max(paced, *(-(-taken // room_of(it)) for it, taken in self.taking.items()), 0)

    def soak_ms(self, moves: int) -> int:
        """The soak of the stages that end before so many moves are done."""
        ended = zip(accumulate(self.sizes), self.stages, strict=True)
        return sum(soak_ms for end, (_, soak_ms) in ended if end < moves)

    def longest_ms(self, moves: int) -> int:
        """What one of the waves of so many moves takes at least."""
        return (max if moves >= len(self.moves) else min)(self.ms_of.values())

    def begun_ms(self, moves: int) -> int:
        """Until so many moves have begun."""
        return max((begun_ms(units * moves, per_s) for units, per_s in self.needs), default=0)

    def ms(self, moves: int) -> int:
        """The least time for so many moves."""
        others = (self.waves(moves) - 1) * min(self.ms_of.values())
        return self.soak_ms(moves) + self.begun_ms(moves) + others + self.longest_ms(moves)

    def streamed(self, moves: int) -> Streamed:
        """What so many moves need at least that do not wait for their wave."""
        own_ms = self.own_ms_of.values()
        return Streamed(
            waves=self.waves(moves),
            shortest_ms=min(own_ms),
            longest_ms=(max if moves >= len(self.moves) else min)(own_ms),
            soaks_ms=self.soak_ms(moves),
            # The first may begin at once.
            begun_ms=self.begun_ms(moves - 1),
        )

    def streamed_ms(self, moves: int) -> int:
        """The least time for so many moves that do not wait for their wave."""
        return self.streamed(moves).ms


@dataclass(frozen=True, kw_only=True, eq=False)
class Ends:
    """What lies at least before each workload's moves, from the first of them on, and after all."""

    head: defaultdict[str, int]
    span: defaultdict[str, int]
    tail: defaultdict[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Paces:
    """The pace of each workload that moves, by its name, found when it is asked for."""

    case: Case
    usages: Usages
    workloads: Mapping[str, Workload]
    wave_ms: Mapping[int, int]
    rates: Sequence[Rate]
    unordered: Container[WorkloadKey]
    """Those whose own order gives way to a sequence."""
    begun: Mapping[tuple[int, str], int]
    """Until the moves of a wave have begun that go by a rate, by its name, in milliseconds."""
    _found: dict[str, Pace] = field(default_factory=dict)

    @cached_property
    def after(self) -> Mapping[str, Mapping[str, int]]:
        """Who waits for how many moves of each."""
        after: dict[str, dict[str, int]] = {name: {} for name in self.workloads}
        is_done = (self.case.target.changes.codes < 0) & ~self.case.fleet.table.down
        for rule in self.case.request["spec"].get("dependencies") or ():
            waiting = {str(it.key) for it in self.case.fleet.referred(rule["workload"])}
            for before in waited_for(rule, self.case):
                # A pod of which only a sidecar changes is not done: the planner waits for it, too.
                rows = before.pods.rows
                done = int(np.count_nonzero(is_done[rows]))
                moves, name = needed(rule, before) - done, str(before.key)
                if moves > 0 and name in after:
                    for other in (waiting & after.keys()) - {name}:
                        after[name][other] = max(after[name].get(other, 0), moves)
        return after

    @cached_property
    def before(self) -> Mapping[str, Mapping[str, int]]:
        """For how many moves of each a workload waits."""
        before: dict[str, dict[str, int]] = {name: {} for name in self.workloads}
        for name, waiting in self.after.items():
            for after, moves in waiting.items():
                before[after][name] = moves
        return before

    @cached_property
    def order(self) -> Sequence[str]:
        """Every workload after those for which it waits."""
        return tuple(TopologicalSorter(self.before).static_order())

    def of(self, name: str) -> Pace:
        """The pace of one of the workloads."""
        if name not in self._found:
            self._found[name] = self._read(self.workloads[name])
        return self._found[name]

    def _read(self, workload: Workload) -> Pace:
        bound, moves = self.case.bound, self.case.moves_of[workload.key]
        ordered = workload.strategy.ordered and workload.key not in self.unordered
        if ordered:
            moves = moves.where(np.argsort(-bound.table.ordinal[moves.rows], kind="stable"))
        rules = self.case.request["spec"].get("stages") or ({"name": None},)
        sizes: Counter[str | None] = Counter()
        for (_, stage), count_ in self.case.places_of[workload.key].items():
            sizes[stage] += count_
        soaks_ms = {it["name"]: int(seconds_of(it.get("soak") or 0) * 1000) for it in rules}
        of = moves.waves, bound.manner[moves.places]
        firsts, _ = alike(codes_of(of[0]), codes_of(of[1]))
        pairs = zip(of[0][firsts].tolist(), of[1][firsts].tolist(), strict=True)
        waves = {(bound.manners[manner].kind, wave) for wave, manner in pairs}
        ms_of: dict[str, int] = {}
        name = str(workload.key)
        rates = [rate for rate in self.rates if rate.units(name)]
        for kind, wave in waves:
            begun = max((self.begun.get((wave, it.name), 0) for it in rates), default=0)
            lasts_ms = self.wave_ms.get(wave, 0) - begun
            ms_of[kind] = min(ms_of.get(kind, lasts_ms), lasts_ms)
        return Pace(
            moves=moves,
            usages=self.usages,
            ordered=ordered,
            stages=[(sizes[it], soak_ms) for it, soak_ms in soaks_ms.items() if sizes[it]]
            or [(len(moves), 0)],
            ms_of=ms_of,
            own_ms_of=self._own_ms_of(moves),
            needs=[(rate.units(name), rate.per_s) for rate in rates],
        )

    def _own_ms_of(self, moves: Moves) -> Mapping[str, int]:
        """What these moves say that they take."""
        bound = moves.bound
        if bound.starts is None:
            return {}
        lasts_ms, manners = bound.starts.lasts_ms[moves.places], bound.manner[moves.places]
        own: dict[str, int] = {}
        for manner in np.unique(manners).tolist():
            ms, kind = int(lasts_ms[manners == manner].min()), bound.manners[manner].kind
            own[kind] = min(own.get(kind, ms), ms)
        return own

    def ends(self, least: Callable[[Pace, int], int]) -> Ends:
        """By what so many moves of one workload need at least."""
        ends = Ends(head=defaultdict(int), span=defaultdict(int), tail=defaultdict(int))
        for name in self.order:
            for after, moves in self.after[name].items():
                head = ends.head[name] + least(self.of(name), moves)
                ends.head[after] = max(ends.head[after], head)
        for name in reversed(self.order):
            pace = self.of(name)
            ends.span[name] = least(pace, len(pace.moves))
            for after, moves in self.after[name].items():
                span = least(pace, moves) + ends.span[after]
                ends.span[name] = max(ends.span[name], span)
                if moves >= len(pace.moves):
                    ends.tail[name] = max(ends.tail[name], ends.span[after])
        return ends


def read_paces(case: Case, usages: Usages, unordered: Container[WorkloadKey]) -> Paces:
    """The workloads that move, and how long each wave of the plan takes."""
    rates = rates_of(case)
    return Paces(
        case=case,
        usages=usages,
        workloads={str(workload.key): workload for workload, _ in case.moves_with_workload()},
        wave_ms={it["wave"]: round(it["seconds"] * 1000) for it in case.header["per_wave"]},
        rates=rates,
        unordered=unordered,
        begun=begun_of(case, rates),
    )
