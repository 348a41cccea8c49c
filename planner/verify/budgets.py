"""Every budget that a plan has to keep: whose pods, how many may be down, how many are."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from planner.verify.columns import grouped
from planner.verify.drains import is_forced
from planner.verify.moves import is_excluded, options_of
from planner.verify.numbers import ceil_of, floor_of
from planner.verify.places import PART_OF_KIN, parts_of
from planner.verify.quotas import read_quotas
from planner.verify.room import Rooms
from planner.verify.selector import down_of, every, without
from planner.verify.shared_room import shared_rooms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from planner.verify.bound import Move
    from planner.verify.columns import Bools
    from planner.verify.fleet import DisruptionBudget, Fleet, SidecarSet, Workload
    from planner.verify.plan import Case
    from planner.verify.pods import Kin, Pod
    from planner.verify.quotas import Quota
    from planner.verify.room import Guest
    from planner.verify.selector import PodsOfKin
    from planner.verify.shared_room import SharedRoom
    from planner.verify.table import Pods


class Budget(Struct, frozen=True, eq=False, kw_only=True):
    """One limit on pods that are down together."""

    rule: str
    """The rule that a plan breaks when it breaks the budget."""
    name: str
    """As plans write it, such as `pdb/trade/cart`."""
    cluster: str | None
    """None when it spans clusters."""
    instance: str | None = None
    """Which node, zone, workload, namespace or cluster, for a budget with a scope."""
    limit: int
    pods: Pods
    """Every pod that counts."""
    kin: PodsOfKin | None = None
    """The same by kin; None where it is not their kin that makes them its own."""
    down: Pods
    """Pods that use the budget up until they move."""
    free: Pods
    """Pods whose move takes nothing, since they were down before."""
    surge: bool = False
    """Whether it counts `surge` moves; else it counts every other kind."""
    containers: frozenset[str] | None = None
    """Only moves that change one of these take from it; None: every move."""
    for_drains: bool = False
    """Whether only evictions by which pods leave drained nodes have room in it."""
    stuck: Pods | None = None
    """Pods that cannot surge, as their nodes have no room for two."""
    lost: Pods | None = None
    """Pods in whose place a quota would let none come."""

    def takes(self, move: Move) -> bool:
        """Whether a move of one of its pods takes from it."""
        pod, manner = move.pod, move.manner
        return pod is not None and self.would_take(pod, manner.kind, manner.containers)

    def would_take(self, pod: Pod, kind: str, containers: Iterable[str]) -> bool:
        """Whether a move of this kind of one of its pods would take from it."""
        if (kind == "surge") is not self.surge or pod in self.free:
            return False
        return self.containers is None or not self.containers.isdisjoint(containers)

    def is_closed(self, pod: Pod, kind: str) -> bool:
        """Whether a move that is no eviction from a drained node has no room in it, ever."""
        if kind == "surge":
            return self.stuck is not None and pod in self.stuck
        return self.for_drains and pod not in self.down

    def would_lose(self, pod: Pod, kind: str) -> bool:
        """Whether the pod goes before another comes, and none would."""
        stays = kind == "in-place" or (kind == "surge" and pod not in self.free)
        return self.lost is not None and not stays and pod in self.lost

    def __str__(self) -> str:
        scope = "" if self.instance is None else f"[{self.instance}]"
        return f"{self.cluster}/{self.name}" if self.cluster and not scope else self.name + scope


def all_budgets(case: Case) -> list[Budget]:
    """Every budget of the clusters and of the request."""
    fleet = case.fleet
    budgets = [_disruption_budget(each, fleet) for each in fleet.disruption_budgets]
    for cluster in fleet.clusters():
        unavailable = fleet.observed.documents(cluster, "podunavailablebudgets")
        budgets.extend(_unavailable_budget(cluster, each, fleet) for each in unavailable)
    evicting, now_s = _evicting(case), fleet.observed.time_ms // 1000
    guarded = np.zeros(len(fleet.table), np.bool_)
    for each in budgets if evicting else ():
        guarded[each.pods.rows] = True
    rooms = Rooms(case=case)
    for workload in fleet.workloads.values():
        budgets.append(_workload_budget(workload, now_s, workload in evicting, guarded))
        if workload.strategy.surges:
            budgets.append(_surge_budget(workload, rooms.guests.get(workload.key)))
    budgets.extend(_shared_budget("room", each, fleet) for each in shared_rooms(case, rooms))
    budgets.extend(_shared_budget("quota", each, fleet, each.lost) for each in read_quotas(case))
    budgets.extend(_sidecar_set_budget(each, case) for each in fleet.sidecar_sets.values())
    for rule in case.request["spec"].get("budgets") or ():
        budgets.extend(_request_budgets(rule, fleet))
    return budgets


def _disruption_budget(observed: DisruptionBudget, fleet: Fleet) -> Budget:
    """A PodDisruptionBudget (disruption.go, getExpectedPodCount and updatePdbStatus)."""
    metadata, spec = observed.document["metadata"], observed.document["spec"]
    pods = observed.pods
    most, least = spec.get("maxUnavailable"), spec.get("minAvailable")
    expected: int | None
    if most is None and isinstance(least, int):
        # No look-up of scales, so that bare pods work.
        expected, desired = len(pods), least
    else:
        expected = _expected_pods(observed.kin, fleet)
        if most is not None:
            desired = max(0, (expected or 0) - ceil_of(most, expected or 0))
        else:
            desired = ceil_of(0 if least is None else least, expected or 0)
    return _over(pods, down_of(fleet.table, observed.kin), observed.kin)(
        rule="budget",
        name=f"pdb/{metadata['namespace']}/{metadata['name']}",
        cluster=observed.cluster,
        # The controller fails safe when an owner has no scale, as every DaemonSet.
        limit=max(0, len(pods) - desired) if expected else 0,
    )


def _expected_pods(pods: Iterable[Kin], fleet: Fleet) -> int | None:
    """Replicas of the distinct controllers; None when one of them has no scale."""
    scales: dict[str, int] = {}
    for kin in pods:
        workload = fleet.workload_of_kin.get(kin)
        if workload is not None and not workload.key.is_daemon:
            scales[str(workload.key)] = workload.replicas
        elif kin.owner is not None:
            return None
    return sum(scales.values())


def _unavailable_budget(cluster: str, document: Mapping[str, Any], fleet: Fleet) -> Budget:
    """A PodUnavailableBudget (podunavailablebudget_controller.go, getDesiredAvailableForPub)."""
    metadata, spec = document["metadata"], document["spec"]
    namespace = fleet.in_namespace(cluster, metadata["namespace"])
    target, ignored = spec.get("targetRef"), spec.get("ignoredPodSelector")
    workload_of = fleet.workload_of_kin
    matched = (
        namespace.select(spec.get("selector"))
        if target is None
        else {
            kin: its
            for kin, its in namespace.pods.items()
            if _is_target(target, workload_of.get(kin))
        }
    )
    kin = {
        kin: its
        for kin, its in without(ignored, matched).items()
        if kin.annotations.get("pub.kruise.io/no-protect") != "true"
    }
    pods = every(fleet.table, kin)
    total = spec.get("protectTotalReplicas")
    told = (metadata.get("annotations") or {}).get("pub.kruise.io/protect-total-replicas", "")
    if total is None and told.isdecimal():  # As v1alpha1 keeps it.
        total = int(told)
    if total is None:
        owners = {each for its in kin if (each := workload_of.get(its)) is not None}
        total = sum(workload.replicas for workload in owners)
    most = spec.get("maxUnavailable")
    if most is not None:
        desired = total - ceil_of(most, total)
    else:
        desired = ceil_of(spec.get("minAvailable") or 0, total)
    return _over(pods, down_of(fleet.table, kin), kin)(
        rule="budget",
        name=f"pub/{metadata['namespace']}/{metadata['name']}",
        cluster=cluster,
        limit=max(0, len(pods) - max(0, desired)),
    )


def _is_target(target: Mapping[str, Any], workload: Workload | None) -> bool:
    if workload is None or target["name"] != workload.key.name:
        return False
    kruise = target["apiVersion"].startswith("apps.kruise.io/") and target["kind"] != "CloneSet"
    return workload.key.kind == (f"Advanced{target['kind']}" if kruise else target["kind"])


def _evicting(case: Case) -> set[Workload]:
    """Workloads of which a drain evicts pods: that cannot surge, so one may always be down.

    A pod that may also move as without the drain counts when the plan evicts it. Where it does
    not move it, only the plan knows whom a partition keeps: its limit says so, and nothing goes.
    """
    if not case.target.drains.nodes:
        return set()
    changes = case.target.changes
    limits = {(it["cluster"], it["name"]): it["limit"] for it in case.header["budgets"]}
    found = {it.owner for it in case.in_manner if it.owner is not None and is_forced(it)}
    leaves = np.array([*(it.leaves for it in changes.all), False])
    for pod in case.fleet.table.where(leaves[changes.codes]):
        change, owner = changes[pod], case.fleet.workload_of(pod)
        if change.keeps_data or owner is None or owner in found:
            continue
        are_forced = {each.forced for each in options_of(case, pod, change, owner)}
        cluster, *name = owner.key
        says_one = limits.get((cluster, f"workload/{'/'.join(name)}")) == 1
        is_said = True in are_forced and says_one and pod in case.unmovable
        if (is_said or False not in are_forced) and not is_excluded(case, pod):
            found.add(owner)
    return found


def _workload_budget(
    workload: Workload,
    now_s: int,
    evicting: bool,  # noqa: FBT001 -- one of a loop
    guarded: Bools,
) -> Budget:
    """A workload's own `maxUnavailable`.

    Where that is none, or all of them at once, and a drain is `evicting` pods of it, these go as
    the budgets of the cluster let them by which pods are `guarded`, and the others one by one. Its
    controller takes none down.
    """
    key, strategy = workload.key, workload.strategy
    name = f"{key.namespace}/{key.kind}/{key.name}"
    pods, table = workload.pods, workload.pods.table
    down = down_of(table, workload.kin)
    # Without minReadySeconds no clock counts: a node's may be ahead of the log's.
    young_s = strategy.min_ready_s
    if young_s > 0:
        is_young = now_s - table.ready_since_s[pods.rows] < young_s
        down = pods.where(is_young | table.down[pods.rows])
    # Pods that are missing are down already, and nothing here brings them back.
    missing = max(0, workload.replicas - len(workload.pods))
    recreates = (workload.document["spec"].get("strategy") or {}).get("type") == "Recreate"
    for_drains = evicting and (recreates or strategy.max_unavailable < 1)
    free = down
    if for_drains:
        is_down = np.isin(pods.rows, down.rows)
        free = pods.where(is_down | guarded[pods.rows])
    return Budget(
        rule="workload-budget",
        name=f"workload/{name}",
        cluster=key.cluster,
        for_drains=for_drains,
        limit=max(0, (1 if for_drains else strategy.max_unavailable) - missing),
        pods=pods,
        kin=workload.kin,
        down=down,
        free=free,
    )


def _surge_budget(workload: Workload, guest: Guest | None) -> Budget:
    """A workload's `maxSurge`, and no more of it than its nodes have room for."""
    key, strategy = workload.key, workload.strategy
    return Budget(
        rule="surge",
        name=f"surge/{key.namespace}/{key.kind}/{key.name}",
        cluster=key.cluster,
        limit=strategy.max_surge if guest is None else guest.limit,
        pods=workload.pods,
        kin=workload.kin,
        down=workload.pods[:0],
        free=down_of(workload.pods.table, workload.kin),
        surge=True,
        stuck=None if guest is None else guest.stuck,
    )


