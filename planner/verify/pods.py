"""Pods as the rules see them: a little of its own, and what a pod has in common with its kin.

A fleet has a million pods and few sorts of them. All that is told of a pod but its name, uid, node
and times is the same for most pods of a workload, so it is read once and shared, and a rule that
looks at nothing else asks once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial, reduce
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import Struct
from msgspec.json import decode

from planner.verify.columns import alike, codes_of, differs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planner.verify.columns import Coded, Ints

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


def read_kins(
    clusters: Coded[str], flags: Ints, columns: Mapping[str, Coded[str]]
) -> tuple[list[Kin], Ints]:
    """Every kin of some pods, and of each pod the place of its own; each text is parsed once.

    Args:
        clusters: of each pod.
        flags: of each pod.
        columns: those of `OF_KIN`.
    """
    told = [clusters, *(columns[name] for name in OF_KIN)]
    codes = [flags, *(each.codes for each in told)]
    # Pods of a workload are listed together: only the first of each run is looked at.
    starts = np.flatnonzero(reduce(np.logical_or, map(differs, codes)))
    firsts, kin = alike(*(codes_of(each[starts]) for each in codes))
    rows = starts[firsts]
    owners = [_owner(text) if text else None for text in columns["owner"].values]
    annotations = [decode(text or "{}") for text in columns["annotations"].values]
    specs = [_spec(decode(text or "{}")) for text in columns["spec"].values]
    texts = [decode(text or "{}") for text in columns["labels"].values]
    state_of, labels_of = cache(_state), cache(partial(_labels, texts))
    kins = [
        Kin(
            cluster=clusters.values[cluster],
            namespace=columns["namespace"].values[namespace],
            owner=owners[owner],
            revision=(hash_ := columns["revision"].values[revision]),
            labels=labels_of(labels, hash_, flag & _LABELS_OF_REVISION),
            flags_of_name=flag & _LABELS_OF_NAME,
            annotations=annotations[annotation],
            images=specs[spec].images,
            init_images=specs[spec].init_images,
            readiness_gates=specs[spec].readiness_gates,
            requests=specs[spec].requests,
            state=state_of(flag),
        )
        for flag, cluster, namespace, owner, revision, labels, annotation, spec in zip(
            *(each[rows].tolist() for each in codes), strict=True
        )
    ]
    return kins, np.repeat(kin, np.diff(starts, append=len(flags)))


def _labels(
    texts: Sequence[Mapping[str, str]], code: int, revision: str, flags: int
) -> Mapping[str, str]:
    """The labels of a pod but for those that follow from its name."""
    labels = texts[code]
    if flags & _LABEL_REVISION:
        labels = {**labels, "controller-revision-hash": revision}
    if flags & _LABEL_TEMPLATE_HASH:
        labels = {**labels, "pod-template-hash": revision.rpartition("-")[2]}
    return labels


def _spec(spec: Mapping[str, Any]) -> _Spec:
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
