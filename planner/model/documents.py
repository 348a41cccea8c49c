"""YAML as Kubernetes people mean it: JSON values only, with the line of every entry.

Plain scalars follow the core schema of YAML 1.2: a date stays text, and so do `yes` and `on`.
One exception: `0644` is octal as in YAML 1.1, because that is how Kubernetes reads a file mode.
Any other digits after a zero (`08`, `00e5`) are text: JSON has no such number, and hashes look so.
`<<` merges, because Kubernetes merges. What JSON cannot say is an error.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from planner.errors import InputError

DEPTH_MAX: Final = 100
# Aliases may repeat this many bytes in a document; a "billion laughs" wants far more.
ALIASED_BYTES_MAX: Final = 16 << 20

Path = tuple[str | int, ...]

_CONSTANTS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT: Final = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+", re.ASCII)
_PADDED: Final = re.compile(r"[-+]?0[0-9]", re.ASCII)
_OCTAL: Final = re.compile(r"[-+]?0[0-7]+", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
INT_MIN: Final = -(1 << 63)
INT_MAX: Final = (1 << 64) - 1
_TAG: Final = "tag:yaml.org,2002:"
_SCALAR_TAGS: Final[dict[str, tuple[type, ...]]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a YAML stream; what an alias repeats is shared, so do not change it.

    `index` and `line` count from 1; `lines` has the line of each entry by its path.
    """

    value: Any
    index: int
    line: int
    lines: dict[Path, int]


