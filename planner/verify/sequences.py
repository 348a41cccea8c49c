"""The rule about sequences: who is of which phase, and no phase goes before those ahead of it.

Pods are judged by where they are before their move. Only moves that take from a budget are of a
phase. Where the pods of a workload whose order binds are of several, that order and the sequence
may ask for opposite things: then one of them gives way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.columns import alike, codes_of, differs
from planner.verify.drains import is_forced
from planner.verify.places import nodes_or_zones, parts_of
from planner.verify.selector import every
from planner.verify.usage import Moments
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.columns import Bools, Ints
    from planner.verify.fleet import Fleet, WorkloadKey
    from planner.verify.plan import Case
    from planner.verify.pods import Kin
    from planner.verify.usage import Usages
    from planner.verify.written import Starts

_RULE = "sequence"
_REST = "the rest"
"""What pods are called that match none of the phases."""
_NOBODY = np.zeros(0, np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Phases:
    """One sequence of the request."""

    name: str
    names: Sequence[str]
    """What the phases are called, the first first."""
    phase: Ints
    """Of each pod of the table the place of its phase among these; -1 for none."""
    part: Ints
    """Of each the part of the fleet that keeps the sequence by itself; -1 for none."""
    parts: Sequence[str]
    """What those are called; the whole fleet has no name."""
    rows: Ints
    """The pods of a phase whose moves keep the sequence."""
    waves: Ints
    """The wave that moves each pod of the table."""

    @cached_property
    def in_waves(self) -> tuple[Ints, Ints]:
        """Pods that wait for earlier phases, and one of these that moves in the last wave."""
        return self.waiting(self.waves)

    def waiting(self, ends: Ints) -> tuple[Ints, Ints]:
        """Pods that wait for earlier phases, and of each the one of these that is done last.

        Args:
            ends: when the move of each pod of the table is over.
        """
        if not len(self.rows):
            return _NOBODY, _NOBODY
        order = np.lexsort((ends[self.rows], self.phase[self.rows], self.part[self.rows]))
        rows = self.rows[order]
        opens = differs(self.part[rows])
        begins = np.flatnonzero(opens | differs(self.phase[rows]))
        lasts = rows[np.append(begins[1:], len(rows)) - 1]
        # From part to part the moments go up, so that what is latest is latest in its own.
        part = np.cumsum(opens[begins])
        _, moment = np.unique(ends[lasts], return_inverse=True)
        moment = part * len(lasts) + moment
        latest = np.where(moment == np.maximum.accumulate(moment), np.arange(len(lasts)), 0)
        before = np.concatenate(([0], lasts[np.maximum.accumulate(latest)][:-1]))
        group = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(rows))))
        waits = ~opens[begins][group]
        return rows[waits], before[group[waits]]

    def before(self, rows: Ints) -> Bools:
        """Of each pod of the table whether one of these is of an earlier phase of its part."""
        rows = rows[self.phase[rows] >= 0]
        first = np.full(int(self.part.max(initial=-1)) + 2, len(self.names), np.int64)
        np.minimum.at(first, self.part[rows], self.phase[rows])
        found: Bools = first[self.part] < self.phase
        return found

    def hurries(self, row: int, other: int) -> bool:
        """Whether pods of later phases wait for one pod, and not as long for the other."""
        phase, part = int(self.phase[row]), int(self.part[row])
        if phase < 0 or phase >= self._last_phases[part]:
            return False
        is_first = 0 <= self.phase[other] <= phase and self.part[other] == part
        return not is_first

    @cached_property
    def _last_phases(self) -> Ints:
        """The last phase of which each part has pods."""
        last = np.full(len(self.parts) + 1, -1, np.int64)
        np.maximum.at(last, self.part, self.phase)
        return last


@dataclass(frozen=True, kw_only=True, eq=False)
class Sequences:
    """Every sequence of the request, and what gives way to one."""

    all: Sequence[Phases]
    unordered: frozenset[WorkloadKey]
    """Workloads that keep sequences in place of their own order."""
    held_until: Ints
    """Of each pod of the table the last wave that moves one for which it waits; 0 for none."""

    def hurry(self, row: int, other: int) -> bool:
        """Whether one pod may go before the other for the sake of those that wait for it."""
        return any(phases.hurries(row, other) for phases in self.all)

    def wait_for(self, rows: Ints) -> Bools:
        """Of each pod of the table whether it would come after one of these."""
        found = np.zeros(len(self.held_until), np.bool_)
        for phases in self.all:
            found |= phases.before(rows)
        return found


def read_sequences(case: Case, usages: Usages) -> Sequences:
    """Who keeps which sequence."""
    table, bound = case.fleet.table, case.bound
    waves = bound.wave_of_row
    unordered: set[WorkloadKey] = set()
    found: list[Phases] = []
    held_until = np.zeros(len(table), np.int64)
    rules = case.request["spec"].get("sequences") or ()
    if rules:
        takes = Moments(bound, waves).takers(it.budget for it in usages.all)
        leaves = np.array([*(it.leaves for it in case.target.changes.all), False])
        leaves = leaves[case.target.changes.codes]
    for rule in rules:
        phase, names = _phases(rule, case.fleet)
        part, parts = parts_of(case.fleet, np.arange(len(table)), rule.get("scope") or "fleet")
        is_of = (part >= 0) & leaves if rule.get("drained") else part >= 0
        phase = np.where(is_of, phase, -1)
        rows, own = _keeping(case, phase, part, takes)
        unordered |= own
        phases = Phases(
            name=rule["name"],
            names=names,
            phase=phase,
            part=part,
            parts=parts,
            rows=rows,
            waves=waves,
        )
        waiting, others = phases.in_waves
        held_until[waiting] = np.maximum(held_until[waiting], waves[others])
        found.append(phases)
    return Sequences(all=found, unordered=frozenset(unordered), held_until=held_until)


def sequences(case: Case, read: Sequences) -> Iterator[Violation]:
    """No pod moves before the wave that comes after every move of the earlier phases."""
    table, wave_of_row = case.fleet.table, case.bound.wave_of_row
    for phases in read.all:
        rows, others = phases.in_waves
        early = wave_of_row[rows] <= wave_of_row[others]
        for row, other in zip(rows[early].tolist(), others[early].tolist(), strict=True):
            message = f"moves in wave {wave_of_row[other]}"
            yield _violation(case, phases, row, f"{_named(phases, table[other], other)} {message}")


def begun_early(case: Case, starts: Starts, read: Sequences) -> Iterator[Violation]:
    """No move begins before every move of the earlier phases has ended."""
    table, bound = case.fleet.table, case.bound
    begins, ends = bound.of_rows(starts.start_ms), bound.of_rows(starts.end_ms)
    for phases in read.all:
        rows, others = phases.waiting(ends)
        early = begins[rows] < ends[others]
        for row, other in zip(rows[early].tolist(), others[early].tolist(), strict=True):
            message = f"has ended at {_s(ends[other])}, and it begins at {_s(begins[row])}"
            yield _violation(case, phases, row, f"{_named(phases, table[other], other)} {message}")


def _phases(rule: Mapping[str, Any], fleet: Fleet) -> tuple[Ints, list[str]]:
    """Of each pod of the table its phase, -1 for none; and what the phases are called."""
    each = rule.get("each")
    if each is not None:
        codes, names_of = _by_name(fleet, each)
        names = sorted(set(names_of))
        place = {name: index for index, name in enumerate(names)}
        return np.array([*(place[it] for it in names_of), -1], np.int64)[codes], names
    written: Sequence[Mapping[str, Any]] = rule.get("phases") or ()
    phase = np.full(len(fleet.table), len(written), np.int64)
    # The first that matches is the last that is written.
    for index in reversed(range(len(written))):
        phase[_matched(written[index], fleet)] = index
    return phase, [*(it["name"] for it in written), _REST]


def _by_name(fleet: Fleet, each: str) -> tuple[Ints, list[str]]:
    """Of each pod the place of its node, zone or cluster among all, -1 for none; and their names.

    Zones of several clusters that are called the same are one. Nodes are not: theirs are named
    with their cluster, as budgets name them.
    """
    rows = np.arange(len(fleet.table))
    if each == "zone":
        codes, places = nodes_or_zones(fleet, rows, each)
        return codes, [name for _, name in places]
    return parts_of(fleet, rows, each)


def _matched(phase: Mapping[str, Any], fleet: Fleet) -> Ints:
    """The pods of which everything holds that a phase asks for."""
    cluster, namespace, zone = (phase.get(it) for it in ("cluster", "namespace", "zone"))
    selector = phase.get("selector")
    kin = {
        kin: its
        for kin, its in fleet.by_label.select({} if selector is None else selector).items()
        if cluster in (None, kin.cluster) and namespace in (None, kin.namespace)
    }
    rows = every(fleet.table, kin).rows
    if zone is None:
        return rows
    codes, places = nodes_or_zones(fleet, rows, "zone")
    found: Ints = rows[np.array([*(it[1] == zone for it in places), False])[codes]]
    return found


def _keeping(case: Case, phase: Ints, part: Ints, takes: Bools) -> tuple[Ints, set[WorkloadKey]]:
    """The pods whose moves keep the sequence, and workloads that do so against their own order.

    Where the order of a workload binds, pods of it that stay where they are count, too.
    """
    workload_of_kin, stays = case.fleet.workload_of_kin, case.bound.of_row < 0
    keys = [it for it in case.manners_of if case.fleet.workloads[it].strategy.ordered]
    place = {key: index for index, key in enumerate(keys)}

    def place_of(kin: Kin) -> int:
        workload = workload_of_kin.get(kin)
        return -1 if workload is None else place.get(workload.key, -1)

    owner = case.fleet.table.of_kin(place_of, np.int64)
    rows = np.flatnonzero((owner >= 0) & (phase >= 0) & (takes | stays))
    # Each part keeps the sequence by itself, so that phases of several parts tear nobody.
    firsts, groups = alike((owner[rows], len(keys)), codes_of(part[rows]))
    differs = phase[rows] != phase[rows[firsts]][groups]
    torn = [keys[index] for index in np.unique(owner[rows[differs]]).tolist()]
    own = {key for key in torn if _leaves(case, key)}
    apart = np.zeros(len(keys) + 1, np.bool_)  # -1 asks for the last, which is none
    apart[[place[key] for key in torn if key not in own]] = True
    return np.flatnonzero(takes & (phase >= 0) & ~apart[owner]), own


def _leaves(case: Case, key: WorkloadKey) -> bool:
    """Whether all that is asked of a workload is to leave nodes."""
    return all(is_forced(it) and not it.containers for it in case.manners_of[key])


def _named(phases: Phases, pod: object, row: int) -> str:
    return f"{pod} of {phases.names[phases.phase[row]]}"


def _violation(case: Case, phases: Phases, row: int, why: str) -> Violation:
    pod = case.fleet.table[row]
    return Violation(
        rule=_RULE,
        subject=str(pod),
        wave=case.wave_of(pod),
        message=f"it is of the phase {phases.names[phases.phase[row]]} of {phases.name}, before"
        f" which all others are moved: {why}",
    )


def _s(ms: float) -> str:
    return f"{ms / 1000:.10g} s"
