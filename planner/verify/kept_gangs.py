"""Gangs that do not move: what may keep them as a whole where nothing keeps each of their pods."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.verify.moves import options_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.columns import Bools
    from planner.verify.fleet import Workload, WorkloadKey
    from planner.verify.gangs import Gangs
    from planner.verify.plan import Case
    from planner.verify.pods import Pod
    from planner.verify.usage import Usage, Usages


class KeptGangs:
    """The gangs of pods that are called unmovable, those of one pod aside."""

    def __init__(self, case: Case, usages: Usages, gangs: Gangs) -> None:
        self._case, self._usages, self._gangs = case, usages, gangs
        of: defaultdict[int, list[Pod]] = defaultdict(list)
        for pod in case.unmovable if gangs.all else ():
            if gangs.of[pod.row] >= 0:
                of[int(gangs.of[pod.row])].append(pod)
        self._of = {gang: pods for gang, pods in of.items() if len(pods) > 1}

    def kept(self) -> Bools:
        """Of each pod of the table whether its gang is kept, but for want of room."""
        return self._rows([pods for pods in self._of.values() if self._is_torn(pods)])

    def crowded(self, down: Bools) -> tuple[Bools, Bools]:
        """Of each pod of the table whether no wave has room for its gang.

        And whether some of these pods, that were down and do not move, may be why.
        """
        crowded: list[Sequence[Pod]] = []
        by_down: list[Sequence[Pod]] = []
        for pods in self._of.values():
            full = list(self._full(pods))
            if full:
                crowded.append(pods)
            if any(down[usage.budget.down.rows].any() for usage in full):
                by_down.append(pods)
        return self._rows(crowded), self._rows(by_down)

    def is_behind(self, workload: Workload, pod: Pod) -> bool:
        """Whether one that is called unmovable goes first in its order, and is not of its gang.

        Where one of its gang is the first of these, others before it lie between the two.
        """
        if not workload.strategy.ordered:
            return False
        first, gang = self._first[workload.key], int(self._gangs.of[pod.row])
        return first.ordinal > pod.ordinal and (gang < 0 or gang != self._gangs.of[first.row])

    @cached_property
    def _first(self) -> Mapping[WorkloadKey, Pod]:
        """Of each workload the highest ordinal that is called unmovable."""
        first: dict[WorkloadKey, Pod] = {}
        for pod in self._case.unmovable:
            workload = self._case.fleet.workload_of(pod)
            if workload is not None:
                other = first.setdefault(workload.key, pod)
                first[workload.key] = max(other, pod, key=lambda it: it.ordinal)
        return first

    def _is_torn(self, pods: Sequence[Pod]) -> bool:
        """Whether stages tear a gang, or the order of a workload of which another lies between."""
        of: defaultdict[WorkloadKey, list[Pod]] = defaultdict(list)
        for pod in pods:
            workload = self._case.fleet.workload_of(pod)
            if workload is not None:
                of[workload.key].append(pod)
        has_stages = bool(self._case.request["spec"].get("stages"))
        return any(
            self._lies_between(key, its) if self._gangs.binds(key) else has_stages
            for key, its in of.items()
            if len(its) > 1
        )

    def _lies_between(self, key: WorkloadKey, pods: Sequence[Pod]) -> bool:
        rows, of = self._case.fleet.workloads[key].pods.rows, self._gangs.of
        others = (self._case.target.changes.codes[rows] >= 0) & (of[rows] != of[pods[0].row])
        ordinal, own = self._case.fleet.table.ordinal[rows], [pod.ordinal for pod in pods]
        return bool((others & (min(own) < ordinal) & (ordinal < max(own))).any())

    def _full(self, pods: Sequence[Pod]) -> Iterator[Usage]:
        """Budgets that never have room for all of these."""
        taken = Counter(usage for pod in pods for usage in self._taken(pod))
        for usage, count in taken.items():
            if usage.stays_down + count > usage.budget.limit:
                yield usage

    def _taken(self, pod: Pod) -> Iterator[Usage]:
        """Budgets from which a move of a pod may take."""
        case = self._case
        options = options_of(case, pod, case.target.changes[pod], case.fleet.workload_of(pod))
        for usage in self._usages.of(pod):
            if any(usage.budget.would_take(pod, it.kind, it.containers) for it in options):
                yield usage

    def _rows(self, gangs: Sequence[Sequence[Pod]]) -> Bools:
        found = np.zeros(len(self._case.fleet.table), np.bool_)
        found[[pod.row for pods in gangs for pod in pods]] = True
        return found
