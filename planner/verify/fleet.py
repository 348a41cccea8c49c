"""The observed objects joined: which pod belongs to which workload, and to which SidecarSets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from msgspec import Struct

from planner.verify.history import Templates, read_history
from planner.verify.selector import PodsByLabel, by_kin, every, matches
from planner.verify.strategy import Strategy, strategy_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.verify.columns import Ints
    from planner.verify.history import History
    from planner.verify.observed import Observed
    from planner.verify.pods import Kin, Pod
    from planner.verify.selector import PodsOfKin
    from planner.verify.table import Pods, Table

_WORKLOADS = {
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "clonesets": "CloneSet",
    "advancedstatefulsets": "AdvancedStatefulSet",
    "advanceddaemonsets": "AdvancedDaemonSet",
}
_SIDECAR_HASH = "kruise.io/sidecarset-hash"
_SIDECAR_HASH_WITHOUT_IMAGE = "kruise.io/sidecarset-hash-without-image"


class WorkloadKey(NamedTuple):
    """Names a workload in the fleet."""

    cluster: str
    namespace: str
    kind: str
    """As plans write it: OpenKruise's own are `AdvancedStatefulSet` and `AdvancedDaemonSet`."""
    name: str

    @property
    def is_daemon(self) -> bool:
        """Whether it has one pod for each node."""
        return self.kind in ("DaemonSet", "AdvancedDaemonSet")

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.kind}/{self.name}"


class Workload(Struct, frozen=True, eq=False, kw_only=True):
    """A workload with its pods."""

    key: WorkloadKey
    document: Mapping[str, Any]
    replicas: int
    """Pods that it wants; of a DaemonSet, the nodes that should have one."""
    strategy: Strategy
    pods: Pods
    kin: PodsOfKin
    """The same, by kin."""
    revisions: Mapping[str, Mapping[str, Any]]
    """Templates of its history by the hash in the revision's name."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SidecarSet:
    """A SidecarSet of one cluster with the pods that it was injected into."""

    cluster: str
    name: str
    spec: Mapping[str, Any]
    hash_without_image: str
    pods: Pods
    kin: PodsOfKin
    """The same, by kin."""

    @property
    def containers(self) -> frozenset[str]:
        """Names of every container that it injects."""
        both = (*(self.spec.get("containers") or ()), *(self.spec.get("initContainers") or ()))
        return frozenset(each["name"] for each in both)

    def upgradable(self, pod: Kin | Pod) -> bool:
        """Whether a pod differs from the set in nothing but images (IsSidecarSetUpgradable)."""
        entry = _injected(pod, _SIDECAR_HASH_WITHOUT_IMAGE).get(self.name)
        found = entry["hash"] if isinstance(entry, dict) else entry
        return bool(found == self.hash_without_image)


class DisruptionBudget(Struct, frozen=True, eq=False, kw_only=True):
    """A PodDisruptionBudget of one cluster with the pods that it matches."""

    cluster: str
    document: Mapping[str, Any]
    pods: Pods
    kin: PodsOfKin
    """The same, by kin."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fleet:
    """All clusters as the rules see them. Pods that have finished are not among its pods."""

    observed: Observed
    pods: Pods
    kin: PodsOfKin
    """The same, by kin."""
    workloads: Mapping[WorkloadKey, Workload]
    workload_of_kin: Mapping[Kin, Workload]
    sidecar_sets: Mapping[tuple[str, str], SidecarSet]
    """By cluster and name."""
    disruption_budgets: Sequence[DisruptionBudget]
    disruption_budgets_over: Ints
    """How many PodDisruptionBudgets match a pod, of each row of the table of pods."""
    zone_of: Mapping[tuple[str, str], str]
    """Zone by cluster and node; nodes without one are not in it."""
    by_label: PodsByLabel
    _by_namespace: Mapping[tuple[str, str], PodsByLabel] = field(repr=False)
    _by_name: Mapping[tuple[str, str], Sequence[Workload]] = field(repr=False)

    @property
    def table(self) -> Table:
        """Every pod that was observed, those that have finished too."""
        return self.observed.table

    def workload_of(self, pod: Pod) -> Workload | None:
        """The workload that a pod is of."""
        return self.workload_of_kin.get(pod.kin)

    def in_namespace(self, cluster: str, namespace: str) -> PodsByLabel:
        """The pods of one namespace of one cluster."""
        return self._by_namespace.get((cluster, namespace)) or PodsByLabel({})

    def referred(self, reference: Mapping[str, Any]) -> Iterable[Workload]:
        """Every workload that a reference of the request names; what it leaves out is any."""
        place = (reference.get("namespace"), reference.get("name"))
        candidates = (
            self.workloads.values() if None in place else self._by_name.get(place, ())  # type: ignore[arg-type]
        )
        return (each for each in candidates if refers(reference, each.key))

    def clusters(self) -> list[str]:
        """Every cluster, by name."""
        return sorted(self.observed.clusters)


