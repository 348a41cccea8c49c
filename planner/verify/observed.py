"""Observed rows folded into the objects that exist: the verifier's own, small fold.

It shares nothing with the core's fold but the meaning of the rows, so that a mistake there does
not hide a mistake here. Everything is keyed by cluster, resource and uid: a name may come back,
a uid never does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from planner.errors import ObservationError
from planner.verify.arrow import read_table
from planner.verify.columns import Coded, Texts, concatenated, in_order
from planner.verify.documents import Documents
from planner.verify.pods import OF_KIN, OF_POD, Pod, read_kins
from planner.verify.table import Table
from planner.verify.uids import Uids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.verify.columns import Bools, Ints

    Columns = Mapping[str, Any]
    """By name, of equal length."""


class Batch(Protocol):
    """Rows of a log: a table of Arrow, and its rows one by one."""

    def rows(self) -> list[dict[str, Any]]:
        """Give every row with the columns that are present."""

    def __len__(self) -> int: ...

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Give capsules of the schema and of the columns."""


EVENTS: Final = ("list_begun", "observed", "gone", "list_completed", "time_passed")
"""What tables of a log call 0, 1, 2 .. in the column `event`."""
RESOURCES: Final = (
    *("pods", "nodes", "namespaces", "deployments", "replicasets", "statefulsets", "daemonsets"),
    *("controllerrevisions", "poddisruptionbudgets", "clonesets", "advancedstatefulsets"),
    *("advanceddaemonsets", "sidecarsets", "podunavailablebudgets", "versions"),
    "resourcequotas",
)
"""What they call 0, 1, 2 .. in the column `resource`."""
_CODE_OF: Final = {name: code for code, name in enumerate(RESOURCES)}
_ROWS_AT_ONCE: Final = 1 << 15
_FEW: Final = 64
"""Rows that are sooner read one by one than as a table."""
_PODS: Final = RESOURCES.index("pods")
_BEGUN, _OBSERVED, _GONE, _COMPLETED, _PASSED = range(len(EVENTS))
_MARKS: Final = (_BEGUN, _COMPLETED, _PASSED)
_OF_TEXTS: Final = ("node", *OF_KIN)
_OF_NUMBERS: Final = ("flags", *OF_POD)
_NONE, _NOT = np.zeros(0, np.int64), np.zeros(0, np.bool_)


@dataclass(frozen=True, kw_only=True, eq=False)
class Observed:
    """Every object that exists at one position of the log."""

    table: Table
    """Every pod; those that have finished are among them."""
    objects: Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]]
    """Documents by cluster and resource, then by uid; they may be read anew each time."""
    clusters: frozenset[str]
    time_ms: int
    """Milliseconds UTC of the last row."""

    @cached_property
    def pods(self) -> Mapping[tuple[str, str], Pod]:
        """The pods by cluster and uid, for those who look at each."""
        return {(pod.cluster, pod.uid): pod for pod in self.table}

    def documents(self, cluster: str, resource: str) -> Iterable[Mapping[str, Any]]:
        """The documents of one resource of one cluster."""
        return self.objects.get((cluster, resource), {}).values()


class _Kind:
    """What rows told of one resource of one cluster, in the order in which they were taken in."""

    def __init__(self) -> None:
        self._uids: list[Uids] = []
        self._versions: list[Ints] = []
        self._gone: list[Bools] = []
        self._rows = 0
        self._marks: list[tuple[int, int, int]] = []
        """Rows before it, event and version of what is about no object."""

    def take(self, uids: Uids, versions: Ints, gone: Bools) -> None:
        """Take in rows: each saw an object, or saw that it is gone."""
        self._uids.append(uids)
        self._versions.append(versions)
        self._gone.append(gone)
        self._rows += len(uids)

    def tell(self, event: int, version: int, cluster: str) -> None:
        """Take in an event that is about no object."""
        if event not in _MARKS:
            name = EVENTS[event] if event < len(EVENTS) else event
            raise ObservationError(
                f"a row of cluster {cluster} has the event {name!r}, which this version"
                " does not know; verify with the version that wrote the log"
            )
        self._marks.append((self._rows, event, version))

    def present(self) -> tuple[Uids, Ints]:
        """The uids of what there is, the longest there first; and the row that told of each."""
        uids = Uids.joined(self._uids)
        versions, gone = (
            np.concatenate([_NONE, *self._versions]),
            np.concatenate([_NOT, *self._gone]),
        )
        there = _There(uids.firsts())
        begin = 0
        for end, event, version in (*self._marks, (self._rows, _PASSED, 0)):
            there.take(slice(begin, end), versions[begin:end], gone[begin:end])
            there.tell(event, version)
            begin = end
        slots, rows = there.found()
        return uids.take(slots), rows