def _shared_budget(
    rule: str, shared: SharedRoom | Quota, fleet: Fleet, lost: Pods | None = None
) -> Budget:
    """What surges of several workloads take from together: room on nodes, or a ResourceQuota.

    `lost` are pods in whose place none would come.
    """
    return Budget(
        rule=rule,
        name=shared.name,
        cluster=shared.cluster,
        limit=shared.limit,
        pods=shared.pods,
        kin=shared.kin,
        down=shared.pods[:0],
        free=down_of(fleet.table, shared.kin),
        surge=True,
        lost=lost,
    )


def _sidecar_set_budget(sidecar_set: SidecarSet, case: Case) -> Budget:
    """A SidecarSet's `maxUnavailable` (sidecarset_strategy.go, calculateUpgradeCount)."""
    update = sidecar_set.spec.get("updateStrategy") or {}
    most = update.get("maxUnavailable")
    down = down_of(case.fleet.table, sidecar_set.kin)
    # Pods that wait for the update and are not ready are taken free of charge.
    changes = case.target.changes
    awaits = [any(it.sidecar_set is sidecar_set for it in each.sidecars) for each in changes.all]
    updated_down = down.where(~np.array([*awaits, False])[changes.codes[down.rows]])
    # Its controller matches active pods only (sidecarset_processor.go, getMatchingPods).
    matched = sum(len(its) for kin, its in sidecar_set.kin.items() if not kin.state.deleting)
    return Budget(
        rule="sidecarset-budget",
        name=f"sidecarset/{sidecar_set.name}",
        cluster=sidecar_set.cluster,
        limit=ceil_of(1 if most is None else most, matched),
        pods=sidecar_set.pods,
        kin=sidecar_set.kin,
        down=updated_down,
        free=down,
        containers=sidecar_set.containers,
    )


