"""The moves of a plan as they are written, in columns: what many moves say is read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.json import decode

from planner.verify.arrow import read_table
from planner.verify.columns import Coded, Texts, alike
from planner.verify.uids import Uids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from planner.verify.arrow import HandsOver
    from planner.verify.columns import Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """When the moves of a streaming plan begin, in milliseconds from the plan's start."""

    start_ms: Ints
    lasts_ms: Ints
    """How long each takes."""

    @property
    def end_ms(self) -> Ints:
        """When each is over."""
        return self.start_ms + self.lasts_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Columns of equal length."""

    wave: Ints
    stage: Coded[str | None]
    cluster: Coded[str]
    namespace: Coded[str]
    pod: Texts
    uid: Uids
    node: Coded[str]
    workload: Coded[Mapping[str, Any] | None]
    kind: Coded[str]
    containers: Coded[Mapping[str, str]]
    because: Coded[Sequence[str]]
    starts: Starts | None = None
    """None where nothing is said of them."""


def of_table(table: HandsOver) -> Written:
    """The table of a plan, in which empty texts stand for what there is not."""
    columns = read_table(table)
    return Written(
        wave=columns["wave"],
        stage=_each(columns["stage"], lambda stage: stage or None),
        cluster=_each(columns["cluster"], lambda text: text or ""),
        namespace=_each(columns["namespace"], lambda text: text or ""),
        pod=columns["pod"],
        uid=columns["uid"],
        node=_each(columns["node"], lambda node: node or ""),
        workload=_workloads(columns["workload_kind"], columns["workload"]),
        kind=_each(columns["kind"], lambda kind: kind or ""),
        containers=_each(columns["containers"], lambda text: decode(text or "{}")),
        because=_each(columns["because"], _causes),
        starts=Starts(start_ms=columns["start_ms"], lasts_ms=columns["lasts_ms"])
        if {"start_ms", "lasts_ms"} <= columns.keys()
        else None,
    )


def _each(column: Coded[str | None], read: Callable[[str | None], Any]) -> Coded[Any]:
    return Coded(column.codes, [read(each) for each in column.values])


def _workloads(kinds: Coded[str | None], names: Coded[str | None]) -> Coded[Any]:
    firsts, codes = alike((kinds.codes, len(kinds.values)), (names.codes, len(names.values)))
    return Coded(codes, [_workload(kinds[row], names[row]) for row in firsts.tolist()])


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
            move.get("start_s"),
            move.get("seconds"),
        )
        for move in moves
    ]
    wave, stage, cluster, namespace, pod, uid, node, workload, kind, containers, because, *times = (
        list(zip(*rows, strict=True)) or [()] * _FIELDS
    )
    return Written(
        wave=np.array(wave, np.int64),
        stage=Coded.of(stage),
        cluster=Coded.of(cluster),
        namespace=Coded.of(namespace),
        pod=Texts.of(pod),
        uid=Uids.of(uid),
        node=Coded.of(node),
        workload=_kept_apart(workload),
        kind=Coded.of(kind),
        containers=_kept_apart(containers),
        because=Coded.of(because),
        starts=_starts(*times),
    )


_FIELDS = 13
_TIME_MAX_S = 1e14


def _starts(start_s: Sequence[float | None], seconds: Sequence[float | None]) -> Starts | None:
    """The times of moves; what is no time is less than 0."""
    if all(each is None for each in start_s) and all(each is None for each in seconds):
        return None
    return Starts(start_ms=_ms(start_s), lasts_ms=_ms(seconds))


def _ms(seconds: Sequence[float | None]) -> Ints:
    known = np.array([-1.0 if each is None else float(each) for each in seconds])
    known = np.clip(np.nan_to_num(known, nan=-1.0), -1.0, _TIME_MAX_S)
    whole: Ints = np.rint(known * 1000).astype(np.int64)
    return whole


def _kept_apart(values: Iterable[Any]) -> Coded[Any]:
    """Values that are the same when they are one."""
    known: dict[int, tuple[int, Any]] = {}
    codes = [known.setdefault(id(each), (len(known), each))[0] for each in values]
    return Coded(np.array(codes, np.int64), [each for _, each in known.values()])


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
