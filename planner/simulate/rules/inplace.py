"""In-place updates: what qualifies, and when one is complete."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from planner.simulate.rules.pods import (
    IN_PLACE_GRACE,
    IN_PLACE_STATE,
    Object,
    annotations_of,
    container_statuses,
    images_of,
)

_IGNORED: Final = ("$patch", "creationTimestamp")
_IMAGE_DEPTH: Final = 4
# What the state of an update keeps for the batches to come.
_TO_COME: Final = ("nextContainerImages", "nextContainerRefMetadata", "nextContainerResources")


def images_in_place(old: Object | None, new: Object) -> Mapping[str, str] | None:
    """Images that take a pod from one template to another in place; None when it cannot be.

    Templates are compared as JSON patches do, containers by index: nothing but images of ordinary
    containers and metadata may differ. None also when the old template is not known.
    Source: openkruise/kruise pkg/util/inplaceupdate/inplace_update_defaults.go,
    defaultCalculateInPlaceUpdateSpec.
    """
    if old is None:
        return None
    images: dict[str, str] = {}
    for path in _differences(old, new, ()):
        if path[0] == "metadata":
            continue
        is_image = len(path) == _IMAGE_DEPTH and path[:2] == ("spec", "containers")
        if not is_image or path[3] != "image":
            return None
        container = new["spec"]["containers"][path[2]]
        images[container["name"]] = container["image"]
    return images


def same_template(old: Object, new: Object) -> bool:
    """Whether two templates say the same, whatever controllers added for themselves."""
    return not any(True for _ in _differences(old, new, ()))


def _differences(old: Any, new: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 -- any JSON
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new} - {*_IGNORED}):
            if old.get(key) is None and new.get(key) is None:
                continue
            if key in old and key in new:
                yield from _differences(old[key], new[key], (*path, key))
            else:
                yield (*path, key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (its_old, its_new) in enumerate(zip(old, new, strict=True)):
            yield from _differences(its_old, its_new, (*path, index))
    elif old != new:
        yield path


def state_of(pod: Object) -> Mapping[str, Any] | None:
    """What the last in-place update wrote down, or None when there was none."""
    text = annotations_of(pod).get(IN_PLACE_STATE)
    return _parsed(text) if text else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Mapping[str, Any]:
    state: Mapping[str, Any] = json.loads(text)
    return state


def in_grace(pod: Object) -> bool:
    """Whether the label is new and the images are still to come."""
    return bool(annotations_of(pod).get(IN_PLACE_GRACE))


def is_complete(pod: Object) -> bool:
    """Whether its last in-place update is complete; True when there was none.

    Source: openkruise/kruise pkg/util/inplaceupdate/inplace_update_defaults.go,
    DefaultCheckInPlaceUpdateCompleted.
    """
    state = state_of(pod)
    if in_grace(pod):
        return False
    if state is None:
        return True
    if any(state.get(key) for key in _TO_COME):
        return False
    before = state.get("lastContainerStatuses") or {}
    return all(_has_moved(pod, name, its) for name, its in before.items())


def _has_moved(pod: Object, name: str, before: Mapping[str, Any]) -> bool:
    wanted, status = images_of(pod).get(name), container_statuses(pod).get(name)
    if wanted is None or status is None:
        return wanted is None
    if status.get("imageID") != before.get("imageID"):
        return True
    tagged = wanted if ":" in wanted else f"{wanted}:latest"
    return tagged == status.get("image")
