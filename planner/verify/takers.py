"""From which budgets the move of each pod takes, found for all moves at once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from planner.verify.columns import spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.verify.bound import Bound
    from planner.verify.budgets import Budget
    from planner.verify.columns import Bools, Ints

_NONE = np.zeros(0, np.int64)


def takes_from(bound: Bound, *, surge: bool, containers: frozenset[str] | None) -> Bools:
    """Of each pod of the table whether its move takes from such a budget if it is not free."""
    of_manner = [
        (it.kind == "surge") is surge
        and (containers is None or not containers.isdisjoint(it.containers))
        for it in bound.manners
    ]
    # -1 asks for the last, which is of no manner.
    return np.array([*of_manner, False])[bound.manner_of_row]


class Takers:
    """Budgets by the pod whose move takes from them, each by its place among all."""

    def __init__(self, bound: Bound, budgets: Sequence[Budget]) -> None:
        """The first move of a pod is the one that counts."""
        self._bound, size = bound, max(1, len(budgets))
        sorts: defaultdict[tuple[bool, frozenset[str] | None], list[int]] = defaultdict(list)
        for place, budget in enumerate(budgets):
            sorts[budget.surge, budget.containers].append(place)
        keys, free = [_NONE], [_NONE]
        for (surge, containers), places in sorts.items():
            is_taker = takes_from(bound, surge=surge, containers=containers)
            for found, groups in (
                (keys, [budgets[place].pods.rows for place in places]),
                (free, [budgets[place].free.rows for place in places]),
            ):
                rows = np.concatenate(groups)
                of = np.repeat(np.array(places, np.int64), list(map(len, groups)))
                found.append((rows * size + of)[is_taker[rows]])
        taking = np.sort(np.concatenate(keys))
        taking = np.delete(taking, np.searchsorted(taking, np.concatenate(free)))
        self._places = taking % size
        self._begins = np.searchsorted(taking, np.arange(len(bound.of_row) + 1) * size)

    def of(self, budget: Budget) -> Ints:
        """The pods whose moves take from a budget."""
        is_taker = takes_from(self._bound, surge=budget.surge, containers=budget.containers)
        is_taker[budget.free.rows] = False
        rows = budget.pods.rows
        return rows[is_taker[rows]]

    def budgets(self, rows: Ints) -> tuple[Ints, Ints]:
        """Those of each of these pods, one pod after the other, and how many."""
        begins = self._begins[rows]
        counts = self._begins[rows + 1] - begins
        return self._places[spans(begins, counts)], counts
