"""The promise to an operator: a fleet that is in the log, to a plan."""

from benches import stages
from benches.measure import Inputs, Measure
from benches.request import Regime


def test_plan(measure: Measure, inputs: Inputs) -> None:
    """Read, decode, fold, diff, schedule and dress, without a snapshot."""
    request = inputs.request(Regime.TIGHT).read_bytes()
    plan = measure("plan", stages.plan_from_log, inputs.log, request, regime=Regime.TIGHT)
    assert len(plan) == inputs.pods
