"""How many pods have to serve: of every budget of a cluster, of its workloads and of a request."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from tests.controlplane.auditor.owners import max_unavailable, min_ready_s, resolved, spec_of
from tests.controlplane.auditor.pods import Object, labels_of, matches, owner_of

TOTAL: Final = "pub.kruise.io/protect-total-replicas"


class Place(NamedTuple):
    """A workload by its names."""

    cluster: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Limit:
    """So many of the pods that it covers have to serve at any moment.

    A pod counts once it has been Ready for `min_ready_s` seconds.
    """

    name: str
    covers: Callable[[str, Object], bool]
    least: int
    min_ready_s: int = 0


class Cluster:
    """What a cluster was before anybody upgraded it."""

    def __init__(self, name: str, lists: Mapping[str, Iterable[Object]]) -> None:
        self.name = name
        self.pods = list(lists["pods"])
        self._lists = lists
        self._workload_of: dict[str, Object] = {
            each["metadata"]["uid"]: each for kind in WORKLOADS for each in lists[kind]
        }
        self._kind_of = {
            each["metadata"]["uid"]: kind for kind in WORKLOADS for each in lists[kind]
        }
        self._zone_of = {
            each["metadata"]["name"]: labels_of(each).get("topology.kubernetes.io/zone")
            for each in lists["nodes"]
        }
        for each in lists["replicasets"]:
            owner = self._workload_of.get(owner_of(each))
            if owner is not None:
                self._workload_of[each["metadata"]["uid"]] = owner

    def workload_of(self, pod: Object) -> Object | None:
        """The workload of a pod that was made before or since."""
        found = self._workload_of.get(owner_of(pod))
        if found is None:
            # A ReplicaSet that came since: its pods have the labels of their Deployment.
            labels, space = labels_of(pod), pod["metadata"]["namespace"]
            for each in self._lists["deployments"]:
                here = each["metadata"]["namespace"] == space
                if here and matches(each["spec"]["selector"], labels):
                    return each
        return found

    def place_of(self, pod: Object) -> Place | None:
        """The workload of a pod by its names."""
        workload = self.workload_of(pod)
        if workload is None:
            return None
        its = workload["metadata"]
        return Place(self.name, KINDS[self._kind_of[its["uid"]]], its["namespace"], its["name"])

    def spot_of(self, pod: Object, scope: str) -> str | None:
        """The node or the zone of a pod; None when it has none."""
        node = pod["spec"].get("nodeName")
        return node if scope == "node" else self._zone_of.get(node)

    def sidecar_sets(self) -> Iterable[Object]:
        """The SidecarSets, as they were."""
        return self._lists["sidecarsets"]

    def nodes(self) -> Iterable[Object]:
        """The nodes, as they were."""
        return self._lists["nodes"]

    def limits(self, leaving: Collection[str] = ()) -> Iterator[Limit]:
        """Every budget that the cluster itself knows.

        Args:
            leaving: uids of workloads of which pods leave their nodes.
        """
        budgets = [
            self._budget(word, budget, min_field="minAvailable")
            for word, kind in (("pdb", "poddisruptionbudgets"), ("pub", "podunavailablebudgets"))
            for budget in self._lists[kind]
        ]
        yield from budgets
        guarded = {
            its["metadata"]["uid"]
            for pod in self.pods
            if (its := self.workload_of(pod)) and any(it.covers(self.name, pod) for it in budgets)
        }
        for kind in WORKLOADS:
            for each in self._lists[kind]:
                uid = each["metadata"]["uid"]
                yield self._own(kind, each, leaves=uid in leaving, guarded=uid in guarded)

    def _budget(self, word: str, budget: Object, *, min_field: str) -> Limit:
        space, spec = budget["metadata"]["namespace"], budget["spec"]

        def covers(cluster: str, pod: Object) -> bool:
            here = cluster == self.name and pod["metadata"]["namespace"] == space
            if word == "pub" and _is_let_go(spec, pod):
                return False
            if "targetRef" in spec:
                its = self.place_of(pod) if here else None
                return its is not None and (its.kind, its.name) == kind_and_name(spec["targetRef"])
            return here and matches(spec.get("selector"), labels_of(pod))

        pods = [pod for pod in self.pods if covers(self.name, pod)]
        owners = {id(it): it for pod in pods if (it := self.workload_of(pod)) is not None}
        replicas = sum(int(each["spec"].get("replicas", 0)) for each in owners.values())
        # v1alpha1 has it in an annotation.
        noted = (budget["metadata"].get("annotations") or {}).get(TOTAL, replicas)
        total = int(spec.get("protectTotalReplicas", noted))
        if min_field in spec:
            least = resolved(spec[min_field], total, math.ceil)
        else:
            least = max(0, total - resolved(spec["maxUnavailable"], total, math.ceil))
        return Limit(f"{word}/{self.name}/{space}/{budget['metadata']['name']}", covers, least)

    def _own(self, kind: str, workload: Object, *, leaves: bool, guarded: bool) -> Limit:
        uid, spec = workload["metadata"]["uid"], spec_of(workload)

        def covers(cluster: str, pod: Object) -> bool:
            its = self.workload_of(pod) if cluster == self.name else None
            return its is not None and its["metadata"]["uid"] == uid

        total = spec.get("replicas", workload.get("status", {}).get("desiredNumberScheduled", 0))
        # Who is evicted comes back later: of what would surge otherwise one may be down, or as many
        # as the budgets over it say.
        evicted = (total if guarded else 1) if leaves else 0
        down = max_unavailable(kind, spec, total) or evicted
        if spec.get("strategy", {}).get("type") == "Recreate":
            down = evicted or down
        place = f"{workload['metadata'].get('namespace')}/{workload['metadata']['name']}"
        name, least = f"workload/{self.name}/{kind}/{place}", max(0, total - down)
        return Limit(name, covers, least, min_ready_s(kind, spec))


KINDS: Final = {
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "clonesets": "CloneSet",
    "advancedstatefulsets": "AdvancedStatefulSet",
    "advanceddaemonsets": "AdvancedDaemonSet",
}
WORKLOADS = tuple(KINDS)


def _is_let_go(spec: Object, pod: Object) -> bool:
    """Whether a PodUnavailableBudget leaves a pod out although it selects it."""
    annotations = pod["metadata"].get("annotations") or {}
    ignored = matches(spec.get("ignoredPodSelector"), labels_of(pod))
    return ignored or annotations.get("pub.kruise.io/no-protect") == "true"


def kind_and_name(reference: Object) -> tuple[str, str]:
    """Kind, as requests write it, and name of what a reference points at."""
    kind = reference["kind"]
    advanced = kind != "CloneSet" and "kruise" in reference["apiVersion"]
    return f"Advanced{kind}" if advanced else kind, reference["name"]


SCOPES: Final = {"fleet": 0, "cluster": 1, "namespace": 2, "workload": 3}
"""How far the names of two pods' workloads are the same when they share a budget."""
SPOTS: Final = ("node", "zone")
"""Scopes by where a pod stood before the upgrade (`spots`)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which budget of a request a pod belongs to."""

    selector: Object
    scope: str

    def group(self, cluster: Cluster, pod: Object) -> tuple[str, ...] | None:
        """What the pods of its budget have in common; none when it belongs to none."""
        if not matches(self.selector, labels_of(pod)):
            return None
        names = pod["metadata"]
        # A pod without a workload is alone where workloads are counted.
        place = cluster.place_of(pod) or Place(
            cluster.name, "Pod", names["namespace"], names["name"]
        )
        whole = (place.cluster, place.namespace, f"{place.kind}/{place.name}")
        return whole[: SCOPES[self.scope]]


def of_request(request: Object, clusters: Mapping[str, Cluster]) -> Iterator[Limit]:
    """The budgets of a request but those of nodes and zones, one for each group of its scope.

    Raises:
        ValueError: it has a budget of a scope that nobody here knows.
    """
    everywhere = [(cluster, pod) for cluster in clusters.values() for pod in cluster.pods]
    for budget in request["spec"].get("budgets") or ():
        scope = Scope(budget.get("selector", {}), budget.get("scope", "fleet"))
        if scope.scope in SPOTS:
            continue
        if scope.scope not in SCOPES:
            raise ValueError(f"budget {budget['name']}: scope {scope.scope} is not audited")
        for group, total in Counter(scope.group(*it) for it in everywhere).items():
            if group is not None:
                down = resolved(budget["maxUnavailable"], total, math.floor)
                name = "/".join(["request", budget["name"], *group])
                yield Limit(name, partial(_is_in, scope, group, clusters), total - down)


def _is_in(
    scope: Scope, group: tuple[str, ...], clusters: Mapping[str, Cluster], cluster: str, pod: Object
) -> bool:
    return scope.group(clusters[cluster], pod) == group
