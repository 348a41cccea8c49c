"""Room for pods that surge: how many new ones find a place on the nodes beside the old."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from planner.verify.moves import application_kind, is_excluded
from planner.verify.nodes import Asked, Node, asked_by, may_be_on, read_nodes
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.fleet import Workload, WorkloadKey
    from planner.verify.plan import Case
    from planner.verify.pods import Pod
    from planner.verify.usage import Usages


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guest:
    """A workload of which pods surge."""

    workload: Workload
    pods: Sequence[Pod]
    """Those that serve and need a new one beside them."""
    asked: Asked
    limit: int
    """How many of them may go at once as far as the workload alone is looked at."""
    stuck: frozenset[Pod] = frozenset()
    """Pods of a DaemonSet whose nodes have no room for another beside them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rooms:
    """The room for the pods of a plan that surge. Nothing is looked at before somebody asks."""

    case: Case
    _nodes: dict[str, Mapping[str, Node] | None] = field(default_factory=dict, repr=False)
    _known: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def guests(self) -> Mapping[WorkloadKey, Guest]:
        """Workloads that surge on nodes of which the room is known."""
        surging = (self._guest(each) for each in self.case.fleet.workloads.values())
        return {each.workload.key: each for each in surging if each is not None}

    def nodes(self, cluster: str) -> Mapping[str, Node] | None:
        """The nodes of a cluster by name; None when their room is not known."""
        if cluster not in self._nodes:
            fleet, drained = self.case.fleet, self.case.target.drains.nodes
            self._nodes[cluster] = read_nodes(
                fleet.observed,
                cluster,
                (name for place, name in drained if place == cluster),
                (pod for pod in fleet.pods if pod.cluster == cluster),
            )
        return self._nodes[cluster]

    def _guest(self, workload: Workload) -> Guest | None:
        key = workload.key
        pods = list(_surging(self.case, workload))
        nodes = self.nodes(key.cluster) if pods else None
        if nodes is None:
            return None
        template = self.case.target.templates[key]
        asked = asked_by(template, workload.pods)
        if asked is None:
            return None
        most = workload.strategy.max_surge
        if key.is_daemon:
            stuck = frozenset(_stuck(workload, pods, asked, nodes))
            limit = max(0, most - len(stuck))
            return Guest(workload=workload, pods=pods, asked=asked, limit=limit, stuck=stuck)
        places = self._places(key.cluster, template, asked, nodes)
        placed = sum(bool(pod.node) and not pod.deleting for pod in workload.pods)
        fit = max(0, placed - workload.replicas)
        for name in places:
            if fit >= most:
                break
            fit += _slots(asked, nodes[name])
        return Guest(workload=workload, pods=pods, asked=asked, limit=min(fit, most))

    def _places(
        self,
        cluster: str,
        template: Mapping[str, Any],
        asked: Asked,
        nodes: Mapping[str, Node],
    ) -> frozenset[str]:
        """Where pods of a template may be; found once for all that say the same of it."""
        said = [template["spec"].get(each) for each in ("nodeSelector", "tolerations", "affinity")]
        key = (cluster, repr(said), repr(sorted(asked.others.items())))
        if key not in self._known:
            self._known[key] = frozenset(
                name
                for name, each in nodes.items()
                if each.open and may_be_on(template, each) and _offers(asked, each) > 0
            )
        return self._known[key]


def stuck(case: Case, usages: Usages) -> Iterator[Violation]:
    """No pod of a DaemonSet surges on a node that has no room for two."""
    for usage in usages.all:
        for pod in usage.budget.stuck:
            move = case.move_of.get(pod)
            if move is not None and move.kind == "surge":
                yield Violation(
                    rule=usage.budget.rule,
                    subject=str(usage.budget),
                    wave=move.wave,
                    message=f"{pod.node} has no room for a new pod beside {move}",
                )


def _surging(case: Case, workload: Workload) -> Iterator[Pod]:
    """Pods that serve and that their controller would only take once a new one serves."""
    if not workload.strategy.surges or workload.strategy.paused:
        return
    for pod in workload.pods:
        change = case.target.changes.get(pod)
        if change is None or not change.of_application or pod.down or is_excluded(case, pod):
            continue
        if application_kind(pod, workload, case.target) == "surge":
            yield pod


def _offers(asked: Asked, node: Node) -> int:
    """How many pods a node has room for by resources of which only its own part is known."""
    others = (int(node.others.get(name, 0) / each) for name, each in asked.others.items())
    return min(others, default=max(1, node.free[2]))


def _slots(asked: Asked, node: Node) -> int:
    return max(0, min(asked.fit(node.free), _offers(asked, node)))


def _stuck(
    workload: Workload, pods: Sequence[Pod], asked: Asked, nodes: Mapping[str, Node]
) -> Iterator[Pod]:
    """Pods beside which there is no room, and no successor yet that has it."""
    on_node = Counter(pod.node for pod in workload.pods)
    for pod in pods:
        node = nodes.get(pod.node)
        if node is not None and on_node[pod.node] == 1 and not asked.fit(node.free):
            yield pod
