"""Failure budgets: when they are used up, and what may still go where pods have failed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from planner.apply.course import Place, place_of
from planner.apply.policy import Policy
from planner.apply.state import Run
from planner.apply.steps import Going
from planner.apply.wave import Due
from planner.apply.wave_state import Wave
from planner.model.plan import Move


class InWave(NamedTuple):
    """Moves of a wave, and those of them that failed."""

    moves: int
    failed: int


def in_waves(due: Iterable[Due], wave: Wave) -> Mapping[int, InWave]:
    """Count the moves of the wave that is under way; of a leg that streams those of each wave."""
    moves: Counter[int] = Counter()
    failed: Counter[int] = Counter()
    for each in due:
        number = _wave_of(each.move, wave)
        moves[number] += 1
        failed[number] += each.number in wave.failed
    return {number: InWave(count, failed[number]) for number, count in moves.items()}


def _wave_of(move: Move, wave: Wave) -> int:
    return move.wave if wave.streams else wave.number


def too_many_failed(
    run: Run,
    policy: Policy,
    *,
    waves: Mapping[int, InWave],
    moves: Mapping[Place, int],
    failed: Mapping[Place, int],
) -> str:
    """Which failure budget is used up; or nothing.

    Args:
        run: which, in the middle of a wave.
        policy: its failure budgets.
        waves: see `in_waves`.
        moves: of the run, by workload.
        failed: moves of the run that failed, by workload.
    """
    if run.failed > policy.failures_run.of(sum(moves.values())):
        return f"{run.failed} pods failed in this run, {policy.failures_run} may"
    for number, its in waves.items():
        if its.failed > policy.failures_wave.of(its.moves):
            return f"{its.failed} pods failed in wave {number}, {policy.failures_wave} may"
    for place, count in failed.items():
        if count > policy.failures_workload.of(moves.get(place, count)):
            return f"{count} pods of {place} failed in this run, {policy.failures_workload} may"
    return ""


def without_too_many(
    going: Iterable[Going],
    due: Sequence[Due],
    run: Run,
    policy: Policy,
    *,
    moves: Mapping[Place, int],
    failed: Mapping[Place, int],
) -> list[Going]:
    """Leave out moves of workloads that have failed, but for as many as may still fail.

    Pods of such a workload fail most likely all for one reason: with those under way no more go
    than its failure budgets have left. Of others nothing is known, and they go as the plan says.

    Args:
        going: moves that could go, in the order in which they are to.
        due: moves of the wave.
        run: which, in the middle of the wave.
        policy: its failure budgets.
        moves: of the run, by workload.
        failed: moves of the run that failed, by workload.
    """
    failing = {place for place, count in failed.items() if count}
    if not failing:
        return list(going)
    unproved = run.wave.let_go - run.wave.back - run.wave.failed
    places = (place_of(each.move) for each in due if each.number in unproved)
    under_way = Counter(place for place in places if place in failing)
    left = {
        place: policy.failures_workload.of(moves.get(place, 0)) - failed[place] - under_way[place]
        for place in failing
    }
    in_all = policy.failures_run.of(sum(moves.values())) - run.failed - sum(under_way.values())
    waves = in_waves(due, run.wave)
    in_wave = {it: policy.failures_wave.of(its.moves) - its.failed for it, its in waves.items()}
    for it in due:
        if it.number in unproved and place_of(it.move) in failing:
            in_wave[_wave_of(it.move, run.wave)] -= 1
    kept: list[Going] = []
    for each in going:
        place = place_of(each.move)
        if place in failing:
            number = _wave_of(each.move, run.wave)
            if min(left[place], in_all, in_wave[number]) <= 0:
                continue
            left[place] -= 1
            in_all -= 1
            in_wave[number] -= 1
        kept.append(each)
    return kept
