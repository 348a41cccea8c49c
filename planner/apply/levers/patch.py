"""The difference of two objects as a JSON patch (RFC 6902), for the object as it was read alone."""

from collections.abc import Iterator, Mapping
from typing import Any

from planner.apply.levers.held import Object

Operation = Mapping[str, Any]


def guarded(before: Object, after: Object) -> list[Operation]:
    """Give the operations from one to the other; none when they are the same.

    Every write tests the uid and the resourceVersion, so that it changes what was read or nothing.
    """
    operations = list(_difference("", before, after))
    if not operations:
        return []
    metadata = before["metadata"]
    tests = [
        {"op": "test", "path": f"/metadata/{key}", "value": metadata[key]}
        for key in ("uid", "resourceVersion")
    ]
    return [*tests, *operations]


def _difference(path: str, before: Any, after: Any) -> Iterator[Operation]:  # noqa: ANN401 -- JSON
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in before.keys() - after.keys():
            yield {"op": "remove", "path": f"{path}/{_escaped(key)}"}
        for key in sorted(after.keys() - before.keys()):
            yield {"op": "add", "path": f"{path}/{_escaped(key)}", "value": after[key]}
        for key in sorted(before.keys() & after.keys()):
            yield from _difference(f"{path}/{_escaped(key)}", before[key], after[key])
        return
    lists = isinstance(before, list) and isinstance(after, list)
    if lists and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _difference(f"{path}/{index}", one, other)
        return
    yield {"op": "replace", "path": path, "value": after}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
