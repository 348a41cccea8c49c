"""The moves of a plan in columns, each bound to the pod that it names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from planner.verify.columns import Some, alike
from planner.verify.pods import Pod
from planner.verify.table import Pods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from planner.verify.columns import Bools, Ints
    from planner.verify.fleet import Fleet, Workload
    from planner.verify.pods import Kin
    from planner.verify.target import Change, Target
    from planner.verify.written import Written


class Manner(Struct, frozen=True, eq=False, kw_only=True):
    """What moves of pods that are alike have in common: all but wave, stage, cause and names.

    What is wrong with a manner is wrong with each of its moves, so most rules judge manners.
    """

    kind: str
    containers: Mapping[str, str]
    workload: Mapping[str, Any] | None
    """As the plan says it."""
    cluster: str
    namespace: str
    kin: Kin | None
    """Of the pods; None when no such pod was observed."""
    owner: Workload | None
    """The workload that the pods are of."""
    change: Change | None
    """How the pods differ from the target; None when they do not."""

    @property
    def is_application(self) -> bool:
        """Whether the workload's own controller makes the moves, and not a SidecarSet."""
        if self.kin is None:
            return False
        if self.kind != "in-place" or self.owner is None or self.change is None:
            return True
        sidecars = {each.container for each in self.change.sidecars}
        return not self.containers or not sidecars.issuperset(self.containers)


class Move(Struct, frozen=True, eq=False, kw_only=True):
    """A move of the plan, bound to the pod that it names."""

    manner: Manner
    wave: int
    stage: str | None
    node: str
    because: Sequence[str]
    name: str
    pod: Pod | None
    """None when no such pod was observed."""

    @property
    def kind(self) -> str:
        """How the pod is moved."""
        return self.manner.kind

    @property
    def containers(self) -> Mapping[str, str]:
        """Image by container that the move changes."""
        return self.manner.containers

    @property
    def workload(self) -> Mapping[str, Any] | None:
        """The workload that the plan says it is of."""
        return self.manner.workload

    def __str__(self) -> str:
        return f"{self.manner.cluster}/{self.manner.namespace}/{self.name}"


Place = tuple[int, str | None]
"""Wave and stage of a move."""


class Bound:
    """Every move of a plan in columns, with the pod of each. Its own value is made when asked for.

    The first move of a pod is the one that counts.
    """

    def __init__(self, written: Written, fleet: Fleet, target: Target) -> None:
        self._written = written
        self.table = fleet.table
        self.wave = written.wave
        self.cluster, self.stage, self.kind = written.cluster, written.stage, written.kind
        self.because, self.node = written.because, written.node
        self.starts = written.starts
        """When each begins; None where the plan does not say."""
        self.row = _rows(written, fleet)
        """The pod of each in the table of pods; -1 when no such pod was observed."""
        self.manners, self.manner = _manners(written, self.row, fleet, target)
        """Every manner; and that of each move, by its place among them."""
        self.of_row = np.full(len(fleet.table), -1, np.int64)
        """The first move of each pod of the table; -1 for those that do not move."""
        places = np.flatnonzero(self.row >= 0)[::-1]
        self.of_row[self.row[places]] = places
        self.is_first = np.zeros(len(self.row), np.bool_)
        """Whether it is the first of its pod."""
        self.is_first[self.of_row[self.of_row >= 0]] = True
        self._made: dict[int, Move] = {}

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, place: int) -> Move:
        made = self._made.get(place)
        return made or self._made.setdefault(place, self._make(place))

    def of_manner(self, value_of: Callable[[Manner], Any], dtype: Any) -> Any:  # noqa: ANN401
        """What is told of the manner of each move."""
        values = np.array([value_of(each) for each in self.manners], dtype)
        return values[self.manner] if len(values) else np.zeros(0, dtype)

    @cached_property
    def wave_of_row(self) -> Ints:
        """The wave that moves each pod of the table; 0 for those that do not move."""
        return self.of_rows(self.wave)

    def of_rows(self, values: Ints) -> Ints:
        """What is told of its move, of each pod of the table; 0 for those that do not move."""
        if not len(values):
            return np.zeros(len(self.of_row), np.int64)
        return np.where(self.of_row < 0, 0, values[self.of_row])

    @cached_property
    def is_application(self) -> Bools:
        """Whether the workload's own controller makes the move, and not a SidecarSet."""
        own: Bools = self.of_manner(lambda it: it.is_application, np.bool_)
        return own

    @cached_property
    def is_deleting(self) -> Bools:
        """Whether it is on its way out, of each pod of the table."""
        deleting: Bools = self.table.of_kin(lambda it: it.state.deleting, np.bool_)
        return deleting

    @cached_property
    def manner_of_row(self) -> Ints:
        """The manner in which each pod moves, by its place; -1 for those that do not move."""
        if not len(self.wave):
            return self.of_row
        return np.where(self.of_row < 0, -1, self.manner[self.of_row])

    def _make(self, place: int) -> Move:
        row = int(self.row[place])
        return Move(
            manner=self.manners[self.manner[place]],
            wave=int(self.wave[place]),
            stage=self.stage[place],
            node=self.node[place],
            because=self.because[place],
            name=self._written.pod[place],
            pod=None if row < 0 else self.table[row],
        )


