"""Whether a plan has the fields that the rules read; without them nothing can be judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Types = type | tuple[type, ...]

_NUMBER = (int, float)
_HEADER: Mapping[str, Types] = {
    "apiVersion": str,
    "kind": str,
    "id": str,
    "request": dict,
    "log": dict,
    "time": str,
    "clusters": list,
    "waves": int,
    "waves_bound": int,
    "seconds": _NUMBER,
    "seconds_bound": _NUMBER,
    "totals": dict,
    "workloads": list,
    "per_wave": list,
    "budgets": list,
    "unmovable": list,
}
_WORKLOAD_NAME: Mapping[str, Types] = {"cluster": str, "namespace": str, "kind": str, "name": str}
_ENTRIES: Mapping[str, Mapping[str, Types]] = {
    "workloads": _WORKLOAD_NAME,
    "per_wave": {
        "wave": int,
        "start_s": _NUMBER,
        "seconds": _NUMBER,
        "waits_s": _NUMBER,
        "moves": int,
        "kinds": dict,
        "workloads": list,
        "approvals": list,
    },
    "budgets": {
        "name": str,
        "cluster": (str, type(None)),
        "limit": int,
        "down": int,
        "headroom": list,
    },
    "unmovable": {"cluster": str, "namespace": str, "pod": str},
    "drains": {
        "cluster": str,
        "name": str,
        "moves": int,
        "stays": int,
        "wave": (int, type(None)),
    },
    "gangs": {"name": str, "gangs": int, "moves": int, "largest": int},
    "rates": {"name": str, "cluster": (str, type(None)), "moves": int},
}
_STREAMING: Mapping[str, Types] = {"seconds": _NUMBER, "seconds_bound": _NUMBER, "proof": dict}
_MOVE: Mapping[str, Types] = {
    "wave": int,
    "stage": (str, type(None)),
    "cluster": str,
    "namespace": str,
    "pod": str,
    "uid": str,
    "node": (str, type(None)),
    "workload": (dict, type(None)),
    "kind": str,
    "containers": dict,
    "because": list,
}
_TIMES: Mapping[str, Types] = {"start_s": _NUMBER, "seconds": _NUMBER}
"""Of a move of a streaming plan."""
_MISSING = object()
_MOST = 20
"""Broken moves that are told of: a file that is no plan need not be told of line by line."""


def header(written: Mapping[str, Any]) -> Iterator[Violation]:
    """Every field that the rules read is in the header, and of its type."""
    yield from _fields("header", written, _HEADER)
    if (written.get("apiVersion"), written.get("kind")) != ("planner/v1", "Plan"):
        yield _broken(
            "header.kind",
            f"{written.get('apiVersion')} {written.get('kind')} is not planner/v1 Plan, the one"
            " kind that this version can check",
        )
    for name in {"drains", "rates", "gangs"} & written.keys():  # Older plans are without.
        yield from _fields("header", written, {name: list})
    for name, fields in _ENTRIES.items():
        entries = written.get(name)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            yield from _fields(f"header.{name}[{index}]", entry, fields)
    if "streaming" in written:
        yield from _fields("header.streaming", written["streaming"], _STREAMING)
    yield from _pulls(written.get("rates"), written.get("workloads"))
    yield from _fields("header.log", written.get("log", {}), {"position": int, "digest": str})
    request = written.get("request")
    if isinstance(request, dict) and not isinstance(request.get("spec"), dict):
        yield _broken("header.request", "it has no spec: keep the request in the plan as it was")


def _pulls(rates: object, workloads: object) -> Iterator[Violation]:
    """What moves pull is told of workloads that are there."""
    most = len(workloads) if isinstance(workloads, list) else 0

    def is_told(pair: object) -> bool:
        match pair:
            case [int(workload), int()]:
                return workload in range(most)
        return False

    for index, rate in enumerate(rates if isinstance(rates, list) else ()):
        pulls = rate.get("pulls_a_move", []) if isinstance(rate, dict) else []
        if not isinstance(pulls, list) or not all(map(is_told, pulls)):
            subject = f"header.rates[{index}].pulls_a_move"
            yield _broken(subject, "it should be pairs of a workload, by index, and a number")


@dataclass(slots=True, kw_only=True)
class Moves:
    """Moves that are read once: gives those with every field that the rules read, of its type."""

    written: Iterable[Mapping[str, Any]]
    streams: bool
    """Whether they have to say when they begin."""
    broken: list[Violation] = field(default_factory=list)
    """What is wrong with the moves that were not given, the first of it."""

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for index, move in enumerate(self.written):
            if not any(self._wrong("", move)):
                yield move
            elif len(self.broken) < _MOST:
                self.broken.extend(self._wrong(f"moves[{index}]", move))

    def _wrong(self, subject: str, move: Mapping[str, Any]) -> Iterator[Violation]:
        yield from _fields(subject, move, _MOVE)
        if isinstance(move, dict) and (self.streams or not _TIMES.keys().isdisjoint(move)):
            yield from _fields(subject, move, _TIMES)


def _fields(
    subject: str, written: Mapping[str, Any], fields: Mapping[str, Types]
) -> Iterator[Violation]:
    if not isinstance(written, dict):
        yield _broken(subject, f"it is a {type(written).__name__}, and should be an object")
        return
    for name, expected in fields.items():
        if isinstance(written.get(name, _MISSING), expected):
            continue
        if name not in written:
            yield _broken(f"{subject}.{name}", "it is missing")
        else:
            yield _broken(f"{subject}.{name}", f"it is a {type(written[name]).__name__}")


def _broken(subject: str, message: str) -> Violation:
    return Violation(rule="header", subject=subject, wave=None, message=message)
