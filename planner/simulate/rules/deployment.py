"""Deployments and their ReplicaSets: sizes first, then which pods."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any, Final

from planner.simulate.rules.actions import Action, Create, CreateReplicaSet, Delete, Scale
from planner.simulate.rules.numbers import rounded_down, rounded_up
from planner.simulate.rules.order import Victims
from planner.simulate.rules.pods import (
    TEMPLATE_HASH_LABEL,
    Object,
    annotations_of,
    created,
    is_active,
    is_ready_for,
    labels_of,
    name_of,
)

MAX_REPLICAS: Final = "deployment.kubernetes.io/max-replicas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A ReplicaSet and the pods that it has; `template` is that of the spec."""

    name: str
    replicas: int
    available: int
    created: int
    max_replicas: int
    template: Mapping[str, Any]


def sync(
    deployment: Object,
    replica_sets: Iterable[Object],
    pods: Mapping[str, Sequence[Object]],
    *,
    now: float,
) -> list[Action]:
    """Say how the controller changes the sizes of the ReplicaSets next.

    Args:
        deployment: the Deployment.
        replica_sets: those that it controls.
        pods: pods by name of ReplicaSet.
        now: seconds since the epoch.

    Sources: kubernetes pkg/controller/deployment/rolling.go, rolloutRolling; recreate.go; sync.go.
    """
    min_ready_s = deployment["spec"].get("minReadySeconds") or 0
    sets = [
        Set(
            name=name_of(each),
            replicas=each["spec"]["replicas"],
            available=sum(
                is_active(pod) and is_ready_for(pod, min_ready_s, now)
                for pod in pods.get(name_of(each), ())
            ),
            created=created(each),
            max_replicas=int(annotations_of(each).get(MAX_REPLICAS, "0")),
            template=each["spec"]["template"],
        )
        for each in replica_sets
    ]
    sets.sort(key=lambda each: (each.created, each.name))
    return list(_Sync(deployment, sets, pods).actions())