def read_documents(text: bytes, source: str, *, lines_depth: int) -> Iterator[Document]:
    """Yield the documents of a YAML stream.

    Args:
        text: UTF-8.
        source: what errors call the text.
        lines_depth: how long the paths are, at most, whose lines are kept.

    Raises:
        InputError: not YAML, or YAML that JSON has no words for; with line, column and byte.
    """
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        raise InputError(source, error.start, "is not UTF-8 text") from error
    builder = _Builder(lines_depth)
    index = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, DocumentStartEvent):
                builder = _Builder(lines_depth)
                index += 1
            elif isinstance(event, DocumentEndEvent):
                yield builder.document(index)
            elif isinstance(event, NodeEvent | CollectionEndEvent):
                builder.add(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        assert mark is not None  # the parser and the builder both say where
        offset = len(decoded[: mark.index].encode())
        where = f"line {mark.line + 1}, column {mark.column + 1}"
        raise InputError(source, offset, f"{where}: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        raise InputError(source, error.position, f"is not YAML: {error.reason}") from error


def _mark(event: Event) -> yaml.Mark:
    """The place of an event; the stubs think that it may be missing."""
    return cast("yaml.Mark", event.start_mark)


def _trouble(event: Event, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=_mark(event))


@dataclass(slots=True, kw_only=True)
class _Frame:
    """A mapping or sequence that is being filled."""

    value: dict[str, Any] | list[Any]
    start: CollectionStartEvent
    path: Path
    size: int  # the document's size before it
    key: ScalarEvent | None = None
    merged: list[Any] = field(default_factory=list)


class _Builder:
    """Puts the nodes of one document together, without recursion."""

    def __init__(self, lines_depth: int) -> None:
        self._lines_depth = lines_depth
        self._lines: dict[Path, int] = {}
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._value: Any = None
        self._line = 1
        self._size = 0  # bytes, roughly, with what aliases repeat
        self._aliased = 0

    def document(self, index: int) -> Document:
        assert not self._frames  # the parser closes what it opens
        return Document(value=self._value, index=index, line=self._line, lines=self._lines)

    def add(self, event: NodeEvent | CollectionEndEvent) -> None:
        """Take the next event of the document."""
        if isinstance(event, CollectionEndEvent):
            self._close()
        elif self._is_key_next():
            self._begin_entry(event)
        elif isinstance(event, CollectionStartEvent):
            self._open(event)
        elif isinstance(event, AliasEvent):
            self._repeat(event)
        elif isinstance(event, ScalarEvent):
            size = self._size
            self._size += len(event.value) + 4
            self._put(_scalar(event), event, self._size - size)

    def _is_key_next(self) -> bool:
        frame = self._frames[-1] if self._frames else None
        return frame is not None and isinstance(frame.value, dict) and frame.key is None

    def _begin_entry(self, event: NodeEvent) -> None:
        frame = self._frames[-1]
        if not isinstance(event, ScalarEvent):
            raise _trouble(event, "a key has to be text")
        if event.value in frame.value:
            raise _trouble(event, f"the key {event.value!r} is there twice")
        frame.key = event
        self._size += len(event.value) + 4

    def _open(self, event: CollectionStartEvent) -> None:
        mapping = isinstance(event, MappingStartEvent)
        if event.tag not in {None, "!", _TAG + ("map" if mapping else "seq")}:
            raise _trouble(event, f"the tag {event.tag} has no meaning here; leave it out")
        if len(self._frames) >= DEPTH_MAX:
            raise _trouble(event, f"is nested more than {DEPTH_MAX} deep")
        path = self._entry_path()
        frame = _Frame(value={} if mapping else [], start=event, path=path, size=self._size)
        self._frames.append(frame)
        self._size += 2

    def _close(self) -> None:
        frame = self._frames.pop()
        if isinstance(frame.value, dict):
            for value in frame.merged:
                frame.value.update({k: v for k, v in value.items() if k not in frame.value})
        self._put(frame.value, frame.start, self._size - frame.size)

    def _repeat(self, event: AliasEvent) -> None:
        if event.anchor not in self._anchors:
            raise _trouble(event, f"there is no finished anchor &{event.anchor} before this alias")
        value, size = self._anchors[event.anchor]
        self._size += size
        self._aliased += size
        if self._aliased > ALIASED_BYTES_MAX:
            raise _trouble(event, f"aliases repeat more than {ALIASED_BYTES_MAX} bytes")
        self._put(value, event, size)

    def _put(self, value: Any, event: NodeEvent, size: int) -> None:  # noqa: ANN401 -- any YAML
        """Put a finished value where it belongs and remember it under its anchor."""
        if event.anchor is not None and not isinstance(event, AliasEvent):
            self._anchors[event.anchor] = (value, size)
        if not self._frames:
            self._value, self._line = value, _mark(event).line + 1
            return
        frame = self._frames[-1]
        if len(frame.path) < self._lines_depth:
            self._lines[self._entry_path()] = _mark(frame.key or event).line + 1
        if isinstance(frame.value, list):
            frame.value.append(value)
            return
        assert frame.key is not None  # a value follows its key
        if frame.key.value == "<<" and frame.key.implicit[0]:
            frame.merged += _merged(value, event)
        else:
            frame.value[frame.key.value] = value
        frame.key = None

    def _entry_path(self) -> Path:
        """The path of the entry that is being read; empty for the document itself."""
        if not self._frames:
            return ()
        frame = self._frames[-1]
        if len(frame.path) >= self._lines_depth:
            return frame.path  # nobody will ask
        entry = len(frame.value) if frame.key is None else frame.key.value
        return (*frame.path, entry)


def _merged(value: Any, event: NodeEvent) -> list[dict[str, Any]]:  # noqa: ANN401 -- any YAML
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in values):
        raise _trouble(event, "<< takes a mapping or a list of mappings")
    return values


def _scalar(event: ScalarEvent) -> Any:  # noqa: ANN401 -- any scalar
    if event.tag is None and event.implicit[0]:
        return _plain(event)
    if event.tag in {None, "!", _TAG + "str"}:
        return event.value
    types = _SCALAR_TAGS.get(event.tag.removeprefix(_TAG))
    value = _plain(event)
    if types is None or type(value) not in types:
        raise _trouble(event, f"the tag {event.tag} has no meaning here; leave it out")
    return value


def _plain(event: ScalarEvent) -> Any:  # noqa: ANN401 -- any scalar
    """The value of text without quotes."""
    text: str = event.value
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _PADDED.match(text) and not _OCTAL.fullmatch(text):
        return text
    if _INT.fullmatch(text):
        return _integer(event, text)
    if _NOT_FINITE.fullmatch(text) or (_FLOAT.fullmatch(text) and not math.isfinite(float(text))):
        raise _trouble(event, f"JSON has no number {text}; quote it if it is text")
    return float(text) if _FLOAT.fullmatch(text) else text


def _integer(event: ScalarEvent, text: str) -> int:
    digits_max = 30  # more cannot fit, and Python refuses to read thousands
    base = 8 if _OCTAL.fullmatch(text) else 0 if text[1:2] in {"x", "o"} else 10
    value = int(text, base) if len(text) <= digits_max else INT_MAX + 1
    if not INT_MIN <= value <= INT_MAX:
        raise _trouble(
            event, f"the number {text[:digits_max]} does not fit; quote it if it is text"
        )
    return value
