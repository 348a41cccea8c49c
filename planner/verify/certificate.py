"""The rule about certificates: each step of what proves a bound follows from what was observed.

A certificate may claim less than follows and never more, and its own numbers add up to the bound.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from planner.verify.calendars import begins_s, opening, rules_of
from planner.verify.order import pods_ahead
from planner.verify.pace import Pace, read_paces, room_of, steps
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.verify.observed import Pod
    from planner.verify.pace import Ends, Paces
    from planner.verify.plan import Case
    from planner.verify.usage import Usage, Usages

    Json = Mapping[str, Any]


_ALWAYS = (0.0, float("inf"))


class _UnfoundedError(Exception):
    """A certificate claims what does not follow."""


def proved_by(written: Json) -> str | None:
    """By what a certificate proves its bound; None when it carries nothing that can be checked."""
    chain = [link["workload"] for link in written.get("chain") or ()]
    if len(chain) == 1:
        return f"{chain[0]} alone"
    if chain:
        return f"a chain of {len(chain)} workloads, {chain[0]} to {chain[-1]}"
    if written.get("budget"):
        return f"the room of {written['budget']['name']}"
    return "that nothing moves" if written.get("kind") == "nothing" else None


def certificates(case: Case, usages: Usages) -> Iterator[Violation]:
    """Every certificate proves its bound."""
    argument = _Argument(case=case, usages=usages, paces=read_paces(case, usages))
    for name, unit in (("waves", 1), ("seconds", 1000)):
        written = (case.header.get("proof") or {}).get(name) or {}
        bound = round(case.header[f"{name}_bound"] * unit)
        try:
            if proved_by(written) is None:
                continue
            proved = argument.waves(written) if name == "waves" else argument.ms(written)
            message = f"its numbers prove {proved / unit:g}, and the bound is {bound / unit:g}"
        except _UnfoundedError as error:
            proved, message = None, str(error)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            proved, message = None, f"it is not written as a certificate: {error!r}"
        if proved != bound:
            yield Violation(rule="certificate", subject=name, wave=None, message=message)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Argument:
    """Adds up what certificates say; what does not follow raises `_UnfoundedError`."""

    case: Case
    usages: Usages
    paces: Paces

    def waves(self, written: Json) -> int:
        if written.get("budget"):
            return self._energy(written)
        return sum(link["waves"] for _, link in self._chain(written))

    def ms(self, written: Json) -> int:
        if written.get("shortest_s") is not None:
            least = min(min(self.paces.of(it).ms_of.values()) for it in self.paces.workloads)
            shortest = _no_more("the shortest move", _in_ms(written["shortest_s"]), least)
            return shortest * self.waves(written)
        if written.get("budget"):
            return self._energy_ms(written)
        done_ms = 0
        for pace, link in self._chain(written):
            spans = self._open(link["workload"]) if written["kind"] == "calendar" else [_ALWAYS]
            done_ms = _done_ms(spans, done_ms, link, _link_ms(pace, link))
        return done_ms

    def _chain(self, written: Json) -> Iterator[tuple[Pace, Json]]:
        """The links: each waits for the one before, and needs as many waves as it says."""
        links: Sequence[Json] = written.get("chain") or ()
        for link, after in zip_longest(links, links[1:]):
            name, moves = link["workload"], link["moves"]
            if name not in self.paces.workloads:
                raise _UnfoundedError(f"there are no moves of {name}")
            pace = self.paces.of(name)
            waiting = self.paces.after[name]
            awaited = waiting.get(after["workload"], 0) if after else len(pace.takes)
            _no_less(f"moves of {name}", moves, 1)
            _no_more(f"moves of {name} for which the next waits", moves, awaited)
            if link["stages"] != pace.sizes:
                raise _UnfoundedError(f"the stages of {name} hold {pace.sizes}")
            waves = pace.waves(moves)
            if link["budget"] is not None:
                usage = self._usage(link["budget"])
                taking, room = _room(link["budget"], usage, pace.taking[usage])
                most = steps(pace.sizes, len(pace.takes) - taking, room)
                waves = bisect_left(most, moves) + 1
            _no_more(f"waves of {name}", link["waves"], waves)
            yield pace, link

    def _energy(self, written: Json) -> int:
        """So many a wave, but for the waves at either end, in which no more than said can go."""
        usage, head, tail = self._usage(written["budget"]), written["head"], written["tail"]
        moves, room = _room(written["budget"], usage, sum(usage.taken.values()))
        _no_more("waves at both ends", head["waves"] + tail["waves"], self.case.waves)
        _no_less("moves in the first waves", head["moves"], self._first(usage, head["waves"]))
        _no_less("moves in the last waves", tail["moves"], self._last(usage, tail["waves"]))
        rest = _no_less("moves in between", moves - head["moves"] - tail["moves"], 1)
        return int(head["waves"] + tail["waves"] - (-rest // room))

    def _first(self, usage: Usage, waves: int) -> int:
        """The most moves that take from a budget in the first waves of all."""
        loads, down = self._loads(usage), usage.budget.down
        back = self._ahead(pod for pod in down if pod in self.case.move_of)
        most = 0
        for wave in range(1, waves + 1):
            still_down = max(0, len(down) - self._recovered(back, wave - 1))
            room = max(0, usage.budget.limit - still_down)
            most = min(most + room, self._reached(loads, wave))
        return most

    def _reached(self, loads: Counter[str], wave: int) -> int:
        """The most of these moves, by workload, that the first waves of all can hold."""
        return sum(
            min(load, _at(self.paces.of(name).first, wave - self._ends.head[name]))
            for name, load in loads.items()
        )

    def _ahead(self, pods: Iterable[Pod]) -> Mapping[str, list[int]]:
        """How many pods their workload certainly takes before each of these, by workload."""
        by_workload: dict[str, list[Pod]] = {}
        for pod in pods:
            by_workload.setdefault(self._name(pod), []).append(pod)
        found = {}
        for name, its in by_workload.items():
            ahead = pods_ahead(self.case, self.paces.workloads[name], self.usages)
            found[name] = [ahead.get(pod, 0) for pod in its]
        return found

    def _recovered(self, back: Mapping[str, list[int]], wave: int) -> int:
        """The most pods that were down that the first waves of all can bring back."""
        recovered = 0
        for name, ahead in back.items():
            most = _at(self.paces.of(name).first, wave - self._ends.head[name])
            recovered += min(most, sum(before < most for before in ahead))
        return recovered

    def _last(self, usage: Usage, waves: int) -> int:
        """The most moves that take from a budget in the last waves of all."""
        loads, most = self._loads(usage), 0
        for wave in range(1, waves + 1):
            ready = 0
            for name, load in loads.items():
                pace = self.paces.of(name)
                own = _at(pace.last, wave - self._ends.tail[name])
                for after, moves in self.paces.after[name].items():
                    if wave <= self._ends.span[after]:
                        own = min(own, len(pace.takes) - moves)
                ready += min(load, own)
            most = min(most + room_of(usage), ready)
        return most

    def _energy_ms(self, written: Json) -> int:
        """The moves with so long a head, the longest of them together, and so long a tail."""
        usage, times = self._usage(written["budget"]), written["times"]
        head_ms, moves_ms, tail_ms = (_in_ms(times[f"{it}_s"]) for it in ("head", "moves", "tail"))
        late = {name for name in self._loads(usage) if self._ends_ms.head[name] >= head_ms}
        pods = [pod for pod in self._taking(usage) if self._name(pod) in late]
        moves, room = _room(written["budget"], usage, len(pods))
        kinds = ((self._name(pod), self.case.move_of[pod].kind) for pod in pods)
        each_ms = sorted((self.paces.of(name).ms_of[kind] for name, kind in kinds), reverse=True)
        _no_more("the waves of its moves", moves_ms, sum(each_ms[:moves:room]))
        _no_more("what follows", tail_ms, min((self._ends_ms.tail[it] for it in late), default=0))
        return head_ms + moves_ms + tail_ms

    def _open(self, name: str) -> list[tuple[float, float]]:
        """When the rules of time let a workload move."""
        workload = self.paces.workloads[name]
        mine = [rule for rule in rules_of(self.case) if rule.holds(workload)]
        return opening(mine, begins_s(self.case))

    @cached_property
    def _ends(self) -> Ends:
        return self.paces.ends(Pace.waves)

    @cached_property
    def _ends_ms(self) -> Ends:
        return self.paces.ends(Pace.ms)

    def _usage(self, written: Json) -> Usage:
        wanted = (written["name"], written["cluster"], written["place"])
        for usage in self.usages.all:
            if (usage.budget.name, usage.budget.cluster, usage.budget.instance) == wanted:
                return usage
        raise _UnfoundedError(f"there is no budget {wanted}")

    def _name(self, pod: Pod) -> str:
        return str(self.case.fleet.workload_of[pod].key)

    def _taking(self, usage: Usage) -> list[Pod]:
        moves = ((pod, self.case.move_of.get(pod)) for pod in usage.budget.pods)
        return [pod for pod, move in moves if move and usage.budget.takes(move)]

    def _loads(self, usage: Usage) -> Counter[str]:
        """Moves that take from a budget, by workload."""
        return Counter(map(self._name, self._taking(usage)))


def _link_ms(pace: Pace, link: Json) -> int:
    """A link's soaks and waves, one of which holds the longest of its moves if all are done."""
    shortest, longest = _in_ms(link["shortest_s"]), _in_ms(link["longest_s"])
    name, moves = link["workload"], link["moves"]
    _no_more(f"the shortest move of {name}", shortest, min(pace.ms_of.values()))
    _no_more(f"the longest move of {name}", longest, pace.longest_ms(moves))
    soak = _no_more(f"the soak of {name}", _in_ms(link["soaks_s"]), pace.soak_ms(moves))
    return soak + int(link["waves"] - 1) * shortest + longest


