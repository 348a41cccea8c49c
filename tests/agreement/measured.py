"""Measure every upgrade of the recording."""

from functools import cache

from tests.agreement.compare import Agreement, compare
from tests.agreement.operations import operations_of
from tests.agreement.predicted import predictions
from tests.agreement.recording import Recording


@cache
def measured() -> tuple[Agreement, ...]:
    """Plan and compare all upgrades, in the order in which they began; some seconds."""
    recording = Recording()
    operations = operations_of(recording)
    return tuple(
        compare(operation, predicted, recording)
        for operation, predicted in predictions(recording, operations)
    )
