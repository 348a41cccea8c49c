"""The rule about gangs: who moves together with whom, and that all of them do or none.

Only pods that differ, and whose move takes from a budget, are of a gang. Of those that stay nobody
knows how they would have moved: they are of one if a way of theirs may take from a budget, and it
is for sure that they are if every way does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.verify.columns import alike, grouped
from planner.verify.moves import are_excluded, options_of
from planner.verify.selector import PodsByLabel
from planner.verify.usage import Moments
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.columns import Bools, Ints
    from planner.verify.fleet import Fleet, WorkloadKey
    from planner.verify.plan import Case
    from planner.verify.pods import Pod
    from planner.verify.sequences import Sequences
    from planner.verify.usage import Usages

_RULE = "gang"
_ALONE = "no two pods move together by it"
_NEVER = np.iinfo(np.int64).max


class Gang(NamedTuple):
    """The pods of one namespace of one cluster with the same value of a label."""

    entry: int
    """Of the request."""
    cluster: str
    namespace: str
    value: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Gangs:
    """Every gang of the request."""

    names: Sequence[str]
    """Of the entries of the request."""
    all: Sequence[Gang]
    of: Ints
    """Of each pod of the table the place of its gang among all; -1 for none."""
    sure: Bools
    """Of each whether it is of that for sure."""
    rows: Ints
    """The pods that move and are of a gang."""
    takes: Bools
    """Of each whether its move takes from a budget; nobody asks without a gang."""
    unordered: frozenset[WorkloadKey]
    """Workloads whose own order gives way to a sequence."""
    case: Case

    @cached_property
    def together(self) -> Bools:
        """Of each pod of the table whether others of its gang move, and it too."""
        found = np.zeros(len(self.of), np.bool_)
        found[self.rows] = self.moves[self.of[self.rows]] > 1
        return found

    @cached_property
    def moves(self) -> Ints:
        """Of each gang how many of its pods move."""
        return np.bincount(self.of[self.rows], minlength=len(self.all))

    @cached_property
    def first(self) -> Ints:
        """Of each gang the pod that moves first; -1 where none does."""
        first = np.full(len(self.all), -1, np.int64)
        order = np.lexsort((self.rows, self.case.bound.wave_of_row[self.rows]))[::-1]
        first[self.of[self.rows[order]]] = self.rows[order]
        return first

    def named(self, place: int) -> str:
        """What people call a gang."""
        gang = self.all[place]
        return f"{self.names[gang.entry]} {gang.namespace}/{gang.value}"

    def rows_of(self, name: str) -> Ints:
        """The pods that move together with others by an entry of the request."""
        is_its = np.array([self.names[it.entry] == name for it in self.all] or [False])
        rows = np.flatnonzero(self.together)
        found: Ints = rows[is_its[self.of[rows]]]
        return found

    def mates(self, rows: Bools) -> Bools:
        """These pods of the table, and all that are of a gang with one of them."""
        marked = np.zeros(len(self.all) + 1, np.bool_)  # -1 asks for the last, which is none
        marked[self.of[rows]] = True
        marked[-1] = False
        return rows | marked[self.of]

    def binds(self, key: WorkloadKey) -> bool:
        """Whether the order of a workload binds."""
        return self.case.fleet.workloads[key].strategy.ordered and key not in self.unordered

    @cached_property
    def parts(self) -> Sequence[tuple[WorkloadKey, Ints]]:
        """Where a gang has several pods in one workload: this, and those that move."""
        owner, keys = self.case.owner[self.case.bound.of_row[self.rows]], list(self.case.moves_of)
        rows, owner = self.rows[owner >= 0], owner[owner >= 0]
        firsts, part = alike((self.of[rows], len(self.all)), (owner, len(keys)))
        order, ends = grouped(part, len(firsts))
        spans = zip(firsts.tolist(), ends, ends[1:], strict=False)
        return [
            (keys[owner[first]], rows[order[begin:end]])
            for first, begin, end in spans
            if end - begin > 1
        ]

    def ends(self, key: WorkloadKey) -> Sequence[int] | None:
        """How many moves are done when a stage ends that would end after 0, 1, 2, .. of them.

        None: as many as that, as no stage would end within a gang. Gangs that lie across each
        other do not move.
        """
        moves = self.case.moves_of[key]
        if not self.binds(key) or not self.together[moves.rows].any():
            return None
        rows = moves.rows[np.argsort(-self.case.fleet.table.ordinal[moves.rows], kind="stable")]
        gangs = np.where(self.together[rows], self.of[rows], -1).tolist()
        last = {gang: place for place, gang in enumerate(gangs, start=1)}
        ends = [0]
        for place, gang in enumerate(gangs, start=1):
            ends.append(max(ends[-1], place, last[gang] if gang >= 0 else 0))
        return ends


def read_gangs(case: Case, usages: Usages, sequences: Sequences) -> Gangs:
    """Who is of which gang."""
    fleet, of_row = case.fleet, case.bound.of_row
    rules = case.request["spec"].get("gangs") or ()
    of, every_gang = _labelled(fleet, rules)
    sure = takes = np.zeros(len(of), np.bool_)
    if rules:
        of[(case.target.changes.codes < 0) | are_excluded(case)] = -1
        takes = Moments(case.bound, case.bound.wave_of_row).takers(it.budget for it in usages.all)
        of[(of_row >= 0) & ~takes] = -1
        sure = takes & (of >= 0)
        for row in np.flatnonzero((of >= 0) & (of_row < 0)).tolist():
            ways = _ways(case, usages, fleet.table[row])
            sure[row] = all(ways)
            of[row] = of[row] if any(ways) else -1
    return Gangs(
        names=[it["name"] for it in rules],
        all=every_gang,
        of=of,
        sure=sure,
        rows=np.flatnonzero((of >= 0) & (of_row >= 0)),
        takes=takes,
        unordered=sequences.unordered,
        case=case,
    )


def gangs(case: Case, read: Gangs) -> Iterator[Violation]:
    """Pods of a gang move in one wave or none of them does, and nothing tears it."""
    yield from _apart(case, read)
    yield from _staying(case, read)
    yield from _torn_by_stages(case, read)
    yield from _lying_between(case, read)
    yield from _listed(case, read)
    yield from _warnings(case, read)


def _labelled(fleet: Fleet, rules: Sequence[Mapping[str, Any]]) -> tuple[Ints, list[Gang]]:
    """Of each pod of the table the first gang whose label it has, -1 for none; and these gangs."""
    of = np.full(len(fleet.table), -1, np.int64)
    places: dict[Gang, int] = {}
    for entry in reversed(range(len(rules))):  # The first that matches is the last that is written.
        selector = rules[entry].get("selector")
        asked = fleet.by_label.select({} if selector is None else selector)
        for value, pods in PodsByLabel(asked).by_value(rules[entry]["labelKey"]).items():
            for kin, its in pods.items():
                gang = Gang(entry, kin.cluster, kin.namespace, value)
                of[its.rows] = places.setdefault(gang, len(places))
    return of, list(places)


def _ways(case: Case, usages: Usages, pod: Pod) -> Sequence[bool]:
    """Of each way in which a pod might move whether it would take from a budget.

    Whom nothing can move would be taken down.
    """
    budgets = [it.budget for it in usages.of(pod)]
    options = options_of(case, pod, case.target.changes[pod], case.fleet.workload_of(pod))
    ways = [(it.kind, it.containers) for it in options] or [("recreate", {})]
    return [any(it.would_take(pod, *way) for it in budgets) for way in ways]


def _apart(case: Case, read: Gangs) -> Iterator[Violation]:
    """Pods that move in a later wave than others of their gang."""
    table, waves = case.fleet.table, case.bound.wave_of_row
    firsts = read.first[read.of[read.rows]]
    late = waves[read.rows] > waves[firsts]
    for row, mate in zip(read.rows[late].tolist(), firsts[late].tolist(), strict=True):
        yield _violation(case, read, row, f"{table[mate]} moves in wave {waves[mate]}")


def _staying(case: Case, read: Gangs) -> Iterator[Violation]:
    """Pods that do not move, while others of their gang do."""
    table, waves = case.fleet.table, case.bound.wave_of_row
    stays = np.flatnonzero(read.sure & (case.bound.of_row < 0))
    for row, mate in zip(stays.tolist(), read.first[read.of[stays]].tolist(), strict=True):
        if mate >= 0:
            why = f"{table[mate]} moves in wave {waves[mate]}, and it stays"
            yield _violation(case, read, row, why)


def _torn_by_stages(case: Case, read: Gangs) -> Iterator[Violation]:
    """Several pods of a gang in a workload with stages whose order does not bind."""
    for key, rows in read.parts if case.request["spec"].get("stages") else ():
        for row in () if read.binds(key) else rows.tolist():
            yield _violation(case, read, row, f"it has several pods of {key}, which has stages")


def _lying_between(case: Case, read: Gangs) -> Iterator[Violation]:
    """Pods between two of a gang in an order that binds.

    One that was down takes nothing, whoever it goes with.
    """
    bound, table = case.bound, case.fleet.table
    own = np.zeros(len(table), np.bool_)
    own[bound.row[bound.is_first]] = bound.is_application[bound.is_first]
    for key, rows in read.parts:
        ordinals = table.ordinal[rows[own[rows]]]
        if not read.binds(key) or len(ordinals) <= 1 or np.ptp(ordinals) < len(ordinals):
            continue
        others = case.moves_of[key].rows
        others = others[own[others] & read.takes[others] & (read.of[others] != read.of[rows[0]])]
        ordinal = table.ordinal[others]
        for row in others[(ordinals.min() < ordinal) & (ordinal < ordinals.max())].tolist():
            yield Violation(
                rule=_RULE,
                subject=str(table[row]),
                wave=int(bound.wave_of_row[row]),
                message=f"the order of {key} binds, and it lies between pods of the gang"
                f" {read.named(read.of[rows[0]])}, which it is not of",
            )


def _listed(case: Case, read: Gangs) -> Iterator[Violation]:
    """The header says of each entry how many gangs move, and how large they are."""
    said = {it["name"]: it for it in case.header.get("gangs") or ()}
    names = [it["name"] for it in case.header.get("gangs") or ()]
    if names != list(read.names):
        yield _of_header("gangs", f"{names} are listed, and the request has {list(read.names)}")
        return
    entry = np.array([it.entry for it in read.all], np.int64)
    for index, name in enumerate(names):
        moves = read.moves[(entry == index) & (read.moves > 1)]
        found = {"gangs": len(moves), "moves": moves.sum(), "largest": moves.max(initial=0)}
        for field, value in found.items():
            if said[name][field] != value:
                message = f"{field} is {said[name][field]}, and should be {value}"
                yield _of_header(f"gangs {name}", message)


def _warnings(case: Case, read: Gangs) -> Iterator[Violation]:
    """People are told of entries by which no two pods move together, and of no others."""
    alone = {f"gangs {name}: {_ALONE}" for name in read.names if not len(read.rows_of(name))}
    warnings = map(str, case.header.get("warnings") or ())
    told = {it for it in warnings if it.startswith("gangs ") and it.endswith(f": {_ALONE}")}
    for warning in sorted(alone ^ told):
        subject = warning.removesuffix(f": {_ALONE}")
        if warning in alone:
            yield _of_header(subject, f"{_ALONE}, and no warning says so")
        else:
            yield _of_header(subject, f"a warning says {_ALONE!r}, and that is not so")


def _violation(case: Case, read: Gangs, row: int, why: str) -> Violation:
    pod = case.fleet.table[row]
    return Violation(
        rule=_RULE,
        subject=str(pod),
        wave=case.wave_of(pod),
        message=f"it is of the gang {read.named(read.of[row])}, which moves as a whole: {why}",
    )


def _of_header(subject: str, message: str) -> Violation:
    return Violation(rule=_RULE, subject=subject, wave=None, message=message)
