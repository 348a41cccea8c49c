"""Pods as the rules see them: a little of its own, and what a pod has in common with its kin.

A fleet has a million pods and few sorts of them. All that is told of a pod but its name, uid, node
and times is the same for most pods of a workload, so it is read once and shared, and a rule that
looks at nothing else asks once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from operator import getitem
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import Struct
from msgspec.json import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from planner.verify.columns import Ints

_READY: Final = 1
_DELETING: Final = 1 << 1
_PHASES: Final = {1 << 2: "Pending", 1 << 3: "Running", 1 << 4: "Succeeded", 1 << 5: "Failed"}
_MIRROR: Final = 1 << 7
_EMPTY_DIR: Final = 1 << 8

# Labels that the core leaves out of a pod's shared text because they follow from its name or
# its revision, with the flag that says that they were there.
_POD_NAME: Final = "statefulset.kubernetes.io/pod-name"
_LABEL_POD_NAME: Final = 1 << 10
_NAME_SUFFIX_LABELS: Final = {
    1 << 11: "apps.kubernetes.io/pod-index",
    1 << 12: "apps.kruise.io/cloneset-instance-id",
}
_LABELS_OF_NAME: Final = _LABEL_POD_NAME | 1 << 11 | 1 << 12
_LABEL_REVISION: Final = 1 << 13
_LABEL_TEMPLATE_HASH: Final = 1 << 14
_LABELS_OF_REVISION: Final = _LABEL_REVISION | _LABEL_TEMPLATE_HASH

OF_NAME: Final = frozenset((_POD_NAME, *_NAME_SUFFIX_LABELS.values()))
"""Labels that follow from a pod's name, so that pods of the same kin differ in them."""

OF_KIN: Final = ("namespace", "owner", "revision", "labels", "annotations", "spec")
"""Columns of shared texts that, with the flags, tell the kin of a pod."""
OF_POD: Final = ("ready_since_s", "created_s", "restarts")
"""Columns of numbers that are a pod's own."""


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


class Kin(Struct, frozen=True, eq=False, kw_only=True):
    """What pods have in common that differ in name, uid, node and times only."""

    cluster: str
    namespace: str
    owner: Owner | None
    revision: str
    """Value of the label `controller-revision-hash`, else of `pod-template-hash`."""
    labels: Mapping[str, str]
    """But for those that follow from the name of each."""
    flags_of_name: int
    """Which labels follow from the name."""
    annotations: Mapping[str, Any]
    images: Mapping[str, str]
    """Image by name of ordinary container."""
    init_images: Mapping[str, str]
    """Image by name of init container."""
    readiness_gates: frozenset[str]
    requests: tuple[int, int]
    """Millicores and bytes that it reserves on its node."""
    state: State


class Pod(Struct, frozen=True, eq=False, kw_only=True):
    """A pod that exists. Compared by identity: there is one value for each pod."""

    kin: Kin
    uid: str
    name: str
    node: str
    """`""` while it is unassigned."""
    ready_since_s: int
    created_s: int
    restarts: int
    ordinal: int
    """The number at the end of its name as StatefulSets count their pods; -1 without one."""
    row: int
    """Its place in the table of all pods."""

    @property
    def cluster(self) -> str:
        """Where it is."""
        return self.kin.cluster

    @property
    def namespace(self) -> str:
        """Of its name."""
        return self.kin.namespace

    @property
    def owner(self) -> Owner | None:
        """Its controller."""
        return self.kin.owner

    @property
    def revision(self) -> str:
        """Value of the label `controller-revision-hash`, else of `pod-template-hash`."""
        return self.kin.revision

    @property
    def labels(self) -> Mapping[str, str]:
        """Every label, those that follow from its name too."""
        kin = self.kin
        flags = kin.flags_of_name
        if not flags:
            return kin.labels
        own = dict(kin.labels)
        if flags & _LABEL_POD_NAME:
            own[_POD_NAME] = self.name
        for bit, label in _NAME_SUFFIX_LABELS.items():
            if flags & bit:
                own[label] = self.name.rpartition("-")[2]
        return own

    @property
    def annotations(self) -> Mapping[str, Any]:
        """Those that the log keeps."""
        return self.kin.annotations

    @property
    def images(self) -> Mapping[str, str]:
        """Image by name of ordinary container."""
        return self.kin.images

    @property
    def init_images(self) -> Mapping[str, str]:
        """Image by name of init container."""
        return self.kin.init_images

    @property
    def readiness_gates(self) -> frozenset[str]:
        """Conditions that have to be true besides for it to be Ready."""
        return self.kin.readiness_gates

    @property
    def requests(self) -> tuple[int, int]:
        """Millicores and bytes that it reserves on its node."""
        return self.kin.requests

    @property
    def phase(self) -> str:
        """As Kubernetes calls it."""
        return self.kin.state.phase

    @property
    def ready(self) -> bool:
        """Condition `Ready` is True, whatever `deletionTimestamp` says."""
        return self.kin.state.ready

    @property
    def deleting(self) -> bool:
        """Whether it is on its way out."""
        return self.kin.state.deleting

    @property
    def mirror(self) -> bool:
        """Whether it stands for a pod of the kubelet's own, which no API call takes away."""
        return self.kin.state.mirror

    @property
    def empty_dir(self) -> bool:
        """Whether it has a volume whose data go when it leaves its node."""
        return self.kin.state.empty_dir

    @property
    def down(self) -> bool:
        """Whether it does not serve: not Ready, or on its way out."""
        return self.kin.state.down

    @property
    def finished(self) -> bool:
        """Whether it has ended by itself and holds nothing any more."""
        return self.kin.state.finished

    def __str__(self) -> str:
        return f"{self.kin.cluster}/{self.kin.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class _Spec:
    """What the shared text of a pod's spec says."""

    images: Mapping[str, str]
    init_images: Mapping[str, str]
    readiness_gates: frozenset[str]
    requests: tuple[int, int]


