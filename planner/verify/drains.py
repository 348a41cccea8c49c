"""Nodes that the request wants drained: which pods leave them, how, and what a plan says of it.

Who stays is as with `kubectl drain` (k8s.io/kubectl pkg/drain/filters.go): pods of DaemonSets,
mirror pods, and pods that have ended. Everybody else differs from the target by being there, as
does a pod whose DaemonSet is gone.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.selector import matches
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.verify.bound import Manner, Move
    from planner.verify.fleet import Fleet, Workload
    from planner.verify.observed import Observed
    from planner.verify.plan import Case
    from planner.verify.pods import Pod
    from planner.verify.target import Change
    from planner.verify.usage import Usages

_NO_NODE = "no node matches"

Place = tuple[str, str]
"""Cluster and name of a node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drains:
    """The nodes that are drained."""

    nodes: Mapping[Place, bool]
    """Whether the emptyDir data of its pods may be deleted, of each node."""
    idle: Sequence[int]
    """Entries of the request that name no node."""

    def leaving(self, fleet: Fleet) -> Iterator[Pod]:
        """The pods that have to leave their nodes."""
        names = {node for _, node in self.nodes}
        drained = np.array([it in names for it in fleet.table.node.values] or [False])
        for pod in fleet.pods.where(drained[fleet.table.node.codes[fleet.pods.rows]]):
            owner = fleet.workload_of(pod)
            stays = pod.mirror or (owner is not None and owner.key.is_daemon)
            if (pod.cluster, pod.node) in self.nodes and not stays:
                yield pod

    def keep(self, pod: Pod) -> bool:
        """Whether an eviction would delete data of the pod that may not be deleted."""
        return pod.empty_dir and not self.nodes[pod.cluster, pod.node]


