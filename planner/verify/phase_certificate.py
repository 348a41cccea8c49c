"""What phases prove that come one after the other: no wave holds moves of two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.verify.claims import UnfoundedError, room_said, usage_said
from planner.verify.usage import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.verify.claims import Json
    from planner.verify.columns import Ints
    from planner.verify.plan import Case
    from planner.verify.sequences import Phases, Sequences
    from planner.verify.usage import Usages


def phased_waves(case: Case, usages: Usages, read: Sequences, parts: Sequence[Json]) -> int:
    """The waves of phases of one sequence at one place, each by a budget of its moves.

    Raises:
        UnfoundedError: it says something that does not follow.
    """
    name, place = parts[0]["sequence"], parts[0]["place"]
    phases = next((it for it in read.all if it.name == name), None)
    if phases is None or (place or "") not in phases.parts:
        raise UnfoundedError(f"there is no sequence {name} at {place}")
    if any((it["sequence"], it["place"]) != (name, place) for it in parts):
        raise UnfoundedError("phases of several sequences may share waves")
    if len({it["name"] for it in parts}) < len(parts):
        raise UnfoundedError("a phase is counted twice")
    moments = Moments(case.bound, case.bound.wave_of_row)
    total = 0
    for part in parts:
        usage = usage_said(usages, part["budget"])
        taking = moments.takers([usage.budget])[_rows(phases, place or "", part["name"])]
        moves, room = room_said(part["budget"], usage, int(np.count_nonzero(taking)))
        total += -(-moves // room)
    return total


def _rows(phases: Phases, place: str, name: str) -> Ints:
    """The pods of a phase whose moves keep the sequence."""
    if name not in phases.names:
        raise UnfoundedError(f"{phases.name} has no phase {name}")
    rows = phases.rows
    here = phases.part[rows] == phases.parts.index(place)
    found: Ints = rows[here & (phases.phase[rows] == phases.names.index(name))]
    return found