def refers(reference: Mapping[str, Any], key: WorkloadKey) -> bool:
    """Whether a reference of the request names this workload; what it leaves out is any."""
    return all(
        reference.get(field) in (None, value)
        for field, value in zip(WorkloadKey._fields, key, strict=True)
    )


def revision_hash(pod: Kin | Pod) -> str:
    """The hash in a pod's revision, spelled as a whole name or alone (revision.go, IsPodUpdate)."""
    return pod.revision.rpartition("-")[2]


def read_fleet(observed: Observed) -> Fleet:
    """Join what was observed."""
    table = observed.table
    kin = {kin: own for kin, own in by_kin(table).items() if not kin.state.finished}
    history = read_history(observed)
    workloads = {each.key: each for each in _workloads(observed, history, _owned(history, kin))}
    by_label = PodsByLabel(kin)
    by_namespace = _by_namespace(kin)
    by_name: dict[tuple[str, str], list[Workload]] = {}
    for key, workload in workloads.items():
        by_name.setdefault((key.namespace, key.name), []).append(workload)
    disruption_budgets = tuple(_disruption_budgets(observed, by_namespace))
    over = np.zeros(len(table), np.int64)
    for each in disruption_budgets:
        over[each.pods.rows] += 1
    return Fleet(
        observed=observed,
        pods=table.where(~table.of_kin(lambda it: it.state.finished, np.bool_)),
        kin=kin,
        workloads=workloads,
        workload_of_kin={kin: each for each in workloads.values() for kin in each.kin},
        sidecar_sets={
            (each.cluster, each.name): each for each in _sidecar_sets(observed, by_label)
        },
        disruption_budgets=disruption_budgets,
        disruption_budgets_over=over,
        zone_of=_zones(observed),
        by_label=by_label,
        _by_namespace=by_namespace,
        _by_name=by_name,
    )


def _by_namespace(pods: PodsOfKin) -> dict[tuple[str, str], PodsByLabel]:
    namespaces: dict[tuple[str, str], dict[Kin, Pods]] = {}
    for kin, own in pods.items():
        namespaces.setdefault((kin.cluster, kin.namespace), {})[kin] = own
    return {key: PodsByLabel(each) for key, each in namespaces.items()}


def _disruption_budgets(
    observed: Observed, by_namespace: Mapping[tuple[str, str], PodsByLabel]
) -> Iterator[DisruptionBudget]:
    nobody = PodsByLabel({})
    for cluster in sorted(observed.clusters):
        for document in observed.documents(cluster, "poddisruptionbudgets"):
            near = by_namespace.get((cluster, document["metadata"]["namespace"]), nobody)
            kin = near.select(document["spec"].get("selector"))
            yield DisruptionBudget(
                cluster=cluster, document=document, pods=every(observed.table, kin), kin=kin
            )


def _owned(history: History, pods: PodsOfKin) -> Mapping[tuple[str, str], PodsOfKin]:
    """Pods by cluster and uid of their workload: the owner, or the Deployment of a ReplicaSet."""
    deployment_of = history.deployment_of
    owned: dict[tuple[str, str], dict[Kin, Pods]] = {}
    for kin, own in pods.items():
        if kin.owner is not None:
            place = (kin.cluster, kin.owner.uid)
            owned.setdefault((kin.cluster, deployment_of.get(place, kin.owner.uid)), {})[kin] = own
    return owned


