"""Pod templates compared: what differs, and whether that can be changed without a new pod."""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]

_IMAGE_PATH_LENGTH = 4
_ADDED = frozenset(("$patch", "creationTimestamp", "pod-template-hash"))
_DEEP = frozenset((dict, list))
"""What JSON is read into that holds other values."""


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON is whatever it is
    """A template without what controllers add to it for themselves; itself where there is nothing.

    Revisions carry `$patch` and nulls, ReplicaSets a label with their own hash.
    """
    if isinstance(value, dict):
        found = value
        for key, item in value.items():
            is_added = item is None or key in _ADDED
            own = plain(item) if item.__class__ in _DEEP and not is_added else item
            if is_added or own is not item:
                found = dict(value) if found is value else found
                found[key] = own
                if is_added:
                    del found[key]
        return found
    if isinstance(value, list):
        items = [plain(item) if item.__class__ in _DEEP else item for item in value]
        return value if all(map(is_, items, value)) else items
    return value


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401
    """Paths at which two JSON values differ; lists are compared by index, as JSON patches do."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key in old and key in new:
                yield from differences(old[key], new[key], (*path, key))
            else:
                yield (*path, key)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index < min(len(old), len(new)):
                yield from differences(old[index], new[index], (*path, index))
            else:
                yield (*path, index)
    else:
        yield path


def in_place(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether OpenKruise takes a pod from one template to another, plain one without a new pod.

    Only images of ordinary containers, by index, and metadata may differ
    (inplace_update_defaults.go, defaultCalculateInPlaceUpdateSpec).
    """
    return all(_harmless(path) for path in differences(plain(old), new))


def _harmless(path: Path) -> bool:
    if path[:1] == ("metadata",):
        return True
    return (
        len(path) == _IMAGE_PATH_LENGTH
        and path[:2] == ("spec", "containers")
        and path[3] == "image"
    )


def overlay(observed: Any, desired: Any) -> Any:  # noqa: ANN401 - JSON is whatever it is
    """What the API server would hold after `desired` was applied over `observed`.

    What the manifest leaves out keeps its observed value, since the API server fills in defaults
    that no manifest spells out; but of a list of named things (containers, volumes, env) those
    that the manifest leaves out are gone.
    """
    if isinstance(observed, dict) and isinstance(desired, dict):
        merged = dict(observed)
        for key, item in desired.items():
            merged[key] = overlay(observed[key], item) if key in observed else item
        return merged
    if isinstance(observed, list) and isinstance(desired, list):
        return _overlay_list(observed, desired)
    return desired


def _overlay_list(observed: list[Any], desired: list[Any]) -> list[Any]:
    if all(isinstance(item, dict) and "name" in item for item in (*observed, *desired)):
        by_name = {item["name"]: item for item in observed}
        return [overlay(by_name.get(item["name"], {}), item) for item in desired]
    if len(observed) == len(desired):
        return [overlay(*pair) for pair in zip(observed, desired, strict=True)]
    return desired
