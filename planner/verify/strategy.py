"""What each kind of workload lets its pods suffer while they are updated.

One function a kind; rounding, defaults and fences follow the controllers themselves and not the
comments of their APIs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from planner.verify.numbers import ceil_of, floor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_STATEFUL_SET_MAX_UNAVAILABLE_SINCE = 35
"""Minor version of Kubernetes from which the gate MaxUnavailableStatefulSet is on (KEP-961)."""


class Strategy(Struct, frozen=True, kw_only=True):
    """A workload's update strategy with every percentage resolved."""

    max_unavailable: int
    max_surge: int = 0
    surges: bool = False
    """Whether every old pod is replaced by a new one that is ready first."""
    partition: int = 0
    """Pods that stay old; what that means is in `partition_by`."""
    partition_by: Literal["count", "index"] = "count"
    """`index`: pods whose ordinal index is below stay. `count`: at least so many stay."""
    paused: bool = False
    on_delete: bool = False
    pod_policy: Literal["ReCreate", "InPlaceIfPossible", "InPlaceOnly"] = "ReCreate"
    in_place_needs_gate: bool = False
    """Whether only pods that declare the readiness gate `InPlaceUpdateReady` go in place."""
    min_ready_s: int = 0
    ordered: bool = False
    """Whether pods go from the highest ordinal down, without exception."""
    first_ordinal: int = 0
    reserved_ordinals: frozenset[int] = frozenset()
    priority: Mapping[str, Any] | None = None
    scatter: bool = False


def strategy_of(kind: str, document: Mapping[str, Any], replicas: int, minor: int) -> Strategy:
    """The strategy in a workload's document.

    Args:
        kind: as plans write it, `AdvancedStatefulSet` for OpenKruise's own.
        document: the observed object.
        replicas: pods that the workload wants.
        minor: minor version of the cluster's Kubernetes, 0 when it was not observed.
    """
    if kind == "CloneSet":
        return _clone_set(document, replicas)
    return _BY_KIND[kind](document["spec"], replicas, minor)


def _deployment(spec: Mapping[str, Any], replicas: int, _minor: int) -> Strategy:
    strategy = spec.get("strategy") or {}
    paused, min_ready_s = bool(spec.get("paused")), spec.get("minReadySeconds") or 0
    if strategy.get("type") == "Recreate":
        return Strategy(max_unavailable=replicas, paused=paused, min_ready_s=min_ready_s)
    rolling = strategy.get("rollingUpdate") or {}
    surge = ceil_of(rolling.get("maxSurge", "25%"), replicas)
    unavailable = floor_of(rolling.get("maxUnavailable", "25%"), replicas)
    if surge == 0 and unavailable == 0:
        # Else nothing could ever move (deployment_util.go, ResolveFenceposts).
        unavailable = 1
    unavailable = min(unavailable, replicas)
    return Strategy(
        max_unavailable=unavailable,
        max_surge=surge,
        surges=unavailable == 0,
        paused=paused,
        min_ready_s=min_ready_s,
    )


def _stateful_set(spec: Mapping[str, Any], replicas: int, minor: int) -> Strategy:
    update = spec.get("updateStrategy") or {}
    rolling = update.get("rollingUpdate") or {}
    unavailable = 1
    if minor >= _STATEFUL_SET_MAX_UNAVAILABLE_SINCE:
        # Floor although the API comment says up (stateful_set_utils.go).
        unavailable = max(1, floor_of(_or_default(rolling, "maxUnavailable", 1), replicas))
    on_delete = update.get("type") == "OnDelete"
    return Strategy(
        max_unavailable=unavailable,
        partition=0 if on_delete else rolling.get("partition") or 0,
        partition_by="index",
        on_delete=on_delete,
        min_ready_s=spec.get("minReadySeconds") or 0,
        ordered=True,
        first_ordinal=(spec.get("ordinals") or {}).get("start") or 0,
    )


def _daemon_set(spec: Mapping[str, Any], nodes: int, _minor: int) -> Strategy:
    update = spec.get("updateStrategy") or {}
    rolling = update.get("rollingUpdate") or {}
    unavailable = _daemon_max_unavailable(rolling, nodes)
    return Strategy(
        max_unavailable=unavailable,
        max_surge=ceil_of(_or_default(rolling, "maxSurge", 0), nodes),
        surges=unavailable == 0,
        on_delete=update.get("type") == "OnDelete",
        min_ready_s=spec.get("minReadySeconds") or 0,
    )


def _daemon_max_unavailable(rolling: Mapping[str, Any], nodes: int) -> int:
    unavailable = ceil_of(_or_default(rolling, "maxUnavailable", 1), nodes)
    surge = ceil_of(_or_default(rolling, "maxSurge", 0), nodes)
    return 1 if unavailable == 0 and surge == 0 else unavailable


