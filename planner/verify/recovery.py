"""How much of a budget there is room for while the pods that are down come back."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from planner.verify.order import pods_ahead
from planner.verify.pace import room_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planner.verify.pace import Paces
    from planner.verify.plan import Case
    from planner.verify.usage import Usage, Usages


@dataclass(frozen=True, kw_only=True, eq=False)
class Recovery:
    """The most room that a wave may have, given how many moves each workload makes at most."""

    case: Case
    usages: Usages
    paces: Paces
    _found: dict[int, Mapping[str, list[int]]] = field(default_factory=dict)

    def room(self, usage: Usage, wave: int, most: Callable[[str, int], int]) -> int:
        """The room of a wave; `most` moves of a workload are made in the first waves."""
        down = len(usage.budget.down) - self._back(usage, wave - 1, most)
        return max(0, usage.budget.limit - max(0, down))

    def is_short(self, usage: Usage) -> bool:
        """Whether pods come back for which there is no room before."""
        return bool(self._down(usage))

    def after(self, usage: Usage, waves: int, moves: int, most: Callable[[str, int], int]) -> int:
        """The waves after the first ones until there was room for so many moves."""
        for wave in count(waves + 1):
            room = self.room(usage, wave, most)
            if room == room_of(usage) or self._is_over(usage, wave - 1, most):
                return wave - 1 - waves - (-moves // room_of(usage))
            moves -= room
            if moves <= 0:
                return wave - waves
        raise AssertionError

    def _is_over(self, usage: Usage, waves: int, most: Callable[[str, int], int]) -> bool:
        """Whether no more can come back than in the first waves."""
        names = self._down(usage)
        return all(most(name, waves) >= len(self.paces.of(name).moves) for name in names)

    def _back(self, usage: Usage, waves: int, most: Callable[[str, int], int]) -> int:
        """The most pods that were down that the first waves of all can bring back."""
        back = 0
        for name, ahead in self._down(usage).items():
            made = most(name, waves)
            back += min(made, sum(before < made for before in ahead))
        return back

    def _down(self, usage: Usage) -> Mapping[str, list[int]]:
        """How many pods their workload certainly takes before each that is down, by workload."""
        if usage.place not in self._found:
            by_workload: dict[str, list[int]] = {}
            orders = {}
            for pod in usage.budget.down:
                if pod in self.case.move_of:
                    name = str(self.case.fleet.workload_of_kin[pod.kin].key)
                    if name not in orders:
                        workload = self.paces.workloads[name]
                        orders[name] = pods_ahead(self.case, workload, self.usages)
                    by_workload.setdefault(name, []).append(orders[name].get(pod, 0))
            self._found[usage.place] = by_workload
        return self._found[usage.place]
