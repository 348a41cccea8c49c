"""Observed rows folded into the objects that exist: the verifier's own, small fold.

It shares nothing with the core's fold but the meaning of the rows, so that a mistake there does
not hide a mistake here. Everything is keyed by cluster, resource and uid: a name may come back,
a uid never does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from planner.errors import ObservationError
from planner.verify.held import as_its_owner_wrote_it

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_READY: Final = 1
_DELETING: Final = 1 << 1
_PHASES: Final = {1 << 2: "Pending", 1 << 3: "Running", 1 << 4: "Succeeded", 1 << 5: "Failed"}
_MIRROR: Final = 1 << 7
_EMPTY_DIR: Final = 1 << 8

# Labels that the core leaves out of a pod's shared text because they follow from its name or
# its revision, with the flag that says that they were there.
_LABEL_POD_NAME: Final = 1 << 10
_NAME_SUFFIX_LABELS: Final = {
    1 << 11: "apps.kubernetes.io/pod-index",
    1 << 12: "apps.kruise.io/cloneset-instance-id",
}
_LABELS_OF_NAME: Final = _LABEL_POD_NAME | 1 << 11 | 1 << 12
_LABEL_REVISION: Final = 1 << 13
_LABEL_TEMPLATE_HASH: Final = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The controller of a pod as its owner reference names it."""

    group: str
    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is yes or no about a pod. Those of which the same is true share one."""

    phase: str
    ready: bool
    deleting: bool
    mirror: bool
    empty_dir: bool
    down: bool
    finished: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pod:
    """A pod that exists. Compared by identity: there is one value for each pod."""

    cluster: str
    uid: str
    namespace: str
    name: str
    node: str
    """`""` while it is unassigned."""
    owner: Owner | None
    revision: str
    """Value of the label `controller-revision-hash`, else of `pod-template-hash`."""
    labels: Mapping[str, str]
    annotations: Mapping[str, Any]
    images: Mapping[str, str]
    """Image by name of ordinary container."""
    init_images: Mapping[str, str]
    """Image by name of init container."""
    readiness_gates: frozenset[str]
    requests: tuple[int, int]
    """Millicores and bytes that it reserves on its node."""
    state: State
    ready_since_s: int
    created_s: int
    restarts: int

    @property
    def phase(self) -> str:
        """As Kubernetes calls it."""
        return self.state.phase

    @property
    def ready(self) -> bool:
        """Condition `Ready` is True, whatever `deletionTimestamp` says."""
        return self.state.ready

    @property
    def deleting(self) -> bool:
        """Whether it is on its way out."""
        return self.state.deleting

    @property
    def mirror(self) -> bool:
        """Whether it stands for a pod of the kubelet's own, which no API call takes away."""
        return self.state.mirror

    @property
    def empty_dir(self) -> bool:
        """Whether it has a volume whose data go when it leaves its node."""
        return self.state.empty_dir

    @property
    def down(self) -> bool:
        """Whether it does not serve: not Ready, or on its way out."""
        return self.state.down

    @property
    def finished(self) -> bool:
        """Whether it has ended by itself and holds nothing any more."""
        return self.state.finished

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"


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


class _Seen(NamedTuple):
    """An object as it was last seen: a pod, or the text of a document."""

    version: int
    value: Pod | str


@dataclass(slots=True)
class _Kind:
    """What is known of one resource of one cluster while rows are folded."""

    objects: dict[str, _Seen]
    gone: dict[str, int]
    """resourceVersion at which each uid went, so that an older row does not bring it back."""
    mentioned: set[str] | None = None
    """Uids seen since the open list began; None while no list is open."""


def fold_rows(rows: Iterable[Mapping[str, Any]]) -> Observed:
    """Fold observed rows, in log order, into the objects that exist after the last of them.

    A row is read once and not kept.

    Raises:
        ObservationError: a row is of an event that this version does not know.
    """
    kinds: dict[tuple[str, str], _Kind] = {}
    clusters: set[str] = set()
    texts = _Texts()
    time_ms = 0
    for row in rows:
        clusters.add(row["cluster"])
        time_ms = max(time_ms, row["time_ms"])
        if row["event"] == "time_passed":
            continue
        place = (row["cluster"], row["resource"])
        kind = kinds.get(place)
        if kind is None:
            kind = kinds[place] = _Kind({}, {})
        if row["event"] == "observed":
            _fold_observed(kind, row, texts)
        else:
            _fold_other(kind, row)
    return _observed(kinds, frozenset(clusters), time_ms)


def _fold_observed(kind: _Kind, row: Mapping[str, Any], texts: _Texts) -> None:
    uid, version = row["uid"], row["resource_version"] or 0
    if kind.mentioned is not None:
        kind.mentioned.add(uid)
    known = kind.objects.get(uid)
    older_than_known = known is not None and version < known.version
    older_than_gone = uid in kind.gone and version <= kind.gone[uid]
    if not older_than_known and not older_than_gone:
        pod = row["resource"] == "pods"
        kind.objects[uid] = _Seen(version, _pod(row, texts) if pod else row["document"])


