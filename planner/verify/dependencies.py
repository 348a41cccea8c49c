"""The rule about dependencies: what must be done and healthy before a workload may move."""

from __future__ import annotations

from bisect import bisect_left
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.numbers import ceil_of
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from planner.verify.columns import Ints
    from planner.verify.fleet import Workload
    from planner.verify.plan import Case


def dependencies(case: Case) -> Iterator[Violation]:
    """A pod moves only after enough pods of every workload that its own waits for are done."""
    done_waves = cache(partial(_done_waves, done_at(case, case.bound.wave_of_row)))
    for rule in case.request["spec"].get("dependencies") or ():
        progress = {each: done_waves(each) for each in waited_for(rule, case)}
        for waiting in case.fleet.referred(rule["workload"]):
            yield from _too_early(waiting, case.places_of.waves(waiting.key), rule, progress)


def unreachable(case: Case) -> set[Workload]:
    """Workloads that wait for more than the plan ever brings."""
    done_waves = cache(partial(_done_waves, done_at(case, case.bound.wave_of_row)))
    found: set[Workload] = set()
    for rule in case.request["spec"].get("dependencies") or ():
        for workload in waited_for(rule, case):
            if len(done_waves(workload)) < needed(rule, workload):
                found.update(case.fleet.referred(rule["workload"]))
    return found


def waited_for(rule: Mapping[str, Any], case: Case) -> Iterable[Workload]:
    """Workloads that a dependency waits for, each once."""
    named = (each for reference in rule["after"] for each in case.fleet.referred(reference))
    return dict.fromkeys(named)


def needed(rule: Mapping[str, Any], workload: Workload) -> int:
    """How many of its pods have to be done before those may move that wait for it."""
    return min(ceil_of(rule.get("ready", "100%"), len(workload.pods)), len(workload.pods))


def done_at(case: Case, of_row: Ints) -> Ints:
    """Of each pod the moment after which it is done: at the target, and serving; -1 for never.

    It is given when each pod has moved; a pod that is done from the start is so after 0.
    """
    changes = case.target.changes
    goes = np.array([*(it.of_application or it.leaves for it in changes.all), False])
    done = ~goes[changes.codes] & ~case.fleet.table.down
    moved = np.where(case.bound.of_row < 0, -1, of_row)
    return np.where(done, 0, moved)


def _done_waves(done_wave: Ints, workload: Workload) -> list[int]:
    """For each pod that is ever done, the wave after which it is."""
    waves = done_wave[workload.pods.rows]
    return sorted(waves[waves >= 0].tolist())


def _too_early(
    waiting: Workload,
    waves: list[int],
    rule: Mapping[str, Any],
    progress: Mapping[Workload, list[int]],
) -> Iterator[Violation]:
    for workload, done_waves in progress.items():
        if workload is waiting:
            continue
        least = needed(rule, workload)
        for wave in waves:
            done = bisect_left(done_waves, wave)
            if done < least:
                yield Violation(
                    rule="dependency",
                    subject=str(waiting.key),
                    wave=wave,
                    message=(
                        f"it moves while {done} of {workload.key}'s {len(workload.pods)} pods are"
                        f" at the target and serving; it waits for {least}"
                    ),
                )
