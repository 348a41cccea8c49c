"""Quotas of namespaces: how many new pods come beside the old, and in whose place none would come.

What a pod is charged with and when it is let in: kubernetes pkg/quota/v1/evaluator/core/pods.go
(podComputeUsageHelper, podMatchesScopeFunc) and the admission's CheckRequest, which looks at the
status of a quota alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.nodes import amounts_of, limits_of, quantity, requests_of, together, up
from planner.verify.room import surging, waits
from planner.verify.selector import every
from planner.verify.table import Pods
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.verify.fleet import Workload
    from planner.verify.plan import Case
    from planner.verify.pods import Kin
    from planner.verify.selector import PodsOfKin
    from planner.verify.usage import Usages

_OWN = {"requests.cpu": 0, "requests.memory": 1}
"""Resources of which is known what a pod that exists has, by their place in its requests."""
_LIMITED = ("cpu", "memory", "ephemeral-storage")
_AFFINITIES = ("podAffinity", "podAntiAffinity")
_WHEN = "DuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quota:
    """A ResourceQuota with the pods that it counts, those of workloads that can be read."""

    cluster: str
    name: str
    """As plans write it, such as `quota/trade/compute`."""
    limit: int
    """New pods that it lets come at once beside the old ones."""
    kin: PodsOfKin
    pods: Pods
    lost: Pods
    """Those in whose place it would let none come."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Counted:
    """A workload, and what its pods are charged with: thousandths, by `requests.` or `limits.`."""

    workload: Workload
    wanted: Mapping[str, int]
    """By the template of the target."""
    observed: Mapping[str, int]
    """By the one that it had."""
    most: Mapping[str, int]
    """By the target, and no less than any of its pods."""
    spec: Mapping[str, Any]
    """Of the target's pods."""

    def new(self, kin: Kin, resource: str) -> tuple[int, int]:
        """What the pod that comes for one of a kin is charged with, and how much more that is.

        What was injected into the old one, or given to it by default, comes into the new one too.
        """
        wanted, more = self.wanted.get(resource, 0), self._more(resource)
        place = _OWN.get(resource)
        if place is None:
            return wanted, more
        own = kin.requests[place] * (1 if place == 0 else 1000)
        new = max(wanted, own + more)
        return new, new - own

    def _more(self, resource: str) -> int:
        return self.wanted.get(resource, 0) - self.observed.get(resource, 0)


def read_quotas(case: Case) -> Iterator[Quota]:
    """Every quota that counts pods of workloads; a case without quotas costs nothing."""
    fleet = case.fleet
    for cluster in fleet.clusters():
        documents = list(fleet.observed.documents(cluster, "resourcequotas"))
        if not documents:
            continue
        spaces = {each["metadata"]["namespace"] for each in documents}
        counted: dict[str, list[_Counted]] = {}
        for workload in fleet.workloads.values():
            key = workload.key
            if key.cluster == cluster and key.namespace in spaces:
                own = _counted(case, workload)
                if own is not None:
                    counted.setdefault(key.namespace, []).append(own)
        for document in documents:
            yield _quota(case, cluster, document, counted)


def lost(case: Case, usages: Usages) -> Iterator[Violation]:
    """No pod goes before its successor comes where a quota would let none come."""
    for usage in usages.all:
        budget = usage.budget
        for pod in budget.lost or ():
            move = case.move_of.get(pod)
            if move is not None and budget.would_lose(pod, move.kind):
                yield Violation(
                    rule=budget.rule,
                    subject=str(budget),
                    wave=move.wave,
                    message=f"it would let no pod come in place of {move}",
                )


def _quota(
    case: Case,
    cluster: str,
    document: Mapping[str, Any],
    by_namespace: Mapping[str, Sequence[_Counted]],
) -> Quota:
    metadata, table = document["metadata"], case.fleet.table
    scopes = list(_scopes(document.get("spec") or {}))
    namespace = metadata["namespace"]
    counted = [it for it in by_namespace.get(namespace, ()) if _is_in(scopes, it)]
    left = dict(_left(document.get("status") or {}))
    kin = {kin: its for each in counted for kin, its in each.workload.kin.items()}
    lost = [
        its
        for each in counted
        for kin, its in each.workload.kin.items()
        if any(_refuses(each, kin, resource, room) for resource, room in left.items())
    ]
    pods = every(table, kin)
    limit = _limit(case, counted, left)
    return Quota(
        cluster=cluster,
        name=f"quota/{namespace}/{metadata['name']}",
        limit=len(pods) if limit is None else limit,
        kin=kin,
        pods=pods,
        lost=Pods.joined(table, lost) if lost else Pods(table, np.zeros(0, np.int64)),
    )


def _refuses(counted: _Counted, kin: Kin, resource: str, room: int) -> bool:
    """Whether the successor of a pod is not let in when the pod is gone (CheckRequest)."""
    if resource in ("pods", "count/pods"):
        return room < 0
    charged = _charged_as(resource)
    new, more = (0, 0) if charged is None else counted.new(kin, charged)
    return new > 0 and more > room


