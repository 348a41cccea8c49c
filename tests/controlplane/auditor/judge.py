"""Follows the pods event by event, and notes every rule that is broken."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.controlplane.auditor.limits import Cluster, Key, Limit, of_request
from tests.controlplane.auditor.pods import (
    Object,
    images_of,
    is_over,
    serves,
)

INJECTED = "kruise.io/sidecarset-injected-list"


@dataclass(frozen=True, slots=True)
class Dependency:
    """`after` may change only when every pod of `before` is at the target and serves."""

    after: tuple[str, str]
    before: tuple[str, str]


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
        self._limits += of_request(request, clusters.values())
        self._began = {limit.name: self._serving(limit) for limit in self._limits}

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
        for limit in self._limits:
            if not limit.covers(cluster, pod):
                continue
            serving = self._serving(limit)
            if serving < min(limit.least, self._began[limit.name]):
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
            if dependency.after != place:
                continue
            late = [it for it in self._of(dependency.before) if not self._is_done(it)]
            if late:
                names = ", ".join(it["metadata"]["name"] for it in late[:3])
                first = "/".join(dependency.before)
                self._note(f"{'/'.join(place)} changed before {first} was done: {names}")

    def _of(self, place: tuple[str, str]) -> Iterator[Object]:
        for (cluster, _), pod in self._pods.items():
            leaving = "deletionTimestamp" in pod["metadata"]
            if not leaving and not is_over(pod) and self._place(cluster, pod) == place:
                yield pod

    def _place(self, cluster: str, pod: Object) -> tuple[str, str]:
        workload = self._clusters[cluster].workload_of(pod)
        name = workload["metadata"]["name"] if workload else ""
        return pod["metadata"]["namespace"], name

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
        after = (each["workload"]["namespace"], each["workload"]["name"])
        for first in each["after"]:
            yield Dependency(after, (first["namespace"], first["name"]))
