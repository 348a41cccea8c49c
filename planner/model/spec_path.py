"""Where something is in the spec of a request: `budgets.fleet.maxUnavailable`.

Steps are the keys of the request; an item of a list is named as people know it (a budget or stage
by its name, a dependency by the workload that waits) or by its index. Names may hold dots.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

Json = Any
Difference = tuple[str, Json, Json]

_ABSENT: Final = object()


def item_name(item: Json) -> str | None:
    """Give the name by which people know an item of a list; None when it has none."""
    if not isinstance(item, Mapping):
        return None
    named = item.get("name") or item.get("from") or item.get("sidecarSet")
    if named is None and isinstance(item.get("workload"), Mapping):
        ref = item["workload"]
        parts = (ref.get(key) for key in ("cluster", "namespace", "kind", "name"))
        named = "/".join(part for part in parts if part)
    container = item.get("container")
    return f"{named}/{container}" if named and container else named


def item_names(items: Sequence[Json]) -> list[str]:
    """Name every item of a list; those without a name of their own have their index."""
    names = [item_name(item) for item in items]
    times = Counter(names)
    return [
        name if name is not None and times[name] == 1 else str(index)
        for index, name in enumerate(names)
    ]


def differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[Difference]:
    """Tell where two specs differ: the path, and what each has there (None: nothing).

    Lists whose items have names are compared item by item, whatever their order; in others it
    counts.
    """
    return list(_differences("", before, after))


def _differences(path: str, before: Json, after: Json) -> Iterator[Difference]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            here = f"{path}.{key}" if path else key
            yield from _of_pair(here, before.get(key, _ABSENT), after.get(key, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        one, other = _named(before), _named(after)
        if one is not None and other is not None:
            yield from _differences(path, one, other)
            return
        for index, pair in enumerate(zip_longest(before, after, fillvalue=_ABSENT)):
            yield from _of_pair(f"{path}.{index}", *pair)
    else:
        yield path, before, after


def _of_pair(path: str, before: Json, after: Json) -> Iterator[Difference]:
    # A list that is not there is one without items.
    if before is _ABSENT and isinstance(after, list):
        before = []
    if after is _ABSENT and isinstance(before, list):
        after = []
    if before is _ABSENT or after is _ABSENT:
        yield path, None if before is _ABSENT else before, None if after is _ABSENT else after
        return
    yield from _differences(path, before, after)


def _named(items: list[Json]) -> dict[str, Json] | None:
    """The items by their names; None when one has none, or two have the same."""
    named = {name: item for item in items if (name := item_name(item)) is not None}
    return named if len(named) == len(items) else None
