"""What a workload's owner lets its pods suffer: read off the object as the owner wrote it."""

import json
import math
from collections.abc import Callable
from typing import Any, Final

from tests.controlplane.auditor.pods import Object

HELD: Final = "fleet-upgrade-planner/held"
"""Annotation: what a run put aside of the spec while it holds the object, null for nothing."""


def resolved(amount: int | str, total: int, round_: Callable[[float], int]) -> int:
    """An amount, or a percentage of a total."""
    if isinstance(amount, str):
        return round_(int(amount.removesuffix("%")) * total / 100)
    return amount


def spec_of(thing: Object) -> dict[str, Any]:
    """The spec as its owner wrote it, whoever holds the object now; of a CloneSet as of v1beta1."""
    held = (thing["metadata"].get("annotations") or {}).get(HELD, "{}")
    spec = {**thing["spec"], **json.loads(held)}
    if (thing.get("apiVersion"), thing.get("kind")) == ("apps.kruise.io/v1alpha1", "CloneSet"):
        spec["updateStrategy"] = _nested(spec.get("updateStrategy") or {})
    return {field: value for field, value in spec.items() if value is not None}


def _nested(update: Object) -> Object:
    """A CloneSet's strategy of v1alpha1, which is flat and whose `type` says how pods change."""
    if update.get("type") == "OnDelete":
        return {"type": "OnDelete"}
    return {"type": "RollingUpdate", "rollingUpdate": update}


def min_ready_s(kind: str, spec: Object) -> int:
    """For how long a pod has to be Ready before it counts, in seconds.

    An Advanced StatefulSet keeps it with its rolling update.
    """
    place = _rolling(spec) if kind == "advancedstatefulsets" else spec
    return int(place.get("minReadySeconds") or 0)


def max_unavailable(kind: str, spec: Object, total: int) -> int:
    """How many of so many pods may be down, by the rounding of the kind's controller."""
    if kind == "deployments":
        return _of_deployment(spec.get("strategy") or {}, total)
    rolling = _rolling(spec)
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return total
    match kind:
        case "statefulsets":
            return 1
        case "advancedstatefulsets":
            return max(1, resolved(rolling.get("maxUnavailable", 1), total, math.floor))
        case "clonesets":
            return _of_clone_set(spec, total)
    surge = resolved(rolling.get("maxSurge", 0), total, math.ceil)
    down = resolved(rolling.get("maxUnavailable", 1), total, math.ceil)
    return max(down, 1) if surge == 0 else down


def _rolling(spec: Object) -> Object:
    return (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}


def _of_deployment(strategy: Object, total: int) -> int:
    if strategy.get("type") == "Recreate":
        return total
    rolling = strategy.get("rollingUpdate") or {}
    surge = resolved(rolling.get("maxSurge", "25%"), total, math.ceil)
    down = resolved(rolling.get("maxUnavailable", "25%"), total, math.floor)
    return max(down, 1) if surge == 0 else down


def _of_clone_set(spec: Object, total: int) -> int:
    """Rounded up only where nothing surges; without a rolling update down, too."""
    rolling = _rolling(spec)
    surge = 0 if rolling.get("paused") else resolved(rolling.get("maxSurge", 0), total, math.ceil)
    is_up = surge == 0 and "rollingUpdate" in (spec.get("updateStrategy") or {})
    return resolved(rolling.get("maxUnavailable", "20%"), total, math.ceil if is_up else math.floor)