def _limit(case: Case, counted: Iterable[_Counted], left: Mapping[str, int]) -> int | None:
    """New pods that are let in beside the old ones; None where nothing says how many."""
    guests = [each for each in counted if _surges(case, each.workload)]
    fits = []
    for resource, room in left.items() if guests else ():
        charged = _charged_as(resource)
        if resource in ("pods", "count/pods"):
            most = 1000
        else:
            most = max(each.most.get(charged or "", 0) for each in guests)
        if most:
            fits.append(max(0, room // most))
    if not fits:
        return None
    # Those beyond the replicas are counted in what is used.
    return min(fits) + sum(_beyond(each.workload) for each in guests)


def _surges(case: Case, workload: Workload) -> bool:
    """Whether a pod that serves waits for a new one."""
    return waits(workload, surging(case, workload))


def _beyond(workload: Workload) -> int:
    stay = sum(len(its) for kin, its in workload.kin.items() if not kin.state.deleting)
    return max(0, stay - workload.replicas)


def _charged_as(resource: str) -> str | None:
    """What a resource of a quota counts of a pod; None: nothing."""
    kind, _, name = resource.partition(".")
    if kind == "limits":
        return resource if name in _LIMITED else None
    if kind == "requests":
        return resource
    native = resource in _LIMITED or resource.startswith("hugepages-")
    return f"requests.{resource}" if native else None


def _left(status: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """What is left of each resource, in thousandths; less than nothing where hard was lowered."""
    used = status.get("used") or {}
    for resource, text in (status.get("hard") or {}).items():
        hard, own = quantity(text), quantity(used.get(resource))
        if hard is not None and own is not None:
            yield resource, up(hard * 1000) - up(own * 1000)


def _counted(case: Case, workload: Workload) -> _Counted | None:
    """A workload whose templates tell what its pods ask for; None when they do not."""
    before = workload.document["spec"]["template"]
    template = case.target.templates.get(workload.key, before)
    wanted, observed = _charge(template), _charge(before)
    if wanted is None or observed is None:
        return None
    cpu = max((kin.requests[0] for kin in workload.kin), default=0)
    memory = max((kin.requests[1] * 1000 for kin in workload.kin), default=0)
    own = Counter({"requests.cpu": cpu, "requests.memory": memory})
    return _Counted(
        workload=workload,
        wanted=wanted,
        observed=observed,
        most=wanted | own,
        spec=template.get("spec") or {},
    )


def _charge(template: Mapping[str, Any]) -> Counter[str] | None:
    """What a pod of a template is charged with; overhead raises limits that there are."""
    spec = template.get("spec") or {}
    try:
        overhead = amounts_of(spec.get("overhead") or {})
        requests, limits = together(spec, requests_of) + overhead, together(spec, limits_of)
    except ValueError:
        return None
    limits += Counter({name: overhead[name] for name in limits})
    found: Counter[str] = Counter()
    for kind, amounts in (("requests", requests), ("limits", limits)):
        for name, amount in amounts.items():
            found[f"{kind}.{name}"] = amount * 1000 if name == "memory" else amount
    return found


def _scopes(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from ({"scopeName": each, "operator": "Exists"} for each in spec.get("scopes") or ())
    yield from (spec.get("scopeSelector") or {}).get("matchExpressions") or ()


def _is_in(scopes: Iterable[Mapping[str, Any]], counted: _Counted) -> bool:
    return all(_holds(each, counted) for each in scopes)


def _holds(scope: Mapping[str, Any], counted: _Counted) -> bool:
    """Whether a workload's pods are in a scope (podMatchesScopeFunc); in no unknown one."""
    spec = counted.spec
    deadline = spec.get("activeDeadlineSeconds")
    match scope["scopeName"]:
        case "Terminating" | "NotTerminating" as name:
            return (deadline is not None and deadline >= 0) is (name == "Terminating")
        case "BestEffort" | "NotBestEffort" as name:
            asks = any(
                counted.most[f"{kind}.{each}"]
                for kind in ("requests", "limits")
                for each in ("cpu", "memory")
            )
            return asks is (name == "NotBestEffort")
        case "PriorityClass":
            return _has_class(scope, spec.get("priorityClassName") or "")
        case "CrossNamespacePodAffinity":
            return any(map(_is_elsewhere, _affinity_terms(spec.get("affinity") or {})))
    return False


def _has_class(scope: Mapping[str, Any], name: str) -> bool:
    values = scope.get("values") or ()
    match scope["operator"]:
        case "In":
            return bool(name) and name in values
        case "NotIn":
            return not name or name not in values
        case "Exists" | "DoesNotExist" as operator:
            return bool(name) is (operator == "Exists")
    return False


def _affinity_terms(affinity: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for each in _AFFINITIES:
        of = affinity.get(each) or {}
        yield from of.get(f"required{_WHEN}") or ()
        yield from (it["podAffinityTerm"] for it in of.get(f"preferred{_WHEN}") or ())


def _is_elsewhere(term: Mapping[str, Any]) -> bool:
    return bool(term.get("namespaces")) or term.get("namespaceSelector") is not None
