"""Waves that are filled one after the other, move by move, while every budget has room."""

from collections.abc import Iterable, Sequence
from math import inf

from benches.peers.problem import Group, Problem, common, takers


class Filling:
    """A schedule that grows by waves.

    Attributes:
        done: of each group how many moves are in waves that are over.
        wave: the wave that is being filled, counted from 1.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.wave = 1
        self.done = [0] * len(problem.groups)
        self.left = sum(len(group.moves) for group in problem.groups)
        self._down = [each.down for each in problem.budgets]
        self._room = [each.limit - each.down for each in problem.budgets]
        self._waves = [[0] * len(group.moves) for group in problem.groups]
        crowd = crowds(problem)
        self._pending = [in_turn(group, crowd)[::-1] for group in problem.groups]
        self._common = [common(problem, group) for group in problem.groups]
        self._before: list[list[tuple[int, int]]] = [[] for _ in problem.groups]
        for each in problem.precedences:
            self._before[each.after].append((each.before, each.count))

    @property
    def schedule(self) -> list[list[int]]:
        """Of every group the wave of each move; 0 for those that are left."""
        return self._waves

    def fill(self, groups: Iterable[int]) -> None:
        """Fill a wave with moves of these groups, the first ones first, and close it.

        Raises:
            ValueError: nothing of them can move, now or ever.
        """
        moved: list[tuple[int, list[int]]] = []
        for index in groups:
            if all(self.done[before] >= count for before, count in self._before[index]):
                taken = self._take(index)
                if taken:
                    moved.append((index, taken))
        if not moved:
            raise ValueError(
                f"nothing can move in wave {self.wave}, and {self.left} moves are left"
            )
        for index, taken in moved:
            self.done[index] += len(taken)
            self.left -= len(taken)
            for charge in taken:
                for budget in self.problem.charges[charge].releases:
                    self._down[budget] -= 1
        self._room = [
            each.limit - down for each, down in zip(self.problem.budgets, self._down, strict=True)
        ]
        self.wave += 1

    def _take(self, index: int) -> list[int]:
        """Take what a group may move in this wave; the charges of what it moves."""
        group, room = self.problem.groups[index], self._room
        most = next(end for end in (*group.stages, inf) if end > self.done[index])
        most -= self.done[index]
        taken: list[int] = []
        kept: list[int] = []
        pending, common = self._pending[index], self._common[index]
        # From the end, where those that come first are.
        while pending and len(taken) < most:
            move = pending.pop()
            takes = self.problem.charges[group.moves[move]].takes
            if all(room[budget] > 0 for budget in takes):
                for budget in takes:
                    room[budget] -= 1
                self._waves[index][move] = self.wave
                taken.append(group.moves[move])
                continue
            kept.append(move)
            if group.ordered or any(room[budget] <= 0 for budget in common):
                break
        pending.extend(reversed(kept))
        return taken


def crowds(problem: Problem) -> list[float]:
    """Of every charge, how many waves the fullest of its budgets needs for all that take from it.

    Infinite for what takes nothing: it only makes room.
    """
    waves = [
        count / each.limit if each.limit else inf
        for count, each in zip(takers(problem), problem.budgets, strict=True)
    ]
    return [max((waves[budget] for budget in each.takes), default=inf) for each in problem.charges]


def in_turn(group: Group, crowd: Sequence[float]) -> list[int]:
    """Moves of a group in their order, or where that is free, the most crowded first."""
    moves = range(len(group.moves))
    if group.ordered:
        return list(moves)
    return sorted(moves, key=lambda move: (-crowd[group.moves[move]], move))
