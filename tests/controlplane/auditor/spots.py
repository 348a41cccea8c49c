"""Budgets of a request for each node or zone: of pods by where they stood before the upgrade."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.controlplane.auditor.limits import SPOTS, Cluster, Place
from tests.controlplane.auditor.owners import resolved
from tests.controlplane.auditor.pods import Key, Object, labels_of, matches, serves


@dataclass(slots=True)
class _Spot:
    """The pods of one budget on one node or in one zone; `floor` of them have to serve."""

    name: str
    pods: frozenset[Key]
    least: int
    floor: int


class Spots:
    """Judges the budgets of nodes and zones.

    A pod that is made anew may come up on another node. It stands for the first one of its
    workload that went and has nobody in its place yet.
    """

    def __init__(self, request: Object, clusters: Mapping[str, Cluster]) -> None:
        self._clusters = clusters
        self._first = {
            (cluster.name, pod["metadata"]["uid"]): pod
            for cluster in clusters.values()
            for pod in cluster.pods
        }
        self._gone: dict[Place | None, list[Key]] = defaultdict(list)
        self._spots = list(_spots(request, clusters))
        self._of: dict[Key, list[_Spot]] = defaultdict(list)
        for spot in self._spots:
            for key in spot.pods:
                self._of[key].append(spot)

    def fell(self, key: Key, pods: Mapping[Key, Object]) -> Iterator[str]:
        """Say what is wrong now that a pod does not serve any more.

        Args:
            key: of the pod.
            pods: those that there are now.
        """
        if not self._of[key]:
            return
        down = self._down(pods)
        for spot in self._of[key]:
            serving = len(spot.pods - down)
            # Before, it served.
            spot.floor = max(spot.floor, min(spot.least, serving + 1))
            if serving < spot.floor:
                yield f"{spot.name}: {serving} pods served, {spot.least} have to"

    def left(self, key: Key) -> None:
        """Take note of a pod that is gone."""
        if key in self._first:
            self._gone[self._place(key[0], self._first[key])].append(key)

    def _down(self, pods: Mapping[Key, Object]) -> set[Key]:
        """Those of the first pods that neither serve nor have somebody serving in their place."""
        instead = Counter(
            self._place(key[0], pod)
            for key, pod in pods.items()
            if key not in self._first and serves(pod)
        )
        down = {key for key, pod in pods.items() if key in self._first and not serves(pod)}
        for place, gone in self._gone.items():
            down.update(gone[instead[place] :])
        return down

    def _place(self, cluster: str, pod: Object) -> Place | None:
        return self._clusters[cluster].place_of(pod)


def _spots(request: Object, clusters: Mapping[str, Cluster]) -> Iterator[_Spot]:
    for budget in request["spec"].get("budgets") or ():
        if budget.get("scope") not in SPOTS:
            continue
        for cluster in clusters.values():
            for spot, pods in _grouped(budget, cluster).items():
                keys = frozenset((cluster.name, pod["metadata"]["uid"]) for pod in pods)
                down = resolved(budget["maxUnavailable"], len(keys), math.floor)
                least = len(keys) - down
                name = f"request/{budget['name']}/{cluster.name}/{spot}"
                yield _Spot(name, keys, least, min(least, sum(map(serves, pods))))


def _grouped(budget: Object, cluster: Cluster) -> Mapping[str, Iterable[Object]]:
    groups: dict[str, list[Object]] = defaultdict(list)
    for pod in cluster.pods:
        spot = cluster.spot_of(pod, budget["scope"])
        if spot is not None and matches(budget.get("selector", {}), labels_of(pod)):
            groups[spot].append(pod)
    return groups
