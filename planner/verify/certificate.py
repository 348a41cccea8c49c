"""The rule about certificates: each step of what proves a bound follows from what was observed.

A certificate may claim less than follows and never more, and its own numbers add up to the bound.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from planner.verify.calendars import begins_s, opening, rules_of
from planner.verify.claims import (
    UnfoundedError,
    in_ms,
    no_less,
    no_more,
    proved_by,
    room_said,
    usage_said,
)
from planner.verify.energy import Energy
from planner.verify.pace import read_paces, steps
from planner.verify.phase_certificate import phased_waves
from planner.verify.rates import Rate, amount, begun_ms
from planner.verify.streaming_certificate import streamed_ms
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from planner.verify.claims import Json
    from planner.verify.pace import Pace, Paces
    from planner.verify.plan import Case
    from planner.verify.sequences import Sequences
    from planner.verify.usage import Usages


_ALWAYS = (0.0, float("inf"))


def certificates(case: Case, usages: Usages, sequences: Sequences) -> Iterator[Violation]:
    """Every certificate proves its bound."""
    paces = read_paces(case, usages, sequences.unordered)
    argument = Argument(case=case, usages=usages, paces=paces, sequences=sequences)
    for name, unit, bound_said, written, prove in _claims(case, argument):
        bound = round(bound_said * unit)
        try:
            if proved_by(written) is None:
                continue
            proved = prove(written)
            message = f"its numbers prove {proved / unit:g}, and the bound is {bound / unit:g}"
        except UnfoundedError as error:
            proved, message = None, str(error)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            proved, message = None, f"it is not written as a certificate: {error!r}"
        if proved != bound:
            yield Violation(rule="certificate", subject=name, wave=None, message=message)


def _claims(
    case: Case, argument: Argument
) -> Iterator[tuple[str, int, float, Json, Callable[[Json], int]]]:
    """Each bound: its name, units in one of it, what it is, and what proves it and how."""
    header, proof = case.header, case.header.get("proof") or {}
    yield "waves", 1, header["waves_bound"], proof.get("waves") or {}, argument.waves
    yield "seconds", 1000, header["seconds_bound"], proof.get("seconds") or {}, argument.ms
    streams = header.get("streaming")
    if streams is not None and case.bound.starts is not None:
        prove = partial(streamed_ms, argument)
        yield "streaming", 1000, streams["seconds_bound"], streams["proof"], prove


@dataclass(frozen=True, kw_only=True, eq=False)
class Argument:
    """Adds up what certificates say; what does not follow raises `UnfoundedError`."""

    case: Case
    usages: Usages
    paces: Paces
    sequences: Sequences

    @cached_property
    def energy(self) -> Energy:
        """What budgets prove."""
        return Energy(case=self.case, usages=self.usages, paces=self.paces)

    def waves(self, written: Json) -> int:
        """The waves that a certificate proves."""
        if written.get("budget"):
            return self.energy.waves(written)
        if written.get("phases"):
            return phased_waves(self.case, self.usages, self.sequences, written["phases"])
        return sum(link["waves"] for _, link in self._chain(written))

    def ms(self, written: Json) -> int:
        """The milliseconds that a certificate proves, of a plan in waves."""
        rated, begun = self.begun_ms(written.get("rate"))
        if written.get("shortest_s") is not None:
            least = min(min(self.paces.of(it).ms_of.values()) for it in self.paces.workloads)
            shortest = no_more("the shortest move", in_ms(written["shortest_s"]), least)
            return shortest * self.waves(written) + begun
        if written.get("budget"):
            return self.energy.ms(written)

        def worth_ms(pace: Pace, link: Json) -> int:
            if rated is not None:
                _beside(rated, link)
            return _link_ms(pace, link)

        return self.chain_ms(written, begun, worth_ms)

    def chain_ms(self, written: Json, from_ms: int, worth_ms: Callable[[Pace, Json], int]) -> int:
        """When the last link is done at the earliest, where nothing is done before a moment."""
        done_ms = from_ms
        for pace, link in self._chain(written):
            spans = self._open(link["workload"]) if written["kind"] == "calendar" else [_ALWAYS]
            done_ms = _done_ms(spans, done_ms, link, worth_ms(pace, link))
        return done_ms

    def begun_ms(self, written: Json | None) -> tuple[Rate | None, int]:
        """A rate, and until all of its moves have begun."""
        if written is None:
            return None, 0
        rate = next((it for it in self.paces.rates if it.name == written["name"]), None)
        if rate is None:
            raise UnfoundedError(f"there is no rate {written['name']}")
        moves, units = amount(self.case, rate)
        no_more(f"moves of {rate.name}", written["moves"], moves)
        needed = written["moves"] if written.get("units") is None else written["units"]
        begun = begun_ms(no_more(f"units of {rate.name}", needed, units), rate.per_s)
        return rate, no_more("until they have begun", in_ms(written["begun_s"]), begun)

    def _chain(self, written: Json) -> Iterator[tuple[Pace, Json]]:
        """The links: each waits for the one before, and needs as many waves as it says."""
        links: Sequence[Json] = written.get("chain") or ()
        for link, after in zip_longest(links, links[1:]):
            name, moves = link["workload"], link["moves"]
            if name not in self.paces.workloads:
                raise UnfoundedError(f"there are no moves of {name}")
            pace = self.paces.of(name)
            waiting = self.paces.after[name]
            awaited = waiting.get(after["workload"], 0) if after else len(pace.moves)
            no_less(f"moves of {name}", moves, 1)
            no_more(f"moves of {name} for which the next waits", moves, awaited)
            if link["stages"] != pace.sizes:
                raise UnfoundedError(f"the stages of {name} hold {pace.sizes}")
            waves = pace.waves(moves)
            if link["budget"] is not None:
                usage = usage_said(self.usages, link["budget"])
                taking, room = room_said(link["budget"], usage, pace.taking[usage])
                most = steps(pace.sizes, len(pace.moves) - taking, room)
                waves = bisect_left(most, moves) + 1
            no_more(f"waves of {name}", link["waves"], waves)
            yield pace, link

    def _open(self, name: str) -> list[tuple[float, float]]:
        """When the rules of time let a workload move."""
        workload = self.paces.workloads[name]
        mine = [rule for rule in rules_of(self.case) if rule.holds(workload)]
        return opening(mine, begins_s(self.case))


def _beside(rate: Rate, link: Json) -> None:
    """See that a link claims no more than its waves last beside what else begins in them."""
    name = link["workload"]
    no_more(f"soaks of {name} beside other waves", in_ms(link["soaks_s"]), 0)
    no_more(f"moves of {name} that begin once more", in_ms(link.get("begun_s") or 0), 0)
    if not rate.units(name):
        no_more(f"waves of {name} by another rate", in_ms(link["longest_s"]), 0)
        no_more(f"waves of {name} by another rate", in_ms(link["shortest_s"]), 0)


def _link_ms(pace: Pace, link: Json) -> int:
    """A link's soaks and waves, one of which holds the longest of its moves if all are done."""
    shortest, longest = in_ms(link["shortest_s"]), in_ms(link["longest_s"])
    name, moves = link["workload"], link["moves"]
    no_more(f"the shortest move of {name}", shortest, min(pace.ms_of.values()))
    no_more(f"the longest move of {name}", longest, pace.longest_ms(moves))
    soak = no_more(f"the soak of {name}", in_ms(link["soaks_s"]), pace.soak_ms(moves))
    begun = in_ms(link.get("begun_s") or 0)
    soak += no_more(f"until moves of {name} have begun", begun, pace.begun_ms(moves))
    return soak + int(link["waves"] - 1) * shortest + longest


def _done_ms(spans: list[tuple[float, float]], from_ms: int, link: Json, least_ms: int) -> int:
    """When a link is done at the earliest if each of its waves lies inside one of the spans."""
    shortest, left, first = max(1, in_ms(link["shortest_s"])), link["waves"], None
    for opens, closes in spans:
        begin = max(int(opens), from_ms)
        fit = (closes - begin) // shortest
        if fit > 0:
            first = begin if first is None else first
            if left <= fit:
                return max(begin + int(left) * shortest, first + least_ms)
            left -= fit
    return (from_ms if first is None else first) + least_ms
