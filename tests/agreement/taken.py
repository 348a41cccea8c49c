"""What the controllers really did: which pods they took, when, how, and how many were down."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from tests.agreement.operations import Operation
from tests.agreement.recording import Change, Pod, Recording

Way = Literal["in-place", "recreate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A pod that was taken. `before` is the pod as it was then, `t` in seconds since the epoch.

    Pods of one `batch` were taken by parallel calls, so that nothing can be said of their order.
    """

    t: float
    uid: str
    before: Pod
    way: Way
    batch: int


def ways_of(operation: Operation, recording: Recording) -> dict[str, tuple[Change, Way]]:
    """How and by which change each pod was taken, by uid, in the order in which it happened."""
    seen: dict[str, tuple[Change, Way]] = {}
    waiting = {pod.uid for pod in pods_of(operation, recording).values()}
    for change in recording.during(operation.begin, operation.end):
        way = _way(operation, change) if change.uid in waiting else None
        if way is not None and change.uid not in seen:
            seen[change.uid] = (change, way)
    return seen


def taken_by(operation: Operation, recording: Recording) -> tuple[Taken, ...]:
    """The pods that an operation took, each once, in the order in which they were taken."""
    seen = ways_of(operation, recording)
    batches = _batches(operation, recording, len(seen))
    return tuple(
        Taken(t=change.t, uid=uid, before=before, way=way, batch=batch)
        for (uid, (change, way)), batch in zip(seen.items(), batches, strict=True)
        if (before := change.before) is not None
    )


def pods_of(operation: Operation, recording: Recording) -> dict[str, Pod]:
    """The pods of the workload, or with the sidecar, when the operation began."""
    pods = recording.pods_at(operation.begin)
    return {uid: pod for uid, pod in pods.items() if belongs(operation, pod)}


def most_at_once(operation: Operation, recording: Recording) -> int:
    """How many pods were down at the worst moment because the operation took them.

    A pod that was taken in place is down until it serves again. Every new pod stands in for one
    of those that were taken from when it first serves, also where it came before (surge).
    """
    taken = ways_of(operation, recording)
    known = pods_of(operation, recording)
    in_the_middle: set[str] = set()
    gone = most = 0
    came: set[str] = set()
    for change in recording.during(operation.begin, operation.end):
        (first, way), after = taken.get(change.uid, (None, None)), change.after
        serves_again = (
            after is not None
            and after.serves
            and not (change.before is not None and change.before.serves)
        )
        if serves_again and change.uid in in_the_middle:
            in_the_middle.discard(change.uid)
        elif serves_again and change.uid not in known and belongs(operation, after):
            came.add(change.uid)
        elif first is change and way == "in-place":
            in_the_middle.add(change.uid)
        elif first is change:
            gone += 1
        most = max(most, len(in_the_middle) + gone - len(came))
    return most


def belongs(operation: Operation, pod: Pod | None) -> bool:
    """Whether a pod is one of the workload, or has the sidecar."""
    if pod is None:
        return False
    if operation.kind == "SidecarSet":
        return operation.container in pod.images
    if operation.kind == "Deployment":
        owner = f"ReplicaSet/{operation.workload}-{pod.revision}"
        return (pod.namespace, pod.owner) == (operation.namespace, owner)
    return (pod.namespace, pod.owner) == (operation.namespace, operation.owner)


def _way(operation: Operation, change: Change) -> Way | None:
    before, after = change.before, change.after
    if before is None:
        return None
    if operation.kind == "SidecarSet":
        name = operation.container
        changed = after is not None and after.images[name] != before.images[name]
        return "in-place" if changed else None
    if after is None or (after.leaving and not before.leaving):
        return "recreate"
    begins = after.updating and not before.updating
    return "in-place" if begins or after.revision != before.revision else None


def _batches(operation: Operation, recording: Recording, count: int) -> Iterator[int]:
    """A ReplicaSet removes all the pods of one step in parallel; others go one after the other."""
    sizes = [1] * count
    if operation.kind == "Deployment":
        sizes = list(_shrinking(operation, recording))
    elif operation.kind == "DaemonSet":
        sizes = [count]
    return (batch for batch, size in enumerate(sizes) for _ in range(size))


def _shrinking(operation: Operation, recording: Recording) -> Iterator[int]:
    """By how many pods the old ReplicaSets were made smaller, step by step."""
    sets: dict[str, list[int]] = {}
    for written in recording.written:
        if written.resource == "replicasets" and written.t < operation.end:
            here = (written.namespace, written.owner) == (operation.namespace, operation.owner)
            if here:
                sizes = sets.setdefault(written.name, [])
                size = written.document["spec"]["replicas"]
                if written.t < operation.begin:
                    sizes.clear()
                sizes.append(size)
    for sizes in sets.values():
        yield from (before - after for before, after in pairwise(sizes) if after < before)
