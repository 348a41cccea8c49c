"""Turn plain values into frozen ones; what does not fit is named with its path and a remedy."""

import difflib
import functools
import re
from collections.abc import Mapping
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from planner.errors import RequestError
from planner.model.documents import Path

T = TypeVar("T", bound=msgspec.Struct)

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_MISSING: Final = re.compile(r"Object missing required field `(.+)`")


def shown(path: Path) -> str:
    """Write a path as people do: `spec.budgets[0].scope`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def trouble(source: str, lines: Mapping[Path, int], path: Path, message: str) -> RequestError:
    """Return an error about the value at `path`, with the line of it or of what it is in."""
    inner = range(len(path), -1, -1)
    line = next((lines[path[:size]] for size in inner if path[:size] in lines), None)
    return RequestError(source, shown(path), message, line)


def struct_from(raw: Any, wanted: type[T], source: str, lines: Mapping[Path, int]) -> T:  # noqa: ANN401 -- any JSON
    """Convert plain values.

    Raises:
        RequestError: a key is not known, one is missing, or a value is not of its type.
    """
    try:
        return msgspec.convert(raw, wanted)
    except msgspec.ValidationError as error:
        unknown = _unknown_key(raw, wanted, ())
        if unknown is not None:
            path, known = unknown
            message = nearest(str(path[-1]), known)
            raise trouble(source, lines, path, message) from error
        problem, _, at = str(error).partition(" - at `")
        path = _path_of(at, raw)
        message = _in_words(problem, _value_at(raw, path), _choices_at(wanted, path))
        raise trouble(source, lines, path, message) from error


def _path_of(at: str, raw: Any) -> Path:  # noqa: ANN401 -- any JSON
    """Read a path as msgspec writes it: `$.spec.budgets[0].selector.matchLabels[...]`."""
    path = tuple(name or int(index) for name, index in _STEP.findall(at.rstrip("`")))
    if not at.endswith("[...]`"):
        return path
    # Only labels are mappings with free keys, and only their values can be wrong.
    labels = _value_at(raw, path)
    return (*path, next(key for key, value in labels.items() if not isinstance(value, str)))


def nearest(key: str, known: list[str]) -> str:
    """Say that a key is not known, with the nearest one that is."""
    lower = {name.lower(): name for name in known}
    (near,) = difflib.get_close_matches(key.lower(), lower, n=1, cutoff=0.0)
    return f"unknown key; did you mean {lower[near]}? Known keys: {', '.join(sorted(known))}"


def _unknown_key(raw: Any, wanted: Any, path: Path) -> tuple[Path, list[str]] | None:  # noqa: ANN401
    """Find the first key that its struct does not have, with those that it has."""
    struct, item = struct_and_item(wanted)
    if isinstance(raw, list) and item is not None:
        found = (_unknown_key(each, item, (*path, i)) for i, each in enumerate(raw))
        return next((each for each in found if each), None)
    if not isinstance(raw, dict) or struct is None:
        return None
    types = types_by_key(struct)
    for key, value in raw.items():
        if key not in types:
            return (*path, key), list(types)
        deeper = _unknown_key(value, types[key], (*path, key))
        if deeper is not None:
            return deeper
    return None


@functools.cache
def types_by_key(struct: type[msgspec.Struct]) -> Mapping[str, Any]:
    """Give the type of each field by the key that it is written under."""
    hints = get_type_hints(struct, include_extras=True)
    return {field.encode_name: hints[field.name] for field in msgspec.structs.fields(struct)}


def struct_and_item(wanted: Any) -> tuple[type[msgspec.Struct] | None, Any]:  # noqa: ANN401
    """Return the struct that a type allows, and the type of its items if it allows a tuple."""
    origin = get_origin(wanted)
    if origin is Annotated:
        return struct_and_item(get_args(wanted)[0])
    if origin is tuple:
        return None, get_args(wanted)[0]
    if origin in {Union, UnionType}:
        parts = [struct_and_item(part) for part in get_args(wanted)]
        return next((part for part in parts if part != (None, None)), (None, None))
    is_struct = isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)
    return (wanted if is_struct else None), None


def _value_at(raw: Any, path: Path) -> Any:  # noqa: ANN401 -- any JSON
    for step in path:
        raw = raw[step]
    return raw


def _choices_at(wanted: Any, path: Path) -> list[str]:  # noqa: ANN401 -- any type
    """Return the texts that are allowed at `path`, if only some are."""
    for step in path:
        struct, item = struct_and_item(wanted)
        if isinstance(step, int):
            wanted = item
        elif struct is not None:
            wanted = types_by_key(struct)[str(step)]
    literals = [wanted, *get_args(wanted)]
    return [text for part in literals if get_origin(part) is Literal for text in get_args(part)]


def _in_words(problem: str, value: Any, choices: list[str]) -> str:  # noqa: ANN401 -- any JSON
    """Say a problem of msgspec's with the remedy that it cannot know."""
    written = msgspec.json.encode(value).decode()
    if choices:
        (near,) = difflib.get_close_matches(str(value), choices, n=1, cutoff=0.0)
        return f"{written} is not known; did you mean {near}? Known: {', '.join(choices)}"
    if problem.startswith("Expected `str`") and isinstance(value, int | float):
        return f"expected text, got {written}; put it in quotes"
    if problem.startswith("Expected `int | str`"):
        return f"got {written}; write a whole number, or a percentage like 5%"
    missing = _MISSING.fullmatch(problem)
    if missing:
        return f"the key {missing[1]} is missing"
    return problem[:1].lower() + problem[1:]
