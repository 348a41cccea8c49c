"""Every budget that a plan has to keep, counted while it runs.

Limits are resolved once, over the pods of the beginning, by docs/RULES.md and by the controllers'
own rounding.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from planner.simulate.cluster import DAEMONS, Cluster, Key, owner_uid, zone_of
from planner.simulate.drains import Drains
from planner.simulate.rules import cloneset, statefulset
from planner.simulate.rules.budgets import (
    NO_PROTECT,
    disruption_standing,
    protected_total,
    unavailable_standing,
)
from planner.simulate.rules.numbers import IntOrPercent, rounded_down, rounded_up
from planner.simulate.rules.pods import Object, annotations_of, labels_of, node_of
from planner.simulate.rules.selector import selects
from planner.simulate.slots import Counted, Slot, Slots
from planner.simulate.wanted import Move

# Names of the containers that a move changes, by cluster and uid of its pod.
Changes = Mapping[tuple[str, str], AbstractSet[str]]


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Budget(Counted):
    """One budget: how many of its places may be down, how many are, how many at most were.

    `only_ours`: places that are down for another reason do not count (SidecarSets). `broken` is
    what was over the limit because of the plan: (milliseconds, wave, places down).
    """

    name: str
    cluster: str | None
    limit: int
    slots: Sequence[Slot]
    only_ours: bool = False
    down: int = 0
    ours: int = 0
    faulty: int = 0
    peak: int = 0
    broken: list[tuple[int, int, int]] = field(default_factory=list)
    _counted: dict[int, bool] = field(default_factory=dict)

    def begin(self) -> None:
        """Count what is down before anything happens."""
        self.down = 0 if self.only_ours else sum(not slot.up for slot in self.slots)
        for slot in self.slots:
            slot.budgets.append(self)

    def has_room(self, claimed: int) -> bool:
        """Whether one more place may go down, with those that were promised already."""
        return self.down + claimed < self.limit

    def went_down(self, slot: Slot) -> None:
        """A place does not serve any more."""
        if self.only_ours and not slot.ours:
            return
        self._counted[id(slot)] = slot.ours
        self.down += 1
        self.ours += slot.ours
        self.faulty += not slot.ours
        if not self.ours:
            return
        self.peak = max(self.peak, self.down)
        if slot.ours and slot.taken and self.down > self.limit:
            self.broken.append((slot.cluster.timeline.now_ms, slot.taken.wave, self.down))

    def came_back(self, slot: Slot) -> None:
        """A place serves again."""
        if self.only_ours and id(slot) not in self._counted:
            return
        was_ours = self._counted.pop(id(slot), None)
        self.down -= 1
        self.ours -= was_ours is True
        self.faulty -= was_ours is False


def all_budgets(
    request: Mapping[str, Any],
    clusters: Mapping[str, Cluster],
    slots: Slots,
    moves: Sequence[Move],
    drains: Drains,
) -> list[Budget]:
    """Every budget of the clusters and of the request, counting from now on."""
    everything = list(slots)
    changes = {(move["cluster"], move["uid"]): move["containers"].keys() for move in moves}
    found = [
        *(
            budget
            for each in clusters.values()
            for budget in _of_cluster(each, everything, changes, drains.evicted_of(each, moves))
        ),
        *_of_request(request["spec"].get("budgets") or (), everything),
    ]
    for budget in found:
        budget.begin()
    return found


def _of_cluster(
    cluster: Cluster, everything: Iterable[Slot], changes: Changes, evicted: AbstractSet[Key]
) -> Iterator[Budget]:
    slots = [slot for slot in everything if slot.cluster is cluster]
    by_namespace: dict[str, list[Slot]] = {}
    by_workload: dict[Key, list[Slot]] = {}
    for slot in slots:
        by_namespace.setdefault(slot.pod["metadata"]["namespace"], []).append(slot)
        if slot.workload is not None:
            by_workload.setdefault(slot.workload, []).append(slot)
    guarded: set[Key | None] = set()
    for key, document in cluster.objects.items():
        if key.kind in _OF_PODS:
            found = _OF_PODS[key.kind](cluster, key, document, by_namespace.get(key.namespace, ()))
            guarded.update(slot.workload for slot in found.slots)
            yield found
        elif key.kind == "SidecarSet":
            yield _sidecars(cluster, key, document, slots, changes)
    for key, its in by_workload.items():
        if key.kind != "ReplicaSet":
            # Who is evicted for its node cannot wait for a surge: it goes as those budgets let it.
            least = (len(its) if key in guarded else 1) if key in evicted else 0
            limit = own_limit(cluster, key, cluster.objects[key], its, least=least)
            name = f"workload/{key.namespace}/{key.kind}/{key.name}"
            yield Budget(name=name, cluster=cluster.name, limit=limit, slots=its)


def own_limit(
    cluster: Cluster, key: Key, workload: Object, slots: Sequence[Slot], *, least: int = 0
) -> int:
    """How many pods of a workload its own strategy lets be down, less those that are missing."""
    spec = workload["spec"]
    replicas = len(slots) if key.kind in DAEMONS else spec["replicas"]
    update = spec.get("updateStrategy") or {}
    rolling = update.get("rollingUpdate") or {}
    match key.kind:
        case "CloneSet":
            limit = cloneset.read_strategy(workload).max_unavailable
        case "StatefulSet":
            limit = statefulset.max_unavailable(workload, cluster.minor)
        case "AdvancedStatefulSet":
            limit = max(1, rounded_down(rolling.get("maxUnavailable"), replicas, default=1))
        case "Deployment":
            limit = _of_deployment(spec, replicas)
        case _:
            surge = rounded_up(rolling.get("maxSurge"), replicas, default=0)
            limit = rounded_up(rolling.get("maxUnavailable"), replicas, default=1)
            limit = 1 if limit == 0 and surge == 0 else limit
    if (spec.get("strategy") or {}).get("type") == "Recreate":
        # All of them at once, when it is updated; who is evicted does not go by that.
        limit = least or limit
    return (limit or least) - max(0, replicas - len(slots))


def _of_deployment(spec: Mapping[str, Any], replicas: int) -> int:
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return replicas
    rolling = strategy.get("rollingUpdate") or {}
    limit = rounded_down(rolling.get("maxUnavailable"), replicas, default="25%")
    surge = rounded_up(rolling.get("maxSurge"), replicas, default="25%")
    return 1 if limit == 0 and surge == 0 else min(limit, replicas)


def _scales(cluster: Cluster, slots: Iterable[Slot]) -> list[int] | None:
    """Replicas of each controller of some pods, None when one of them has no scale."""
    keys = dict.fromkeys(slot.workload for slot in slots if owner_uid(slot.pod))
    scales = [cluster.objects[key]["spec"].get("replicas") for key in keys if key is not None]
    known = [each for each in scales if each is not None]
    return known if len(known) == len(keys) else None


def _disruption(cluster: Cluster, key: Key, document: Object, candidates: Iterable[Slot]) -> Budget:
    selector = document["spec"].get("selector")
    slots = [slot for slot in candidates if selects(selector, labels_of(slot.pod))]
    scales = _scales(cluster, slots)
    standing = disruption_standing(document, [slot.pod for slot in slots], scales)
    whole = isinstance(document["spec"].get("minAvailable"), int)
    counts = len(slots) > 0 if whole else bool(scales and sum(scales))
    limit = max(0, len(slots) - standing.desired) if counts else 0
    name = f"pdb/{key.namespace}/{key.name}"
    return Budget(name=name, cluster=cluster.name, limit=limit, slots=slots)


def _unavailable(
    cluster: Cluster, key: Key, document: Object, candidates: Iterable[Slot]
) -> Budget:
    spec = document["spec"]
    target, ignored = spec.get("targetRef"), spec.get("ignoredPodSelector")

    def is_protected(slot: Slot) -> bool:
        if annotations_of(slot.pod).get(NO_PROTECT) == "true":
            return False
        if ignored is not None and selects(ignored, labels_of(slot.pod)):
            return False
        if target is None:
            return selects(spec.get("selector"), labels_of(slot.pod))
        return slot.workload is not None and slot.workload.name == target["name"]

    slots = [slot for slot in candidates if is_protected(slot)]
    total = protected_total(document)
    if total is None:
        total = sum(_scales(cluster, slots) or ())
    standing = unavailable_standing(document, [slot.pod for slot in slots], total)
    name = f"pub/{key.namespace}/{key.name}"
    limit = max(0, len(slots) - standing.desired)
    return Budget(name=name, cluster=cluster.name, limit=limit, slots=slots)


_OF_PODS: Final[dict[str, Callable[[Cluster, Key, Object, Iterable[Slot]], Budget]]] = {
    "PodDisruptionBudget": _disruption,
    "PodUnavailableBudget": _unavailable,
}


def _sidecars(
    cluster: Cluster,
    key: Key,
    document: Object,
    candidates: Iterable[Slot],
    changes: Changes,
) -> Budget:
    injected = {pod["metadata"]["uid"] for pod in cluster.injected_with(key.name)}
    slots = [slot for slot in candidates if slot.uid in injected]
    rolling = document["spec"].get("updateStrategy") or {}
    limit = rounded_up(rolling.get("maxUnavailable"), len(slots), default=1)
    its = {each["name"] for each in document["spec"].get("containers") or ()}
    # Only moves that change one of its containers take from it.
    slots = [slot for slot in slots if its & changes.get((cluster.name, slot.uid), set())]
    name = f"sidecarset/{key.name}"
    return Budget(name=name, cluster=cluster.name, limit=limit, slots=slots, only_ours=True)


def _of_request(
    budgets: Iterable[Mapping[str, Any]], everything: Sequence[Slot]
) -> Iterator[Budget]:
    for each in budgets:
        selector = each.get("selector") or {}
        slots = [slot for slot in everything if selects(selector, labels_of(slot.pod))]
        parts: dict[tuple[str, ...], list[Slot]] = {}
        for slot in slots:
            part = _part(slot, each.get("scope") or "fleet")
            if part is not None:
                parts.setdefault(part, []).append(slot)
        for part, its in parts.items():
            name = "/".join((each["name"], *part))
            limit = _resolved(each["maxUnavailable"], len(its))
            yield Budget(name=name, cluster=part[0] if part else None, limit=limit, slots=its)


def _resolved(value: IntOrPercent, total: int) -> int:
    return rounded_down(value, total, default=0)


def _part(slot: Slot, scope: str) -> tuple[str, ...] | None:
    """The instance of a budget to which a place belongs; None when it has no node, or no zone."""
    cluster, node = slot.cluster, node_of(slot.pod)
    namespace = slot.pod["metadata"]["namespace"]
    match scope:
        case "fleet":
            return ()
        case "cluster":
            return (cluster.name,)
        case "namespace":
            return (cluster.name, namespace)
        case "workload":
            return (cluster.name, *slot.workload) if slot.workload else None
        case "node":
            return (cluster.name, node) if node else None
        case _:
            zone = zone_of(cluster.nodes[node]) if node in cluster.nodes else ""
            return (cluster.name, zone) if zone else None
