"""Observed rows folded into the objects that exist: the verifier's own, small fold.

It shares nothing with the core's fold but the meaning of the rows, so that a mistake there does
not hide a mistake here. Everything is keyed by cluster, resource and uid: a name may come back,
a uid never does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby, repeat
from typing import TYPE_CHECKING, Any

import msgspec

from planner.errors import ObservationError
from planner.verify.held import as_its_owner_wrote_it
from planner.verify.pods import OF_KIN, OF_POD, Kins, Pod

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Columns = Mapping[str, Sequence[Any]]
    """By name, of equal length."""


_OF_ROW = ("time_ms", "event", "resource", "uid", "resource_version", "document")
_TEXTS = ("node",)
_NUMBERS = ("resource_version", "ready_since_s", "created_s", "restarts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Every object that exists at one position of the log."""

    pods: Mapping[tuple[str, str], Pod]
    """By cluster and uid; pods that have finished are among them."""
    objects: Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]]
    """Documents by cluster and resource, then by uid."""
    clusters: frozenset[str]
    time_ms: int
    """Milliseconds UTC of the last row."""

    def documents(self, cluster: str, resource: str) -> Iterable[Mapping[str, Any]]:
        """The documents of one resource of one cluster."""
        return self.objects.get((cluster, resource), {}).values()


@dataclass(slots=True)
class _Kind:
    """What is known of one resource of one cluster while rows are folded."""

    objects: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """Each as it was last seen, a pod or the text of a document, with its resourceVersion."""
    gone: dict[str, int] = field(default_factory=dict)
    """resourceVersion at which each uid went, so that an older row does not bring it back."""
    mentioned: set[str] | None = None
    """Uids seen since the open list began; None while no list is open."""

    def see(self, uids: Sequence[str], versions: Sequence[int], seen: Iterable[Pod | str]) -> None:
        """Take in objects that were seen, one after the other."""
        if self.mentioned is not None:
            self.mentioned.update(uids)
        if self._is_all_new(uids):
            self.objects.update(zip(uids, zip(versions, seen, strict=True), strict=True))
            return
        for uid, version, value in zip(uids, versions, seen, strict=True):
            older_than_known = uid in self.objects and version < self.objects[uid][0]
            older_than_gone = uid in self.gone and version <= self.gone[uid]
            if not older_than_known and not older_than_gone:
                self.objects[uid] = version, value

    def _is_all_new(self, uids: Sequence[str]) -> bool:
        """Whether nothing was ever known of these, and each is there once: no version decides."""
        known = (self.objects.keys(), self.gone.keys())
        return all(each.isdisjoint(uids) for each in known) and len(set(uids)) == len(uids)

    def tell(self, event: str, uid: str, version: int, cluster: str) -> None:
        """Take in an event that is no sight of an object."""
        match event:
            case "list_begun":
                self.mentioned = set()
            case "gone":
                if uid not in self.objects or self.objects[uid][0] <= version:
                    self.objects.pop(uid, None)
                    self.gone[uid] = version
            case "list_completed":
                self._complete(version)
            case unknown:
                raise ObservationError(
                    f"a row of cluster {cluster} has the event {unknown!r}, which this version"
                    " does not know; verify with the version that wrote the log"
                )

    def _complete(self, version: int) -> None:
        if self.mentioned is None:
            return
        # What is newer than the list was made after it: a list does not speak of it.
        unmentioned = [
            uid for uid in self.objects.keys() - self.mentioned if self.objects[uid][0] <= version
        ]
        for uid in unmentioned:
            self.gone[uid], _ = self.objects.pop(uid)
        self.mentioned = None


def fold_rows(rows: Iterable[Mapping[str, Any]]) -> Observed:
    """Fold observed rows, in log order, into the objects that exist after the last of them.

    Raises:
        ObservationError: a row is of an event that this version does not know.
    """
    return fold_columns(
        (cluster, _columns(list(own))) for cluster, own in groupby(rows, key=_cluster_of)
    )


def _cluster_of(row: Mapping[str, Any]) -> str:
    cluster: str = row["cluster"]
    return cluster


def _columns(rows: Sequence[Mapping[str, Any]]) -> Columns:
    names = (*_OF_ROW, *OF_KIN, *OF_POD)
    columns: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in names}
    for name in _TEXTS:
        columns[name] = [text or "" for text in columns[name]]
    for name in _NUMBERS:
        columns[name] = [number or 0 for number in columns[name]]
    return columns


def fold_columns(batches: Iterable[tuple[str, Columns]]) -> Observed:
    """Fold observed rows that are given as columns, with the cluster that they are of.

    Args:
        batches: in log order; every column of a batch is of the same length, None where a row
            has no value. A batch is read once and not kept.

    Raises:
        ObservationError: a row is of an event that this version does not know.
    """
    kinds: defaultdict[tuple[str, str], _Kind] = defaultdict(_Kind)
    clusters: set[str] = set()
    kins = Kins()
    time_ms = 0
    for cluster, columns in batches:
        if columns["time_ms"]:
            clusters.add(cluster)
            time_ms = max(time_ms, *columns["time_ms"])
        _fold(kinds, kins, cluster, columns)
    return _observed(kinds, frozenset(clusters), time_ms)


def _fold(
    kinds: Mapping[tuple[str, str], _Kind], kins: Kins, cluster: str, columns: Columns
) -> None:
    begin = 0
    for (event, resource), run in groupby(zip(columns["event"], columns["resource"], strict=True)):
        rows = slice(begin, begin + len(list(run)))
        begin = rows.stop
        if event == "time_passed":
            continue
        kind, uids = kinds[cluster, resource], columns["uid"][rows]
        versions = [version or 0 for version in columns["resource_version"][rows]]
        if event != "observed":
            for uid, version in zip(uids, versions, strict=True):
                kind.tell(event, uid, version, cluster)
        elif resource == "pods":
            own = {name: columns[name][rows] for name in ("uid", *OF_KIN, *OF_POD)}
            kind.see(uids, versions, kins.pods(cluster, own))
        else:
            kind.see(uids, versions, columns["document"][rows])


def _observed(
    kinds: Mapping[tuple[str, str], _Kind], clusters: frozenset[str], time_ms: int
) -> Observed:
    decode = msgspec.json.Decoder().decode
    pods: dict[tuple[str, str], Pod] = {}
    objects: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for (cluster, resource), kind in kinds.items():
        seen = (value for _, value in kind.objects.values())
        if resource == "pods":
            pods.update(zip(zip(repeat(cluster), kind.objects), seen, strict=False))
        else:
            whole = (as_its_owner_wrote_it(decode(text)) for text in seen)
            objects[cluster, resource] = dict(zip(kind.objects, whole, strict=True))
    return Observed(pods=pods, objects=objects, clusters=clusters, time_ms=time_ms)