NO_DRAINS = Drains(nodes={}, idle=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way in which a pod leaves its node."""

    kind: str
    containers: Mapping[str, str]
    forced: bool
    """Whether it is an eviction that only the drain asks for."""


def read_drains(entries: Sequence[Mapping[str, Any]], observed: Observed) -> Drains:
    """The nodes that the entries of a request name: by their own name, or by their labels."""
    if not entries:
        return NO_DRAINS
    labels = {
        (cluster, node["metadata"]["name"]): node["metadata"].get("labels") or {}
        for cluster in sorted(observed.clusters)
        for node in observed.documents(cluster, "nodes")
    }
    nodes: dict[Place, bool] = {}
    idle: list[int] = []
    for index, entry in enumerate(entries):
        places = list(_named(entry, labels, observed.clusters))
        for place in places:
            nodes[place] = nodes.get(place, False) or bool(entry.get("deleteEmptyDirData"))
        if not places:
            idle.append(index)
    return Drains(nodes=nodes, idle=idle)


def ways_to_leave(
    change: Change,
    owner: Workload,
    application: str | None,
    held: bool | None,  # noqa: FBT001 -- what is looked up
) -> Sequence[Way]:
    """How a pod leaves its node.

    Args:
        change: how it differs from the target.
        owner: its workload.
        application: the kind of move of its application; None when that stays as it is.
        held: whether its ordinal is one that a partition holds, or that its controller does not
            come to; None when ordinals do not tell.
    """
    # A new pod is injected with the newest sidecars, whatever kept the old ones.
    injected = {each.container: each.image for each in change.sidecars}
    alone = Way(kind="evict", containers=injected, forced=True)
    if application is None or _is_stuck(owner):
        return [alone]
    whole = Way(
        kind="evict" if application == "in-place" else application,
        containers={**change.images, **injected},
        forced=application == "in-place",
    )
    if held:
        return [alone]
    return [whole] if held is False or not _has_partition(owner) else [whole, alone]


def moves_application(manner: Manner) -> bool | None:
    """Whether moves take the application of their pods to the target.

    Not when a pod only leaves its node, or only a sidecar changes; None: nobody can say.
    """
    change, owner = manner.change, manner.owner
    # What changes no image of the application itself is not told by the containers of its move.
    silent = change is not None and change.template and not change.images
    if not manner.is_application:
        return None if silent else False
    if change is None or not change.leaves or manner.kind != "evict":
        return True
    if not silent:
        return not change.images.keys().isdisjoint(manner.containers)
    if owner is None or _is_stuck(owner):
        return False
    return None if _has_partition(owner) or owner.strategy.pod_policy == "InPlaceOnly" else True


def is_forced(manner: Manner) -> bool:
    """Whether moves are evictions that only the drain asks for."""
    change, owner = manner.change, manner.owner
    if change is None or not change.leaves or manner.kind != "evict":
        return False
    own = owner is not None and owner.strategy.on_delete
    return not (own and moves_application(manner))


def empty_dir(case: Case) -> Iterator[Violation]:
    """No drain deletes data of emptyDir volumes but where the request lets it."""
    for pod, move in _moves(case):
        if case.target.changes[pod].keeps_data and is_forced(move.manner):
            yield Violation(
                rule="empty-dir",
                subject=str(move),
                wave=move.wave,
                message=f"its eviction from {pod.node} deletes emptyDir data, and no entry of"
                " drain that names the node says deleteEmptyDirData",
            )


def only_evictions(case: Case, usages: Usages) -> Iterator[Violation]:
    """What a workload lets nobody take down is taken down by the evictions of a drain only."""
    wrong = [
        (pod.row, move, usage.budget)
        for usage in usages.all
        for pod in (usage.budget.pods if usage.budget.for_drains else ())
        if (move := case.move_of.get(pod)) is not None
        and usage.budget.is_closed(pod, move.kind)
        and not is_forced(move.manner)
    ]
    # As they were observed.
    for _, move, budget in sorted(wrong, key=itemgetter(0)):
        yield Violation(
            rule=budget.rule,
            subject=str(budget),
            wave=move.wave,
            message=f"{move} is no eviction from a drained node, and nothing else may go",
        )


def listed(case: Case) -> Iterator[Violation]:
    """The header lists every drained node, and when it is empty; and what drains nothing."""
    expected = _expected(case)
    written = {(each["cluster"], each["name"]): each for each in case.header.get("drains") or ()}
    for place in sorted(expected.keys() | written.keys()):
        said, found = written.get(place), expected.get(place)
        if said is None:
            message = "it is drained, and not listed"
        elif found is None:
            message = "it is listed, and the request does not drain it"
        elif wrong := [name for name, value in found.items() if said[name] != value]:
            message = ", ".join(f"{it} is {said[it]}, and should be {found[it]}" for it in wrong)
        else:
            continue
        yield _violation("/".join(place), message)
    order = [(each["cluster"], each["name"]) for each in case.header.get("drains") or ()]
    if order != sorted(set(order)):
        yield _violation("plan", "nodes are listed once, by cluster and name")
    yield from _warnings(case)


def saved(case: Case) -> Iterator[Violation]:
    """What moves save that have two reasons: application, sidecar, node."""
    if not case.target.drains.nodes:
        return
    least = most = 0
    for manner, moves in case.in_manner.items():
        change = manner.change
        if change is None:
            continue
        sets = {
            id(each.sidecar_set) for each in change.sidecars if each.container in manner.containers
        }
        parts = len(sets) + (change.leaves and manner.kind != "in-place")
        application = change.of_application and moves_application(manner)
        least += len(moves) * max(0, parts + (application is True) - 1)
        most += len(moves) * max(0, parts + (application is not False) - 1)
    said = case.header["totals"].get("disruptions_saved")
    if not isinstance(said, int) or not least <= said <= most:
        yield Violation(
            rule="totals",
            subject="totals",
            wave=None,
            message=f"disruptions_saved is {said}, and should be {least}",
        )


def _named(
    entry: Mapping[str, Any], labels: Mapping[Place, Mapping[str, str]], clusters: Iterable[str]
) -> Iterator[Place]:
    name, cluster = entry.get("name"), entry.get("cluster")
    if name is not None:
        places = ((each, name) for each in (clusters if cluster is None else (cluster,)))
        yield from (place for place in places if place in labels)
        return
    for place, own in labels.items():
        if cluster in (None, place[0]) and matches(entry.get("selector"), own):
            yield place


def _is_stuck(owner: Workload) -> bool:
    """Whether the application of no pod of a workload moves, whatever it is."""
    strategy = owner.document["spec"].get("strategy") or {}
    return owner.strategy.paused or (strategy.get("type") == "Recreate" and owner.replicas > 1)


def _has_partition(owner: Workload) -> bool:
    """Whether a partition holds some of its pods; those that nobody but us moves it does not."""
    return owner.strategy.partition > 0 and not owner.strategy.on_delete


def _moves(case: Case) -> Iterator[tuple[Pod, Move]]:
    """The moves of pods that have to leave their nodes."""
    if not case.target.drains.nodes:
        return
    leaves = case.bound.of_manner(lambda it: it.change is not None and it.change.leaves, np.bool_)
    for move in case.moves.where(case.bound.is_first & leaves):
        if move.pod is not None:
            yield move.pod, move


def _expected(case: Case) -> dict[Place, dict[str, int | None]]:
    nodes = case.target.drains.nodes
    waves: defaultdict[Place, list[int]] = defaultdict(list)
    for pod, move in _moves(case):
        if move.kind != "in-place":
            waves[pod.cluster, pod.node].append(move.wave)
    leaving = dict.fromkeys(nodes, 0)
    if nodes:
        leaves = np.array([*(it.leaves for it in case.target.changes.all), False])
        for pod in case.fleet.table.where(leaves[case.target.changes.codes]):
            leaving[pod.cluster, pod.node] += 1
    expected: dict[Place, dict[str, int | None]] = {}
    for place, pods in leaving.items():
        own = waves.get(place, [])
        stays = pods - len(own)
        wave = None if stays else max(own, default=0)
        expected[place] = {"moves": len(own), "stays": stays, "wave": wave}
    return expected


def _warnings(case: Case) -> Iterator[Violation]:
    """People are told of entries that name no node, and of no others."""
    idle = {f"drain[{index}]" for index in case.target.drains.idle}
    warnings = case.header.get("warnings") or ()
    told = {
        subject
        for warning in warnings
        for subject, _, rest in [str(warning).partition(": ")]
        if subject.startswith("drain[") and rest == _NO_NODE
    }
    for subject in sorted(idle ^ told):
        if subject in idle:
            yield _violation(subject, "it names no node that was observed, and no warning says so")
        else:
            yield _violation(subject, f"a warning says {_NO_NODE!r}, and that is not so")


def _violation(subject: str, message: str) -> Violation:
    return Violation(rule="drains", subject=subject, wave=None, message=message)
