"""What the controllers read in a pod. Pods are objects as the API writes them, never changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

Object = Mapping[str, Any]
"""An API object: what JSON says, to be read only."""

REVISION_LABEL: Final = "controller-revision-hash"
TEMPLATE_HASH_LABEL: Final = "pod-template-hash"
LIFECYCLE_LABEL: Final = "lifecycle.apps.kruise.io/state"
SPECIFIED_DELETE_LABEL: Final = "apps.kruise.io/specified-delete"
DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
MIRROR: Final = "kubernetes.io/config.mirror"
IN_PLACE_READY: Final = "InPlaceUpdateReady"
IN_PLACE_STATE: Final = "apps.kruise.io/inplace-update-state"
IN_PLACE_GRACE: Final = "apps.kruise.io/inplace-update-grace"

_ENDED: Final = ("Succeeded", "Failed")


def name_of(thing: Object) -> str:
    """The name of an object."""
    name: str = thing["metadata"]["name"]
    return name


def labels_of(thing: Object) -> Mapping[str, str]:
    """The labels of an object."""
    labels: Mapping[str, str] = thing["metadata"].get("labels") or {}
    return labels


def annotations_of(thing: Object) -> Mapping[str, str]:
    """The annotations of an object."""
    annotations: Mapping[str, str] = thing["metadata"].get("annotations") or {}
    return annotations


def is_leaving(pod: Object) -> bool:
    """Whether its deletion has begun."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_active(pod: Object) -> bool:
    """Neither ended by itself nor being deleted (kubernetes pkg/controller, IsPodActive)."""
    return phase_of(pod) not in _ENDED and not is_leaving(pod)


def phase_of(pod: Object) -> str:
    """The phase; Unknown when nothing was written yet."""
    phase: str = pod["status"].get("phase") or "Unknown"
    return phase


def condition(pod: Object, kind: str) -> Object | None:
    """A condition of the status, or None."""
    conditions: Iterable[Object] = pod["status"].get("conditions") or ()
    return next((each for each in conditions if each["type"] == kind), None)


def is_true(pod: Object, kind: str) -> bool:
    """Whether a condition is there and True."""
    found = condition(pod, kind)
    return found is not None and found["status"] == "True"


def is_ready(pod: Object) -> bool:
    """Whether the condition Ready is True."""
    return is_true(pod, "Ready")


def ready_since(pod: Object) -> int:
    """Since when the condition Ready is what it is, in seconds since the epoch; else 0."""
    found = condition(pod, "Ready")
    return seconds(found.get("lastTransitionTime") or "") if found else 0


def is_ready_for(pod: Object, min_seconds: int, now: float) -> bool:
    """Ready for at least `min_seconds` (kubernetes pkg/api/v1/pod, IsPodAvailable)."""
    return is_ready(pod) and (min_seconds == 0 or ready_since(pod) + min_seconds <= now)


def in_place_done(pod: Object) -> bool:
    """The gate of in-place updates is absent or True."""
    gate = condition(pod, IN_PLACE_READY)
    return gate is None or gate["status"] == "True"


def lifecycle_state(pod: Object) -> str:
    """The state of OpenKruise's lifecycle, empty when there is none."""
    return labels_of(pod).get(LIFECYCLE_LABEL, "")


def is_specified_delete(pod: Object) -> bool:
    """Whether somebody asked by a label that this pod be the one to go."""
    return labels_of(pod).get(SPECIFIED_DELETE_LABEL) == "true"


def revision_of(pod: Object) -> str:
    """The hash of its revision: the text after the last dash (revision.go, IsPodUpdate)."""
    labels = labels_of(pod)
    revision = labels.get(REVISION_LABEL) or labels.get(TEMPLATE_HASH_LABEL) or ""
    return revision.rpartition("-")[2]


def ordinal_of(pod: Object) -> int:
    """The number in the name of a StatefulSet's pod."""
    return int(name_of(pod).rpartition("-")[2])


def node_of(pod: Object) -> str:
    """Its node, empty while it has none."""
    node: str = pod["spec"].get("nodeName") or ""
    return node


def images_of(pod: Object) -> dict[str, str]:
    """Image in the spec by name of ordinary container."""
    return {each["name"]: each["image"] for each in pod["spec"]["containers"]}


def container_statuses(pod: Object) -> Mapping[str, Object]:
    """Status by name of ordinary container."""
    statuses: Iterable[Object] = pod["status"].get("containerStatuses") or ()
    return {each["name"]: each for each in statuses}


def restarts_of(pod: Object) -> int:
    """Most restarts of one of its containers."""
    statuses = pod["status"].get("containerStatuses") or ()
    return max((each.get("restartCount") or 0 for each in statuses), default=0)


def created(pod: Object) -> int:
    """When it was created, in seconds since the epoch."""
    return seconds(pod["metadata"].get("creationTimestamp") or "")


@cache
def seconds(time: str) -> int:
    """A time as the API writes it, in seconds since the epoch; 0 for none."""
    return int(datetime.fromisoformat(time).timestamp()) if time else 0