def _request_budgets(rule: Mapping[str, Any], fleet: Fleet) -> Iterator[Budget]:
    """A budget of the request: one for each node, zone and so on, or one for the fleet."""
    namespace, scope = rule.get("namespace"), rule.get("scope") or "fleet"
    selected = fleet.by_label.select(rule.get("selector", {}))
    if namespace is not None:
        selected = {kin: its for kin, its in selected.items() if kin.namespace == namespace}
    if scope in ("node", "zone"):
        whole, nobody = every(fleet.table, selected), fleet.pods[:0]
        down = _by_place(whole.where(fleet.table.down[whole.rows]), fleet, scope)
        groups = _by_place(whole, fleet, scope)
        over = {it: (_over(pods, down.get(it, nobody)), len(pods)) for it, pods in groups.items()}
    else:
        kin_of = _grouped(selected, partial(PART_OF_KIN[scope], fleet))
        if scope == "fleet":
            kin_of.setdefault("", {})
        pods_of = {it: every(fleet.table, kin) for it, kin in kin_of.items()}
        over = {
            it: (_over(pods_of[it], down_of(fleet.table, kin), kin), len(pods_of[it]))
            for it, kin in kin_of.items()
        }
    for group, (budget, pods) in sorted(over.items(), key=itemgetter(0)):
        yield budget(
            rule="request-budget",
            name=rule["name"],
            cluster=None,
            instance=None if scope == "fleet" else group,
            limit=floor_of(rule["maxUnavailable"], pods),
        )


def _over(pods: Pods, down: Pods, kin: PodsOfKin | None = None) -> partial[Budget]:
    """A budget over pods, but for what it is called: those of them that are down use it up."""
    return partial(Budget, pods=pods, kin=kin, down=down, free=down)


def _by_place(pods: Pods, fleet: Fleet, scope: str) -> dict[str, Pods]:
    """Pods by the node that they are on, or by its zone; those without are left out."""
    codes, names = parts_of(fleet, pods.rows, scope)
    order, ends = grouped(codes, len(names))
    spans = zip(names, ends, ends[1:], strict=False)
    return {name: pods.where(order[begin:end]) for name, begin, end in spans}


def _grouped(pods: PodsOfKin, group_of: Callable[[Kin], str | None]) -> dict[str, dict[Kin, Pods]]:
    groups: defaultdict[str, dict[Kin, Pods]] = defaultdict(dict)
    for kin, its in pods.items():
        group = group_of(kin)
        if group is not None:
            groups[group][kin] = its
    return groups
