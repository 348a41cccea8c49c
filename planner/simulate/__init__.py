"""The simulated cluster: controllers by rules of their own, and a plan run on it.

A second opinion: what the controllers of Kubernetes and OpenKruise do is written here once more
(`rules`), sharing nothing with the planner or its checker. The flow: observed objects become those
of a cluster (`observed`, `cluster`), whose controllers ask the rules (`controllers`) and whose
nodes start and end pods (`nodes`) by a seeded `pace`; a plan is carried out on it through the
controllers' own `levers`, wave by wave (`waves`) or without barriers (`legs`), and what
happened is compared with it (`report`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.simulate.observed import contents_of
from planner.simulate.pace import Faults, drawn_around_expected, read_faults
from planner.simulate.report import report
from planner.simulate.run import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.model.simulation import Simulation
    from planner.verify.observed import Observed

__all__ = ["Faults", "read_faults", "simulate"]


def simulate(
    header: Mapping[str, Any],
    moves: Iterable[Mapping[str, Any]],
    observed: Observed,
    *,
    seed: int,
    faults: Faults,
) -> Simulation:
    """Carry a plan out on simulated clusters and tell how it went.

    Args:
        header: the plan's header as JSON.
        moves: the plan's moves as JSON objects, in the order in which they are written.
        observed: the fleet at the position of the log for which the plan was made.
        seed: the same seed gives the same simulation.
        faults: what goes wrong.
    """
    contents = [contents_of(observed, name) for name in sorted(observed.clusters)]
    pace = drawn_around_expected(seed, faults)
    course = run(header, moves, contents, begin_ms=observed.time_ms, pace=pace)
    return report(header, course, seed=seed, faults=faults)
