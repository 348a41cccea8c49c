"""Every status that the recorded controllers wrote of a budget, against what the rules count."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from planner.simulate.rules.budgets import disruption_standing, unavailable_standing
from planner.simulate.rules.pods import Object, is_active, labels_of
from planner.simulate.rules.selector import selects
from tests.agreement.recording import Recording
from tests.agreement.share import Share

SCALED: Final = (
    "deployments",
    "statefulsets",
    "clonesets.apps.kruise.io",
    "statefulsets.apps.kruise.io",
)
STATUS: Final = {
    "poddisruptionbudgets": ("currentHealthy", "desiredHealthy", "disruptionsAllowed"),
    "podunavailablebudgets.policy.kruise.io": (
        "currentAvailable",
        "desiredAvailable",
        "unavailableAllowed",
    ),
}
Counts = tuple[int, int, int]


class _Budget:
    """A budget, its pods, and everything that it could have counted since its last status."""

    def __init__(self, document: Object, count: Callable[..., Counts]) -> None:
        self.document = document
        self.count = count
        self.pods: dict[str, Object] = {}
        self.counted: set[Counts] = set()

    def follow(self, uid: str, pod: Object | None, replicas: dict[str, int]) -> None:
        selector = self.document["spec"]["selector"]
        if pod is not None and selects(selector, labels_of(pod)):
            self.pods[uid] = pod
        elif self.pods.pop(uid, None) is None:
            return
        self.counted.add(self.now(replicas))

    def now(self, replicas: dict[str, int]) -> Counts:
        return self.count(self.document, list(self.pods.values()), replicas)


def statuses(recording: Recording) -> dict[str, Share]:
    """By resource: statuses that the rules would have written, too, of those that were written.

    The controller counts its cache, which is behind: what it wrote has to be what the rules count
    at some moment since its status before.
    """
    budgets = dict(_listed(recording))
    replicas = dict(_replicas(recording))
    agree = dict.fromkeys(STATUS, 0)
    written = dict.fromkeys(STATUS, 0)
    for resource, deleted, document in recording.events(("pods", *STATUS)):
        uid = document["metadata"]["uid"]
        if resource == "pods":
            for (_, namespace, _), budget in budgets.items():
                if namespace == document["metadata"]["namespace"]:
                    budget.follow(uid, None if deleted else document, replicas)
            continue
        budget = budgets[resource, document["metadata"]["namespace"], document["metadata"]["name"]]
        status = document["status"]
        told = tuple(status[field] for field in STATUS[resource])
        # Pods that were let go a moment ago are left out before they are gone.
        if status.get("disruptedPods") or status.get("unavailablePods"):
            continue
        written[resource] += 1
        agree[resource] += told in budget.counted
        budget.counted = {budget.now(replicas)}
    return {name: Share(agree=agree[name], of=written[name]) for name in STATUS}


def _listed(recording: Recording) -> Iterator[tuple[tuple[str, str, str], _Budget]]:
    counts = (_disruption, _unavailable)
    replicas = dict(_replicas(recording))
    for resource, count in zip(STATUS, counts, strict=True):
        for document in recording.items(resource):
            budget = _Budget(document, count)
            metadata = document["metadata"]
            for pod in recording.items("pods"):
                if pod["metadata"]["namespace"] == metadata["namespace"]:
                    budget.follow(pod["metadata"]["uid"], pod, replicas)
            yield (resource, metadata["namespace"], metadata["name"]), budget


def _replicas(recording: Recording) -> Iterator[tuple[str, int]]:
    """Replicas by uid of what controls pods; a ReplicaSet counts as its Deployment."""
    scales = {
        each["metadata"]["uid"]: each["spec"]["replicas"]
        for resource in SCALED
        for each in recording.items(resource)
    }
    yield from scales.items()
    for written in recording.written:
        if written.resource == "replicasets":
            (owner,) = written.document["metadata"]["ownerReferences"]
            yield written.document["metadata"]["uid"], scales[owner["uid"]]


def _scales(pods: Iterable[Object], replicas: dict[str, int]) -> list[int] | None:
    """The replicas of each controller; the sets of one Deployment are one controller."""
    found: dict[str, int | None] = {}
    for pod in pods:
        for owner in pod["metadata"].get("ownerReferences") or ():
            name = owner["name"].rpartition("-")[0] if owner["kind"] == "ReplicaSet" else ""
            found[name or owner["uid"]] = replicas.get(owner["uid"])
    scales = [each for each in found.values() if each is not None]
    return scales if len(scales) == len(found) else None


def _disruption(document: Object, pods: list[Object], replicas: dict[str, int]) -> Counts:
    standing = disruption_standing(document, pods, _scales(pods, replicas))
    return standing.healthy, standing.desired, standing.allowed


def _unavailable(document: Object, pods: list[Object], replicas: dict[str, int]) -> Counts:
    active = [pod for pod in pods if is_active(pod)]
    total = sum(_scales(active, replicas) or ())
    standing = unavailable_standing(document, active, total)
    return standing.healthy, standing.desired, standing.allowed