def _done_ms(spans: list[tuple[float, float]], from_ms: int, link: Json, least_ms: int) -> int:
    """When a link is done at the earliest if each of its waves lies inside one of the spans."""
    shortest, left, first = max(1, _in_ms(link["shortest_s"])), link["waves"], None
    for opens, closes in spans:
        begin = max(int(opens), from_ms)
        fit = (closes - begin) // shortest
        if fit > 0:
            first = begin if first is None else first
            if left <= fit:
                return max(begin + int(left) * shortest, first + least_ms)
            left -= fit
    return (from_ms if first is None else first) + least_ms


def _room(written: Json, usage: Usage, moves: int) -> tuple[int, int]:
    """Moves and room as a certificate says them."""
    taken = _no_more(f"moves that take from {usage.budget}", written["moves"], moves)
    return taken, _no_less(f"room of {usage.budget}", written["room"], room_of(usage))


def _at(most: Sequence[int], wave: int) -> int:
    return most[min(wave, len(most)) - 1] if wave > 0 else 0


def _in_ms(seconds: float) -> int:
    return round(seconds * 1000)


def _no_more(what: str, said: int, found: int) -> int:
    if said > found:
        raise _UnfoundedError(f"{what}: it says {said}, and no more than {found} follows")
    return said


def _no_less(what: str, said: int, found: int) -> int:
    if said < found:
        raise _UnfoundedError(f"{what}: it says {said}, and no fewer than {found} follows")
    return said
