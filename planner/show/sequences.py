"""Says in a line of each sequence which of its phases take how long."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

PHASES_SHOWN = 6
"""Phases of a sequence, and places of one that is kept in several, that are named."""


def sequence_lines(phases: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Give for example `zones: a in waves 1 to 4, then b in waves 5 to 9`.

    Args:
        phases: the `sequences` of a plan's header.
    """
    for name, its in groupby(phases, lambda it: it["sequence"]):
        places = [list(of) for _, of in groupby(its, lambda it: it["place"])]
        if len(places) == 1 and places[0][0]["place"] is None:
            yield f"{name}: {_phases(places[0])}"
        else:
            last = max(places, key=lambda of: max(it["last_wave"] or 0 for it in of))
            yield (
                f"{name}: in {len(places):,} places, of which {last[0]['place']} is through last: "
                f"{_phases(last)}"
            )


def _phases(phases: Sequence[Mapping[str, Any]]) -> str:
    moved = [it for it in phases if it["moves"]]
    shown = [f"{it['name']} {_waves(it)}" for it in moved[:PHASES_SHOWN]]
    if len(moved) > PHASES_SHOWN:
        more = len(moved) - PHASES_SHOWN
        shown.append(f"{more:,} more until wave {moved[-1]['last_wave']:,}")
    return ", then ".join(shown) or "nothing moves"


def _waves(phase: Mapping[str, Any]) -> str:
    first, last = phase["first_wave"], phase["last_wave"]
    return f"in wave {first:,}" if first == last else f"in waves {first:,} to {last:,}"
