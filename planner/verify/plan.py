"""A plan as it was written, and what the rules need to judge it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.bound import Bound, Manner, MoveOf, Moves, Place
from planner.verify.columns import alike, codes_of, grouped
from planner.verify.fleet import WorkloadKey
from planner.verify.written import Written, of_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from planner.verify.columns import Bools, Ints
    from planner.verify.fleet import Fleet, Workload
    from planner.verify.pods import Pod
    from planner.verify.table import Pods
    from planner.verify.target import Target


NEVER = np.iinfo(np.int64).max
"""The first wave of moves that there are none of."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spans:
    """What there is of each workload, a row each, in each of some stages, a column each."""

    moves: Ints
    first: Ints
    """The first wave; `NEVER` where there is no move."""
    last: Ints
    """The last wave; `-NEVER` where there is no move."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Places(Mapping[WorkloadKey, Counter[Place]]):
    """How many of the first moves of each workload are in each wave and stage."""

    workloads: Sequence[WorkloadKey]
    stages: Sequence[str | None]
    owner: Ints
    """Of each wave and stage of a workload the place of that among all; in this order."""
    wave: Ints
    stage: Ints
    """Its place among all stages."""
    moves: Ints

    @cached_property
    def at(self) -> Mapping[WorkloadKey, int]:
        """The place of each workload."""
        return {key: place for place, key in enumerate(self.workloads)}

    def spans(self, column_of: Mapping[str, int] | None = None) -> Spans:
        """Of each workload the stages that have a column; without columns all of them in one."""
        columns = [0 if column_of is None else column_of.get(it or "", -1) for it in self.stages]
        column = np.array(columns, np.int64)[self.stage]
        own = np.flatnonzero(column >= 0)
        shape = len(self.workloads), 1 if column_of is None else len(column_of)
        cell, wave = (self.owner[own], column[own]), self.wave[own]
        spans = Spans(
            moves=np.zeros(shape, np.int64),
            first=np.full(shape, NEVER),
            last=np.full(shape, -NEVER),
        )
        np.add.at(spans.moves, cell, self.moves[own])
        np.minimum.at(spans.first, cell, wave)
        np.maximum.at(spans.last, cell, wave)
        return spans

    def waves(self, key: WorkloadKey) -> list[int]:
        """The waves in which a workload moves, in their order."""
        return sorted(set(self.wave[self._of(key)].tolist())) if key in self.at else []

    def __getitem__(self, key: WorkloadKey) -> Counter[Place]:
        own = self._of(key)
        stages = (self.stages[code] for code in self.stage[own].tolist())
        places = zip(self.wave[own].tolist(), stages, strict=True)
        return Counter(dict(zip(places, self.moves[own].tolist(), strict=True)))

    def __iter__(self) -> Iterator[WorkloadKey]:
        return iter(self.workloads)

    def __len__(self) -> int:
        return len(self.workloads)

    def _of(self, key: WorkloadKey) -> slice:
        return slice(*self._ends[self.at[key] : self.at[key] + 2])

    @cached_property
    def _ends(self) -> list[int]:
        ends: list[int] = np.searchsorted(self.owner, np.arange(len(self.workloads) + 1)).tolist()
        return ends


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A plan, the fleet that it was made for, and what its request wants of that fleet."""

    header: Mapping[str, Any]
    request: Mapping[str, Any]
    fleet: Fleet
    target: Target
    bound: Bound
    """The moves in columns."""
    moves: Moves
    """Every move as it was written, those of unknown pods included."""
    kinds: Mapping[tuple[int, str], int]
    """How many of these are in each wave and of each kind."""
    move_of: MoveOf
    """The first move of each pod."""
    in_manner: Mapping[Manner, Moves]
    """The first moves of pods by manner."""
    unmovable: Mapping[Pod, Mapping[str, Any]]
    """Entries of the header's list whose pod exists."""
    moves_of: Mapping[WorkloadKey, Moves]
    """First moves by workload, in the order of the plan."""
    manners_of: Mapping[WorkloadKey, Sequence[Manner]]
    """The manners of these."""
    owner: Ints
    """Of each move the place of its workload in `moves_of`; -1 unless it is its pod's first."""
    places_of: Places
    """How many of these are in each wave and stage."""
    waves: int
    """The last wave that has a move; 0 without moves."""

    def wave_of(self, pod: Pod) -> int | None:
        """The wave that moves a pod; None when nothing does."""
        move = self.move_of.get(pod)
        return None if move is None else move.wave

    def moves_with_workload(self) -> Iterable[tuple[Workload, Moves]]:
        """Every workload that moves, with its moves."""
        for key, moves in self.moves_of.items():
            yield self.fleet.workloads[key], moves

    @cached_property
    def applies(self) -> Bools:
        """Of each change of the target whether the workload itself has to move its pods.

        The last is of no change, as -1 asks for it.
        """
        return np.array([*(it.of_application for it in self.target.changes.all), False])

    def differs(self, pods: Pods) -> Bools:
        """Of each of these pods whether its workload has to move it."""
        return self.applies[self.target.changes.codes[pods.rows]]


