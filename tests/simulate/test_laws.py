"""What holds of every plan of every fleet when it is carried out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import planner
from planner.simulate import Faults, simulate
from planner.verify.observed import fold_rows
from tests import fleets
from tests.shop import header_of, moves_of, rows_of

if TYPE_CHECKING:
    from planner.model.simulation import Simulation
    from tests.fleets import Recorded

law = partial(
    settings,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def simulated(fleet: Recorded) -> Simulation | None:
    """The plan of a fleet carried out without faults; None when it has no plan."""
    log = fleet.log()
    try:
        plan = fleet.plan(log)
    except planner.InfeasibleError:
        return None
    observed = fold_rows(rows_of(log.events))
    return simulate(header_of(plan), moves_of(plan), observed, seed=0, faults=Faults())


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@law(max_examples=20)
@given(fleets.fleets())
def test_the_controllers_carry_every_plan_out_as_it_is_written(fleet: Recorded) -> None:
    simulation = simulated(fleet)
    assert simulation is not None
    # A Deployment that surges cannot be stopped at an exact pod: new ones are made ahead.
    assert {(each.planned_kind, each.reason) for each in simulation.not_as_planned} <= {
        ("surge", "taken in another wave")
    }
    assert simulation.exceeded == ()


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@law(max_examples=30)
@given(fleets.troubled_fleets())
def test_in_a_fleet_in_trouble_no_pod_goes_down_twice_and_all_is_told(fleet: Recorded) -> None:
    simulation = simulated(fleet)
    if simulation is None:
        return
    assert simulation.disrupted_twice == 0
    told = [each for each in simulation.not_as_planned if each.planned_wave is not None]
    assert len(told) == simulation.moves - simulation.gone - simulation.as_planned
    assert all(each.reason for each in told)


@st.composite
def drained_fleets(draw: st.DrawFn, of: st.SearchStrategy[Recorded]) -> Recorded:
    """A fleet of which some nodes are to be drained, with its upgrade or without."""
    fleet = draw(of)
    names = sorted(fleet.nodes())
    drained = draw(st.sets(st.sampled_from(names), min_size=1, max_size=len(names) // 2))
    alone = draw(st.booleans())

    def change(spec: dict[str, Any]) -> None:
        target = {} if alone else spec["target"]
        drain = [{"name": name, "deleteEmptyDirData": True} for name in sorted(drained)]
        spec["target"] = {**target, "drain": drain}

    return fleet.with_request(change)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@law(max_examples=20)
@given(drained_fleets(fleets.fleets()))
def test_drained_nodes_are_as_empty_as_their_plan_says(fleet: Recorded) -> None:
    simulation = simulated(fleet)
    if simulation is None:
        return
    told = {
        (each.planned_kind, each.reason)
        for each in simulation.not_as_planned
        # An unfinished rollout goes on as soon as one of its pods is evicted.
        if each.planned_wave is not None
    }
    assert told <= {("surge", "taken in another wave")}
    assert simulation.exceeded == ()
    assert simulation.drains is not msgspec.UNSET
    assert [len(each.left) for each in simulation.drains] == [
        each.stays for each in simulation.drains
    ]


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@law(max_examples=20)
@given(drained_fleets(fleets.troubled_fleets()))
def test_in_a_fleet_in_trouble_a_drain_takes_no_pod_down_twice(fleet: Recorded) -> None:
    simulation = simulated(fleet)
    if simulation is None:
        return
    assert simulation.disrupted_twice == 0
    assert simulation.exceeded == ()
    reasons = {each.reason for each in simulation.not_as_planned if each.planned_kind == "evict"}
    assert not reasons & {"taken in another way", "taken in another wave", "did not come back"}