class _There:
    """What is there after some rows. An object's slot is the first row that spoke of it."""

    def __init__(self, slots: Ints) -> None:
        self._slots = slots
        self._version = np.full(len(slots), -1, np.int64)
        """resourceVersion at which each was seen last; -1 while it is not there."""
        self._gone = self._version.copy()
        """That at which it went, so that an older row does not bring it back; -1: it never did."""
        self._row = self._version.copy()
        """The row that it was seen in last."""
        self._since = self._version.copy()
        """The row since which it has been there."""
        self._mentioned: Bools | None = None
        """Those seen since the open list began; None while no list is open."""

    def take(self, own: slice, versions: Ints, gone: Bools) -> None:
        """Take in rows."""
        slots = self._slots[own]
        if self._mentioned is not None:
            self._mentioned[slots[~gone]] = True
        for part in _one_of_each(slots):
            slot, version, row = slots[part], versions[part], own.start + part
            is_newer = version >= self._version[slot]
            sees = ~gone[part] & is_newer & (version > self._gone[slot])
            ends = gone[part] & is_newer
            absent = sees & (self._version[slot] < 0)
            self._since[slot[absent]] = row[absent]
            self._row[slot[sees]] = row[sees]
            self._version[slot[sees]] = version[sees]
            self._version[slot[ends]] = -1
            self._gone[slot[ends]] = version[ends]

    def tell(self, event: int, version: int) -> None:
        """Take in that a list has begun, or is complete."""
        if event == _BEGUN:
            self._mentioned = np.zeros(len(self._slots), np.bool_)
        elif event == _COMPLETED and self._mentioned is not None:
            # What is newer than the list was made after it: a list does not speak of it.
            is_missing = (self._version >= 0) & ~self._mentioned & (self._version <= version)
            self._gone[is_missing] = self._version[is_missing]
            self._version[is_missing] = -1
            self._mentioned = None

    def found(self) -> tuple[Ints, Ints]:
        """The slots of what there is, the longest there first; and the row that told of each."""
        there = np.flatnonzero(self._version >= 0)
        slots = there[in_order(self._since[there])]
        return slots, self._row[slots]


def _one_of_each(slots: Ints) -> Iterator[Ints]:
    """Rows in turns, each of which holds no slot twice and of each the next in order."""
    order = in_order(slots)
    of = slots[order]
    begins = np.flatnonzero(np.concatenate(([True], of[1:] != of[:-1]))) if len(of) else of
    lengths = np.diff(begins, append=len(of))
    turn = np.arange(len(of)) - np.repeat(begins, lengths)
    by_turn = in_order(turn)
    ends = np.cumsum(np.bincount(turn)).tolist() if len(of) else []
    for begin, end in zip([0, *ends], ends, strict=False):
        yield order[by_turn[begin:end]]


class _Fold:
    """Everything that rows told so far."""

    def __init__(self) -> None:
        self._kinds: defaultdict[tuple[str, int], _Kind] = defaultdict(_Kind)
        self._documents: defaultdict[tuple[str, int], list[Texts]] = defaultdict(list)
        """Of each row of a kind."""
        self._texts: dict[str, dict[str, int]] = {name: {} for name in _OF_TEXTS}
        """Codes of what pods share, by column."""
        self._pods: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        """Columns of each cluster's rows of pods."""

    def take(self, cluster: str, columns: Columns) -> None:
        """Take in rows of one cluster."""
        for resource in np.unique(columns["resource"]).tolist():
            rows = np.flatnonzero(columns["resource"] == resource)
            events = columns["event"][rows]
            kind = self._kinds[cluster, resource]
            is_mark = (events != _OBSERVED) & (events != _GONE)
            begin = 0
            for mark in [*np.flatnonzero(is_mark).tolist(), len(rows)]:
                between = rows[begin:mark]
                begin = mark + 1
                if len(between):
                    kind.take(
                        columns["uid"].take(between),
                        columns["resource_version"][between],
                        columns["event"][between] == _GONE,
                    )
                    self._keep(cluster, resource, columns, between)
                if mark < len(rows):
                    version = int(columns["resource_version"][rows[mark]])
                    kind.tell(int(events[mark]), version, cluster)

    def _keep(self, cluster: str, resource: int, columns: Columns, rows: Ints) -> None:
        if resource != _PODS:
            self._documents[cluster, resource].append(columns["document"].take(rows))
            return
        own = {name: columns[name].take(rows).coded_by(self._texts[name]) for name in _OF_TEXTS}
        own |= {name: columns[name][rows] for name in _OF_NUMBERS}
        self._pods[cluster].append({**own, "name": columns["name"].take(rows)})

    def observed(self, clusters: frozenset[str], time_ms: int) -> Observed:
        """What there is after the last row."""
        objects: dict[tuple[str, str], Mapping[str, Mapping[str, Any]]] = {}
        uids: dict[str, Uids] = {}
        parts: list[dict[str, Any]] = []
        for (cluster, resource), kind in self._kinds.items():
            if not 0 <= resource < len(RESOURCES):
                continue  # no rule knows it
            own, rows = kind.present()
            if resource == _PODS:
                uids[cluster] = own
                parts.append(_taken(self._pods.pop(cluster, []), rows))
                continue
            documents = Documents(own, self._documents[cluster, resource], rows)
            objects[cluster, RESOURCES[resource]] = documents
        numbers = {name: concatenated(parts, name) for name in (*_OF_TEXTS, *_OF_NUMBERS)}
        shared = {name: Coded(numbers[name], list(self._texts[name])) for name in _OF_TEXTS}
        counts = [len(each) for each in uids.values()]
        in_clusters = Coded(np.repeat(np.arange(len(uids)), counts), list(uids))
        kins, kin = read_kins(in_clusters, numbers["flags"], shared)
        table = Table(
            kins=kins,
            kin=kin,
            uids=Uids.joined(uids.values()),
            name=Texts.joined([each["name"] for each in parts]),
            node=shared["node"],
            ready_since_s=numbers["ready_since_s"],
            created_s=numbers["created_s"],
            restarts=numbers["restarts"],
            in_clusters=in_clusters,
        )
        return Observed(table=table, objects=objects, clusters=clusters, time_ms=time_ms)


