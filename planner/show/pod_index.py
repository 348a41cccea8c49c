"""Every pod of a plan in a few bytes, so that a page can search a million of them by itself.

Pods come wave by wave and workload by workload, so neighbours share nearly everything: they are
kept as *runs*. A run is a wave, a place (whose pods they are), a fate (what happens to them and
why), a head (the start that the names share) and the number of tails, all as indexes into tables of
distinct values. Only the tails are long; those of one run have one width, so they need no
separators. The whole is one JSON document, compressed while it is written:

    {"tails": "45q7m9xk2d...",
     "places": [[cluster, namespace, kind, name]], "heads": ["cart-"], "fates": [{...}],
     "runs": {"wave": [1], "place": [0], "fate": [0], "head": [0], "width": [5], "count": [2]}}

Wave 0 holds the pods that get no move. The order of moves within a run is kept. Runs follow the
order of places, heads and fates, so of these each run has how far it is from the one before.
"""

from __future__ import annotations

import base64
import json
import zlib
from array import array
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

NO_WAVE: Final = 0
"""The wave of pods that get no move; real waves count from 1."""

_CHUNK: Final = 3 * 1 << 16
"""Bytes encoded at a time: a multiple of three, so that pieces of base64 join without padding."""

_COLUMNS: Final = ("wave", "place", "fate", "head", "width", "count")
_STEPS: Final = ("place", "fate", "head")
"""Columns that are written as steps from one run to the next, which compress to half."""


class CompressedText:
    """Text that leaves as gzip in base64, piece by piece; the same text gives the same bytes."""

    __slots__ = ("_gzip", "_pending", "_write")

    def __init__(self, write: Callable[[str], object]) -> None:
        # gzip and not bare deflate: its checksum makes a damaged file an error, not a short plan.
        # Z_FILTERED: random names repeat by chance only, and short matches cost more than letters.
        self._gzip = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS, 9, zlib.Z_FILTERED)
        self._pending = bytearray()
        self._write = write

    def add(self, text: str) -> None:
        """Compress `text` and pass on what is ready."""
        self._pending += self._gzip.compress(text.encode())
        whole = len(self._pending) // _CHUNK * _CHUNK
        if whole:
            self._write(base64.b64encode(self._pending[:whole]).decode())
            del self._pending[:whole]

    def close(self) -> None:
        """Pass on the rest. Nothing can be added after."""
        self._pending += self._gzip.flush()
        self._write(base64.b64encode(self._pending).decode())
        self._pending.clear()


class _Numbers:
    """Gives each distinct value the number of its first appearance."""

    __slots__ = ("_number", "values")

    def __init__(self) -> None:
        self._number: dict[Hashable, int] = {}
        self.values: list[Any] = []

    def of(self, key: Hashable, value: object) -> int:
        number = self._number.setdefault(key, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class PodIndex:
    """Writes pods as they come; holds the runs, never the names.

    Attributes:
        held: How many moves each cause held back from an earlier wave, by cluster and cause.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self.held: Counter[tuple[str, str]] = Counter()
        self._text = CompressedText(write)
        self._text.add('{"tails":"')
        self._places = _Numbers()
        self._heads = _Numbers()
        self._fates = _Numbers()
        self._runs = {column: array("L") for column in _COLUMNS}
        self._at: tuple[int, int] = (NO_WAVE, 0)
        self._tails: dict[tuple[int, int, int], list[str]] = {}

    def add_move(self, move: Mapping[str, Any]) -> None:
        """Add the pod of a move (shape: the plan's moves)."""
        containers, because = move["containers"], move["because"]
        key = (move["stage"], move["kind"], tuple(containers.items()), tuple(because))
        fate = self._fates.of(
            key,
            {
                "stage": move["stage"],
                "kind": move["kind"],
                "containers": containers,
                "because": because,
            },
        )
        self._add(move["wave"], move, fate)

    def add_unmovable(self, pod: Mapping[str, Any]) -> None:
        """Add a pod that differs from the target and gets no move."""
        reason, remedy = pod["reason"], pod["remedy"]
        fate = self._fates.of((reason, remedy), {"reason": reason, "remedy": remedy})
        self._add(NO_WAVE, pod, fate)

    def close(self) -> None:
        """Write the tables and the end of the document."""
        self._end_place()
        tables = {
            "places": self._places.values,
            "heads": self._heads.values,
            "fates": self._fates.values,
            "runs": {
                column: _steps(numbers) if column in _STEPS else numbers.tolist()
                for column, numbers in self._runs.items()
            },
        }
        self._text.add('",' + json.dumps(tables, separators=(",", ":"))[1:])
        self._text.close()

    def _add(self, wave: int, pod: Mapping[str, Any], fate: int) -> None:
        workload = pod["workload"] or {"kind": "", "name": ""}
        place = (pod["cluster"], pod["namespace"], workload["kind"], workload["name"])
        at = (wave, self._places.of(place, place))
        if at != self._at:
            self._end_place()
            self._at = at
        start, dash, tail = pod["pod"].rpartition("-")
        head = start + dash
        # JavaScript counts UTF-16 units, Python characters; they differ outside the basic plane.
        width = len(tail) if tail.isascii() else len(tail.encode("utf-16-le")) // 2
        self._tails.setdefault((fate, self._heads.of(head, head), width), []).append(tail)

    def _end_place(self) -> None:
        wave, place = self._at
        for (fate, head, width), tails in self._tails.items():
            run = (wave, place, fate, head, width, len(tails))
            for column, number in zip(_COLUMNS, run, strict=True):
                self._runs[column].append(number)
            self._text.add(json.dumps("".join(tails))[1:-1])
            for cause in self._fates.values[fate].get("because", ()):
                self.held[self._places.values[place][0], cause] += len(tails)
        self._tails.clear()


def _steps(numbers: array[int]) -> list[int]:
    return [number - before for before, number in pairwise((0, *numbers))]
