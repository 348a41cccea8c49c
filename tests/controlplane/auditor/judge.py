"""Follows the pods event by event, and notes every rule that is broken."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.controlplane.auditor.limits import (
    Cluster,
    Key,
    Limit,
    Place,
    of_request,
    resolved,
)
from tests.controlplane.auditor.pods import (
    Object,
    images_of,
    is_over,
    serves,
)

INJECTED = "kruise.io/sidecarset-injected-list"


@dataclass(frozen=True, slots=True)
class Reference:
    """Workloads by name; without a cluster or a kind in every one."""

    its: Object

    def covers(self, place: Place | None) -> bool:
        """Whether this is one of them."""
        return place is not None and all(
            self.its.get(field) in (None, getattr(place, field)) for field in Place._fields
        )


@dataclass(frozen=True, slots=True)
class Dependency:
    """`after` may change only when this share of each `before` is at the target and serves."""

    after: Reference
    before: Reference
    share: int | str


class Judge:
    """What is known of every pod, and what was wrong so far.

    Attributes:
        violations: what was wrong, each once.
        disrupted: pods that did not serve for some time although they had.
    """

    def __init__(self, request: Object, clusters: Mapping[str, Cluster]) -> None:
        self.violations: list[str] = []
        self.disrupted: set[Key] = set()
        self._clusters = clusters
        target = request["spec"]["target"]
        self._images = {rule["from"]: rule["to"] for rule in target.get("images") or ()}
        self._sidecars = {
            (rule["sidecarSet"], rule["container"]): rule["to"]
            for rule in target.get("sidecars") or ()
        }
        self._dependencies = list(_dependencies(request))
        self._pods: dict[Key, Object] = {}
        self._downs: dict[Key, int] = {}
        self._limits: list[Limit] = []
        for cluster in clusters.values():
            for pod in cluster.pods:
                self._pods[cluster.name, pod["metadata"]["uid"]] = pod
            self._limits += cluster.limits()
        self._limits += of_request(request, clusters)
        self._began = [self._serving(limit) for limit in self._limits]
        self._sizes = Counter(
            self._place(cluster, pod)
            for (cluster, _), pod in self._pods.items()
            if not is_over(pod)
        )

    def see_all(self, cluster: str, pods: Iterable[Object]) -> None:
        """Take all pods of a cluster as they are now; those that are not among them are gone."""
        here = {pod["metadata"]["uid"]: pod for pod in pods}
        gone = [key for key in self._pods if key[0] == cluster and key[1] not in here]
        for pod in here.values():
            self.see(cluster, pod, gone=False)
        for key in gone:
            self.see(cluster, self._pods[key], gone=True)

    def see(self, cluster: str, pod: Object, *, gone: bool) -> None:
        """Take a pod as it is now."""
        key = (cluster, pod["metadata"]["uid"])
        before = self._pods.get(key)
        if gone:
            self._pods.pop(key, None)
        else:
            self._pods[key] = pod
        served = before is not None and serves(before)
        if served and (gone or not serves(pod)):
            self._fell(cluster, key, before or pod)
            self._count(cluster, pod)
        if not gone and (before is None or images_of(before) != images_of(pod)):
            self._changed(cluster, pod)

    def _fell(self, cluster: str, key: Key, before: Object) -> None:
        """A pod that served does not any more: once for a pod, and never when it is new."""
        self.disrupted.add(key)
        self._downs[key] = self._downs.get(key, 0) + 1
        name = f"{cluster}/{before['metadata']['namespace']}/{before['metadata']['name']}"
        if self._is_at_target(before):
            self._note(f"{name} was at the target and was disrupted again")
        elif self._downs[key] > 1:
            self._note(f"{name} was disrupted twice")

    def _count(self, cluster: str, pod: Object) -> None:
        for limit, began in zip(self._limits, self._began, strict=True):
            if not limit.covers(cluster, pod):
                continue
            serving = self._serving(limit)
            if serving < min(limit.least, began):
                self._note(f"{limit.name}: {serving} pods served, {limit.least} have to")

    def _serving(self, limit: Limit) -> int:
        return sum(
            serves(pod) and limit.covers(cluster, pod) for (cluster, _), pod in self._pods.items()
        )

    def _changed(self, cluster: str, pod: Object) -> None:
        """A pod has new images: everything that its workload waits for has to be done."""
        if not self._has_new_application(pod):
            return
        place = self._place(cluster, pod)
        for dependency in self._dependencies:
            if not dependency.after.covers(place):
                continue
            for first, size in self._sizes.items():
                if first is None or not dependency.before.covers(first):
                    continue
                done = sum(self._is_done(it) for it in self._of(first))
                needed = resolved(dependency.share, size, math.ceil)
                if done < needed:
                    names = f"{'/'.join(place or ())} changed when {'/'.join(first)}"
                    self._note(f"{names} had {done} of {needed} pods done")

    def _of(self, place: Place) -> Iterator[Object]:
        for (cluster, _), pod in self._pods.items():
            if self._place(cluster, pod) == place:
                yield pod

    def _place(self, cluster: str, pod: Object) -> Place | None:
        return self._clusters[cluster].place_of(pod)

    def _is_done(self, pod: Object) -> bool:
        return self._is_at_target(pod) and serves(pod)

    def _has_new_application(self, pod: Object) -> bool:
        images = images_of(pod).values()
        return any(self._images.get(image.rpartition(":")[0]) == image for image in images)

    def _is_at_target(self, pod: Object) -> bool:
        images = images_of(pod)
        for image in images.values():
            if self._images.get(image.rpartition(":")[0], image) != image:
                return False
        injected = (pod["metadata"].get("annotations") or {}).get(INJECTED, "").split(",")
        return all(
            images.get(container, image) == image
            for (name, container), image in self._sidecars.items()
            if name in injected
        )

    def _note(self, text: str) -> None:
        if text not in self.violations:
            self.violations.append(text)


def _dependencies(request: Object) -> Iterator[Dependency]:
    for each in request["spec"].get("dependencies") or ():
        for first in each["after"]:
            share = each.get("ready", "100%")
            yield Dependency(Reference(each["workload"]), Reference(first), share)