def _workloads(
    observed: Observed, history: History, owned: Mapping[tuple[str, str], PodsOfKin]
) -> Iterator[Workload]:
    for cluster in sorted(observed.clusters):
        minor, templates = _minor_version(observed, cluster), history.templates[cluster]
        for resource, kind in _WORKLOADS.items():
            own = observed.objects.get((cluster, resource), {})
            for uid, document in zip(own, own.values(), strict=True):
                kin = owned.get((cluster, uid), {})
                pods = every(observed.table, kin)
                replicas = _replicas(kind, document, len(pods))
                metadata = document["metadata"]
                yield Workload(
                    key=WorkloadKey(cluster, metadata["namespace"], kind, metadata["name"]),
                    document=document,
                    replicas=replicas,
                    strategy=strategy_of(kind, document, replicas, minor),
                    pods=pods,
                    kin=kin,
                    revisions=Templates({**_told_revision(document), **templates.get(uid, {})}),
                )


def _replicas(kind: str, document: Mapping[str, Any], pods: int) -> int:
    if kind in ("DaemonSet", "AdvancedDaemonSet"):
        desired: int | None = (document.get("status") or {}).get("desiredNumberScheduled")
        return pods if desired is None else desired
    replicas: int | None = document["spec"].get("replicas")
    return 1 if replicas is None else replicas


def _minor_version(observed: Observed, cluster: str) -> int:
    """0 when the version was not observed: then nothing newer may be relied on."""
    for version in observed.documents(cluster, "versions"):
        # Some vendors write "35+".
        digits = re.match(r"\d+", str(version.get("minor", "")))
        if digits:
            return int(digits.group())
    return 0


def _told_revision(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The template by the hash of the revision at which its own status says a workload is.

    A status of an older generation speaks of another template.
    """
    status = document.get("status") or {}
    told = status.get("updateRevision") or status.get("daemonSetHash") or ""
    if not told or status.get("observedGeneration", 0) < document["metadata"].get("generation", 0):
        return {}
    return {str(told).rpartition("-")[2]: document["spec"]["template"]}


def _sidecar_sets(observed: Observed, by_label: PodsByLabel) -> Iterator[SidecarSet]:
    for cluster in sorted(observed.clusters):
        for document in observed.documents(cluster, "sidecarsets"):
            metadata, spec = document["metadata"], document["spec"]
            namespaces = _selected_namespaces(observed, cluster, spec)
            pods = {
                kin: own
                for kin, own in by_label.select(spec.get("selector")).items()
                if kin.cluster == cluster
                and (namespaces is None or kin.namespace in namespaces)
                and metadata["name"] in _injected(kin, _SIDECAR_HASH)
            }
            yield SidecarSet(
                cluster=cluster,
                name=metadata["name"],
                spec=spec,
                hash_without_image=(metadata.get("annotations") or {}).get(
                    _SIDECAR_HASH_WITHOUT_IMAGE, ""
                ),
                pods=every(observed.table, pods),
                kin=pods,
            )


def _selected_namespaces(
    observed: Observed, cluster: str, spec: Mapping[str, Any]
) -> frozenset[str] | None:
    """The namespaces that a SidecarSet selects; None for all."""
    if spec.get("namespace"):
        return frozenset((spec["namespace"],))
    selector = spec.get("namespaceSelector")
    if selector is None:
        return None
    return frozenset(
        document["metadata"]["name"]
        for document in observed.documents(cluster, "namespaces")
        if matches(selector, document["metadata"].get("labels") or {})
    )


def _injected(pod: Kin | Pod, annotation: str) -> Mapping[str, Any]:
    """Hash by name of SidecarSet, from one of the pod's two hash annotations.

    As it is, or as what is called so of an object.
    """
    value: str | Mapping[str, Any] = pod.annotations.get(annotation) or {}
    return _hashes(value) if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _hashes(text: str) -> Mapping[str, Any]:
    by_set: Mapping[str, Any] = json.loads(text)
    return by_set


def _zones(observed: Observed) -> dict[tuple[str, str], str]:
    zones: dict[tuple[str, str], str] = {}
    for cluster in observed.clusters:
        for node in observed.documents(cluster, "nodes"):
            zone = (node["metadata"].get("labels") or {}).get("topology.kubernetes.io/zone")
            if zone:
                zones[cluster, node["metadata"]["name"]] = zone
    return zones
