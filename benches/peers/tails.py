"""List scheduling: every wave is filled by the workloads after which the longest way is left."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import networkx as nx

from benches.peers.filling import Filling
from benches.peers.problem import Answer, Group, Problem, common


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a group can be by itself.

    Attributes:
        cap: moves of a wave that take, at most; those that take nothing are `free`.
    """

    stages: tuple[int, ...]
    cap: int
    free: int

    def waves(self, begin: int, end: int) -> int:
        """Waves that the moves after `begin` up to `end` need at least, stage by stage."""
        return sum(self._parts(begin, end))

    def _parts(self, begin: int, end: int) -> Iterator[int]:
        for stop in self.stages:
            moves = min(stop, end) - begin
            if moves > 0:
                yield max(1, -(-(moves - self.free) // self.cap))
                begin = min(stop, end)


def paces(problem: Problem) -> list[Pace]:
    """Of every group, by the tightest budget from which all of it takes."""
    return [_pace(problem, group) for group in problem.groups]


def _pace(problem: Problem, group: Group) -> Pace:
    limits = [problem.budgets[each].limit for each in common(problem, group)]
    free = sum(not problem.charges[each].takes for each in group.moves)
    return Pace(stages=group.stages, cap=max(1, min(limits, default=len(group.moves))), free=free)


def graph(problem: Problem) -> "nx.DiGraph[int]":
    """From every group to those that wait for it."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(problem.groups)))
    graph.add_edges_from((each.before, each.after) for each in problem.precedences)
    return graph


class Tails:
    """How many waves at least are left from the next one to the end of what waits for a group."""

    def __init__(self, problem: Problem) -> None:
        self._sizes = [len(group.moves) for group in problem.groups]
        self._paces = paces(problem)
        self._order = list(nx.topological_sort(graph(problem)))
        self._after: list[list[tuple[int, int]]] = [[] for _ in problem.groups]
        for each in problem.precedences:
            self._after[each.before].append((each.after, each.count))

    def heads(self) -> list[int]:
        """Of every group, the first wave in which it can move at all."""
        heads = [1] * len(self._sizes)
        for group in self._order:
            for after, count in self._after[group]:
                ready = heads[group] + self._paces[group].waves(0, count)
                heads[after] = max(heads[after], ready)
        return heads

    def given(self, done: Sequence[int]) -> list[int]:
        """Of every group, when so many moves of each are done."""
        tails = [0] * len(self._sizes)
        for group in reversed(self._order):
            pace, begin = self._paces[group], done[group]
            alone = pace.waves(begin, self._sizes[group])
            later = (
                tails[a] + pace.waves(begin, count)
                for a, count in self._after[group]
                if begin < count
            )
            tails[group] = max(alone, *later, 0)
        return tails


def solve(problem: Problem, seconds: float) -> Answer:  # noqa: ARG001 it takes as long as it takes
    """Fill wave after wave, the longest tail first."""
    filling, tails = Filling(problem), Tails(problem)
    left = list(range(len(problem.groups)))
    while left:
        tail = tails.given(filling.done)
        filling.fill(sorted(left, key=lambda group: (-tail[group], group)))
        left = [g for g in left if filling.done[g] < len(problem.groups[g].moves)]
    return Answer(waves=filling.schedule)
