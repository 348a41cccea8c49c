"""Rules about time: windows, freezes, and the deadline that the header speaks of.

Worked out from the request by itself: when each rule lets its workloads move, in seconds since
1970, wave by wave.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from planner.verify.fleet import refers
from planner.verify.numbers import seconds_of
from planner.verify.rates import name_of
from planner.verify.selector import matching
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.columns import Bools
    from planner.verify.fleet import Workload
    from planner.verify.plan import Case

_DAY_S = 86_400.0
_AHEAD_S = 400 * _DAY_S
"""How far a plan looks ahead."""

Spans = list[tuple[float, float]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """A window or a freeze of the request."""

    name: str
    is_window: bool
    written: Mapping[str, Any]
    spans: Spans
    """When it is on, in order; spans may touch and overlap."""

    def holds(self, workload: Workload) -> bool:
        """Whether it speaks of this workload."""
        key, written = workload.key, self.written
        if written.get("cluster") not in (None, key.cluster):
            return False
        if written.get("namespace") not in (None, key.namespace):
            return False
        if written.get("workload") and not refers(written["workload"], key):
            return False
        selector = written.get("selector")
        return selector is None or bool(matching(selector, workload.kin))

    def allows(self, begin_s: float, end_s: float) -> bool:
        """Whether its workloads may be moved from one moment to the other."""
        return bool(self.allow(np.array([begin_s]), np.array([end_s]))[0])

    def allow(self, begins_s: Floats, ends_s: Floats) -> Bools:
        """The same of many pairs of moments."""
        on, off = self._on
        # The first spell that is not over when it begins, and whether it is on by then.
        at = np.searchsorted(off, begins_s, side="right")
        on, off = (np.concatenate((each, [np.inf])) for each in (on, off))
        allowed: Bools = (
            (on[at] <= begins_s) & (ends_s <= off[at]) if self.is_window else ends_s <= on[at]
        )
        return allowed

    @cached_property
    def _on(self) -> tuple[Floats, Floats]:
        """When it begins and ends to be on: spans that touch are one."""
        joined: Spans = []
        for begin, end in self.spans:
            if joined and begin <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(joined[-1][1], end)
            else:
                joined.append((begin, end))
        begins, ends = zip(*joined, strict=True) if joined else ((), ())
        return np.array(begins, np.float64), np.array(ends, np.float64)


def rules_of(case: Case) -> list[Rule]:
    """The windows of the request, then its freezes."""
    spec = case.request["spec"]
    start_s = begins_s(case)
    return [
        Rule(
            name=f"{sort}:{written['name']}",
            is_window=sort == "window",
            written=written,
            spans=sorted(span for spell in written["during"] for span in _spans(spell, start_s)),
        )
        for sort in ("window", "freeze")
        for written in spec.get(f"{sort}s") or ()
    ]


def opening(rules: Sequence[Rule], start_s: float) -> list[tuple[float, float]]:
    """When all of these rules let their workloads move, in milliseconds from the start."""
    steps: defaultdict[float, Counter[int]] = defaultdict(Counter)
    for index, rule in enumerate(rules):
        for begin, end in rule.spans:
            steps[max(begin, start_s)][index] += 1
            steps[max(end, start_s)][index] -= 1
    steps.setdefault(start_s, Counter())
    on, found, opened = Counter[int](), list[tuple[float, float]](), None
    for moment in sorted(steps):
        on.update(steps[moment])
        is_open = all((on[index] > 0) is rule.is_window for index, rule in enumerate(rules))
        if is_open and opened is None:
            opened = moment
        elif opened is not None and not is_open:
            found.append((opened, moment))
            opened = None
    found += [] if opened is None else [(opened, float("inf"))]
    return [((begin - start_s) * 1000, (end - start_s) * 1000) for begin, end in found]


def calendar(case: Case) -> Iterator[Violation]:
    """A wave lies inside every window of its workloads, and outside every freeze of them."""
    rules = rules_of(case)
    yield from _start(case)
    yield from _listed(case, rules)
    start_s = begins_s(case)
    waves = {each["wave"]: each for each in case.header["per_wave"]}
    for key in case.places_of if rules else ():
        workload = case.fleet.workloads[key]
        mine = [rule for rule in rules if rule.holds(workload)]
        for number in case.places_of.waves(key) if mine else ():
            wave = waves.get(number)
            if wave is None:
                continue  # The rule `totals` tells of the missing wave.
            begin_s = round(start_s + wave["start_s"], 3)
            for rule in mine:
                if not rule.allows(begin_s, round(begin_s + wave["seconds"], 3)):
                    yield _violation(
                        str(workload.key),
                        f"the wave begins {_said(begin_s)} and takes {wave['seconds']:g} s, which"
                        f" {rule.name} does not allow",
                        number,
                    )


def deadline(case: Case) -> Iterator[Violation]:
    """The header says what is too late, and nothing else."""
    written, said = case.request["spec"].get("deadline"), case.header.get("deadline")
    if written is None or said is None:
        if written != said:
            yield _violation("deadline", f"the request has {written}, and the plan says {said}")
        return
    allowed_s = datetime.fromisoformat(written).timestamp() - begins_s(case)
    ends = _ends_s(case)
    late = {index for index, each in enumerate(ends) if round(each, 3) > allowed_s}
    spare_s = round(allowed_s - _end_s(case), 3)
    if said["spare_s"] != spare_s or set(said["late"]) != late:
        yield _violation(
            "deadline",
            f"{spare_s:g} s are left and {len(late)} workloads are late; the plan says"
            f" {said['spare_s']:g} s and {len(said['late'])}",
        )


def _end_s(case: Case) -> float:
    """When the plan is over, in seconds from its start."""
    starts = case.bound.starts
    if case.header.get("streaming") is not None and starts is not None:
        return int(starts.end_ms.max(initial=0)) / 1000
    waves = case.header["per_wave"]
    return max((each["start_s"] + each["seconds"] for each in waves), default=0)


def _ends_s(case: Case) -> list[float]:
    """When the moves of each workload of the header are over, in seconds from the plan's start."""
    starts = case.bound.starts
    if case.header.get("streaming") is None or starts is None:
        waves = case.header["per_wave"]
        ends = {each["wave"]: each["start_s"] + each["seconds"] for each in waves}
        return [ends.get(each["last_wave"], 0) for each in case.header["workloads"]]
    # The last is of moves of which the workload is not known.
    last_ms = np.zeros(len(case.moves_of) + 1, np.int64)
    np.maximum.at(last_ms, case.owner, starts.end_ms)
    place = {str(key): index for index, key in enumerate(case.moves_of)}
    names = (name_of(each) for each in case.header["workloads"])
    return [int(last_ms[place[it]]) / 1000 if it in place else 0.0 for it in names]


