"""Failure budgets: when they are used up, and what may still go where pods have failed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from planner.apply.course import Place, place_of
from planner.apply.policy import Policy
from planner.apply.state import Run
from planner.apply.steps import Going
from planner.apply.wave import Due


def too_many_failed(
    run: Run, policy: Policy, *, wave: int, moves: Mapping[Place, int], failed: Mapping[Place, int]
) -> str:
    """Which failure budget is used up; or nothing.

    Args:
        run: which, in the middle of a wave.
        policy: its failure budgets.
        wave: moves of the wave.
        moves: of the run, by workload.
        failed: moves of the run that failed, by workload.
    """
    if run.failed > policy.failures_run.of(sum(moves.values())):
        return f"{run.failed} pods failed in this run, {policy.failures_run} may"
    in_wave = len(run.wave.failed)
    if in_wave > policy.failures_wave.of(wave):
        return f"{in_wave} pods failed in wave {run.wave.number}, {policy.failures_wave} may"
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
    in_all = min(
        policy.failures_run.of(sum(moves.values())) - run.failed,
        policy.failures_wave.of(len(due)) - len(run.wave.failed),
    ) - sum(under_way.values())
    kept: list[Going] = []
    for each in going:
        place = place_of(each.move)
        if place in failing:
            if min(left[place], in_all) <= 0:
                continue
            left[place] -= 1
            in_all -= 1
        kept.append(each)
    return kept
