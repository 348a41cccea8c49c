"""Advanced StatefulSets of OpenKruise: which pods are made, removed and updated next.

Sources: openkruise/kruise pkg/controller/statefulset, the functions are named below.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from planner.simulate.rules.actions import (
    Action,
    Create,
    Delete,
    Finish,
    Revisions,
    UpdateInPlace,
)
from planner.simulate.rules.inplace import images_in_place, in_grace, is_complete
from planner.simulate.rules.numbers import rounded_down
from planner.simulate.rules.order import by_priority
from planner.simulate.rules.pods import (
    Object,
    in_place_done,
    is_leaving,
    is_ready_for,
    is_specified_delete,
    lifecycle_state,
    name_of,
    ordinal_of,
    phase_of,
    revision_of,
)


def sync(
    stateful_set: Object, pods: Iterable[Object], revisions: Revisions, *, now: float
) -> list[Action]:
    """Say what the controller does next: create or repair, remove, then update.

    Args:
        stateful_set: the Advanced StatefulSet, v1beta1.
        pods: those that it controls.
        revisions: its history.
        now: seconds since the epoch.
    """
    return list(_Sync(stateful_set, pods, revisions, now).actions())


def wanted_ordinals(stateful_set: Object) -> list[int]:
    """The ordinals that should exist: reserved ones are skipped, N is still met."""
    spec = stateful_set["spec"]
    reserved: set[int] = set()
    for each in spec.get("reserveOrdinals") or ():
        first, _, last = str(each).partition("-")
        reserved.update(range(int(first), int(last or first) + 1))
    ordinals: list[int] = []
    ordinal = (spec.get("ordinals") or {}).get("start") or 0
    while len(ordinals) < spec["replicas"]:
        if ordinal not in reserved:
            ordinals.append(ordinal)
        ordinal += 1
    return ordinals


class _Sync:
    def __init__(
        self, stateful_set: Object, pods: Iterable[Object], revisions: Revisions, now: float
    ) -> None:
        spec = stateful_set["spec"]
        update = spec.get("updateStrategy") or {}
        self._name = name_of(stateful_set)
        self._rolling: Mapping[str, Any] = update.get("rollingUpdate") or {}
        self._on_delete = update.get("type") == "OnDelete"
        self._parallel = spec.get("podManagementPolicy") == "Parallel"
        self._scale_max: int | str | None = (spec.get("scaleStrategy") or {}).get("maxUnavailable")
        self._revisions = revisions
        self._now = now
        self._min_ready_s: int = self._rolling.get("minReadySeconds") or 0
        self._by_ordinal = {ordinal_of(pod): pod for pod in pods}
        self._wanted = wanted_ordinals(stateful_set)
        self._replicas = [self._by_ordinal.get(ordinal) for ordinal in self._wanted]
        self._partition = 0 if self._on_delete else int(self._rolling.get("partition") or 0)
        self._unordered = self._rolling.get("unorderedUpdate")

    def actions(self) -> Iterator[Action]:
        """Say what to do, in the order of updateStatefulSet."""
        finished = [
            Finish(pod=name_of(pod))
            for pod in self._by_ordinal.values()
            if not is_leaving(pod) and is_complete(pod) and _is_updating(pod)
        ]
        if finished:
            yield from finished
            return
        repaired = list(self._repair())
        yield from repaired
        if not self._parallel and repaired:
            return
        condemned = sorted(set(self._by_ordinal) - {*self._wanted}, reverse=True)
        going = [self._by_ordinal[ordinal] for ordinal in condemned]
        for pod in going if self._parallel else going[:1]:
            if not is_leaving(pod):
                yield Delete(pod=name_of(pod))
        if self._parallel or not condemned:
            yield from self._update()

    def _repair(self) -> Iterator[Action]:
        limit = len(self._replicas)
        if self._scale_max is not None:
            limit = max(1, rounded_down(self._scale_max, limit, default=limit))
        unavailable = sum(pod is not None and not self._is_available(pod) for pod in self._replicas)
        for index, (ordinal, pod) in enumerate(zip(self._wanted, self._replicas, strict=True)):
            if pod is None:
                if unavailable >= limit:
                    return
                unavailable += 1
                yield Create(name=f"{self._name}-{ordinal}", revision=self._revision_at(index))
                if not self._parallel:
                    return
            elif phase_of(pod) in ("Failed", "Succeeded") and not is_leaving(pod):
                yield Delete(pod=name_of(pod))

    def _revision_at(self, index: int) -> str:
        below = index < self._partition
        if self._unordered is not None:
            new = sum(self._is_new(pod) for pod in self._replicas if pod is not None)
            below = new >= len(self._replicas) - self._partition
        return self._revisions.current if below else self._revisions.update

    def _is_new(self, pod: Object) -> bool:
        return revision_of(pod) == self._revisions.update

    def _is_available(self, pod: Object) -> bool:
        return (
            not is_leaving(pod)
            and phase_of(pod) == "Running"
            and is_complete(pod)
            and in_place_done(pod)
            and is_ready_for(pod, self._min_ready_s, self._now)
        )

    def _update(self) -> Iterator[Action]:
        """rollingUpdateStatefulsetPods; broken old pods go whatever the budget says."""
        if self._on_delete or self._rolling.get("paused"):
            return
        total = len(self._replicas)
        limit = max(1, rounded_down(self._rolling.get("maxUnavailable"), total, default=1))
        pods = [pod for pod in self._replicas if pod is not None]
        unavailable = {name_of(pod) for pod in pods if not self._is_available(pod)}
        missing = total - len(pods)
        for pod in pods:
            full = missing + len(unavailable) >= limit and name_of(pod) not in unavailable
            if is_specified_delete(pod) and not is_leaving(pod) and not full:
                unavailable.add(name_of(pod))
                yield Delete(pod=name_of(pod))
        for pod in self._ordered(pods):
            if self._is_new(pod) or is_leaving(pod) or is_specified_delete(pod):
                continue
            if missing + len(unavailable) >= limit and name_of(pod) not in unavailable:
                return
            if in_grace(pod):
                continue
            unavailable.add(name_of(pod))
            yield from self._update_pod(pod)

    def _ordered(self, pods: Sequence[Object]) -> list[Object]:
        """stateful_update_utils.go, sortPodsToUpdate."""
        if self._unordered is None:
            above = [pod for pod in self._replicas[self._partition :] if pod is not None]
            return above[::-1]
        done = [pod for pod in reversed(pods) if self._is_new(pod) or is_leaving(pod)]
        waiting = [pod for pod in reversed(pods) if not (self._is_new(pod) or is_leaving(pod))]
        waiting = by_priority(waiting, self._unordered.get("priorityStrategy"))
        return [*done, *waiting][: max(0, len(self._replicas) - self._partition)]

    def _update_pod(self, pod: Object) -> Iterator[Action]:
        policy = self._rolling.get("podUpdatePolicy") or "ReCreate"
        images = None
        if policy != "ReCreate":
            old = self._revisions.templates.get(revision_of(pod))
            images = images_in_place(old, self._revisions.templates[self._revisions.update])
        if images is not None:
            grace = (self._rolling.get("inPlaceUpdateStrategy") or {}).get("gracePeriodSeconds")
            yield UpdateInPlace(
                pod=name_of(pod),
                revision=self._revisions.update,
                images=images,
                grace_s=grace or 0,
            )
        elif policy != "InPlaceOnly":
            yield Delete(pod=name_of(pod))


def _is_updating(pod: Object) -> bool:
    return not in_place_done(pod) or lifecycle_state(pod) == "Updating"
