"""The few fields of an answer that decide how to go on; Rust reads the rest."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

import msgspec

from planner.errors import ClusterError

# An object has at most 1.5 MB in etcd, so that is no watch event.
LINE_BYTES_MAX: Final = 64 << 20

T = TypeVar("T")


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    next_page: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct, frozen=True):
    metadata: _Metadata


class _Object(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()
    # Of a Status, which is what an event of type ERROR holds.
    code: int = 0
    reason: str = ""
    message: str = ""


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: _Object


class _Resource(msgspec.Struct, frozen=True):
    name: str
    verbs: list[str] = []


class _Resources(msgspec.Struct, frozen=True):
    resources: list[_Resource]


def read_page(body: bytes) -> tuple[str, str]:
    """Give the resourceVersion of a list, and the name of its next page (`""` at its end).

    Raises:
        ClusterError: it is no list, or has no version: a watch from no version on would begin with
            events in any order.
    """
    metadata = _decoded(body, _Page).metadata
    if not metadata.resource_version:
        raise ClusterError(0, "the list has no resourceVersion, so nothing can be watched after it")
    return metadata.resource_version, metadata.next_page


def serves(body: bytes, plural: str) -> bool:
    """Whether an APIResourceList has a kind that can be watched.

    Raises:
        ClusterError: it is no APIResourceList.
    """
    found = _decoded(body, _Resources).resources
    return any(each.name == plural and "watch" in each.verbs for each in found)


def read_version(line: bytes) -> str:
    """Give the resourceVersion that a watch event leads to.

    Raises:
        ClusterError: the event is an ERROR, or no watch event.
    """
    event = _decoded(line, _Event)
    if event.type == "ERROR":
        told = event.object
        raise ClusterError(told.code, told.message or told.reason, reason=told.reason)
    return event.object.metadata.resource_version


def whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Give what came up to the last line's end of each piece; a line that is cut off is dropped.

    Raises:
        ClusterError: a line has no end.
    """
    rest: list[bytes] = []
    rest_bytes = 0
    for piece in pieces:
        lines, end, tail = piece.rpartition(b"\n")
        if end:
            yield b"".join((*rest, lines, end))
            rest, rest_bytes = [], 0
        rest.append(tail)
        rest_bytes += len(tail)
        if rest_bytes > LINE_BYTES_MAX:
            raise ClusterError(0, f"a watch event is longer than {LINE_BYTES_MAX:,} bytes")


def _decoded(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ClusterError(0, f"the answer is not what an API server sends: {error}") from error
