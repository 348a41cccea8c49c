"""The state of the fleet and a request to what has to change."""

import json

from benches import stages
from benches.measure import Inputs, Measure


def test_diff(measure: Measure, inputs: Inputs) -> None:
    """Find every pod that differs; the request names new images for all."""
    fleet = stages.fold(stages.replay(inputs.log))
    changes = measure("diff", stages.diff, fleet, inputs.request().read_bytes())
    assert json.loads(changes)["totals"]["differ"] == inputs.pods
