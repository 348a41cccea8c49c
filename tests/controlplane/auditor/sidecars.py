"""Limits of SidecarSets: how many pods may be down at once because their sidecar changed."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.controlplane.auditor.limits import Cluster, Place
from tests.controlplane.auditor.owners import resolved, spec_of
from tests.controlplane.auditor.pods import Key, Object, images_of, injected_into, serves


@dataclass(slots=True)
class _Set:
    """A SidecarSet.

    Attributes:
        first: for each pod, or for the pods of a workload, the images that its containers had.
        busy: pods that have another image than at first, and do not serve.
    """

    cluster: str
    name: str
    containers: frozenset[str]
    most: int
    first: dict[Key | Place | None, set[tuple[str, str]]]
    busy: set[Key] = field(default_factory=set)


class Sidecars:
    """Judges the SidecarSets of all clusters."""

    def __init__(self, clusters: Mapping[str, Cluster]) -> None:
        self._clusters = clusters
        self._sets = [
            _set(cluster, each) for cluster in clusters.values() for each in cluster.sidecar_sets()
        ]

    def see(self, cluster: str, pod: Object, *, gone: bool) -> Iterator[str]:
        """Say what is wrong now that a pod is like this."""
        key = (cluster, pod["metadata"]["uid"])
        for its in self._sets:
            if its.cluster != cluster or its.name not in injected_into(pod):
                continue
            if gone or serves(pod) or not self._is_changed(its, key, pod):
                its.busy.discard(key)
            elif key not in its.busy:
                its.busy.add(key)
                if len(its.busy) > its.most:
                    name = f"sidecarset/{cluster}/{its.name}"
                    yield f"{name}: {len(its.busy)} pods were down for it, {its.most} may be"

    def _is_changed(self, its: _Set, key: Key, pod: Object) -> bool:
        """Whether its sidecars are others than before; of a new pod, than any of its workload."""
        place = self._clusters[its.cluster].place_of(pod)
        first = its.first[key] if key in its.first else its.first.get(place, set())
        return bool(first) and not _images(its.containers, pod) <= first


def _set(cluster: Cluster, sidecar_set: Object) -> _Set:
    name, spec = sidecar_set["metadata"]["name"], spec_of(sidecar_set)
    containers = frozenset(each["name"] for each in spec.get("containers") or ())
    pods = [pod for pod in cluster.pods if name in injected_into(pod)]
    staying = sum("deletionTimestamp" not in pod["metadata"] for pod in pods)
    limit = (spec.get("updateStrategy") or {}).get("maxUnavailable", 1)
    # Pods that are down anyway may all change at once.
    most = resolved(limit, staying, math.ceil) + sum(not serves(pod) for pod in pods)
    first: dict[Key | Place | None, set[tuple[str, str]]] = defaultdict(set)
    for pod in pods:
        for it in ((cluster.name, pod["metadata"]["uid"]), cluster.place_of(pod)):
            first[it] |= _images(containers, pod)
    return _Set(cluster.name, name, containers, most, first)


def _images(containers: frozenset[str], pod: Object) -> set[tuple[str, str]]:
    return {each for each in images_of(pod).items() if each[0] in containers}