def may_be_blocked(case: Case, rules: Sequence[Rule], workload: Workload) -> bool:
    """Whether a window or freeze may be what keeps a workload, or one it waits for, from moving."""
    spec = case.request["spec"]
    waits = any(refers(each["workload"], workload.key) for each in spec.get("dependencies") or ())
    return bool(rules) and (waits or any(rule.holds(workload) for rule in rules))


def begins_s(case: Case) -> float:
    """When the first wave of the plan may begin, in seconds since 1970."""
    # A plan starts with a whole second.
    known_s = float(-(-case.fleet.observed.time_ms // 1000))
    written = case.request["spec"].get("start")
    return known_s if written is None else max(known_s, datetime.fromisoformat(written).timestamp())


def _start(case: Case) -> Iterator[Violation]:
    """The plan starts when the request says, or at the last event that it knows."""
    said = case.header.get("start")
    if said is None:
        if any(case.request["spec"].get(key) for key in ("start", "windows", "freezes")):
            yield _violation("start", "the request speaks of time, and the plan has no start")
    elif datetime.fromisoformat(said).timestamp() != begins_s(case):
        expected = _said(begins_s(case))
        yield _violation("start", f"the plan starts {said}, and should start {expected}")


def _listed(case: Case, rules: Sequence[Rule]) -> Iterator[Violation]:
    """A run goes by the header's calendars: they allow no more than the rules do."""
    listed = case.header.get("calendars") or ()
    names = [each["name"] for each in listed]
    if names != [rule.name for rule in rules]:
        yield _violation("calendars", f"{names} are listed, and there are {len(rules)} rules")
        return
    for entry, rule in zip(listed, rules, strict=True):
        for begin, end in entry["open"]:
            span = (
                datetime.fromisoformat(begin).timestamp(),
                datetime.fromisoformat(end).timestamp(),
            )
            if not rule.allows(*span):
                yield _violation(rule.name, f"it is not open from {begin} to {end}, as is said")
                break
    by_name = {tuple(key): workload for key, workload in case.fleet.workloads.items()}
    for entry in case.header["workloads"]:
        key = tuple(entry[field] for field in ("cluster", "namespace", "kind", "name"))
        workload = by_name.get(key)
        if workload is None:
            continue  # The rule `totals` tells of it.
        mine = [index for index, rule in enumerate(rules) if rule.holds(workload)]
        if list(entry.get("calendars") or ()) != mine:
            message = f"its calendars are {entry.get('calendars')}, and should be {mine}"
            yield _violation(str(workload.key), message)


def _spans(spell: Mapping[str, Any], start_s: float) -> Spans:
    if "rrule" not in spell:
        return [
            (
                datetime.fromisoformat(spell["from"]).timestamp(),
                datetime.fromisoformat(spell["until"]).timestamp(),
            )
        ]
    from zoneinfo import ZoneInfo  # noqa: PLC0415 few requests have what recurs

    from dateutil.rrule import rrulestr  # noqa: PLC0415

    zone = ZoneInfo(spell["timeZone"])
    length_s = float(seconds_of(spell["duration"]))
    # A day earlier than what may still be on at the start.
    earliest = datetime.fromtimestamp(start_s - length_s - _DAY_S, zone).date()
    day = date.fromisoformat(spell["starting"]) if "starting" in spell else earliest
    rule = rrulestr(spell["rrule"], dtstart=datetime(day.year, day.month, day.day))  # noqa: DTZ001 -- by the clocks of its zone
    first = datetime(earliest.year, earliest.month, earliest.day)  # noqa: DTZ001
    last = first + timedelta(seconds=length_s + 2 * _DAY_S + _AHEAD_S)
    begins = (each.replace(tzinfo=zone).timestamp() for each in rule.between(first, last, inc=True))
    return [(begin, begin + length_s) for begin in begins]


def _said(moment_s: float) -> str:
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _violation(subject: str, message: str, wave: int | None = None) -> Violation:
    return Violation(rule="calendar", subject=subject, wave=wave, message=message)