class _Sync:
    def __init__(
        self, deployment: Object, sets: Sequence[Set], pods: Mapping[str, Sequence[Object]]
    ) -> None:
        spec = deployment["spec"]
        strategy = spec.get("strategy") or {}
        rolling = strategy.get("rollingUpdate") or {}
        self._replicas: int = spec["replicas"]
        self._paused = bool(spec.get("paused"))
        self._recreate = strategy.get("type") == "Recreate"
        surge = rounded_up(rolling.get("maxSurge"), self._replicas, default="25%")
        unavailable = rounded_down(rolling.get("maxUnavailable"), self._replicas, default="25%")
        if surge == 0 and unavailable == 0:
            unavailable = 1
        self._max_replicas = self._replicas + surge
        self._min_available = self._replicas - min(unavailable, self._replicas)
        self._new = next(
            (each for each in sets if same_template(each.template, spec["template"])), None
        )
        self._old = [each for each in sets if each is not self._new]
        self._sets = sets
        self._pods = pods

    def actions(self) -> Iterator[Action]:
        """One pass: what grows or what shrinks, never both."""
        if self._paused:
            yield from self._resize()
        elif self._recreate:
            yield from self._recreated()
        else:
            grown = list(self._grow())
            yield from grown or self._shrink()

    def _total(self) -> int:
        return sum(each.replicas for each in self._sets)

    def _grow(self) -> Iterator[Action]:
        """deployment_util.go, NewRSNewReplicas."""
        size = self._new.replicas if self._new else 0
        room = max(0, self._max_replicas - self._total())
        size = min(size + room, self._replicas) if room else size
        if self._new is None:
            yield self._create(size)
        elif self._new.replicas > self._replicas:
            yield self._scale(self._new, self._replicas)
        elif size > self._new.replicas:
            yield self._scale(self._new, size)

    def _shrink(self) -> Iterator[Action]:
        """reconcileOldReplicaSets: first what is broken, then what serves, oldest sets first."""
        new_unavailable = self._new.replicas - self._new.available if self._new else 0
        allowed = self._total() - self._min_available - new_unavailable
        if allowed <= 0:
            return
        sizes = {each.name: each.replicas for each in self._old}
        for each in self._old:
            broken = min(allowed, max(0, each.replicas - each.available))
            sizes[each.name] -= broken
            allowed -= broken
        spare = sum(each.available for each in self._sets) - self._min_available
        for each in self._old:
            served = min(max(0, spare), sizes[each.name])
            sizes[each.name] -= served
            spare -= served
        for each in self._old:
            if sizes[each.name] != each.replicas:
                yield self._scale(each, sizes[each.name])

    def _recreated(self) -> Iterator[Action]:
        """All old pods are gone before a new one is made (recreate.go, rolloutRecreate)."""
        if any(each.replicas for each in self._old):
            yield from (self._scale(each, 0) for each in self._old if each.replicas)
        elif any(self._pods.get(each.name) for each in self._old):
            return
        elif self._new is None:
            yield self._create(self._replicas)
        elif self._new.replicas != self._replicas:
            yield self._scale(self._new, self._replicas)

    def _resize(self) -> Iterator[Action]:
        """While it is paused only its size acts, over all sets in proportion (sync.go, scale)."""
        active = [each for each in self._sets if each.replicas]
        if len(active) == 1 and active[0].replicas != self._replicas:
            yield self._scale(active[0], self._replicas)
        left = (self._max_replicas if self._replicas else 0) - self._total()
        if len(active) <= 1 or self._recreate or left == 0:
            return
        # The largest first; of equal size the newest grows first, and the oldest shrinks first.
        active.sort(
            key=lambda each: (-each.replicas, (each.created if left < 0 else -each.created))
        )
        sizes = {each.name: each.replicas for each in active}
        for each in active:
            share = self._proportion(each)
            share = max(0, min(share, left)) if left > 0 else min(0, max(share, left))
            sizes[each.name] += share
            left -= share
        sizes[active[0].name] = max(0, sizes[active[0].name] + left)
        yield from (
            self._scale(each, sizes[each.name])
            for each in active
            if sizes[each.name] != each.replicas
        )

    def _create(self, replicas: int) -> CreateReplicaSet:
        return CreateReplicaSet(replicas=replicas, max_replicas=self._max_replicas)

    def _proportion(self, each: Set) -> int:
        """By how much a set changes (deployment_util.go, GetReplicaSetProportion)."""
        base: int = each.max_replicas or self._total()
        wanted: int = floor(each.replicas * self._max_replicas / base + 0.5)
        return wanted - each.replicas

    def _scale(self, each: Set, replicas: int) -> Scale:
        return Scale(replica_set=each.name, replicas=replicas, max_replicas=self._max_replicas)


def sync_replica_set(
    replica_set: Object, pods: Iterable[Object], related: Iterable[Object], *, now: float
) -> list[Action]:
    """Say which pods a ReplicaSet makes or removes next.

    Args:
        replica_set: the ReplicaSet.
        pods: those that it controls.
        related: the pods of all ReplicaSets of its Deployment.
        now: seconds since the epoch.

    Source: kubernetes pkg/controller/replicaset/replica_set.go, manageReplicas.
    """
    active = [pod for pod in pods if is_active(pod)]
    missing = replica_set["spec"]["replicas"] - len(active)
    if missing >= 0:
        revision = labels_of(replica_set).get(TEMPLATE_HASH_LABEL, "")
        return [Create(revision=revision) for _ in range(missing)]
    victims = Victims(related, now).sorted(active)[:-missing]
    return [Delete(pod=name_of(pod)) for pod in victims]


def same_template(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Equal but for the hash that the controller adds (deployment_util.go, EqualIgnoreHash)."""
    return bool(_without_hash(one) == _without_hash(other))


def _without_hash(template: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = dict(template.get("metadata") or {})
    labels = metadata.get("labels") or {}
    metadata["labels"] = {key: labels[key] for key in labels if key != TEMPLATE_HASH_LABEL}
    metadata.pop("creationTimestamp", None)
    return {**template, "metadata": metadata}
