"""What a certificate may say: less than follows from what was observed, and never more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.verify.pace import room_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.usage import Usage, Usages

    Json = Mapping[str, Any]


class UnfoundedError(Exception):
    """A certificate claims what does not follow."""


def usage_said(usages: Usages, written: Json) -> Usage:
    """Give the budget that a certificate names."""
    wanted = (written["name"], written["cluster"], written["place"])
    for usage in usages.all:
        if (usage.budget.name, usage.budget.cluster, usage.budget.instance) == wanted:
            return usage
    raise UnfoundedError(f"there is no budget {wanted}")


def room_said(written: Json, usage: Usage, moves: int) -> tuple[int, int]:
    """Moves and room as a certificate says them."""
    taken = no_more(f"moves that take from {usage.budget}", written["moves"], moves)
    return taken, no_less(f"room of {usage.budget}", written["room"], room_of(usage))


def in_ms(seconds: float) -> int:
    """Whole milliseconds."""
    return round(seconds * 1000)


def no_more(what: str, said: int, found: int) -> int:
    """Give what a certificate says, which is no more than what was found."""
    if said > found:
        raise UnfoundedError(f"{what}: it says {said}, and no more than {found} follows")
    return said


def no_less(what: str, said: int, found: int) -> int:
    """Give what a certificate says, which is no less than what was found."""
    if said < found:
        raise UnfoundedError(f"{what}: it says {said}, and no fewer than {found} follows")
    return said


def proved_by(written: Json) -> str | None:
    """By what a certificate proves its bound; None when it carries nothing that can be checked."""
    chain = [link["workload"] for link in written.get("chain") or ()]
    if len(chain) == 1:
        return f"{chain[0]} alone"
    if chain:
        return f"a chain of {len(chain)} workloads, {chain[0]} to {chain[-1]}"
    if written.get("budget"):
        return f"the room of {written['budget']['name']}"
    if phases := written.get("phases"):
        return f"the phases of {phases[0]['sequence']} one after the other"
    if written.get("kind") == "rate" and written.get("rate"):
        return f"the rate {written['rate']['name']}"
    return "that nothing moves" if written.get("kind") == "nothing" else None
