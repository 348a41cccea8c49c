"""What runs before teach of how long moves take, for the plans to come.

Each wave that ended says how long the moves of each workload took, the longest by kind of move.
Of several waves the median of the last few counts, for a workload changes with its versions.
How long single moves take, and how far apart they lie, follows from how many were in each wave.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import exp, log, sqrt
from statistics import NormalDist, fmean, median
from typing import Final, NamedTuple

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

SPREAD: Final = 0.25
"""How far apart moves are supposed to lie of which nobody knows: the standard deviation of the
logarithm. Two of three take between four fifths and five quarters of the median. By as much all
rules of thumb are supposed to be off together."""
SPREAD_WAVES: Final = 4
"""As how many waves the supposed spread counts beside those that were seen."""

Key = tuple[Place, str]


class SlowestOf(NamedTuple):
    """What one wave taught: how long the slowest of so many moves took."""

    took_ms: int
    moves: int


def durations(log: EventLog, until: int, load: Callable[[str], core.Plan]) -> bytes:
    """Give what the runs of a log teach, up to a position, as `core.plan` takes it.

    `load` reads a plan by its id.
    """
    return msgspec.json.encode(medians(_seen(log, until, load)), order="sorted")


def spreads(log: EventLog, until: int, load: Callable[[str], core.Plan]) -> bytes:
    """Give the same for single moves, with how far apart they lie, as `core.eta` takes it."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (place, kind), waves in _seen(log, until, load).items():
        found.setdefault(str(place), {})[kind] = fitted(waves[-WAVES_MAX:])
    return msgspec.json.encode({"supposed": SPREAD, "seen": found}, order="sorted")


def medians(seen: Mapping[Key, Sequence[SlowestOf]]) -> dict[str, dict[str, int]]:
    """Milliseconds by kind of move, by workload; of each the last ones count."""
    found: dict[str, dict[str, int]] = {}
    for (place, kind), waves in seen.items():
        last = [each.took_ms for each in waves[-WAVES_MAX:]]
        found.setdefault(str(place), {})[kind] = round(median(last))
    return found


def fitted(waves: Sequence[SlowestOf]) -> dict[str, float]:
    """Fit a log-normal duration of one move to the slowest of several waves.

    The slowest of many lies above the median of all, and waves of many moves differ less from each
    other than their moves do; both by as much as it is for normal deviates. Few waves say little
    of the spread, so that the supposed one counts as some more. `off` is the standard error of the
    median's logarithm.
    """
    logs = [log(max(1, each.took_ms)) for each in waves]
    moves = max(1, round(median(each.moves for each in waves)))
    low, middle, high = (_slowest(chance, moves) for chance in (0.158_655, 0.5, 0.841_345))
    middle_log, width = fmean(logs), (high - low) / 2
    off = sum(((each - middle_log) / width) ** 2 for each in logs)
    spread = sqrt((SPREAD_WAVES * SPREAD**2 + off) / (SPREAD_WAVES + len(logs) - 1))
    return {
        "median_ms": exp(middle_log - spread * middle),
        "spread": spread,
        "off": spread * width / sqrt(len(logs)),
    }


def _slowest(chance: float, moves: int) -> float:
    """The deviate below which the slowest of so many moves lies with this chance."""
    return NormalDist().inv_cdf(chance ** (1 / moves))


def _seen(
    log: EventLog, until: int, load: Callable[[str], core.Plan]
) -> dict[Key, list[SlowestOf]]:
    """What each wave of the last plans taught, by workload and kind of move."""
    streams = (stream for stream in log.streams("run") if stream != LEASE)
    taught = sorted(each for stream in streams for each in _of_run(log, stream, until))
    newest = dict.fromkeys(plan for _, plan, _, _ in reversed(taught))
    courses = {plan: Course(load(plan)) for plan in list(newest)[:PLANS_MAX]}
    seen: dict[Key, list[SlowestOf]] = {}
    for _, plan, wave, (index, kind, took_ms) in taught:
        if course := courses.get(plan):
            moves = course.moves_of(wave).get(index, 1)
            key = (course.places[index], kind)
            seen.setdefault(key, []).append(SlowestOf(took_ms, moves))
    return seen


def _of_run(log: EventLog, stream: Stream, until: int) -> Iterator[tuple[int, str, int, Took]]:
    """Position, plan, wave, and what was taught there."""
    plan = ""
    for commit in log.read(after=0, until=until, stream=stream):
        for event in from_payload(commit.payload):
            match event:
                case Started() | Replanned():
                    plan = event.plan
                case WaveEnded():
                    for each in event.took:
                        yield commit.position_first, plan, event.wave, each
