"""Into the log and out of it again."""

from itertools import count
from pathlib import Path

from benches import stages
from benches.measure import Inputs, Measure


def test_append(measure: Measure, inputs: Inputs, tmp_path: Path) -> None:
    """Append what was parsed to a new SQLite log, in one transaction."""
    batches = stages.parse(inputs.lists)
    numbers = count()
    measure("append", lambda: stages.append(tmp_path / f"{next(numbers)}.db", batches))
    size = (tmp_path / "0.db").stat().st_size
    measure.say(log_bytes_per_pod=round(size / inputs.pods))


def test_replay(measure: Measure, inputs: Inputs) -> None:
    """Read the log and decode every batch."""
    events = measure("replay", stages.replay, inputs.log)
    assert sum(len(batch) for _, _, batch in events) > inputs.pods
