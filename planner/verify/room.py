"""Room for pods that surge: how many new ones find a place on the nodes beside the old."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.moves import application_kind, excludes, is_excluded
from planner.verify.nodes import Asked, Node, asked_by, may_be_on, read_nodes
from planner.verify.selector import every
from planner.verify.table import Pods
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.verify.fleet import Workload, WorkloadKey
    from planner.verify.plan import Case
    from planner.verify.usage import Usages


_NOBODY = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guest:
    """A workload of which pods surge."""

    workload: Workload
    asked: Asked
    limit: int
    """How many of them may go at once as far as the workload alone is looked at."""
    places: frozenset[str] = frozenset()
    """The nodes on which its new pods may be, whatever is there already."""
    under_way: int = 0
    """Pods beyond its replicas: they have the room already for which new ones would look."""
    goes: bool
    """Whether a pod that serves waits for a new one."""
    stuck: Pods | None = None
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
        guests = (self._guest(each) for each in self.case.fleet.workloads.values())
        return {each.workload.key: each for each in guests if each is not None}

    def nodes(self, cluster: str) -> Mapping[str, Node] | None:
        """The nodes of a cluster by name; None when their room is not known."""
        if cluster not in self._nodes:
            fleet, drained = self.case.fleet, self.case.target.drains.nodes
            self._nodes[cluster] = read_nodes(
                fleet.observed,
                cluster,
                (name for place, name in drained if place == cluster),
                every(
                    fleet.table, {it: own for it, own in fleet.kin.items() if it.cluster == cluster}
                ),
            )
        return self._nodes[cluster]

    def _guest(self, workload: Workload) -> Guest | None:
        key = workload.key
        pods = surging(self.case, workload)
        nodes = self.nodes(key.cluster) if len(pods) else None
        if nodes is None:
            return None
        template = self.case.target.templates[key]
        asked = asked_by(template, workload.kin)
        if asked is None:
            return None
        most = workload.strategy.max_surge
        if key.is_daemon:
            stuck = _stuck(workload, pods, asked, nodes)
            limit = max(0, most - len(stuck))
            return Guest(workload=workload, asked=asked, limit=limit, stuck=stuck, goes=True)
        places = self._places(key.cluster, template, asked, nodes)
        is_placed = self.case.fleet.table.is_placed
        placed = sum(
            int(np.count_nonzero(is_placed[its.rows]))
            for kin, its in workload.kin.items()
            if not kin.state.deleting
        )
        fit = under_way = max(0, placed - workload.replicas)
        for name in places:
            if fit >= most:
                break
            fit += _slots(asked, nodes[name])
        return Guest(
            workload=workload,
            asked=asked,
            limit=min(fit, most),
            places=places,
            under_way=under_way,
            goes=waits(workload, pods),
        )

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
        for pod in usage.budget.stuck or ():
            move = case.move_of.get(pod)
            if move is not None and move.kind == "surge":
                yield Violation(
                    rule=usage.budget.rule,
                    subject=str(usage.budget),
                    wave=move.wave,
                    message=f"{pod.node} has no room for a new pod beside {move}",
                )


def surging(case: Case, workload: Workload) -> Pods:
    """Pods that serve and that their controller would only take once a new one serves."""
    nobody = Pods(case.fleet.table, _NOBODY)
    if not workload.strategy.surges or workload.strategy.paused:
        return nobody
    serving = [
        its
        for kin, its in workload.kin.items()
        if not kin.state.down and application_kind(kin, workload, case.target) == "surge"
    ]
    if not serving:
        return nobody
    pods = Pods.joined(case.fleet.table, serving)
    pods = pods.where(case.differs(pods))
    return pods.only(lambda pod: not is_excluded(case, pod)) if excludes(case) else pods


def waits(workload: Workload, pods: Pods) -> bool:
    """Whether one of its pods that would surge does; a partition keeps some of them."""
    return len(pods) > workload.strategy.partition


def _offers(asked: Asked, node: Node) -> int:
    """How many pods a node has room for by resources of which only its own part is known."""
    others = (int(node.others.get(name, 0) / each) for name, each in asked.others.items())
    return min(others, default=max(1, node.free[2]))


def _slots(asked: Asked, node: Node) -> int:
    return max(0, min(asked.fit(node.free), _offers(asked, node)))


def _stuck(workload: Workload, pods: Pods, asked: Asked, nodes: Mapping[str, Node]) -> Pods:
    """Pods beside which there is no room, and no successor yet that has it."""
    table = pods.table
    full = {name for name, node in nodes.items() if not asked.fit(node.free)}
    is_full = np.array([it in full for it in table.node.values] or [False])
    on_node = np.bincount(table.node.codes[workload.pods.rows], minlength=1)
    codes = table.node.codes[pods.rows]
    return pods.where(is_full[codes] & (on_node[codes] == 1))
