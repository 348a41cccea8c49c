"""Every pod that was observed, in columns: a pod's own value is made when somebody asks for it.

A rule asks arrays what is true of a million pods, and names only those that break it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from planner.verify.columns import Some
from planner.verify.pods import Pod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from planner.verify.columns import Bools, Coded, Ints, Texts
    from planner.verify.pods import Kin
    from planner.verify.uids import Uids


@dataclass(frozen=True, kw_only=True, eq=False)
class Table(Sequence[Pod]):
    """Pods by their row. The same row is the same value, however often it is asked for."""

    kins: Sequence[Kin]
    kin: Ints
    """Of each pod the place of its kin among all."""
    uids: Uids
    name: Texts
    node: Coded[str]
    """`""` while it is unassigned."""
    ready_since_s: Ints
    created_s: Ints
    restarts: Ints
    in_clusters: Coded[str]
    """The cluster of each; its pods lie together."""
    _made: dict[int, Pod] = field(default_factory=dict, repr=False)

    @cached_property
    def ordinal(self) -> Ints:
        """The ordinal in the name of a StatefulSet's pod; -1 without one."""
        return self.name.numbers_at_end()

    @cached_property
    def down(self) -> Bools:
        """Whether it does not serve: not Ready, or on its way out."""
        down: Bools = self.of_kin(lambda it: it.state.down, np.bool_)
        return down

    @cached_property
    def ready(self) -> Bools:
        """Whether the condition `Ready` is True."""
        ready: Bools = self.of_kin(lambda it: it.state.ready, np.bool_)
        return ready

    @cached_property
    def is_placed(self) -> Bools:
        """Whether it is assigned to a node."""
        return np.array([bool(it) for it in self.node.values] or [False])[self.node.codes]

    @cached_property
    def phase_rank(self) -> Ints:
        """Its phase as Kubernetes orders them."""
        rank: Ints = self.of_kin(lambda it: _PHASE_RANKS.get(it.state.phase, 2), np.int64)
        return rank

    def rows_of(self, cluster: str, uids: Uids) -> Ints:
        """The row of each of these pods; -1 where there is none."""
        if cluster not in self.in_clusters.values:
            return np.full(len(uids), -1, np.int64)
        code = self.in_clusters.values.index(cluster)
        begin, end = np.searchsorted(self.in_clusters.codes, (code, code + 1)).tolist()
        places = self.uids[begin:end].find(uids)
        return np.where(places < 0, -1, places + begin)

    def of_kin(self, value_of: Callable[[Kin], Any], dtype: Any) -> Any:  # noqa: ANN401
        """What is told of the kin of each row."""
        values = np.array([value_of(each) for each in self.kins], dtype)
        return values[self.kin] if len(values) else np.zeros(0, dtype)

    def where(self, mask: Bools) -> Pods:
        """The pods for which it is true."""
        return Pods(self, np.flatnonzero(mask))

    def some(self, rows: Iterable[int]) -> Pods:
        """These pods."""
        return Pods(self, np.fromiter(rows, np.int64))

    def __len__(self) -> int:
        return len(self.kin)

    @overload
    def __getitem__(self, index: int) -> Pod: ...
    @overload
    def __getitem__(self, index: slice) -> Pods: ...
    def __getitem__(self, index: int | slice) -> Pod | Pods:
        if isinstance(index, slice):
            return Pods(self, np.arange(len(self))[index])
        made = self._made.get(index)
        return made or self._made.setdefault(index, self._make(int(index)))

    def _make(self, row: int) -> Pod:
        return Pod(
            kin=self.kins[self.kin[row]],
            uid=self.uids[row],
            name=self.name[row],
            node=self.node[row],
            ready_since_s=int(self.ready_since_s[row]),
            created_s=int(self.created_s[row]),
            restarts=int(self.restarts[row]),
            ordinal=int(self.ordinal[row]),
            row=row,
        )


class Pods(Some[Pod, Table]):
    """Some of the pods of a table."""

    __slots__ = ("_kept", "rows", "table")

    def __init__(self, whole: Table, places: Ints) -> None:
        self.whole = self.table = whole
        self.places = self.rows = places
        self._kept: frozenset[int] | None = None

    @classmethod
    def joined(cls, table: Table, parts: Sequence[Pods]) -> Pods:
        """The pods of all parts, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(table, np.concatenate([each.rows for each in parts]) if parts else _NOBODY)

    def only(self, test: Callable[[Pod], bool]) -> Pods:
        """Those for which it is true, asked one by one."""
        return self.where(np.array([test(pod) for pod in self], np.bool_))

    def __contains__(self, pod: object) -> bool:
        if self._kept is None:
            self._kept = frozenset(self.rows.tolist())
        return isinstance(pod, Pod) and pod.row in self._kept


_PHASE_RANKS = {"Pending": 0, "Unknown": 1, "Running": 2}
_NOBODY = np.zeros(0, np.int64)
