"""Nodes that a request wants empty: whose pods leave them, and to which none may come."""

from collections.abc import Iterator, Mapping

from tests.controlplane.auditor.limits import Cluster
from tests.controlplane.auditor.pods import Object, labels_of, matches, name_of


class Drains:
    """Judges the nodes that a request names."""

    def __init__(self, request: Object, clusters: Mapping[str, Cluster]) -> None:
        self._clusters = clusters
        self._nodes = frozenset(
            (cluster.name, node["metadata"]["name"])
            for rule in request["spec"]["target"].get("drain") or ()
            for cluster in clusters.values()
            for node in cluster.nodes()
            if rule.get("cluster") in (None, cluster.name) and _names(rule, node)
        )

    def is_to_leave(self, cluster: str, pod: Object) -> bool:
        """Whether a pod is on one of them and may not stay, as those of a DaemonSet may."""
        if (cluster, pod["spec"].get("nodeName")) not in self._nodes:
            return False
        place = self._clusters[cluster].place_of(pod)
        return place is not None and not place.kind.endswith("DaemonSet")

    def leaving(self, cluster: Cluster) -> frozenset[str]:
        """Uids of the workloads that have such a pod."""
        its = (pod for pod in cluster.pods if self.is_to_leave(cluster.name, pod))
        owners = (cluster.workload_of(pod) for pod in its)
        return frozenset(each["metadata"]["uid"] for each in owners if each is not None)

    def see(self, cluster: str, before: Object | None, pod: Object) -> Iterator[str]:
        """Say what is wrong when a pod was put on a node."""
        was_there = before is not None and before["spec"].get("nodeName")
        if not was_there and self.is_to_leave(cluster, pod):
            yield f"{name_of(cluster, pod)} came to a node that is to be empty"


def _names(rule: Object, node: Object) -> bool:
    named = rule.get("name") == node["metadata"]["name"]
    return named or matches(rule.get("selector"), labels_of(node))
