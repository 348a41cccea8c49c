"""PodDisruptionBudgets and PodUnavailableBudgets: what they count, and whom they let go."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from planner.simulate.rules.inplace import is_complete
from planner.simulate.rules.numbers import rounded_up
from planner.simulate.rules.pods import (
    Object,
    annotations_of,
    is_active,
    is_leaving,
    is_ready,
    labels_of,
    name_of,
    phase_of,
)
from planner.simulate.rules.selector import selects
from planner.simulate.rules.sidecarset import updates_complete

NO_PROTECT: Final = "pub.kruise.io/no-protect"
PROTECT_TOTAL: Final = "pub.kruise.io/protect-total-replicas"
PROTECT_OPERATIONS: Final = "kruise.io/pub-protect-operations"
"""Annotations of a PodUnavailableBudget of v1alpha1; v1beta1 has both in its spec."""
UNAVAILABLE_PREFIX: Final = "unavailable-pod.kruise.io/"

Verdict = Literal["allowed", "free", "refused", "several budgets"]
"""`free`: let go without taking anything from the budget."""
Operation = Literal["DELETE", "EVICT", "UPDATE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The numbers in a budget's status: pods there, pods that have to stay, pods that may go."""

    healthy: int
    desired: int
    allowed: int


def disruption_standing(
    budget: Object, pods: Collection[Object], scales: Collection[int] | None
) -> Standing:
    """Count for a PodDisruptionBudget (disruption.go, getExpectedPodCount, updatePdbStatus).

    Args:
        budget: the PodDisruptionBudget.
        pods: those of its namespace that its selector matches.
        scales: replicas of each controller of those pods, None when one of them has no scale.
    """
    spec = budget["spec"]
    healthy = sum(is_ready(pod) and not is_leaving(pod) for pod in pods)
    minimum = spec.get("minAvailable")
    if isinstance(minimum, int):
        expected, desired = len(pods), minimum
    elif scales is None:
        return Standing(healthy=healthy, desired=healthy, allowed=0)
    else:
        expected = sum(scales)
        if minimum is not None:
            desired = rounded_up(minimum, expected, default=0)
        else:
            gone = rounded_up(spec.get("maxUnavailable"), expected, default=0)
            desired = max(0, expected - gone)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    return Standing(healthy=healthy, desired=desired, allowed=allowed)


def evict(pod: Object, budgets: Collection[tuple[Object, Standing]]) -> Verdict:
    """Decide about an eviction (pkg/registry/core/pod/storage/eviction.go, Create).

    Args:
        pod: the pod to be evicted.
        budgets: the PodDisruptionBudgets that match it, as they stand.
    """
    if phase_of(pod) in ("Succeeded", "Failed", "Pending") or is_leaving(pod) or not budgets:
        return "free"
    if len(budgets) > 1:
        return "several budgets"
    ((budget, standing),) = budgets
    if not is_ready(pod):
        policy = budget["spec"].get("unhealthyPodEvictionPolicy") or "IfHealthyBudget"
        healthy_budget = standing.healthy >= standing.desired > 0
        if policy == "AlwaysAllow" or (policy == "IfHealthyBudget" and healthy_budget):
            return "free"
    return "allowed" if standing.allowed > 0 else "refused"


def unavailable_standing(
    budget: Object, pods: Collection[Object], total: int, reserved: Collection[str] = ()
) -> Standing:
    """Count for a PodUnavailableBudget.

    Args:
        budget: the PodUnavailableBudget.
        pods: those that it protects.
        total: replicas of their controllers, or `protected_total`.
        reserved: names of pods let go a moment ago.

    Source: openkruise/kruise pkg/controller/podunavailablebudget, getDesiredAvailableForPub.
    """
    spec: Mapping[str, Any] = budget["spec"]
    if (gone := spec.get("maxUnavailable")) is not None:
        desired = max(0, total - rounded_up(gone, total, default=0))
    else:
        desired = max(0, rounded_up(spec.get("minAvailable"), total, default=0))
    healthy = sum(is_pub_available(pod) and name_of(pod) not in reserved for pod in pods)
    return Standing(healthy=healthy, desired=desired, allowed=max(0, healthy - desired))


def protected_total(budget: Object) -> int | None:
    """Of how many pods a PodUnavailableBudget says itself that it is; None when it does not.

    Source: openkruise/kruise apis/policy/v1alpha1/podunavailablebudget_conversion.go.
    """
    total: int | None = budget["spec"].get("protectTotalReplicas")
    if total is not None:
        return total
    told = (budget.get("metadata") or {}).get("annotations") or {}
    text: str = told.get(PROTECT_TOTAL, "")
    return int(text) if text.isdecimal() else None


def _protected_operations(budget: Object) -> Collection[str]:
    """What a PodUnavailableBudget protects from; by default from everything."""
    told = (budget.get("metadata") or {}).get("annotations") or {}
    noted = told.get(PROTECT_OPERATIONS, "").split(",")
    operations: Collection[str] = budget["spec"].get("protectOperations") or [
        each.strip() for each in noted if each.strip()
    ]
    return operations or ("DELETE", "UPDATE", "EVICT")


def is_pub_available(pod: Object) -> bool:
    """Active, Running and Ready, its updates complete, not marked unavailable."""
    return (
        is_active(pod)
        and phase_of(pod) == "Running"
        and is_ready(pod)
        and is_complete(pod)
        and updates_complete(pod)
        and not any(label.startswith(UNAVAILABLE_PREFIX) for label in labels_of(pod))
    )


def protect(
    pod: Object,
    budget: Object | None,
    standing: Standing,
    operation: Operation,
    reserved: Collection[str] = (),
) -> Verdict:
    """Decide about an operation on a pod under a PodUnavailableBudget.

    Args:
        pod: the pod.
        budget: its PodUnavailableBudget, if it has one.
        standing: how the budget stands.
        operation: what is about to happen; updates are protected only with the gate
            PodUnavailableBudgetUpdateGate, so callers without it do not ask about them.
        reserved: names of pods let go a moment ago.

    Source: pkg/control/pubcontrol/pub_control_utils.go, PodUnavailableBudgetValidatePod.
    """
    if budget is None or annotations_of(pod).get(NO_PROTECT) == "true":
        return "free"
    spec = budget["spec"]
    ignored = spec.get("ignoredPodSelector")
    is_free = (
        not is_pub_available(pod)
        or (ignored is not None and selects(ignored, labels_of(pod)))
        or standing.desired == 0
        or operation not in _protected_operations(budget)
        or name_of(pod) in reserved
    )
    if is_free:
        return "free"
    return "allowed" if standing.allowed > 0 else "refused"
