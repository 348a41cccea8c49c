"""StatefulSets of Kubernetes: which pods are made, removed and replaced next."""

from collections.abc import Iterable, Iterator, Mapping

from planner.simulate.rules.actions import Action, Create, Delete, Revisions
from planner.simulate.rules.numbers import rounded_down
from planner.simulate.rules.pods import (
    Object,
    is_leaving,
    is_ready,
    is_ready_for,
    name_of,
    ordinal_of,
    phase_of,
    revision_of,
)

MAX_UNAVAILABLE_SINCE = 35
"""Minor version from which the gate MaxUnavailableStatefulSet is on (KEP-961)."""


def sync(
    stateful_set: Object,
    pods: Iterable[Object],
    revisions: Revisions,
    *,
    minor: int,
    now: float,
) -> list[Action]:
    """Say what the controller does next.

    Args:
        stateful_set: the StatefulSet.
        pods: those that it controls.
        revisions: its history.
        minor: minor version of Kubernetes.
        now: seconds since the epoch.

    Source: kubernetes pkg/controller/statefulset/stateful_set_control.go, updateStatefulSet.
    """
    spec = stateful_set["spec"]
    start = (spec.get("ordinals") or {}).get("start") or 0
    wanted = range(start, start + spec["replicas"])
    by_ordinal = {ordinal_of(pod): pod for pod in pods}
    replicas = [by_ordinal.get(ordinal) for ordinal in wanted]
    in_order = spec.get("podManagementPolicy") != "Parallel"
    min_ready_s = spec.get("minReadySeconds") or 0
    repaired = list(_repair(stateful_set, wanted, replicas, revisions, in_order=in_order))
    unfinished = any(not is_healthy(pod, min_ready_s, now) for pod in replicas)
    if repaired and in_order:
        return repaired
    condemned = sorted((o for o in by_ordinal if o not in wanted), reverse=True)
    if in_order and (unfinished or condemned):
        going = [] if unfinished else [by_ordinal[condemned[0]]]
        removed = [Delete(pod=name_of(pod)) for pod in going if not is_leaving(pod)]
        # With the gate the update step itself counts what is not available.
        if condemned or minor < MAX_UNAVAILABLE_SINCE:
            return [*removed]
        return list(_update(stateful_set, replicas, revisions, minor=minor, now=now))
    removed = [
        Delete(pod=name_of(by_ordinal[o])) for o in condemned if not is_leaving(by_ordinal[o])
    ]
    updated = _update(stateful_set, replicas, revisions, minor=minor, now=now)
    return [*repaired, *removed, *updated]


def is_healthy(pod: Object | None, min_ready_s: int, now: float) -> bool:
    """There, not going, Running and Ready for long enough (isHealthy, isUnavailable)."""
    return (
        pod is not None
        and not is_leaving(pod)
        and phase_of(pod) == "Running"
        and is_ready_for(pod, min_ready_s, now)
    )


def max_unavailable(stateful_set: Object, minor: int) -> int:
    """How many pods may be unavailable: rounded down, at least 1 (getStatefulSetMaxUnavailable)."""
    rolling = (stateful_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    if minor < MAX_UNAVAILABLE_SINCE:
        return 1
    replicas = stateful_set["spec"]["replicas"]
    return max(1, rounded_down(rolling.get("maxUnavailable"), replicas, default=1))


def _repair(
    stateful_set: Object,
    wanted: range,
    replicas: list[Object | None],
    revisions: Revisions,
    *,
    in_order: bool,
) -> Iterator[Action]:
    partition = _partition(stateful_set)
    for index, (ordinal, pod) in enumerate(zip(wanted, replicas, strict=True)):
        if pod is None:
            revision = revisions.current if index < partition else revisions.update
            yield Create(name=f"{name_of(stateful_set)}-{ordinal}", revision=revision)
        elif phase_of(pod) in ("Failed", "Succeeded") and not is_leaving(pod):
            yield Delete(pod=name_of(pod))
        elif not in_order or (is_ready(pod) and not is_leaving(pod)):
            continue
        # In order: the next pod waits until this one is there, Running and Ready.
        if in_order:
            return


def _update(
    stateful_set: Object,
    replicas: list[Object | None],
    revisions: Revisions,
    *,
    minor: int,
    now: float,
) -> Iterator[Action]:
    """updateStatefulSetAfterInvariantEstablished; whoever is broken counts, old pods too."""
    spec = stateful_set["spec"]
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return
    min_ready_s = spec.get("minReadySeconds") or 0
    unavailable = sum(not is_healthy(pod, min_ready_s, now) for pod in replicas)
    left = max_unavailable(stateful_set, minor) - unavailable
    for pod in reversed(replicas[_partition(stateful_set) :]):
        if left <= 0:
            return
        if pod is not None and revision_of(pod) != revisions.update and not is_leaving(pod):
            yield Delete(pod=name_of(pod))
            left -= 1
        elif minor < MAX_UNAVAILABLE_SINCE and not is_healthy(pod, 0, now):
            return


def _partition(stateful_set: Object) -> int:
    """The index below which pods stay as they are."""
    update: Mapping[str, object] = stateful_set["spec"].get("updateStrategy") or {}
    if update.get("type") == "OnDelete":
        return 0
    rolling = update.get("rollingUpdate") or {}
    assert isinstance(rolling, Mapping)
    return int(rolling.get("partition") or 0)