def _fold_other(kind: _Kind, row: Mapping[str, Any]) -> None:
    version = row["resource_version"] or 0
    match row["event"]:
        case "list_begun":
            kind.mentioned = set()
        case "gone":
            known = kind.objects.get(row["uid"])
            if known is None or known.version <= version:
                kind.objects.pop(row["uid"], None)
                kind.gone[row["uid"]] = version
        case "list_completed":
            _fold_list_completed(kind, version)
        case unknown:
            raise ObservationError(
                f"a row of cluster {row['cluster']} has the event {unknown!r}, which this version"
                " does not know; verify with the version that wrote the log"
            )


def _fold_list_completed(kind: _Kind, version: int) -> None:
    if kind.mentioned is None:
        return
    # What is newer than the list was made after it: a list does not speak of it.
    unmentioned = [
        uid
        for uid, seen in kind.objects.items()
        if uid not in kind.mentioned and seen.version <= version
    ]
    for uid in unmentioned:
        kind.gone[uid] = kind.objects.pop(uid).version
    kind.mentioned = None


def _observed(
    kinds: Mapping[tuple[str, str], _Kind], clusters: frozenset[str], time_ms: int
) -> Observed:
    pods: dict[tuple[str, str], Pod] = {}
    objects: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for (cluster, resource), kind in kinds.items():
        documents = objects.setdefault((cluster, resource), {})
        for uid, (_, value) in kind.objects.items():
            if isinstance(value, str):
                documents[uid] = as_its_owner_wrote_it(json.loads(value))
            else:
                pods[cluster, uid] = value
    return Observed(pods=pods, objects=objects, clusters=clusters, time_ms=time_ms)


class _Spec(NamedTuple):
    """What the shared text of a pod's spec says."""

    images: Mapping[str, str]
    init_images: Mapping[str, str]
    readiness_gates: frozenset[str]
    requests: tuple[int, int]


class _Texts:
    """Parsed column texts. Pods of a workload share them, so each is parsed once."""

    def __init__(self) -> None:
        self.json: Callable[[str], Any] = cache(json.loads)
        self.spec = cache(_spec)
        self.owner = cache(_owner)
        self.state = cache(_state)
        self.labels = cache(self._labels_of_revision)

    def _labels_of_revision(self, text: str, revision: str, flags: int) -> Mapping[str, str]:
        """The labels of a pod but for those that follow from its name."""
        labels: Mapping[str, str] = self.json(text)
        if flags & _LABEL_REVISION:
            labels = {**labels, "controller-revision-hash": revision}
        if flags & _LABEL_TEMPLATE_HASH:
            labels = {**labels, "pod-template-hash": revision.rpartition("-")[2]}
        return labels


def _spec(text: str) -> _Spec:
    spec = json.loads(text)
    requests = spec.get("requests") or {}
    return _Spec(
        images=_images(spec.get("containers")),
        init_images=_images(spec.get("initContainers")),
        readiness_gates=frozenset(_gate(gate) for gate in spec.get("readinessGates", ())),
        requests=(requests.get("cpu", 0), requests.get("memory", 0)),
    )


def _images(containers: Iterable[Mapping[str, str]] | None) -> Mapping[str, str]:
    return {each["name"]: each["image"] for each in containers or ()}


def _gate(gate: str | Mapping[str, str]) -> str:
    return gate if isinstance(gate, str) else gate["conditionType"]


def _owner(text: str) -> Owner:
    group, kind, name, uid = text.split("|")
    return Owner(group=group, kind=kind, name=name, uid=uid)


def _state(flags: int) -> State:
    phase = next((name for bit, name in _PHASES.items() if flags & bit), "Unknown")
    ready, deleting = bool(flags & _READY), bool(flags & _DELETING)
    return State(
        phase=phase,
        ready=ready,
        deleting=deleting,
        mirror=bool(flags & _MIRROR),
        empty_dir=bool(flags & _EMPTY_DIR),
        down=not ready or deleting,
        finished=phase in ("Succeeded", "Failed"),
    )


def _pod(row: Mapping[str, Any], texts: _Texts) -> Pod:
    owner = row["owner"]
    spec = texts.spec(row["spec"] or "{}")
    return Pod(
        cluster=row["cluster"],
        uid=row["uid"],
        namespace=row["namespace"],
        name=row["name"],
        node=row["node"] or "",
        owner=texts.owner(owner) if owner else None,
        revision=row["revision"] or "",
        labels=_labels(row, texts),
        annotations=texts.json(row["annotations"] or "{}"),
        images=spec.images,
        init_images=spec.init_images,
        readiness_gates=spec.readiness_gates,
        requests=spec.requests,
        state=texts.state(row["flags"]),
        ready_since_s=row["ready_since_s"] or 0,
        created_s=row["created_s"] or 0,
        restarts=row["restarts"] or 0,
    )


def _labels(row: Mapping[str, Any], texts: _Texts) -> Mapping[str, str]:
    flags, name = row["flags"], row["name"]
    labels = texts.labels(
        row["labels"] or "{}",
        row["revision"] or "",
        flags & (_LABEL_REVISION | _LABEL_TEMPLATE_HASH),
    )
    if not flags & _LABELS_OF_NAME:
        return labels
    own = dict(labels)
    if flags & _LABEL_POD_NAME:
        own["statefulset.kubernetes.io/pod-name"] = name
    for bit, label in _NAME_SUFFIX_LABELS.items():
        if flags & bit:
            own[label] = name.rpartition("-")[2]
    return own
