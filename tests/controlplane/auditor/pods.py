"""What a pod is, as the API server tells it."""

from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]


def serves(pod: Object) -> bool:
    """Ready, and not on its way out."""
    conditions = pod.get("status", {}).get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


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
