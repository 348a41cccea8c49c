"""A place for every pod of the beginning: who stands in it, and whether it serves.

What is counted in budgets is places. A pod that is taken leaves its place until the pod has come
back, or another has come for it: the one of its name, or on its node, or else the next new one of
its workload.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from planner.simulate.cluster import DAEMONS, Cluster, Key, owner_uid
from planner.simulate.rules.pods import (
    Object,
    images_of,
    is_active,
    is_leaving,
    is_ready,
    is_specified_delete,
    labels_of,
    name_of,
    node_of,
    revision_of,
)

Way = Literal["in-place", "recreate", "surge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """When and how a pod was taken: in which wave, counted from 1.

    Without barriers that is the wave of its move, and 0 where that was not let go before.
    """

    t_ms: int
    wave: int
    way: Way


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Slot:
    """The place of one pod. `pod` is the pod of the beginning, `uid` who stands in it now.

    `left_before`: it was leaving already, and another comes in its place whatever the plan says.
    `wave`: that of its move, once that was let go without barriers.
    `named`: the plan moves it; what an unfinished rollout does besides is not of the plan.
    `awaited`: images of whoever comes in its place, where nodes are drained: pods of one workload
    come back with different ones then.
    """

    cluster: Cluster
    pod: Object
    workload: Key | None
    uid: str
    up: bool
    up_since_ms: int
    vacant: bool = False
    left_before: bool = False
    wave: int = 0
    named: bool = False
    awaited: Mapping[str, str] | None = None
    taken: Taken | None = None
    ours: bool = False
    disruptions: int = 0
    faults: int = 0
    budgets: list["Counted"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """How reports name the pod."""
        metadata = self.pod["metadata"]
        return f"{self.cluster.name}/{metadata['namespace']}/{metadata['name']}"

    @property
    def occupant(self) -> Object | None:
        """The pod that stands in it now."""
        wanted = self.cluster.by_uid.get(self.uid)
        return self.cluster.pods.get(wanted) if wanted else None


class Counted:
    """What wants to know when a place goes down or comes back."""

    def went_down(self, slot: Slot) -> None:
        """A place does not serve any more."""
        raise NotImplementedError

    def came_back(self, slot: Slot) -> None:
        """A place serves again."""
        raise NotImplementedError


class Slots:
    """The places of all clusters. `wave` is the wave that is carried out, 0 without barriers."""

    def __init__(self, clusters: Iterable[Cluster], now_ms: int) -> None:
        self.wave = 0
        self._now_ms = now_ms
        self._by_uid: dict[tuple[str, str], Slot] = {}
        self._vacant: dict[tuple[str, Key | None], deque[Slot]] = {}
        self._spare: dict[tuple[str, Key | None], deque[Object]] = {}
        for cluster in clusters:
            missing = _missing(cluster)
            for pod in cluster.pods.values():
                owner = owner_uid(pod)
                if is_active(pod):
                    self._add(cluster, pod)
                elif is_leaving(pod) and missing.get(owner, 0) > 0:
                    missing[owner] -= 1
                    self._add(cluster, pod)
            cluster.watchers.append(partial(self._watch, cluster))

    def __iter__(self) -> Iterator[Slot]:
        return iter(dict.fromkeys(self._by_uid.values()))

    def of(self, cluster: str, uid: str) -> Slot | None:
        """The place in which a pod stands, or stood at the beginning."""
        return self._by_uid.get((cluster, uid))

    def _add(self, cluster: Cluster, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        slot = Slot(
            cluster=cluster,
            pod=pod,
            workload=cluster.workload_of(pod),
            uid=uid,
            up=serves(pod),
            up_since_ms=self._now_ms,
            vacant=is_leaving(pod),
            left_before=is_leaving(pod),
        )
        self._by_uid[cluster.name, uid] = slot
        if slot.vacant:
            self._vacant.setdefault((cluster.name, slot.workload), deque()).append(slot)

    def _watch(self, cluster: Cluster, before: Object | None, after: Object | None) -> None:
        self._now_ms = cluster.timeline.now_ms
        pod = after or before
        assert pod is not None  # a change is of something
        slot = self._by_uid.get((cluster.name, pod["metadata"]["uid"]))
        if slot is None:
            if after is not None and serves(after):
                self._arrive(cluster, after)
            return
        if slot.uid != pod["metadata"]["uid"]:
            return
        way = way_taken(before, after)
        if way and slot.taken is None:
            self._take(slot, way)
        leaves = after is None or is_leaving(after)
        if leaves and not slot.vacant:
            self._vacate(slot)
        elif not leaves and after is not None:
            self._set(slot, up=serves(after))

    def _take(self, slot: Slot, way: Way) -> None:
        if way == "recreate" and self._spare_for(slot):
            way = "surge"
        slot.taken = Taken(t_ms=self._now_ms, wave=slot.wave or self.wave, way=way)
        slot.ours = slot.named

    def _vacate(self, slot: Slot) -> None:
        """Its pod goes: whoever came before it was needed takes the place at once."""
        spare = self._spare_for(slot)
        if spare is not None:
            self._spare[slot.cluster.name, slot.workload].remove(spare)
            self._occupy(slot, spare)
            return
        slot.vacant = True
        self._vacant.setdefault((slot.cluster.name, slot.workload), deque()).append(slot)
        self._set(slot, up=False)

    def _spare_for(self, slot: Slot) -> Object | None:
        """Who came before it was needed, and may stand in a place."""
        spare = self._spare.get((slot.cluster.name, slot.workload)) or ()
        fit = (pod for pod in spare if slot.awaited is None or _is_awaited(slot, pod))
        return next(fit, None)

    def _arrive(self, cluster: Cluster, pod: Object) -> None:
        """A new pod serves for the first time."""
        workload = cluster.workload_of(pod)
        waiting = self._vacant.get((cluster.name, workload)) or ()
        own = (slot for slot in waiting if name_of(slot.pod) == name_of(pod) or _by_node(slot, pod))
        alike = (slot for slot in waiting if _is_awaited(slot, pod))
        slot = next(own, None) or next(alike, None) or next(iter(waiting), None)
        if slot is None:
            spare = self._spare.setdefault((cluster.name, workload), deque())
            if all(each["metadata"]["uid"] != pod["metadata"]["uid"] for each in spare):
                spare.append(pod)
            return
        self._vacant[cluster.name, workload].remove(slot)
        self._occupy(slot, pod)

    def _occupy(self, slot: Slot, pod: Object) -> None:
        slot.uid = pod["metadata"]["uid"]
        self._by_uid[slot.cluster.name, slot.uid] = slot
        slot.vacant = False
        self._set(slot, up=True)
        slot.ours = False

    def _set(self, slot: Slot, *, up: bool) -> None:
        if slot.up == up:
            return
        if up:
            slot.up_since_ms = self._now_ms
            for budget in slot.budgets:
                budget.came_back(slot)
            slot.ours = False
        else:
            slot.disruptions += slot.ours
            slot.faults += not slot.ours
            for budget in slot.budgets:
                budget.went_down(slot)
        slot.up = up


def _missing(cluster: Cluster) -> dict[str, int]:
    """How many pods each controller will still make in the place of those that are leaving."""
    active = Counter(owner_uid(pod) for pod in cluster.pods.values() if is_active(pod))
    leaving = Counter(owner_uid(pod) for pod in cluster.pods.values() if is_leaving(pod))
    missing: dict[str, int] = {}
    for document in cluster.objects.values():
        uid, replicas = document["metadata"]["uid"], document["spec"].get("replicas")
        # Of a DaemonSet everyone: its nodes are those on which it has pods.
        missing[uid] = leaving[uid] if replicas is None else replicas - active[uid]
    return missing


def serves(pod: Object) -> bool:
    """Ready and not on its way out."""
    return is_ready(pod) and not is_leaving(pod)


def way_taken(before: Object | None, after: Object | None) -> Way | None:
    """How a change takes a pod, if it does."""
    if before is None or is_leaving(before):
        return None
    if after is None or is_leaving(after):
        return "recreate"
    if is_specified_delete(after) and not is_specified_delete(before):
        return "recreate"
    if labels_of(after) is labels_of(before) and after["spec"] is before["spec"]:
        return None
    moved = revision_of(after) != revision_of(before) or images_of(after) != images_of(before)
    return "in-place" if moved else None


def _is_awaited(slot: Slot, pod: Object) -> bool:
    return slot.awaited is not None and slot.awaited.items() <= images_of(pod).items()


def _by_node(slot: Slot, pod: Object) -> bool:
    daemon = slot.workload is not None and slot.workload.kind in DAEMONS
    return daemon and node_of(slot.pod) == node_of(pod)