class Moves(Some[Move, Bound]):
    """Some of the moves of a plan."""

    __slots__ = ()

    @property
    def bound(self) -> Bound:
        """Every move."""
        return self.whole

    @property
    def pods(self) -> Pods:
        """The pods of these, each of which is known."""
        return Pods(self.bound.table, self.rows)

    @property
    def rows(self) -> Ints:
        """The pods of these, by their rows."""
        return self.bound.row[self.places]

    @property
    def waves(self) -> Ints:
        """The waves of these."""
        return self.bound.wave[self.places]


class MoveOf(Mapping[Pod, Move]):
    """The first move of each pod that has one, in the order of the plan."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound

    def __getitem__(self, pod: Pod) -> Move:
        place = int(self._bound.of_row[pod.row])
        if place < 0:
            raise KeyError(pod)
        return self._bound[place]

    def __contains__(self, pod: object) -> bool:
        return isinstance(pod, Pod) and bool(self._bound.of_row[pod.row] >= 0)

    def __iter__(self) -> Iterator[Pod]:
        rows = self._bound.row[self._bound.is_first]
        return map(self._bound.table.__getitem__, rows.tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(self._bound.is_first))


def _rows(written: Written, fleet: Fleet) -> Ints:
    """The row of the pod of each move, by its cluster and uid if the names are its own, too."""
    table = fleet.table
    rows = np.full(len(written.wave), -1, np.int64)
    for code, cluster in enumerate(written.cluster.values):
        own = np.flatnonzero(written.cluster.codes == code)
        rows[own] = table.rows_of(cluster, written.uid.take(own))
    found = np.flatnonzero(rows >= 0)
    namespaces: dict[str, int] = {}
    of_kin = table.of_kin(lambda it: namespaces.setdefault(it.namespace, len(namespaces)), np.int64)
    said = np.array([namespaces.get(it, -1) for it in written.namespace.values] or [-1], np.int64)
    right = written.pod.take(found).is_same(table.name.take(rows[found]))
    right &= said[written.namespace.codes[found]] == of_kin[rows[found]]
    # One that has ended is as good as gone.
    right &= ~table.of_kin(lambda it: it.state.finished, np.bool_)[rows[found]]
    rows[found[~right]] = -1
    return rows


def _manners(
    written: Written, rows: Ints, fleet: Fleet, target: Target
) -> tuple[list[Manner], Ints]:
    """The manners of a plan, and of each move the place of its own."""
    table, changes = fleet.table, target.changes
    is_pod = rows >= 0
    kin, change = np.full(len(rows), -1, np.int64), np.full(len(rows), -1, np.int64)
    kin[is_pod], change[is_pod] = table.kin[rows[is_pod]], changes.codes[rows[is_pod]]
    columns = (
        *(written.kind, written.containers, written.workload),
        *(written.cluster, written.namespace),
    )
    firsts, codes = alike(
        *((each.codes, len(each.values)) for each in columns),
        (kin + 1, len(table.kins) + 1),
        (change + 1, len(changes.all) + 1),
    )
    manners = []
    told = [[each.values[code] for code in each.codes[firsts].tolist()] for each in columns]
    places = zip(kin[firsts].tolist(), change[firsts].tolist(), *told, strict=True)
    for kin_place, change_place, kind, containers, workload, cluster, namespace in places:
        of = None if kin_place < 0 else table.kins[kin_place]
        manners.append(
            Manner(
                kind=kind,
                containers=containers,
                workload=workload,
                cluster=cluster,
                namespace=namespace,
                kin=of,
                owner=None if of is None else fleet.workload_of_kin.get(of),
                change=None if change_place < 0 else changes.all[change_place],
            )
        )
    return manners, codes
