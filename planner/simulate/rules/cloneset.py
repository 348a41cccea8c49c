"""CloneSet: how many pods are made, removed and updated next, and which.

Sources: openkruise/kruise pkg/controller/cloneset/sync, the functions are named below.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from planner.simulate.rules.actions import (
    Action,
    Create,
    Delete,
    Finish,
    Label,
    Revisions,
    UpdateInPlace,
)
from planner.simulate.rules.inplace import images_in_place, in_grace, is_complete
from planner.simulate.rules.numbers import kept_old, rounded_down, rounded_up
from planner.simulate.rules.order import scale_in_order, update_order
from planner.simulate.rules.pods import (
    LIFECYCLE_LABEL,
    SPECIFIED_DELETE_LABEL,
    Object,
    in_place_done,
    is_active,
    is_ready_for,
    is_specified_delete,
    labels_of,
    lifecycle_state,
    name_of,
    phase_of,
    revision_of,
)

_UNLIMITED: Final = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A CloneSet's strategy, resolved over its replicas."""

    replicas: int
    partition: int
    max_surge: int
    max_unavailable: int
    scale_max_unavailable: int
    policy: str
    paused: bool
    on_delete: bool
    min_ready_s: int
    grace_s: int
    rolling: Mapping[str, Any]
    lifecycle: Mapping[str, Any]
    doomed: frozenset[str]


