"""A plan carried out on simulated clusters."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from planner.simulate.budgets import all_budgets
from planner.simulate.cluster import Cluster, Contents
from planner.simulate.course import Course
from planner.simulate.drains import Drains
from planner.simulate.driver import Driver
from planner.simulate.legs import Legs
from planner.simulate.pace import Drawn, Faults, Span
from planner.simulate.slots import Slots
from planner.simulate.timeline import Timeline
from planner.simulate.wanted import Move
from planner.simulate.waves import Waves

# The planner expects 15 s for a restart, 30 s for a start and the grace period, at most 30 s, for a
# termination; here they are drawn around, or below.
RESTART: Final = Span(least=9_000, most=21_000)
START: Final = Span(least=18_000, most=42_000)
TERMINATION: Final = Span(least=100, most=1_000)


def run(
    header: Mapping[str, Any],
    moves: Iterable[Move],
    contents: Iterable[Contents],
    *,
    begin_ms: int,
    seed: int,
    faults: Faults,
) -> Course:
    """Carry a plan out on simulated clusters.

    Args:
        header: the plan's header.
        moves: its moves, in the order of the plan.
        contents: what each cluster begins with.
        begin_ms: when it begins, milliseconds UTC.
        seed: the same seed gives the same course.
        faults: what goes wrong.
    """
    timeline = Timeline(begin_ms)
    pace = Drawn(
        seed=seed,
        faults=faults,
        start=START,
        restart=RESTART,
        termination=TERMINATION,
        termination_of_grace=True,
    )
    clusters = {each.name: Cluster(each, timeline, pace) for each in contents}
    slots = Slots(clusters.values(), begin_ms)
    moves = tuple(moves)
    drains = Drains.of(header)
    budgets = all_budgets(header["request"], clusters, slots, moves, drains)
    driver = Driver(header, moves, clusters, slots, timeline, drains)
    streaming = header.get("streaming")
    lost = driver.plan_losses(seed, faults.node_loss, (streaming or header)["seconds"])
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