class Kins:
    """Every kin by its cluster and what rows tell of it; each text is parsed once."""

    def __init__(self) -> None:
        self._json: Callable[[str], Any] = cache(decode)
        self._spec = cache(_spec)
        self._owner = cache(_owner)
        self._state = cache(_state)
        self._labels = cache(self._read_labels)
        self._of_cluster: dict[str, dict[tuple[Any, ...], int]] = {}
        self.all: list[Kin] = []

    def places(self, cluster: str, columns: Mapping[str, Any]) -> Ints:
        """Of each row of pods the place of its kin among all."""
        flags: Ints = columns["flags"]
        if not len(flags):
            return flags
        codes = [flags, *(columns[name].codes for name in OF_KIN)]
        # Pods of a workload are listed together: only the first of each run is looked at.
        differs = np.zeros(len(flags) - 1, np.bool_)
        for each in codes:
            differs |= each[1:] != each[:-1]
        starts = np.concatenate(([0], 1 + np.flatnonzero(differs)))
        told = list(zip(*(each[starts].tolist() for each in codes), strict=True))
        texts = [list(columns[name].values) for name in OF_KIN]
        place_of = {each: self._place(cluster, each, texts) for each in dict.fromkeys(told)}
        places = np.fromiter(map(place_of.__getitem__, told), np.int64, len(told))
        return np.repeat(places, np.diff(starts, append=len(flags)))

    def _place(
        self, cluster: str, codes: Sequence[int], texts: Sequence[Sequence[str | None]]
    ) -> int:
        flags, *of_texts = codes
        told = (*map(getitem, texts, of_texts), flags)
        known = self._of_cluster.setdefault(cluster, {})
        if told not in known:
            known[told] = len(self.all)
            self.all.append(self._read(cluster, told))
        return known[told]

    def _read(self, cluster: str, told: tuple[Any, ...]) -> Kin:
        """A kin of which nothing was known yet, by the values of `OF_KIN` and flags."""
        namespace, owner, revision, labels, annotations, text, flags = told
        spec = self._spec(text or "{}")
        return Kin(
            cluster=cluster,
            namespace=namespace,
            owner=self._owner(owner) if owner else None,
            revision=revision or "",
            labels=self._labels(labels or "{}", revision or "", flags & _LABELS_OF_REVISION),
            flags_of_name=flags & _LABELS_OF_NAME,
            annotations=self._json(annotations or "{}"),
            images=spec.images,
            init_images=spec.init_images,
            readiness_gates=spec.readiness_gates,
            requests=spec.requests,
            state=self._state(flags),
        )

    def _read_labels(self, text: str, revision: str, flags: int) -> Mapping[str, str]:
        """The labels of a pod but for those that follow from its name."""
        labels: Mapping[str, str] = self._json(text)
        if flags & _LABEL_REVISION:
            labels = {**labels, "controller-revision-hash": revision}
        if flags & _LABEL_TEMPLATE_HASH:
            labels = {**labels, "pod-template-hash": revision.rpartition("-")[2]}
        return labels


def _spec(text: str) -> _Spec:
    spec = decode(text)
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
