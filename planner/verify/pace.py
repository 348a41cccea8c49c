"""How fast the workloads could go at best, whatever else there is: what the bounds rest on.

Each is taken by itself, with the room that its budgets have once every pod of the plan that is
down is back. No plan of the same moves is faster, so whoever claims more has proved nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from itertools import accumulate, count
from typing import TYPE_CHECKING

from planner.verify.dependencies import needed, waited_for
from planner.verify.numbers import seconds_of
from planner.verify.order import ordinal_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from planner.verify.plan import Case
    from planner.verify.usage import Usage, Usages


def room_of(usage: Usage) -> int:
    """How many pods a wave may take from a budget once all that comes back is back."""
    return max(1, usage.budget.limit - usage.stays_down)


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


def steps_in_order(moves: Sequence[Sequence[Usage]], stages: Iterable[int]) -> list[int]:
    """The same where no move, given by its budgets, may go in an earlier wave than the one before.

    To put as many into a wave as fit leaves least for the others.
    """
    ends, most = set(accumulate(stages)), []
    taken: Counter[Usage] = Counter()
    for done, budgets in enumerate(moves):
        if done in ends or any(taken[each] >= room_of(each) for each in budgets):
            most.append(done)
            taken.clear()
        taken.update(budgets)
    return [*most, len(moves)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pace:
    """The moves of one workload by themselves."""

    takes: Sequence[Sequence[Usage]]
    """The budgets from which each move takes, in the order of the controller if that binds."""
    ordered: bool
    stages: Sequence[tuple[int, int]]
    """Moves of each stage that has any, and its soak in milliseconds."""
    ms_of: Mapping[str, int]
    """What a move takes at most, by its kind: the shortest wave of the plan with such a move."""

    @cached_property
    def sizes(self) -> list[int]:
        """Moves of each stage."""
        return [size for size, _ in self.stages]

    @cached_property
    def taking(self) -> Counter[Usage]:
        """Moves that take from each budget."""
        return Counter(usage for budgets in self.takes for usage in budgets)

    @cached_property
    def first(self) -> Sequence[int]:
        """The most moves in the first 1, 2, .. waves of the workload."""
        return self._most(self.takes, self.sizes)

    @cached_property
    def last(self) -> Sequence[int]:
        """The most moves in the last 1, 2, .. waves of the workload."""
        return self._most(self.takes[::-1], self.sizes[::-1])

    def _most(self, takes: Sequence[Sequence[Usage]], sizes: Sequence[int]) -> Sequence[int]:
        if self.ordered:
            return steps_in_order(takes, sizes)
        free = sum(not budgets for budgets in takes)
        always = [it for it, moves in self.taking.items() if moves == len(takes) - free]
        return steps(sizes, free, min(map(room_of, always), default=len(takes)))

    def waves(self, moves: int) -> int:
        """The fewest waves that hold so many moves."""
        paced = bisect_left(self.first, moves) + 1
        if moves < len(self.takes):
            return paced
        return max(paced, *(-(-taken // room_of(it)) for it, taken in self.taking.items()), 0)

    def soak_ms(self, moves: int) -> int:
        """The soak of the stages that end before so many moves are done."""
        ended = zip(accumulate(self.sizes), self.stages, strict=True)
        return sum(soak_ms for end, (_, soak_ms) in ended if end < moves)

    def longest_ms(self, moves: int) -> int:
        """What one of the waves of so many moves takes at least."""
        return (max if moves == len(self.takes) else min)(self.ms_of.values())

    def ms(self, moves: int) -> int:
        """The least time for so many moves."""
        others = (self.waves(moves) - 1) * min(self.ms_of.values())
        return self.soak_ms(moves) + others + self.longest_ms(moves)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ends:
    """What lies at least before each workload's moves, from the first of them on, and after all."""

    head: defaultdict[str, int]
    span: defaultdict[str, int]
    tail: defaultdict[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Paces:
    """The workloads that move, by name, and for how many moves of each which others wait."""

    of: Mapping[str, Pace]
    after: Mapping[str, Mapping[str, int]]

    def ends(self, least: Callable[[Pace, int], int]) -> Ends:
        """By what so many moves of one workload need at least."""
        ends = Ends(head=defaultdict(int), span=defaultdict(int), tail=defaultdict(int))
        sorter = TopologicalSorter(dict.fromkeys(self.of, ()))
        for before, waiting in self.after.items():
            for after in waiting:
                sorter.add(after, before)
        order = tuple(sorter.static_order())
        for name in order:
            for after, moves in self.after[name].items():
                head = ends.head[name] + least(self.of[name], moves)
                ends.head[after] = max(ends.head[after], head)
        for name in reversed(order):
            pace = self.of[name]
            ends.span[name] = least(pace, len(pace.takes))
            for after, moves in self.after[name].items():
                span = least(pace, moves) + ends.span[after]
                ends.span[name] = max(ends.span[name], span)
                if moves == len(pace.takes):
                    ends.tail[name] = max(ends.tail[name], ends.span[after])
        return ends


def read_paces(case: Case, usages: Usages) -> Paces:
    """The pace of every workload that moves, and who waits for whom."""
    wave_ms = {it["wave"]: round(it["seconds"] * 1000) for it in case.header["per_wave"]}
    rules = case.request["spec"].get("stages") or ({"name": None},)
    of: dict[str, Pace] = {}
    for workload, moves in case.moves_with_workload():
        ordered = workload.strategy.ordered
        each = [(move, move.pod) for move in moves if move.pod is not None]
        if ordered:
            each.sort(key=lambda it: ordinal_of(it[1]), reverse=True)
        sizes = Counter(move.stage for move in moves)
        ms_of: dict[str, int] = {}
        for move in moves:
            lasts_ms = wave_ms.get(move.wave, 0)
            ms_of[move.kind] = min(ms_of.get(move.kind, lasts_ms), lasts_ms)
        of[str(workload.key)] = Pace(
            takes=[
                [it for it in usages.of_pod.get(pod, ()) if it.budget.takes(move)]
                for move, pod in each
            ],
            ordered=ordered,
            stages=[
                (sizes[it["name"]], int(seconds_of(it.get("soak") or 0) * 1000))
                for it in rules
                if sizes[it["name"]]
            ],
            ms_of=ms_of,
        )
    after: dict[str, dict[str, int]] = {name: {} for name in of}
    for rule in case.request["spec"].get("dependencies") or ():
        waiting = {str(it.key) for it in case.fleet.referred(rule["workload"])} & of.keys()
        for before in waited_for(rule, case):
            # A pod of which only a sidecar changes is not done: the planner waits for it, too.
            done = sum(pod not in case.target.changes and not pod.down for pod in before.pods)
            moves_needed = needed(rule, before) - done
            known = after.get(str(before.key), {})
            for name in waiting - {str(before.key)} if moves_needed > 0 else ():
                known[name] = max(known.get(name, 0), moves_needed)
    return Paces(of=of, after=after)