def _taken(parts: Sequence[Mapping[str, Any]], rows: Ints) -> dict[str, Any]:
    """Some rows of columns that are given in parts."""
    taken: dict[str, Any] = {
        name: concatenated(parts, name)[rows] for name in (*_OF_TEXTS, *_OF_NUMBERS)
    }
    return taken | {"name": Texts.joined([each["name"] for each in parts]).take(rows)}


def fold_rows(rows: Iterable[Mapping[str, Any]]) -> Observed:
    """Fold observed rows, in log order, into the objects that exist after the last of them.

    Raises:
        ObservationError: a row is of an event that this version does not know.
    """
    return _folded(
        (cluster, _columns(list(own), cluster)) for cluster, own in groupby(rows, key=_cluster_of)
    )


def fold_batches(batches: Iterable[tuple[str, Batch]]) -> Observed:
    """Fold observed rows that are given in batches, with the cluster that they are of.

    Args:
        batches: in log order.

    Raises:
        ObservationError: a row is of an event that this version does not know.
    """
    return _folded(_tables(batches))


def _tables(batches: Iterable[tuple[str, Batch]]) -> Iterator[tuple[str, Columns]]:
    """The columns of the batches. What a watch saw comes in many of few rows: those together."""
    for cluster, own in groupby(batches, key=itemgetter(0)):
        few: list[Mapping[str, Any]] = []
        for _, batch in own:
            if len(batch) < _FEW:
                few.extend(batch.rows())
            if few and (len(batch) >= _FEW or len(few) >= _ROWS_AT_ONCE):
                yield cluster, _columns(few, cluster)
                few = []
            if len(batch) >= _FEW:
                yield cluster, read_table(batch)
        if few:
            yield cluster, _columns(few, cluster)


def _folded(tables: Iterable[tuple[str, Columns]]) -> Observed:
    fold = _Fold()
    clusters: set[str] = set()
    time_ms = 0
    for cluster, columns in tables:
        if len(columns["time_ms"]):
            clusters.add(cluster)
            time_ms = max(time_ms, int(columns["time_ms"].max()))
        fold.take(cluster, columns)
    return fold.observed(frozenset(clusters), time_ms)


def _cluster_of(row: Mapping[str, Any]) -> str:
    cluster: str = row["cluster"]
    return cluster


def _columns(rows: Sequence[Mapping[str, Any]], cluster: str) -> Columns:
    for row in rows:
        if row["event"] not in EVENTS:
            raise ObservationError(
                f"a row of cluster {cluster} has the event {row['event']!r}, which this version"
                " does not know; verify with the version that wrote the log"
            )
    numbers = ("time_ms", "resource_version", "flags", *OF_POD)
    return {
        **{name: np.array([it.get(name) or 0 for it in rows], np.int64) for name in numbers},
        **{name: Coded.of(it.get(name) for it in rows) for name in ("node", *OF_KIN)},
        **{name: Texts.of(it.get(name) or "" for it in rows) for name in ("name", "document")},
        "uid": Uids.of(it.get("uid") for it in rows),
        "event": np.array([EVENTS.index(it["event"]) for it in rows], np.int64),
        "resource": np.array([_CODE_OF.get(it["resource"], -1) for it in rows], np.int64),
    }
