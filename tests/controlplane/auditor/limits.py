"""How many pods have to serve: of every budget of a cluster, of its workloads and of a request."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.controlplane.auditor.pods import Object, labels_of, matches, owner_of

Key = tuple[str, str]
"""Cluster and uid of a pod."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many of the pods that it covers have to serve at any moment."""

    name: str
    covers: Callable[[str, Object], bool]
    least: int


def resolved(amount: int | str, total: int, round_: Callable[[float], int]) -> int:
    """An amount, or a percentage of a total."""
    if isinstance(amount, str):
        return round_(int(amount.removesuffix("%")) * total / 100)
    return amount


class Cluster:
    """What a cluster was before anybody upgraded it."""

    def __init__(self, name: str, lists: Mapping[str, Iterable[Object]]) -> None:
        self.name = name
        self.pods = list(lists["pods"])
        self._lists = lists
        self._workload_of: dict[str, Object] = {
            each["metadata"]["uid"]: each for kind in WORKLOADS for each in lists[kind]
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

    def limits(self) -> Iterator[Limit]:
        """Every budget that the cluster itself knows."""
        for budget in self._lists["poddisruptionbudgets"]:
            yield self._budget("pdb", budget, min_field="minAvailable")
        for budget in self._lists["podunavailablebudgets"]:
            yield self._budget("pub", budget, min_field="minAvailable")
        for kind in WORKLOADS:
            for each in self._lists[kind]:
                yield self._own(kind, each)

    def _budget(self, word: str, budget: Object, *, min_field: str) -> Limit:
        space, spec = budget["metadata"]["namespace"], budget["spec"]

        def covers(cluster: str, pod: Object) -> bool:
            here = cluster == self.name and pod["metadata"]["namespace"] == space
            return here and matches(spec.get("selector"), labels_of(pod))

        pods = [pod for pod in self.pods if covers(self.name, pod)]
        owners = {id(it): it for pod in pods if (it := self.workload_of(pod)) is not None}
        total = sum(int(each["spec"].get("replicas", 0)) for each in owners.values())
        if min_field in spec:
            least = resolved(spec[min_field], total, math.ceil)
        else:
            least = max(0, total - resolved(spec["maxUnavailable"], total, math.ceil))
        return Limit(f"{word}/{space}/{budget['metadata']['name']}", covers, least)

    def _own(self, kind: str, workload: Object) -> Limit:
        uid, spec = workload["metadata"]["uid"], workload["spec"]

        def covers(cluster: str, pod: Object) -> bool:
            its = self.workload_of(pod) if cluster == self.name else None
            return its is not None and its["metadata"]["uid"] == uid

        total = spec.get("replicas", workload.get("status", {}).get("desiredNumberScheduled", 0))
        down = _max_unavailable(kind, spec, total)
        place = f"{workload['metadata'].get('namespace')}/{workload['metadata']['name']}"
        return Limit(f"workload/{self.name}/{kind}/{place}", covers, max(0, total - down))


WORKLOADS = ("deployments", "statefulsets", "daemonsets", "clonesets", "advancedstatefulsets")


def _max_unavailable(kind: str, spec: Object, total: int) -> int:
    if kind == "deployments":
        rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
        surge = resolved(rolling.get("maxSurge", "25%"), total, math.ceil)
        down = resolved(rolling.get("maxUnavailable", "25%"), total, math.floor)
        return max(down, 1) if surge == 0 else down
    update = spec.get("updateStrategy") or {}
    rolling = update.get("rollingUpdate") or {}
    if update.get("type") == "OnDelete":
        return total
    match kind:
        case "statefulsets":
            return 1
        case "advancedstatefulsets":
            return max(1, resolved(rolling.get("maxUnavailable", 1), total, math.floor))
        case "clonesets":
            return resolved(rolling.get("maxUnavailable", "20%"), total, math.ceil)
    return resolved(rolling.get("maxUnavailable", 1), total, math.ceil)


def of_request(request: Object, clusters: Iterable[Cluster]) -> Iterator[Limit]:
    """The budgets of a request that span pods of every node.

    Raises:
        ValueError: it has a budget of a scope that is not audited here.
    """
    everywhere = [(cluster.name, pod) for cluster in clusters for pod in cluster.pods]
    for budget in request["spec"].get("budgets") or ():
        if budget.get("scope", "fleet") != "fleet":
            raise ValueError(f"budget {budget['name']}: scope {budget['scope']} is not audited")
        selector: Any = budget.get("selector", {})

        def covers(_cluster: str, pod: Object, selector: Any = selector) -> bool:  # noqa: ANN401
            return matches(selector, labels_of(pod))

        total = sum(covers(name, pod) for name, pod in everywhere)
        down = resolved(budget["maxUnavailable"], total, math.floor)
        yield Limit(f"request/{budget['name']}", covers, total - down)
