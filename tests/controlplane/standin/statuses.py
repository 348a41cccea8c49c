"""What the controllers write into the status of their objects."""

from collections.abc import Iterable, Sequence
from typing import Any

from planner.simulate.rules.actions import Revisions
from planner.simulate.rules.advancedstatefulset import wanted_ordinals
from planner.simulate.rules.budgets import unavailable_standing
from planner.simulate.rules.cloneset import is_serving, read_strategy
from planner.simulate.rules.pods import (
    Object,
    in_place_done,
    is_active,
    is_leaving,
    is_ready,
    is_ready_for,
    name_of,
    node_of,
    phase_of,
    revision_of,
)
from planner.simulate.rules.sidecarset import is_updated, matched
from tests.controlplane.standin.revisions import safe_hash

Status = dict[str, Any]


def clone_set_status(
    clone_set: Object, pods: Iterable[Object], revisions: Revisions, now: float
) -> Status:
    """cloneset_status.go, calculateStatus: where it comes from moves on when all are updated."""
    strategy = read_strategy(clone_set)
    active = [pod for pod in pods if is_active(pod)]
    new = [pod for pod in active if revision_of(pod) == revisions.update]
    available = [pod for pod in active if is_serving(pod, strategy.min_ready_s, now)]
    current = revisions.update if len(new) == len(active) else revisions.current
    return {
        **_common(clone_set, active, new, revisions, current),
        "availableReplicas": len(available),
        "updatedAvailableReplicas": sum(pod in available for pod in new),
        "expectedUpdatedReplicas": strategy.replicas - strategy.partition,
    }


def stateful_set_status(
    stateful_set: Object, pods: Iterable[Object], revisions: Revisions, now: float
) -> Status:
    """stateful_set_utils.go, completeRollingUpdate: as above, when all are Ready, too."""
    rolling = (stateful_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    pods = list(pods)
    living = [pod for pod in pods if not is_leaving(pod)]
    new = [pod for pod in living if revision_of(pod) == revisions.update]
    ready = [pod for pod in living if _is_update_ready(pod)]
    done = len(new) == len(ready) == len(pods) == len(wanted_ordinals(stateful_set))
    current = revisions.update if done else revisions.current
    available = [
        pod for pod in ready if is_ready_for(pod, rolling.get("minReadySeconds") or 0, now)
    ]
    return {
        **_common(stateful_set, pods, new, revisions, current),
        "availableReplicas": len(available),
        "updatedAvailableReplicas": sum(pod in available for pod in new),
        "currentReplicas": sum(revision_of(pod) == current for pod in living),
    }


def _common(
    workload: Object, pods: Sequence[Object], new: Sequence[Object], revisions: Revisions,
    current: str,
) -> Status:  # fmt: skip
    name = name_of(workload)
    return {
        "observedGeneration": workload["metadata"]["generation"],
        "replicas": len(pods),
        "readyReplicas": sum(map(_is_update_ready, pods)),
        "updatedReplicas": len(new),
        "updatedReadyReplicas": sum(map(_is_update_ready, new)),
        "currentRevision": f"{name}-{current}",
        "updateRevision": f"{name}-{revisions.update}",
        "labelSelector": selector_text(workload["spec"].get("selector")),
        "collisionCount": 0,
    }


def _is_update_ready(pod: Object) -> bool:
    return (
        not is_leaving(pod) and phase_of(pod) == "Running" and is_ready(pod) and in_place_done(pod)
    )


def daemon_set_status(
    daemon_set: Object,
    pods: Iterable[Object],
    nodes: Iterable[Object],
    revisions: Revisions,
    now: float,
) -> Status:
    """daemonset_controller.go, updateDaemonSetStatus."""
    wanted = {name_of(node) for node in nodes}
    min_ready_s = daemon_set["spec"].get("minReadySeconds") or 0
    there = [pod for pod in pods if node_of(pod) in wanted and not is_leaving(pod)]
    available = sum(is_ready_for(pod, min_ready_s, now) for pod in there)
    return {
        "observedGeneration": daemon_set["metadata"]["generation"],
        "desiredNumberScheduled": len(wanted),
        "currentNumberScheduled": len({node_of(pod) for pod in there}),
        "numberReady": sum(map(is_ready, there)),
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
        "numberMisscheduled": 0,
        "updatedNumberScheduled": sum(revision_of(pod) == revisions.update for pod in there),
        "daemonSetHash": revisions.update,
    }


def sidecar_set_status(sidecar_set: Object, pods: Iterable[Object]) -> Status:
    """sidecarset_processor.go, calculateStatus."""
    its = matched(sidecar_set, pods)
    updated = [pod for pod in its if is_updated(sidecar_set, pod)]
    spec = {"containers": sidecar_set["spec"].get("containers")}
    return {
        "observedGeneration": sidecar_set["metadata"]["generation"],
        "matchedPods": len(its),
        "updatedPods": len(updated),
        "readyPods": sum(map(is_ready, its)),
        "updatedReadyPods": sum(map(is_ready, updated)),
        "latestRevision": f"{name_of(sidecar_set)}-{safe_hash(spec)}",
        "collisionCount": 0,
    }


def unavailable_budget_status(budget: Object, pods: Sequence[Object], total: int) -> Status:
    """podunavailablebudget_controller.go, updatePubStatus."""
    standing = unavailable_standing(budget, pods, total)
    return {
        "observedGeneration": budget["metadata"]["generation"],
        "totalReplicas": total,
        "desiredAvailable": standing.desired,
        "currentAvailable": standing.healthy,
        "unavailableAllowed": standing.allowed,
    }


def selector_text(selector: Object | None) -> str:
    """A selector as `/scale` tells it."""
    selector = selector or {}
    equal = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    return ",".join([*sorted(equal), *map(_expression, selector.get("matchExpressions") or ())])


def _expression(each: Object) -> str:
    key: str = each["key"]
    values = ",".join(each.get("values") or ())
    texts = {
        "In": f"{key} in ({values})",
        "NotIn": f"{key} notin ({values})",
        "Exists": key,
        "DoesNotExist": f"!{key}",
    }
    return texts[each["operator"]]
