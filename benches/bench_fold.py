"""Batches to the state of the fleet."""

from benches import stages
from benches.measure import Inputs, Measure


def test_fold(measure: Measure, inputs: Inputs) -> None:
    """Fold decoded batches from the beginning of the log."""
    events = stages.replay(inputs.log)
    fleet = measure("fold", stages.fold, events)
    measure.say(fleet_bytes_a_pod=round(fleet.memory_bytes / inputs.pods, 1))
    assert fleet.position > inputs.pods
