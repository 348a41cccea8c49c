"""The rule about rates: no wave ends before all of its moves have begun, one after the other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.verify.plan import Case


def rate_of(case: Case, cluster: str) -> tuple[str, int] | None:
    """The slowest rate of the request that names a cluster: its name, and moves a second."""
    rules = case.request["spec"].get("rates") or ()
    mine = [each for each in rules if each.get("cluster") in (None, cluster)]
    slowest = min(mine, key=lambda each: int(each["writesPerSecond"]), default=None)
    return slowest and (f"{slowest['name']}/{cluster}", int(slowest["writesPerSecond"]))


def begun_ms(moves: int, per_s: int) -> int:
    """Milliseconds until so many moves have begun."""
    return -(-moves * 1000 // per_s)


def begun_of(case: Case) -> Mapping[tuple[int, str], int]:
    """Until the moves of each wave in each cluster that has a rate have begun, in milliseconds."""
    if not case.request["spec"].get("rates"):
        return {}
    moves = Counter((move.wave, move.manner.cluster) for move in case.moves)
    found = {}
    for (wave, cluster), count in moves.items():
        if rate := rate_of(case, cluster):
            found[wave, cluster] = begun_ms(count, rate[1])
    return found


def rates(case: Case) -> Iterator[Violation]:
    """A wave lasts until all of its moves have begun, and the header says which rates there are."""
    lasts_s = {each["wave"]: each["seconds"] for each in case.header["per_wave"]}
    for (wave, cluster), ms in sorted(begun_of(case).items()):
        if lasts_s.get(wave, 0) * 1000 < ms:
            yield Violation(
                rule="rate",
                subject=cluster,
                wave=wave,
                message=f"its moves have begun after {ms / 1000:g} s, and the wave is over after"
                f" {lasts_s.get(wave, 0):g} s",
            )
    moves = Counter(move.manner.cluster for move in case.moves)
    found = [
        (rate[0], cluster, rate[1], moves[cluster])
        for cluster in sorted(case.header["clusters"])
        if (rate := rate_of(case, cluster))
    ]
    keys = ("name", "cluster", "writes_per_second", "moves")
    listed = [tuple(each.get(key) for key in keys) for each in case.header.get("rates") or ()]
    if listed != found:
        message = f"the plan lists {listed}, and there are {found}"
        yield Violation(rule="rate", subject="rates", wave=None, message=message)
