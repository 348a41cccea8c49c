"""What runs before teach of how long moves take, for the plans to come.

Each wave that ended says how long the moves of each workload took, the longest by kind of move.
Of several waves the median of the last few counts, for a workload changes with its versions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
PLANS_MAX: Final = 5
"""How many plans count, the last ones: of each the workloads have to be read."""

Key = tuple[Place, str]


def durations(log: EventLog, until: int, load: Callable[[str], core.Plan]) -> bytes:
    """Give what the runs of a log teach, up to a position, as `core.plan` takes it.

    `load` reads a plan by its id.
    """
    streams = (stream for stream in log.streams("run") if stream != LEASE)
    taught = sorted(each for stream in streams for each in _of_run(log, stream, until))
    newest = dict.fromkeys(plan for _, plan, _ in reversed(taught))
    places = {plan: Course(load(plan)).places for plan in list(newest)[:PLANS_MAX]}
    seen: dict[Key, list[int]] = {}
    for _, plan, (index, kind, took_ms) in taught:
        if plan in places:
            seen.setdefault((places[plan][index], kind), []).append(took_ms)
    return msgspec.json.encode(medians(seen), order="sorted")


def medians(seen: Mapping[Key, Sequence[int]]) -> dict[str, dict[str, int]]:
    """Milliseconds by kind of move, by workload; of each the last ones count."""
    found: dict[str, dict[str, int]] = {}
    for (place, kind), took_ms in seen.items():
        found.setdefault(str(place), {})[kind] = round(median(took_ms[-WAVES_MAX:]))
    return found


def _of_run(log: EventLog, stream: Stream, until: int) -> Iterator[tuple[int, str, Took]]:
    """Position, plan and what was taught there."""
    plan = ""
    for commit in log.read(after=0, until=until, stream=stream):
        for event in from_payload(commit.payload):
            match event:
                case Started() | Replanned():
                    plan = event.plan
                case WaveEnded():
                    yield from ((commit.position_first, plan, each) for each in event.took)