def read_strategy(clone_set: Object) -> Strategy:
    """Read v1beta1, which nests its numbers under `rollingUpdate`, and the flat v1alpha1."""
    spec = clone_set["spec"]
    update = spec.get("updateStrategy") or {}
    nested = update.get("rollingUpdate")
    flat = clone_set["apiVersion"].endswith("/v1alpha1")
    rolling = update if flat else nested or {}
    replicas = spec["replicas"]
    paused = bool(rolling.get("paused"))
    surge = 0 if paused else rounded_up(rolling.get("maxSurge"), replicas, default=0)
    round_up = surge == 0 and (flat or nested is not None)
    resolve = rounded_up if round_up else rounded_down
    scale = spec.get("scaleStrategy") or {}
    in_place = rolling.get("inPlaceUpdateStrategy") or {}
    return Strategy(
        replicas=replicas,
        partition=kept_old(rolling.get("partition"), replicas),
        max_surge=surge,
        max_unavailable=resolve(rolling.get("maxUnavailable"), replicas, default="20%"),
        scale_max_unavailable=rounded_up(scale.get("maxUnavailable"), replicas, default=_UNLIMITED),
        policy=rolling.get("type" if flat else "podUpdatePolicy") or "ReCreate",
        paused=paused,
        on_delete=update.get("type") == "OnDelete",
        min_ready_s=spec.get("minReadySeconds") or 0,
        grace_s=in_place.get("gracePeriodSeconds") or 0,
        rolling=rolling,
        lifecycle=spec.get("lifecycle") or {},
        doomed=frozenset(scale.get("podsToDelete") or ()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """How many pods to make, to remove and to update (calculateDiffsWithExpectation)."""

    create: int
    create_old: int
    remove: int
    remove_old: int
    ready_removals: int
    update: int
    update_max_unavailable: int


def sync(
    clone_set: Object, pods: Iterable[Object], revisions: Revisions, *, now: float
) -> list[Action]:
    """Say what the controller does next.

    Args:
        clone_set: the CloneSet, v1beta1 or v1alpha1.
        pods: those that it controls.
        revisions: its history.
        now: seconds since the epoch.

    Returns:
        The actions of one pass; scaling and updating never happen in one
        (cloneset_controller.go, syncCloneSet).
    """
    strategy = read_strategy(clone_set)
    active = [pod for pod in pods if is_active(pod)]
    sync_ = _Sync(strategy, active, revisions, now)
    return list(sync_.scale()) or list(sync_.refresh()) or list(sync_.update())


class _Sync:
    def __init__(
        self, strategy: Strategy, pods: Sequence[Object], revisions: Revisions, now: float
    ) -> None:
        self._strategy = strategy
        self._pods = pods
        self._revisions = revisions
        self._now = now
        self._new = [pod for pod in pods if revision_of(pod) == revisions.update]
        self._old = [pod for pod in pods if revision_of(pod) != revisions.update]
        self._diff = self._calculate()

    def is_available(self, pod: Object) -> bool:
        """cloneset_sync_utils.go, IsPodAvailable."""
        return is_serving(pod, self._strategy.min_ready_s, self._now)

    def _calculate(self) -> Diff:
        strategy, pods = self._strategy, self._pods
        marked_new, marked_old = self._marked(self._new), self._marked(self._old)
        marked = len(marked_new) + len(marked_old)
        active_new, active_old = _not_preparing(self._new), _not_preparing(self._old)
        unavailable = sum(
            lifecycle_state(pod) == "PreparingDelete"
            or (not self._is_marked(pod) and not self.is_available(pod))
            for pod in pods
        )
        # Without the gate CloneSetPartitionRollback pods only go forward.
        old_diff = max(len(active_old) - strategy.partition, 0)
        new_diff = min(len(active_new) - (strategy.replicas - strategy.partition), 0)
        update_surge = min(old_diff, -new_diff)
        scale_surge = max(0, min(unavailable + marked - strategy.max_unavailable, marked))
        surge = min(strategy.max_surge, max(scale_surge, update_surge))
        surge_old = 0
        if scale_surge >= update_surge:
            surge_old = min(surge, max(scale_surge - len(marked_new), 0))
        missing = strategy.replicas + surge - len(pods)
        surplus = len(pods) - marked - strategy.replicas - surge
        wanted_old = strategy.partition + surge_old
        widened = strategy.max_unavailable + len(pods) - strategy.replicas
        room = max(strategy.scale_max_unavailable - unavailable, 0)
        return Diff(
            create=max(0, min(missing, room)),
            create_old=max(0, wanted_old - len(self._old)),
            remove=max(0, surplus),
            remove_old=max(0, len(self._old) - len(marked_old) - wanted_old),
            ready_removals=max(0, widened - unavailable),
            update=min(old_diff, -new_diff),
            update_max_unavailable=widened,
        )

    def _is_marked(self, pod: Object) -> bool:
        return is_specified_delete(pod) or name_of(pod) in self._strategy.doomed

    def _marked(self, pods: Iterable[Object]) -> list[Object]:
        return [pod for pod in _not_preparing(pods) if self._is_marked(pod)]

    def refresh(self) -> Iterator[Action]:
        """Finish what is complete (cloneset_update.go, refreshPodState)."""
        for pod in self._pods:
            state = lifecycle_state(pod)
            # The gate opens and the state changes by two writes: either may be left to do.
            under_way = state == "Updating" or not in_place_done(pod)
            if not (under_way or state == "Updated") or not is_complete(pod):
                continue
            if under_way:
                yield Finish(pod=name_of(pod))
            elif self._is_all_hooked(pod):
                yield _to_state(pod, "Normal")

    def scale(self) -> Iterator[Action]:
        """cloneset_scale.go, Scale."""
        diff = self._diff
        if diff.create:
            old = min(diff.create_old, diff.create)
            yield from (Create(revision=self._revisions.current) for _ in range(old))
            yield from (Create(revision=self._revisions.update) for _ in range(diff.create - old))
            return
        preparing = [pod for pod in self._pods if lifecycle_state(pod) == "PreparingDelete"]
        yield from self._delete(pod for pod in preparing if not self._is_hooked(pod, "preDelete"))
        marked = [*self._marked(self._new), *self._marked(self._old)]
        if marked:
            yield from self._delete(self._within_limit(marked))
        elif diff.remove and not preparing:
            yield from self._delete(self._within_limit(self._surplus()))

    def _surplus(self) -> list[Object]:
        """Which pods go when there are too many (choosePodsToDelete)."""
        from_old = min(self._diff.remove_old, self._diff.remove)
        old = scale_in_order(self._old, self.is_available)[:from_old]
        new = scale_in_order(self._new, self.is_available)
        return [*old, *new[: self._diff.remove - len(old)]]

    def _within_limit(self, pods: Iterable[Object]) -> Iterator[Object]:
        left = self._diff.ready_removals
        for pod in pods:
            if is_serving(pod, 0, self._now):
                if left <= 0:
                    continue
                left -= 1
            yield pod

    def _delete(self, pods: Iterable[Object]) -> Iterator[Action]:
        for pod in pods:
            if self._is_hooked(pod, "preDelete"):
                if lifecycle_state(pod) != "PreparingDelete":
                    yield _to_state(pod, "PreparingDelete")
            else:
                yield Delete(pod=name_of(pod))

    def update(self) -> Iterator[Action]:
        """cloneset_update.go, Update and limitUpdateIndexes."""
        strategy = self._strategy
        if strategy.on_delete or strategy.paused or self._diff.update <= 0:
            return
        waiting = [pod for pod in _not_preparing(self._old) if not in_grace(pod)]
        ordered = update_order(waiting, self._pods, strategy.rolling)
        ordered.sort(key=lambda pod: lifecycle_state(pod) != "PreparingUpdate")
        for pod in islice(self._limited(ordered), self._diff.update):
            yield from self._update_pod(pod)

    def _limited(self, ordered: Iterable[Object]) -> Iterator[Object]:
        limit = self._diff.update_max_unavailable
        unavailable = sum(not self.is_available(pod) for pod in self._pods)
        unavailable_new = sum(not self.is_available(pod) for pod in self._new)
        for taken, pod in enumerate(ordered):
            if unavailable_new + taken >= limit:
                return
            if self.is_available(pod):
                if unavailable >= limit:
                    return
                unavailable += 1
            yield pod

    def _update_pod(self, pod: Object) -> Iterator[Action]:
        """cloneset_update.go, updatePod."""
        name, state = name_of(pod), lifecycle_state(pod)
        images = None
        if self._strategy.policy != "ReCreate":
            old = self._revisions.templates.get(revision_of(pod))
            images = images_in_place(old, self._revisions.templates[self._revisions.update])
        if images is None:
            if self._strategy.policy != "InPlaceOnly" and not is_specified_delete(pod):
                yield Label(pod=name, labels={SPECIFIED_DELETE_LABEL: "true"})
        elif state == "Updated" or self._is_hooked(pod, "inPlaceUpdate"):
            if state != "PreparingUpdate":
                yield _to_state(pod, "PreparingUpdate")
        else:
            yield UpdateInPlace(
                pod=name,
                revision=self._revisions.update,
                images=images,
                grace_s=self._strategy.grace_s,
            )

    def _is_hooked(self, pod: Object, hook: str) -> bool:
        """Any handler is there (lifecycle_utils.go, IsPodHooked)."""
        return any(self._handlers(pod, hook))

    def _is_all_hooked(self, pod: Object) -> bool:
        """Every handler is there (lifecycle_utils.go, IsPodAllHooked)."""
        return all(self._handlers(pod, "inPlaceUpdate"))

    def _handlers(self, pod: Object, hook: str) -> list[bool]:
        handlers = self._strategy.lifecycle.get(hook) or {}
        finalizers = pod["metadata"].get("finalizers") or ()
        labels = labels_of(pod)
        wanted = handlers.get("labelsHandler") or {}
        return [
            *(labels.get(key) == value for key, value in wanted.items()),
            *(each in finalizers for each in handlers.get("finalizersHandler") or ()),
        ]


def is_serving(pod: Object, min_ready_s: int, now: float) -> bool:
    """Lifecycle Normal, Running, Ready for long enough, not in an in-place update.

    Source: cloneset_sync_utils.go, IsPodAvailable; cloneset_core.go, IsPodUpdateReady.
    """
    return (
        lifecycle_state(pod) in ("", "Normal")
        and phase_of(pod) == "Running"
        and in_place_done(pod)
        and is_ready_for(pod, min_ready_s, now)
    )


def _not_preparing(pods: Iterable[Object]) -> list[Object]:
    return [pod for pod in pods if lifecycle_state(pod) != "PreparingDelete"]


def _to_state(pod: Object, state: str) -> Label:
    return Label(pod=name_of(pod), labels={LIFECYCLE_LABEL: state})
