"""The argument of a budget: so many moves take from its room, and so many fit into it at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from planner.verify.between import Between
from planner.verify.claims import in_ms, no_less, no_more, room_said, usage_said
from planner.verify.columns import alike, codes_of
from planner.verify.pace import Pace, at, room_of
from planner.verify.recovery import Recovery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from planner.verify.claims import Json
    from planner.verify.pace import Ends, Paces
    from planner.verify.plan import Case
    from planner.verify.usage import Usage, Usages


@dataclass(frozen=True, kw_only=True, eq=False)
class Energy:
    """Adds up what a budget proves; what does not follow raises `UnfoundedError`."""

    case: Case
    usages: Usages
    paces: Paces

    def waves(self, written: Json) -> int:
        """So many a wave, but for the waves at either end, in which no more than said can go."""
        if written.get("between"):
            return self._between_waves(written)
        usage = usage_said(self.usages, written["budget"])
        head, tail = written["head"], written["tail"]
        moves, room = room_said(written["budget"], usage, sum(usage.taken.values()))
        no_more("waves at both ends", head["waves"] + tail["waves"], self.case.waves)
        no_less("moves in the first waves", head["moves"], self._first(usage, head["waves"]))
        no_less("moves in the last waves", tail["moves"], self._last(usage, tail["waves"]))
        rest = no_less("moves in between", moves - head["moves"] - tail["moves"], 1)
        return int(head["waves"] + tail["waves"] - (-rest // room))

    def _between_waves(self, written: Json) -> int:
        """So many a wave of what can go neither in the first waves nor in the last."""
        usage, said = usage_said(self.usages, written["budget"]), written["between"]
        head, tail = said["head_waves"], said["tail_waves"]
        _, room = room_said(written["budget"], usage, sum(usage.taken.values()))
        found = self._between.moves(self._loads(usage), head, tail)
        moves = no_less("moves in between", no_more("moves in between", said["moves"], found), 1)
        waves = -(-(moves + said["down"]) // room)
        no_more("waves", head + waves + tail, self.case.waves)
        lack = self._between.lack(usage, range(head + 1, head + waves))
        no_more("room that pods that are down take in between", said["down"], lack)
        return int(head + waves + tail)

    def _first(self, usage: Usage, waves: int) -> int:
        """The most moves that take from a budget in the first waves of all."""
        loads, most = self._loads(usage), 0
        for wave in range(1, waves + 1):
            room = self._recovery.room(usage, wave, self._most_first)
            most = min(most + room, self._reached(loads, wave))
        return most

    def _most_first(self, name: str, waves: int) -> int:
        """The most moves of a workload in the first waves of all."""
        return at(self.paces.of(name).first, waves - self._ends.head[name])

    def _reached(self, loads: Counter[str], wave: int) -> int:
        """The most of these moves, by workload, that the first waves of all can hold."""
        return sum(min(load, self._most_first(name, wave)) for name, load in loads.items())

    def _last(self, usage: Usage, waves: int) -> int:
        """The most moves that take from a budget in the last waves of all."""
        loads, most = self._loads(usage), 0
        for wave in range(1, waves + 1):
            ready = 0
            for name, load in loads.items():
                pace = self.paces.of(name)
                own = at(pace.last, wave - self._ends.tail[name])
                for after, moves in self.paces.after[name].items():
                    if wave <= self._ends.span[after]:
                        own = min(own, len(pace.moves) - moves)
                ready += min(load, own)
            most = min(most + room_of(usage), ready)
        return most

    def ms(self, written: Json) -> int:
        """The moves with so long a head, the longest of them together, and so long a tail."""
        return self._ms(written, self._ends_ms, attrgetter("ms_of"), _in_waves)

    def streamed_ms(self, written: Json) -> int:
        """The same of moves that do not wait for their wave."""
        return self._ms(written, self._ends_streamed, attrgetter("own_ms_of"), _under_way)

    def _ms(
        self,
        written: Json,
        ends: Ends,
        ms_of: Callable[[Pace], Mapping[str, int]],
        together: Callable[[Sequence[int], int], int],
    ) -> int:
        """It is given how long these moves take at least, the longest first, by the room."""
        usage, times = usage_said(self.usages, written["budget"]), written["times"]
        head_ms, moves_ms, tail_ms = (in_ms(times[f"{it}_s"]) for it in ("head", "moves", "tail"))
        late = {name for name in self._loads(usage) if ends.head[name] >= head_ms}
        each_ms = [
            ms_of(self.paces.of(name))[kind]
            for name, kind, alike_ in self._taking(usage)
            if name in late
            for _ in range(alike_)
        ]
        each_ms.sort(reverse=True)
        moves, room = room_said(written["budget"], usage, len(each_ms))
        no_more("the time of its moves", moves_ms, together(each_ms[:moves], room))
        no_more("what follows", tail_ms, min((ends.tail[it] for it in late), default=0))
        return head_ms + moves_ms + tail_ms

    @cached_property
    def _ends(self) -> Ends:
        return self.paces.ends(Pace.waves)

    @cached_property
    def _recovery(self) -> Recovery:
        return Recovery(case=self.case, usages=self.usages, paces=self.paces)

    @cached_property
    def _between(self) -> Between:
        return Between(self.paces, self._recovery)

    @cached_property
    def _ends_ms(self) -> Ends:
        return self.paces.ends(Pace.ms)

    @cached_property
    def _ends_streamed(self) -> Ends:
        return self.paces.ends(Pace.streamed_ms)

    def _loads(self, usage: Usage) -> Counter[str]:
        """Moves that take from a budget, by workload."""
        loads: Counter[str] = Counter()
        for name, _, moves in self._taking(usage):
            loads[name] += moves
        return loads

    def _taking(self, usage: Usage) -> Iterator[tuple[str, str, int]]:
        """Workload and kind of moves that take from a budget, and how many are alike."""
        table, bound = self.case.fleet.table, self.case.bound
        rows = self.usages.takers.of(usage.budget)
        firsts, groups = alike(codes_of(table.kin[rows]), codes_of(bound.manner_of_row[rows]))
        for row, moves in zip(rows[firsts].tolist(), np.bincount(groups).tolist(), strict=True):
            workload = self.case.fleet.workload_of_kin[table.kins[table.kin[row]]]
            yield str(workload.key), bound.manners[bound.manner_of_row[row]].kind, moves


def _in_waves(each_ms: Sequence[int], room: int) -> int:
    """As many as there is room for are in a wave, which takes as long as the longest of them."""
    return sum(each_ms[::room])


def _under_way(each_ms: Sequence[int], room: int) -> int:
    """No more than there is room for are ever under way.

    So all time of all moves has to fit into the room; and no more begin within the time of the
    shortest.
    """
    if not each_ms:
        return 0
    return max(-(-sum(each_ms) // room), -(-len(each_ms) // room) * each_ms[-1])
