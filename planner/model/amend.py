"""A request with changes, each at a path into its spec (see `planner.model.spec_path`)."""

import difflib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from planner.errors import InputError, RequestError
from planner.model.documents import read_documents
from planner.model.request import Spec, UpgradeRequest, load_request
from planner.model.spec_path import item_name, item_names
from planner.model.strict import nearest, struct_and_item, types_by_key
from planner.model.suppose import is_budget_of_clusters

Json = Any
_ABSENT: Final = object()
_MANIFESTS: Final = "target.manifests"
_NAMES_SHOWN: Final = 8


def amended(
    request: dict[str, Json], sets: Sequence[tuple[str, Json]], unsets: Sequence[str] = ()
) -> UpgradeRequest:
    """Give a request with what `unsets` name taken out, then with the values of `sets`.

    Args:
        request: its canonical JSON, decoded; stays as it is.
        sets: paths and values. A mapping at the unknown name of an item is a new item.
        unsets: paths; something has to be there.

    Raises:
        RequestError: a path that leads nowhere (with the nearest known key), or a request that is
            none with these changes.
    """
    tree = msgspec.json.decode(msgspec.json.encode(request))
    for path in unsets:
        _Walk("--unset", path).go(tree["spec"], Spec, path, _ABSENT)
    for path, value in sets:
        _Walk("--set", path).go(tree["spec"], Spec, path, value)
    try:
        return load_request(msgspec.json.encode(tree), "the request", _no_files)
    except RequestError as error:
        # Of text that nobody wrote the line says nothing.
        message = f"{error.message} (with what is set and unset)"
        raise RequestError("", error.path, message) from error


def read_assignment(text: str) -> tuple[str, Json]:
    """Read `PATH=VALUE`, whose value is YAML; of a budget of the clusters it stays text.

    Raises:
        RequestError: it is not of that shape, or the value is no YAML.
    """
    path, sign, written = text.partition("=")
    if not sign or not path or not written.strip():
        raise RequestError(f"--set {text}", "", "write PATH=VALUE, or --unset PATH to take it out")
    if is_budget_of_clusters(path):
        return path, written.strip()  # +1 is one more, which YAML would read as 1
    try:
        documents = list(read_documents(written.encode(), f"--set {path}", lines_depth=0))
    except InputError as error:
        raise RequestError(f"--set {path}", "", error.message) from error
    value = documents[0].value if len(documents) == 1 else None
    if value is None:
        raise RequestError(f"--set {path}", "", "write one value, or --unset PATH to take it out")
    return path, value


class _Walk:
    """Follows one path through a spec and changes what is at its end."""

    def __init__(self, option: str, path: str) -> None:
        self._option = option
        self._path = path
        if f"{path}.".startswith(f"{_MANIFESTS}."):
            raise self._trouble("manifests are not kept as they were written; write a request")

    def go(self, tree: Json, wanted: Json, rest: str, value: Json) -> None:
        """Put `value` at the end of the path; where it is absent take out what is there.

        Args:
            tree: what the request has here.
            wanted: the type of that.
            rest: the path from here.
            value: of any JSON.
        """
        struct, item = struct_and_item(wanted)
        if struct is not None and isinstance(tree, dict):
            key, _, deeper = rest.partition(".")
            types = types_by_key(struct)
            if key not in types:
                raise self._trouble(f"{key or 'nothing'}: {nearest(key, list(types))}")
            self._step(tree, key, types[key], deeper, value)
        elif item is not None and isinstance(tree, list):
            index, deeper = self._find(tree, rest)
            if index is None and value is not _ABSENT and isinstance(value, dict):
                # Names of items that people have are one step, whatever is in them.
                tree.append({"name": rest, **value} if _has_name(item) else value)
            elif index is None:
                raise self._trouble(_no_item(rest, tree))
            else:
                self._step(tree, index, item, deeper, value)
        elif isinstance(tree, dict):
            self._step(tree, rest, None, "", value)
        else:
            raise self._trouble(f"there is only a value before {rest}; end the path there")

    def _step(self, tree: Json, key: str | int, wanted: Json, rest: str, value: Json) -> None:
        """Go on at a key of a mapping or list, or change it when the path ends there."""
        there = tree[key] if isinstance(key, int) else tree.get(key, _ABSENT)
        if not rest and value is not _ABSENT:
            tree[key] = value
        elif there is _ABSENT and value is _ABSENT:
            raise self._trouble("nothing is set there")
        elif not rest:
            del tree[key]
        else:
            if there is _ABSENT:
                struct, item = struct_and_item(wanted)
                there = tree[key] = [] if item is not None and struct is None else {}
            self.go(there, wanted, rest, value)

    def _find(self, items: list[Json], rest: str) -> tuple[int | None, str]:
        """Which item the path goes on with, and the path from there; names may hold dots."""
        known = [(name, at) for at, name in enumerate(item_names(items))]
        known += [(str(at), at) for at in range(len(items))]
        found = [(name, at) for name, at in known if f"{rest}.".startswith(f"{name}.")]
        if not found:
            twice = [str(at) for at, each in enumerate(items) if item_name(each) == rest]
            if twice:
                raise self._trouble(
                    f"several items are called so; give an index: {', '.join(twice)}"
                )
            return None, ""
        name, index = max(found, key=lambda pair: len(pair[0]))
        return index, rest[len(name) + 1 :]

    def _trouble(self, message: str) -> RequestError:
        return RequestError(f"{self._option} {self._path}", "", message)


def _has_name(item: Json) -> bool:
    struct, _ = struct_and_item(item)
    return struct is not None and "name" in types_by_key(struct)


def _no_item(rest: str, items: list[Json]) -> str:
    names = item_names(items)
    if not names:
        return f"the request has no item {rest}, nor any other here; give a mapping to add one"
    asked = rest.partition(".")[0]
    (near,) = difflib.get_close_matches(asked, names, n=1, cutoff=0.0)
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    known = ", ".join(names[:_NAMES_SHOWN]) + more
    return f"there is no item {asked}; did you mean {near}? Known: {known}"


def _no_files(_pattern: str) -> tuple[tuple[str, bytes], ...]:
    """A plan's request has every manifest in it."""
    return ()
