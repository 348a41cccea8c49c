"""From a fleet in memory to a plan, and how good the plan is, where different limits bind."""

import json

import pytest

from benches import stages
from benches.measure import Inputs, Measure
from benches.request import Regime


@pytest.mark.parametrize("regime", Regime)
def test_schedule(measure: Measure, inputs: Inputs, regime: Regime) -> None:
    """Plan; waves and seconds over their proven bounds are the quality of the plan."""
    fleet = stages.fold(stages.replay(inputs.log))
    request = inputs.request(regime).read_bytes()
    plan = measure("schedule", stages.plan, fleet, request, regime=regime)
    header = json.loads(plan.header())
    measure.say(
        waves=header["waves"],
        waves_bound=header["waves_bound"],
        waves_over_bound=round(header["waves"] / header["waves_bound"], 3),
        seconds_over_bound=round(header["seconds"] / header["seconds_bound"], 3),
        bottleneck=header["bottleneck"]["name"],
        unmovable=header["totals"]["unmovable"],
    )
    # A fleet is made such that everything can move; else the bench would measure nothing.
    assert header["totals"]["moves"] == inputs.pods
