"""What runs before teach of how long moves take, for the plans to come.

Each wave that ended says how long the moves of each workload took, the longest by kind of move.
Of several waves the median of the last few counts, for a workload changes with its versions.
"""

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Final

import msgspec

from planner import core
from planner.apply.course import Course, Place
from planner.apply.events import Replanned, Started, Took, WaveEnded, from_payload
from planner.apply.lease import STREAM as LEASE
from planner.log import EventLog, Stream

WAVES_MAX: Final = 5
"""Of how many waves of a workload, the last ones, the median is taken."""

Key = tuple[Place, str]


def durations(log: EventLog, until: int) -> bytes:
    """Give what the runs of a log teach, up to a position, as `core.plan` takes it."""
    seen: dict[Key, list[int]] = {}
    for stream in log.streams("run"):
        if stream != LEASE:
            for key, took_ms in _of_run(log, stream, until):
                seen.setdefault(key, []).append(took_ms)
    return msgspec.json.encode(medians(seen), order="sorted")


def medians(seen: Mapping[Key, list[int]]) -> dict[str, dict[str, int]]:
    """Milliseconds by kind of move, by workload."""
    found: dict[str, dict[str, int]] = {}
    for (place, kind), took_ms in seen.items():
        found.setdefault(str(place), {})[kind] = round(median(took_ms[-WAVES_MAX:]))
    return found


def _of_run(log: EventLog, stream: Stream, until: int) -> Iterable[tuple[Key, int]]:
    plan_id, took = "", list[tuple[str, Took]]()
    for commit in log.read(after=0, until=until, stream=stream):
        for event in from_payload(commit.payload):
            match event:
                case Started() | Replanned():
                    plan_id = event.plan
                case WaveEnded():
                    took.extend((plan_id, each) for each in event.took)
    places = {each: _places(log, each) for each in dict.fromkeys(plan for plan, _ in took)}
    for plan, (index, kind, took_ms) in took:
        yield (places[plan][index], kind), took_ms


def _places(log: EventLog, plan_id: str) -> tuple[Place, ...]:
    *_, kept = log.read(after=0, stream=Stream("plan", plan_id))
    return Course(core.Plan.from_bytes(kept.payload)).places