def _clone_set(document: Mapping[str, Any], replicas: int) -> Strategy:
    spec = document["spec"]
    update = spec.get("updateStrategy") or {}
    nested = update.get("rollingUpdate")
    # v1beta1 nests what v1alpha1 keeps flat, and `type` names the pod policy in v1alpha1 only.
    version = document.get("apiVersion")
    if version is None:
        flat = nested is None and update.get("type") != "RollingUpdate"
    else:
        flat = version.endswith("/v1alpha1")
    rolling = update if flat else nested or {}
    policy = rolling.get("type") if flat else rolling.get("podUpdatePolicy")
    paused = bool(rolling.get("paused"))
    surge = 0 if paused else ceil_of(_or_default(rolling, "maxSurge", 0), replicas)
    # Rounded up only while nothing surges, and never without `rollingUpdate` in v1beta1
    # (cloneset_sync_utils.go, calculateDiffsWithExpectation).
    rounding = floor_of if surge or (not flat and nested is None) else ceil_of
    unavailable = rounding(_or_default(rolling, "maxUnavailable", "20%"), replicas)
    return Strategy(
        max_unavailable=unavailable,
        max_surge=surge,
        surges=unavailable == 0 and surge > 0,
        partition=partition_of(_or_default(rolling, "partition", 0), replicas),
        paused=paused,
        on_delete=update.get("type") == "OnDelete",
        pod_policy=policy or "ReCreate",
        min_ready_s=spec.get("minReadySeconds") or 0,
        priority=rolling.get("priorityStrategy"),
        scatter=bool(rolling.get("scatterStrategy")),
    )


def _advanced_stateful_set(spec: Mapping[str, Any], replicas: int, _minor: int) -> Strategy:
    update = spec.get("updateStrategy") or {}
    rolling = update.get("rollingUpdate") or {}
    unordered = rolling.get("unorderedUpdate")
    on_delete = update.get("type") == "OnDelete"
    return Strategy(
        max_unavailable=max(1, floor_of(_or_default(rolling, "maxUnavailable", 1), replicas)),
        partition=0 if on_delete else rolling.get("partition") or 0,
        partition_by="index" if unordered is None else "count",
        paused=bool(rolling.get("paused")),
        on_delete=on_delete,
        pod_policy=rolling.get("podUpdatePolicy") or "ReCreate",
        min_ready_s=rolling.get("minReadySeconds") or 0,
        ordered=unordered is None,
        first_ordinal=(spec.get("ordinals") or {}).get("start") or 0,
        reserved_ordinals=_ordinals(spec.get("reserveOrdinals") or ()),
        priority=(unordered or {}).get("priorityStrategy"),
    )


def _advanced_daemon_set(spec: Mapping[str, Any], nodes: int, _minor: int) -> Strategy:
    update = spec.get("updateStrategy") or {}
    rolling = update.get("rollingUpdate") or {}
    surge = ceil_of(_or_default(rolling, "maxSurge", 0), nodes)
    in_place = rolling.get("rollingUpdateType") == "InPlaceIfPossible" and surge == 0
    return Strategy(
        max_unavailable=_daemon_max_unavailable(rolling, nodes),
        partition=floor_of(_or_default(rolling, "partition", 0), nodes),
        paused=bool(rolling.get("paused")),
        on_delete=update.get("type") == "OnDelete",
        pod_policy="InPlaceIfPossible" if in_place else "ReCreate",
        in_place_needs_gate=True,
        min_ready_s=spec.get("minReadySeconds") or 0,
    )


def partition_of(partition: int | str, replicas: int) -> int:
    """Pods that stay old under a partition of a CloneSet or a SidecarSet.

    Rounded up, but a percentage below 100% never keeps every pod of several
    (openkruise/kruise:pkg/util/tools.go, CalculatePartitionReplicas).
    """
    kept = min(max(ceil_of(partition, replicas), 0), replicas)
    if isinstance(partition, str) and partition != "100%" and kept == replicas > 1:
        return replicas - 1
    return kept


def _or_default(rolling: Mapping[str, Any], field: str, default: int | str) -> int | str:
    value: int | str | None = rolling.get(field)
    return default if value is None else value


def _ordinals(reserved: list[int | str] | tuple[()]) -> frozenset[int]:
    ordinals: set[int] = set()
    for each in reserved:
        first, _, last = str(each).partition("-")
        ordinals.update(range(int(first), int(last or first) + 1))
    return frozenset(ordinals)


_BY_KIND: Mapping[str, Callable[[Mapping[str, Any], int, int], Strategy]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "AdvancedStatefulSet": _advanced_stateful_set,
    "AdvancedDaemonSet": _advanced_daemon_set,
}
