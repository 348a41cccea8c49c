"""Raw API lists to batches: what an import does before it touches the log."""

from benches import stages
from benches.measure import Inputs, Measure


def test_parse(measure: Measure, inputs: Inputs) -> None:
    """Read and parse every list."""
    batches = measure("parse", stages.parse, inputs.lists)
    raw = sum(path.stat().st_size for path in inputs.lists.iterdir())
    kept = sum(len(batch.to_bytes()) for batch in batches)
    measure.say(raw_mib=round(raw / 2**20), kept_bytes_per_pod=round(kept / inputs.pods))
    assert sum(map(len, batches)) > inputs.pods
