"""The problem of a plan, with nothing of Kubernetes left in it, and what a schedule has to keep.

A wave is a barrier: its moves are down together and back before the next. A budget holds in every
wave that takes from it: what was down before and has not been moved yet, and what the wave takes,
are at most its limit. This file needs only Python, so that peers read it in their own environments.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, pairwise
from pathlib import Path

Schedule = Sequence[Sequence[int]]
"""Of every group the wave of each move, counted from 1, in the order of the group's moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most `limit` pods down at once; `down` are before the first wave."""

    name: str
    limit: int
    down: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What one move takes of budgets in its wave, and what it frees from the next wave on."""

    takes: tuple[int, ...]
    releases: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The moves of one workload.

    Attributes:
        ordered: no move comes in an earlier wave than one before it.
        stages: after how many moves each stage ends, ascending; the last is their number. A wave
            holds moves of one stage only, and moves are counted as waves take them.
        moves: of each move the index of its charge, at least one. Moves of one charge are alike.
    """

    name: str
    ordered: bool
    stages: tuple[int, ...]
    moves: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedence:
    """`after` moves only in waves before which `count` moves of `before` are done."""

    before: int
    after: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Budgets, charges and groups are spoken of by their index."""

    budgets: tuple[Budget, ...]
    charges: tuple[Charge, ...]
    groups: tuple[Group, ...]
    precedences: tuple[Precedence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a peer says of a problem.

    Attributes:
        bound: no schedule has fewer waves, by the peer's own proof; 0 when it has none.
    """

    waves: Schedule
    bound: int = 0


def write(problem: Problem, path: Path) -> None:
    """Write a problem as JSON with the names of the classes here."""
    path.write_text(json.dumps(asdict(problem)))


def read(path: Path) -> Problem:
    """Read what `write` wrote."""
    tree = json.loads(path.read_text())
    return Problem(
        budgets=tuple(Budget(**each) for each in tree["budgets"]),
        charges=tuple(
            Charge(takes=tuple(each["takes"]), releases=tuple(each["releases"]))
            for each in tree["charges"]
        ),
        groups=tuple(
            Group(
                name=each["name"],
                ordered=each["ordered"],
                stages=tuple(each["stages"]),
                moves=tuple(each["moves"]),
            )
            for each in tree["groups"]
        ),
        precedences=tuple(Precedence(**each) for each in tree["precedences"]),
    )


def takers(problem: Problem) -> list[int]:
    """Of every budget how many moves take from it."""
    counts = [0] * len(problem.budgets)
    moves = Counter(move for group in problem.groups for move in group.moves)
    for charge, count in moves.items():
        for budget in problem.charges[charge].takes:
            counts[budget] += count
    return counts


def scarce(problem: Problem) -> list[int]:
    """Budgets that can be full at all: more would be down if all moved at once."""
    counts = takers(problem)
    return [
        index
        for index, each in enumerate(problem.budgets)
        if counts[index] and counts[index] + each.down > each.limit
    ]


def common(problem: Problem, group: Group) -> frozenset[int]:
    """Budgets from which every move of a group takes that takes at all."""
    takes = (frozenset(problem.charges[each].takes) for each in set(group.moves))
    taking = [each for each in takes if each]
    return frozenset.intersection(*taking) if taking else frozenset()


def alike(problem: Problem, group: Group, budgets: Collection[int]) -> list[list[int]]:
    """Moves that take and release the same of some budgets.

    In an ordered group only one after the other.
    """

    def charge(move: int) -> Charge:
        of = problem.charges[group.moves[move]]
        return Charge(
            takes=tuple(b for b in of.takes if b in budgets),
            releases=tuple(b for b in of.releases if b in budgets),
        )

    moves = range(len(group.moves))
    if group.ordered:
        return [list(run) for _, run in groupby(moves, key=charge)]
    found: dict[Charge, list[int]] = {}
    for move in moves:
        found.setdefault(charge(move), []).append(move)
    return list(found.values())


def length(schedule: Schedule) -> int:
    """The last wave; 0 without moves."""
    return max((max(waves) for waves in schedule if waves), default=0)


def violations(problem: Problem, schedule: Schedule) -> Iterator[str]:
    """What is wrong with a schedule; nothing if it holds."""
    sizes = [len(group.moves) for group in problem.groups]
    if [len(waves) for waves in schedule] != sizes:
        yield "it does not give every move of every group one wave"
        return
    for group, waves in zip(problem.groups, schedule, strict=True):
        yield from _of_group(group, waves)
    for each in problem.precedences:
        before, after = sorted(schedule[each.before]), min(schedule[each.after])
        if each.count > len(before) or before[each.count - 1] >= after:
            waiting, first = problem.groups[each.after].name, problem.groups[each.before].name
            yield f"{waiting} moves in wave {after}, before {each.count} moves of {first} are done"
    yield from _exceeded(problem, schedule)


def _of_group(group: Group, waves: Sequence[int]) -> Iterator[str]:
    if min(waves) < 1:
        yield f"{group.name} moves in wave {min(waves)}, and the first is 1"
    if group.ordered and any(wave > later for wave, later in pairwise(waves)):
        yield f"{group.name} moves out of order"
    in_time = sorted(waves)
    for stop in group.stages[:-1]:
        if in_time[stop - 1] == in_time[stop]:
            yield f"{group.name} begins a stage after {stop} moves within wave {in_time[stop]}"


def _exceeded(problem: Problem, schedule: Schedule) -> Iterator[str]:
    moves: Counter[tuple[int, int]] = Counter()
    for group, waves in zip(problem.groups, schedule, strict=True):
        moves.update(zip(waves, group.moves, strict=True))
    taken: Counter[tuple[int, int]] = Counter()
    released: Counter[tuple[int, int]] = Counter()
    for (wave, index), count in moves.items():
        for budget in problem.charges[index].takes:
            taken[budget, wave] += count
        for budget in problem.charges[index].releases:
            released[budget, wave] += count
    down = [each.down for each in problem.budgets]
    for budget, wave in sorted(taken.keys() | released.keys()):
        of = problem.budgets[budget]
        used = down[budget] + taken[budget, wave]
        if taken[budget, wave] and used > of.limit:
            yield f"{used} are down under {of.name} in wave {wave}, where {of.limit} may be"
        down[budget] -= released[budget, wave]
