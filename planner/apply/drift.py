"""Whether the fleet is as the rest of a plan expects it."""

from collections.abc import Iterator, Mapping
from typing import Final

from planner.apply.checkpoint import Standing
from planner.apply.course import Place

NAMED: Final = 5


def drift(
    left: Mapping[Place, int],
    stay: Mapping[Place, int],
    standings: Mapping[Place, Standing],
) -> tuple[str, ...]:
    """Say what changed so that the rest of the plan is not what has to be done; nothing if it is.

    Pods that others have moved meanwhile are no drift: nobody has to move them. Budgets that got
    narrower are none either: they are asked before every pod.

    Args:
        left: moves of each workload that are still to come, those that failed among them.
        stay: pods of each workload that still differ when the plan is done.
        standings: how the workloads are.
    """
    found = [*_of_plan(left, stay, standings), *_beyond(left, standings)]
    more = len(found) - NAMED
    return (*found[:NAMED], f"and {more} more") if more > 0 else tuple(found)


def _of_plan(
    left: Mapping[Place, int],
    stay: Mapping[Place, int],
    standings: Mapping[Place, Standing],
) -> Iterator[str]:
    for place, moves in left.items():
        standing = standings.get(place)
        if standing is None:
            if moves:
                yield f"{place} is gone, or has nothing to change any more"
        elif _has_more(standing, moves, stay.get(place, 0)):
            yield f"{place}: {standing.movable} pods have to move, planned were {moves}"
        elif standing.movable < moves:
            kept = standing.behind - standing.movable - stay.get(place, 0)
            if kept > 0:
                yield f"{place}: {kept} pods cannot move any more"


def _has_more(standing: Standing, moves: int, stay: int) -> bool:
    """Whether more has to move than was planned.

    Pods that the plan leaves where they are for the sake of a budget or of its stages could move,
    for all that their workload knows.
    """
    known = moves + stay
    return standing.movable > moves and max(standing.movable, standing.behind) > known


def _beyond(left: Mapping[Place, int], standings: Mapping[Place, Standing]) -> Iterator[str]:
    for place, standing in standings.items():
        if place not in left and standing.movable:
            yield f"{place}: {standing.movable} pods have to move, planned were none"
