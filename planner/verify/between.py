"""What a budget has to take between the first waves of a plan and the last.

Workload by workload: what of its moves can go neither in the first waves nor in the last goes
between. Who waits for others begins only when a budget had room for what all of them need, and who
is waited for by several is followed by what all of them need of one.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING

from planner.verify.pace import Pace, at, room_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.verify.pace import Paces
    from planner.verify.recovery import Recovery
    from planner.verify.usage import Usage


class Between:
    """The waves before and after each workload, by chains and by what budgets have room for."""

    def __init__(self, paces: Paces, recovery: Recovery) -> None:
        self._paces, self._recovery = paces, recovery
        self._chained = paces.ends(Pace.waves).head
        self._head: dict[str, int] = {}
        self._span: dict[str, int] = {}
        self._tails: dict[str, Mapping[int, int]] = {}
        """Waves after so many moves of a workload, for each number of them that is waited for."""
        self._known: dict[tuple[str, frozenset[tuple[str, int]]], int] = {}
        for name in paces.order:
            self._head[name] = self._before(name)
        for name in reversed(paces.order):
            self._tails[name] = self._after(name)
            pace = paces.of(name)
            ends = (pace.waves(moves) + tail for moves, tail in self._tails[name].items())
            self._span[name] = max(pace.waves(len(pace.moves)), *ends, 0)

    def moves(self, loads: Mapping[str, int], head: int, tail: int) -> int:
        """How many of these, by workload, can go neither in the first waves nor in the last."""
        return sum(
            max(0, load - self._first(name, head) - self._last(name, tail))
            for name, load in loads.items()
        )

    def lack(self, usage: Usage, waves: Iterable[int]) -> int:
        """The room of a budget that pods that are down take from these waves at least."""
        return sum(room_of(usage) - self._recovery.room(usage, it, self._first) for it in waves)

    def _first(self, name: str, waves: int) -> int:
        """The most moves of a workload in the first waves of all."""
        return at(self._paces.of(name).first, waves - self._head[name])

    def _first_by_chains(self, name: str, waves: int) -> int:
        return at(self._paces.of(name).first, waves - self._chained[name])

    def _last(self, name: str, waves: int) -> int:
        """The most moves of a workload in the last waves of all."""
        pace, tails = self._paces.of(name), self._tails[name]
        size = len(pace.moves)
        behind = max((tail for moves, tail in tails.items() if moves >= size), default=0)
        kept = (size - moves for moves, tail in tails.items() if waves <= tail)
        return min(at(pace.last, waves - behind), *kept, size)

    def _before(self, name: str) -> int:
        """The waves before a workload begins."""
        needs = self._paces.before[name]
        chained = (self._head[it] + self._paces.of(it).waves(of) for it, of in needs.items())
        spared = frozenset((it, len(self._paces.of(it).moves) - of) for it, of in needs.items())
        if ("first", spared) not in self._known:
            self._known["first", spared] = max(self._until_room(spared), default=0)
        return max(self._known["first", spared], *chained, 0)

    def _after(self, name: str) -> Mapping[int, int]:
        tails = {}
        for moves in self._paces.after[name].values():
            waiting = [it for it, of in self._paces.after[name].items() if of >= moves]
            whole = frozenset((it, 0) for it in waiting)
            if ("last", whole) not in self._known:
                self._known["last", whole] = max(self._room_after(whole), default=0)
            tails[moves] = max(self._known["last", whole], *(self._span[it] for it in waiting))
        return tails

    def _until_room(self, spared: Iterable[tuple[str, int]]) -> Iterable[int]:
        """The waves until a budget had room for all moves of workloads but those that are spared.

        By each number of waves in which workloads do what they can, and each budget from which
        several take or in which pods come back.
        """
        for usage, loads in self._loads(spared).items():
            if len(loads) == 1 and not self._recovery.is_short(usage):
                continue
            for waves in count():
                left = sum(max(0, load - self._first(name, waves)) for name, load in loads.items())
                if not left:
                    break
                yield waves + self._recovery.after(usage, waves, left, self._first_by_chains)

    def _room_after(self, whole: Iterable[tuple[str, int]]) -> Iterable[int]:
        """The waves at the end in which a budget has room for all moves of several workloads."""
        for usage, loads in self._loads(whole).items():
            for waves in count():
                left = sum(max(0, load - self._last(name, waves)) for name, load in loads.items())
                if not left or len(loads) == 1:
                    break
                yield waves - (-left // room_of(usage))

    def _loads(self, spared: Iterable[tuple[str, int]]) -> Mapping[Usage, Mapping[str, int]]:
        """What is left for budgets, by workload."""
        loads: defaultdict[Usage, dict[str, int]] = defaultdict(dict)
        for name, less in spared:
            for usage, moves in self._paces.of(name).taking.items():
                if moves > less:
                    loads[usage][name] = moves - less
        return loads
