"""Where the time of a run's waves went, and what else could have been expected of them.

    python -m tests.controlplane.waves LOG     the SQLite file of a log with one run

Each line is a sum over the waves, in seconds: what the plan expected, the median and the slowest of
their moves, what they took; the longest start of their workloads by a quantile of the pods that
were there; and what the run taught of its own waves.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from planner import loop
from planner.apply import learnt
from planner.apply.beginning import run_ids
from planner.apply.course import Course, Place, place_of
from planner.apply.events import Started, Took, WaveEnded, from_payload
from planner.apply.learnt import SlowestOf
from planner.apply.moveset import MoveSet
from planner.apply.state import Run, fold
from planner.log import EventLog, Stream
from planner.log.open import open_log
from planner.model.clock import SystemClock

Starts = Mapping[tuple[str, str], Sequence[int]]
"""Seconds, in order, by cluster and name of the owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A wave that is over: its number, seconds that it and its moves took, and what it taught."""

    wave: int
    took_s: float
    moves_s: Sequence[float]
    taught: Sequence[Took]


def passed(log: EventLog, run_id: str) -> Iterator[Passed]:
    """The waves of a run, in order."""
    run = Run()
    for commit in log.read(stream=Stream("run", run_id)):
        for event in from_payload(commit.payload):
            run = fold(run, [event], commit.time_ms)
            if isinstance(event, WaveEnded):
                took_s = run.took[-1][-1] / 1000
                its = sorted(_moves_s(run))
                yield Passed(wave=event.wave, took_s=took_s, moves_s=its, taught=event.took)


def _moves_s(run: Run) -> Iterator[float]:
    let_go = {it: ms for ms, moves in run.wave.let_go_at for it in MoveSet.parse(moves)}
    back = {it: ms for ms, moves in run.wave.back_at for it in MoveSet.parse(moves)}
    yield from ((back[it] - let_go[it]) / 1000 for it in back if it in let_go)


def starts(log: EventLog, until: int) -> Starts:
    """How long pods took to start that never restarted."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    rows: Iterator[dict[str, Any]] = map(dict, loop.observed_rows(log, until=until))
    for row in rows:
        if row["resource"] == "pods" and row.get("ready_since_s") and not row["restarts"]:
            _, kind, name, _ = row["owner"].split("|")
            owner = name.rpartition("-")[0] if kind == "ReplicaSet" else name
            found[row["cluster"], owner].append(row["ready_since_s"] - row["created_s"])
    return {key: sorted(its) for key, its in found.items()}


def by_starts(course: Course, waves: Iterable[Passed], seen: Starts, quantile: float) -> float:
    """What the starts would let expect of waves."""

    def of(place: Place) -> int:
        its = seen.get((place.cluster, place.name), [0])
        return max(1, its[min(len(its) - 1, int(len(its) * quantile))])

    places = [{place_of(move) for _, move in course.moves(it.wave)} for it in waves]
    return sum(max(map(of, its)) for its in places)


def by_teaching(course: Course, waves: Sequence[Passed]) -> float:
    """What the waves of a run would let expect of the same ones."""
    seen: dict[tuple[Place, str], list[SlowestOf]] = defaultdict(list)
    for it in waves:
        for index, kind, ms in it.taught:
            seen[course.places[index], kind].append(SlowestOf(ms, 1))
    taught = learnt.medians(seen)
    expected = (
        [taught[str(course.places[index])][kind] for index, kind, _ in it.taught] for it in waves
    )
    return sum(max(its) for its in expected if its) / 1000


def main(path: str) -> Iterator[str]:
    """Tell it line by line."""
    with open_log(f"sqlite:///{Path(path)}", clock=SystemClock(), create=False) as log:
        (run_id,) = run_ids(log)
        first = next(iter(log.read(stream=Stream("run", run_id))))
        (started,) = from_payload(first.payload)
        assert isinstance(started, Started)
        course = Course(loop.load_plan(lambda: log, started.plan))
        waves = [it for it in passed(log, run_id) if it.moves_s]
        planned = {it.wave: it.seconds for it in course.waves}
        yield f"{len(waves)} waves"
        yield f"{sum(planned[it.wave] for it in waves):6.0f}  planned"
        yield f"{sum(median(it.moves_s) for it in waves):6.0f}  their moves, the median"
        yield f"{sum(it.moves_s[-1] for it in waves):6.0f}  their moves, the slowest"
        yield f"{sum(it.took_s for it in waves):6.0f}  took"
        seen = starts(log, course.position)
        for quantile in (0.5, 0.9, 1.0):
            yield f"{by_starts(course, waves, seen, quantile):6.0f}  starts, quantile {quantile}"
        yield f"{by_teaching(course, waves):6.0f}  taught by the run itself"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in main(sys.argv[1]))
