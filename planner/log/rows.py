"""Commits as rows of the table, both ways."""

from typing import Any, Final

from sqlalchemy import Row

from planner.errors import ChainBrokenError, UsageError
from planner.log.commit import Commit, CommitHeader, Stream
from planner.log.tables import commits

HEADER_COLUMNS: Final = tuple(each for each in commits.c if each.name != "payload")
TYPES: Final = {each.name: each.type.python_type for each in commits.c}


def row_of(commit: Commit) -> dict[str, object]:
    """Write a commit as a row."""
    return {
        "position_last": commit.position_last,
        "position_first": commit.position_first,
        "stream_kind": commit.stream.kind,
        "stream_name": commit.stream.name,
        "expected_version": commit.expected_version,
        "commit_id": commit.commit_id,
        "time_ms": commit.time_ms,
        "author": commit.author,
        "codec": commit.codec,
        "payload_sha256": commit.payload_sha256,
        "digest": commit.digest,
        "payload": commit.payload,
    }


def header_of(row: Row[Any]) -> CommitHeader:
    """Read the columns of `HEADER_COLUMNS`.

    Raises:
        ChainBrokenError: a column holds what was never appended.
    """
    return CommitHeader(**_fields(row))


def commit_of(row: Row[Any]) -> Commit:
    """Read a whole row.

    Raises:
        ChainBrokenError: a column holds what was never appended.
    """
    return Commit(**_fields(row))


def _fields(row: Row[Any]) -> dict[str, Any]:
    fields = dict(row._mapping)  # noqa: SLF001 SQLAlchemy's public name for it
    position = fields["position_first"]
    if not isinstance(position, int):
        position = fields["position_last"]
    for name, value in fields.items():
        # SQLite stores any type in any column.
        if not isinstance(value, TYPES[name]):
            raise ChainBrokenError(position, f"column {name} holds a {type(value).__name__}")
    kind, name = fields.pop("stream_kind"), fields.pop("stream_name")
    try:
        stream = Stream(kind, name)
    except UsageError as error:
        raise ChainBrokenError(position, f"the stream was changed: {error}") from None
    return {**fields, "stream": stream}