def build_case(
    header: Mapping[str, Any],
    moves: Written | Iterable[Mapping[str, Any]],
    fleet: Fleet,
    target: Target,
) -> Case:
    """Bind moves and unmovable pods to the observed pods."""
    written = moves if isinstance(moves, Written) else of_objects(moves)
    bound = Bound(written, fleet, target)
    in_manner = _in_manner(bound)
    manners_of: dict[WorkloadKey, list[Manner]] = {}
    for manner in in_manner:
        if manner.owner is not None:
            manners_of.setdefault(manner.owner.key, []).append(manner)
    owner, count = _owners(bound, manners_of)
    order, ends = grouped(owner, count)
    spans = zip(manners_of, ends, ends[1:], strict=False)
    return Case(
        header=header,
        request=header["request"],
        fleet=fleet,
        target=target,
        bound=bound,
        moves=Moves(bound, np.arange(len(bound))),
        kinds=_kinds(written),
        move_of=MoveOf(bound),
        in_manner=in_manner,
        unmovable=_unmovable(header["unmovable"], fleet),
        moves_of={key: Moves(bound, order[begin:end]) for key, begin, end in spans},
        manners_of=manners_of,
        owner=owner,
        places_of=_places_of(bound, owner, list(manners_of)),
        waves=int(written.wave.max(initial=0)),
    )


def _in_manner(bound: Bound) -> dict[Manner, Moves]:
    codes = np.where(bound.is_first, bound.manner, -1)
    order, ends = grouped(codes, len(bound.manners))
    spans = zip(bound.manners, ends, ends[1:], strict=False)
    return {it: Moves(bound, order[begin:end]) for it, begin, end in spans if begin < end}


def _owners(bound: Bound, keys: Iterable[WorkloadKey]) -> tuple[Ints, int]:
    """Of each move that is the first of its pod the place of its workload among these, else -1."""
    place = {key: index for index, key in enumerate(keys)}
    of = bound.of_manner(
        lambda it: -1 if it.owner is None else place.get(it.owner.key, -1), np.int64
    )
    return np.where(bound.is_first, of, -1), len(place)


def _kinds(written: Written) -> Counter[tuple[int, str]]:
    kinds: Counter[tuple[int, str]] = Counter()
    wave, kind = written.wave, written.kind
    firsts, groups = alike(codes_of(wave), (kind.codes, len(kind.values)))
    for first, moves in zip(firsts.tolist(), np.bincount(groups).tolist(), strict=True):
        kinds[int(wave[first]), kind[first]] += moves
    return kinds


def _places_of(bound: Bound, owner: Ints, keys: Sequence[WorkloadKey]) -> Places:
    """How many of the first moves of each workload are in each wave and stage."""
    own = np.flatnonzero(owner >= 0)
    known: dict[str | None, int] = {}
    codes = [known.setdefault(each, len(known)) for each in bound.stage.values]
    wave, stage = bound.wave[own], np.array(codes, np.int64)[bound.stage.codes[own]]
    firsts, groups = alike((owner[own], len(keys)), codes_of(wave), (stage, len(known)))
    order = np.argsort(owner[own[firsts]], kind="stable")
    firsts, moves = firsts[order], np.bincount(groups, minlength=len(order))[order]
    return Places(
        workloads=keys,
        stages=list(known),
        owner=owner[own[firsts]],
        wave=wave[firsts],
        stage=stage[firsts],
        moves=moves,
    )


def _unmovable(entries: Sequence[Mapping[str, Any]], fleet: Fleet) -> dict[Pod, Mapping[str, Any]]:
    names = {entry["pod"] for entry in entries}
    table, rows = fleet.table, (fleet.pods.rows.tolist() if entries else ())
    called = (table[row] for row in rows if table.name[row] in names)
    by_name = {(pod.cluster, pod.namespace, pod.name): pod for pod in called}
    found: dict[Pod, Mapping[str, Any]] = {}
    for entry in entries:
        pod = by_name.get((entry["cluster"], entry["namespace"], entry["pod"]))
        if pod is not None:
            found[pod] = entry
    return found
