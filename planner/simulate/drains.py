"""Nodes that a plan drains: which moves empty them, and which pods are left on them."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Self

from planner.simulate.cluster import DAEMONS, Cluster, Key
from planner.simulate.rules.pods import MIRROR, Object, annotations_of, node_of, phase_of
from planner.simulate.wanted import Move, container_names, workload_key
from planner.simulate.write import changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """A drained node: how many pods the plan leaves on it, and which were left on it."""

    cluster: str
    node: str
    stays: int
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drains:
    """The drained nodes, by cluster and name: how many of their pods have no move."""

    nodes: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, header: Mapping[str, Any]) -> Self:
        """Those of a plan; older plans do not speak of drains."""
        told = header.get("drains") or ()
        return cls({(each["cluster"], each["name"]): each["stays"] for each in told})

    def cordon(self, cluster: Cluster) -> None:
        """Let no new pod come to a drained node, but for those of DaemonSets."""
        for name, node in list(cluster.nodes.items()):
            if (cluster.name, name) in self.nodes:
                cluster.nodes[name] = changed(node, "spec", unschedulable=True)

    def leaves(self, move: Move) -> bool:
        """Whether a move takes its pod off a drained node."""
        daemon = move["workload"]["kind"] in DAEMONS
        here = (move["cluster"], move["node"]) in self.nodes
        return here and not daemon and move["kind"] != "in-place"

    def evict(self, move: Move, workload: Object) -> bool:
        """Whether a pod is evicted for its node: the workload itself would not ask for it.

        Only OnDelete asks for evictions, and only when the application changes.
        """
        if move["kind"] != "evict" or not self.leaves(move):
            return False
        own = move["containers"].keys() & container_names(workload["spec"]["template"])
        return not own or not is_on_delete(workload)

    def evicted_of(self, cluster: Cluster, moves: Iterable[Move]) -> AbstractSet[Key]:
        """The workloads of a cluster of which pods are evicted for their nodes."""
        its = (move for move in moves if move["cluster"] == cluster.name and self.leaves(move))
        return {
            workload_key(move)
            for move in its
            if self.evict(move, cluster.objects[workload_key(move)])
        }

    def have_left(self, cluster: Cluster, before: Object, now: Object | None) -> bool:
        """Whether a pod is gone and who stands in its place is not on a drained node."""
        gone = before["metadata"]["uid"] not in cluster.by_uid
        return gone and now is not None and (cluster.name, node_of(now)) not in self.nodes

    def in_the_end(self, clusters: Mapping[str, Cluster]) -> Iterator[Drained]:
        """What is left on the drained nodes."""
        left: dict[tuple[str, str], list[str]] = {place: [] for place in self.nodes}
        for cluster in clusters.values():
            for name, pod in sorted(cluster.pods.items()):
                its = left.get((cluster.name, node_of(pod)))
                if its is not None and not _may_stay(pod):
                    its.append("/".join(name))
        for (cluster_name, node), stays in sorted(self.nodes.items()):
            yield Drained(
                cluster=cluster_name,
                node=node,
                stays=stays,
                left=tuple(left[cluster_name, node]),
            )


def is_on_delete(workload: Object) -> bool:
    """Whether a workload waits for somebody to delete its pods."""
    update = workload["spec"].get("updateStrategy") or {}
    return bool(update.get("type") == "OnDelete")


def _may_stay(pod: Object) -> bool:
    """Whether `kubectl drain` passes it over."""
    owners = pod["metadata"].get("ownerReferences") or ()
    kinds = {each["kind"] for each in owners if each.get("controller")}
    # The kubelet makes a Node the owner of its mirror pods.
    passed = MIRROR in annotations_of(pod) or not kinds.isdisjoint({"DaemonSet", "Node"})
    return passed or phase_of(pod) in ("Succeeded", "Failed")
