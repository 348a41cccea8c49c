"""The moves of a plan as they are written, in columns: what many moves say is read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec.json import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Columns of equal length. Equal values of a column are one value, but names and uids."""

    wave: Sequence[int]
    stage: Sequence[str | None]
    cluster: Sequence[str]
    namespace: Sequence[str]
    pod: Sequence[str]
    uid: Sequence[str]
    node: Sequence[str]
    workload: Sequence[Mapping[str, Any] | None]
    kind: Sequence[str]
    containers: Sequence[Mapping[str, str]]
    because: Sequence[Sequence[str]]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Every move as its values but the uid, in the order of the columns."""
        columns = (getattr(self, name) for name in _NAMES if name != "uid")
        return zip(*columns, strict=True)


def of_columns(columns: Mapping[str, Sequence[Any]]) -> Written:
    """The columns of a plan's file, in which empty texts stand for what there is not."""
    workload, because = cache(_workload), cache(_causes)
    return Written(
        wave=columns["wave"],
        stage=[stage or None for stage in columns["stage"]],
        cluster=columns["cluster"],
        namespace=columns["namespace"],
        pod=columns["pod"],
        uid=columns["uid"],
        node=[node or "" for node in columns["node"]],
        workload=list(map(workload, columns["workload_kind"], columns["workload"])),
        kind=columns["kind"],
        containers=list(map(cache(decode), columns["containers"])),
        because=list(map(because, columns["because"])),
    )


def _workload(kind: str | None, name: str | None) -> Mapping[str, str]:
    return {"kind": kind or "", "name": name or ""}


def _causes(text: str | None) -> tuple[str, ...]:
    return tuple(cause for cause in (text or "").split(", ") if cause)


def of_objects(moves: Iterable[Mapping[str, Any]]) -> Written:
    """Moves that are given as JSON objects, each with every field; they are read once."""
    kept = _Kept()
    rows = [
        (
            move["wave"],
            move["stage"],
            move["cluster"],
            move["namespace"],
            move["pod"],
            move["uid"],
            move["node"] or "",
            None if move["workload"] is None else kept.mapping(move["workload"]),
            move["kind"],
            kept.mapping(move["containers"]),
            kept.causes(move["because"]),
        )
        for move in moves
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(_NAMES)
    return Written(**dict(zip(_NAMES, columns, strict=True)))


_NAMES = (
    *("wave", "stage", "cluster", "namespace", "pod", "uid", "node"),
    *("workload", "kind", "containers", "because"),
)


class _Kept:
    """Values that many moves have in common, each kept once."""

    def __init__(self) -> None:
        self._kept: dict[object, Any] = {}

    def causes(self, causes: Iterable[str]) -> tuple[str, ...]:
        key = tuple(causes)
        kept: tuple[str, ...] = self._kept.setdefault(("causes", key), key)
        return kept

    def mapping(self, mapping: Mapping[str, Any]) -> Mapping[str, Any]:
        # In order: what is written in another order is shown in another order.
        key = ("mapping", *mapping.items())
        try:
            kept: Mapping[str, Any] = self._kept.setdefault(key, mapping)
        except TypeError:  # a value that cannot be looked up: no plan of ours has such
            return mapping
        return kept
