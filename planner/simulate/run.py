"""A plan carried out on simulated clusters."""

from collections.abc import Iterable, Mapping
from typing import Any

from planner.simulate.budgets import all_budgets
from planner.simulate.cluster import Cluster, Contents
from planner.simulate.course import Course
from planner.simulate.drains import Drains
from planner.simulate.driver import Driver
from planner.simulate.legs import Legs
from planner.simulate.pace import Pace
from planner.simulate.slots import Slots
from planner.simulate.timeline import Timeline
from planner.simulate.wanted import Move
from planner.simulate.waves import Waves


def run(
    header: Mapping[str, Any],
    moves: Iterable[Move],
    contents: Iterable[Contents],
    *,
    begin_ms: int,
    pace: Pace,
) -> Course:
    """Carry a plan out on simulated clusters.

    Args:
        header: the plan's header.
        moves: its moves, in the order of the plan.
        contents: what each cluster begins with.
        begin_ms: when it begins, milliseconds UTC.
        pace: how long things take, and what goes wrong.
    """
    timeline = Timeline(begin_ms)
    clusters = {each.name: Cluster(each, timeline, pace) for each in contents}
    slots = Slots(clusters.values(), begin_ms)
    moves = tuple(moves)
    drains = Drains.of(header)
    budgets = all_budgets(header["request"], clusters, slots, moves, drains)
    driver = Driver(header, moves, clusters, slots, timeline, drains)
    streaming = header.get("streaming")
    lost = driver.plan_losses(pace, (streaming or header)["seconds"])
    ways = Legs(driver) if streaming else Waves(driver)
    waves = list(ways.carry_out())
    return Course(
        planned=driver.planned,
        gone=driver.gone,
        slots=slots,
        budgets=budgets,
        waves=waves,
        lost=lost,
        begin_ms=begin_ms,
        end_ms=driver.run_ms,
        drained=list(drains.in_the_end(clusters)),
        gates=ways.gates if isinstance(ways, Legs) else None,
    )
