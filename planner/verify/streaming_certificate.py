"""What proves the bound in seconds of a plan whose moves do not wait for their wave.

A bound in waves holds of such a plan, too: cut time into slots as long as its shortest move. Moves
that begin in one slot are under way together when the last of them begins, so that budgets have
room for all; they are of one stage; none of them waits for another; and what is over before one of
them begins has begun in a slot before. So slots are the waves of a plan, some of them empty. Who is
in which stage is the word of the waves themselves, and so is the order in which a CloneSet takes
those that wait for no room: within a stage it counts for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.verify.claims import UnfoundedError, in_ms, no_more
from planner.verify.pace import Streamed
from planner.verify.rates import units_of_moves

if TYPE_CHECKING:
    from planner.verify.certificate import Argument
    from planner.verify.claims import Json
    from planner.verify.pace import Pace
    from planner.verify.rates import Rate


def streamed_ms(argument: Argument, written: Json) -> int:
    """The milliseconds that a certificate proves.

    Raises:
        UnfoundedError: it says something that does not follow.
    """
    if written.get("rate"):
        return _rate_ms(argument, written)
    if written.get("shortest_s") is not None:
        workloads = argument.paces.workloads
        least = min(min(argument.paces.of(it).own_ms_of.values()) for it in workloads)
        shortest = no_more("the shortest move", in_ms(written["shortest_s"]), least)
        return shortest * argument.waves(written)
    if written.get("budget"):
        return argument.energy.streamed_ms(written)
    return argument.chain_ms(written, 0, _link_ms)


def _rate_ms(argument: Argument, written: Json) -> int:
    """All moves have begun at a rate, and the last of them is over."""
    if written.get("chain") or written.get("budget"):
        raise UnfoundedError("a rate adds nothing to a chain or to the room of a budget")
    rate, begun = argument.begun_ms(written["rate"])
    shortest = in_ms(written["shortest_s"])
    return begun + no_more("the shortest of its moves", shortest, _shortest_ms(argument, rate))


def _shortest_ms(argument: Argument, rate: Rate | None) -> int:
    starts = argument.case.bound.starts
    if rate is None or starts is None:
        return 0
    own = np.flatnonzero(units_of_moves(argument.case, rate))
    return int(starts.lasts_ms[own].min()) if len(own) else 0


def _link_ms(pace: Pace, link: Json) -> int:
    """A link by its own numbers."""
    name, moves = link["workload"], link["moves"]
    found = pace.streamed(moves)
    said = Streamed(
        waves=link["waves"],
        shortest_ms=in_ms(link["shortest_s"]),
        longest_ms=in_ms(link["longest_s"]),
        soaks_ms=in_ms(link["soaks_s"]),
        begun_ms=in_ms(link.get("begun_s") or 0),
    )
    no_more(f"the shortest move of {name}", said.shortest_ms, found.shortest_ms)
    no_more(f"the longest move of {name}", said.longest_ms, found.longest_ms)
    no_more(f"the soak of {name}", said.soaks_ms, found.soaks_ms)
    no_more(f"until moves of {name} have begun", said.begun_ms, found.begun_ms)
    return said.ms
