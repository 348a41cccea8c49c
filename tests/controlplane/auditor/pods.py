"""What a pod is, as the API server tells it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Object = Mapping[str, Any]
Key = tuple[str, str]
"""Cluster and uid of a pod."""


def serves(pod: Object) -> bool:
    """Ready, and not on its way out."""
    return _ready(pod) is not None and "deletionTimestamp" not in pod["metadata"]


def serves_for(pod: Object, least_s: int, now: float) -> bool:
    """Serves, and has been Ready for so many seconds; at once when that is none."""
    ready = _ready(pod)
    if ready is None or "deletionTimestamp" in pod["metadata"]:
        return False
    since = ready.get("lastTransitionTime", "") if least_s else ""
    return not since or datetime.fromisoformat(since).timestamp() + least_s <= now


def fell_between(before: Object, after: Object) -> bool:
    """Whether a pod that serves as it did became Ready once more in between."""
    first, second = _ready(before), _ready(after)
    if first is None or second is None:
        return False
    return first.get("lastTransitionTime") != second.get("lastTransitionTime")


def _ready(pod: Object) -> Object | None:
    """Its condition Ready, when that is true."""
    conditions = pod.get("status", {}).get("conditions") or ()
    ready = (each for each in conditions if (each["type"], each["status"]) == ("Ready", "True"))
    return next(ready, None)


def is_over(pod: Object) -> bool:
    """Ended by itself."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def labels_of(thing: Object) -> Mapping[str, str]:
    """Its labels."""
    return thing["metadata"].get("labels") or {}


def images_of(pod: Object) -> dict[str, str]:
    """Image by container."""
    return {each["name"]: each["image"] for each in pod["spec"]["containers"]}


def owner_of(pod: Object) -> str:
    """Uid of its controller."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((each["uid"] for each in owners if each.get("controller")), "")


def matches(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects these labels; none selects nothing, an empty one all."""
    if selector is None:
        return False
    exact = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in exact.items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(term: Object, labels: Mapping[str, str]) -> bool:
    key, values = term["key"], term.get("values") or ()
    match term["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
    return key not in labels


def name_of(cluster: str, pod: Object) -> str:
    """Cluster, namespace and name of a pod."""
    return f"{cluster}/{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def injected_into(pod: Object) -> list[str]:
    """The SidecarSets that put containers into a pod."""
    annotations = pod["metadata"].get("annotations") or {}
    names: str = annotations.get("kruise.io/sidecarset-injected-list", "")
    return names.split(",")
