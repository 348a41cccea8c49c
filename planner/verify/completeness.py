"""Rules about the plan as a whole: every pod that differs is accounted for, and no other."""

from __future__ import annotations

from collections import Counter
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.calendars import may_be_blocked, rules_of
from planner.verify.dependencies import unreachable
from planner.verify.kept_gangs import KeptGangs
from planner.verify.moves import is_evictable, is_excluded, options_of
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.columns import Bools
    from planner.verify.fleet import Workload
    from planner.verify.gangs import Gangs
    from planner.verify.moves import Option
    from planner.verify.plan import Case
    from planner.verify.pods import Pod
    from planner.verify.sequences import Sequences
    from planner.verify.target import Change
    from planner.verify.usage import Usages


def unmovable_missing(case: Case) -> Iterator[Violation]:
    """Every pod that differs moves, or is listed with a reason and a remedy."""
    stays = (case.target.changes.codes >= 0) & (case.bound.of_row < 0)
    for pod in case.fleet.table.where(stays):
        if pod not in case.unmovable:
            yield _violation(
                "unmovable-missing",
                str(pod),
                "it differs from the target, does not move, and nothing says why",
            )
    for entry in case.header["unmovable"]:
        if not entry.get("reason") or not entry.get("remedy"):
            yield _violation(
                "unmovable-missing",
                f"{entry['cluster']}/{entry['namespace']}/{entry['pod']}",
                "it is listed as unmovable without a reason and a remedy",
            )


def complete(case: Case) -> Iterator[Violation]:
    """Nothing moves or is called unmovable but pods that differ, and no pod is both."""
    for manner, moves in case.in_manner.items():
        for move in moves if manner.change is None else ():
            yield Violation(
                rule="complete",
                subject=str(move.pod),
                wave=move.wave,
                message="it moves and does not differ from the target",
            )
    for pod in case.unmovable:
        if pod in case.move_of:
            yield Violation(
                rule="complete",
                subject=str(pod),
                wave=case.wave_of(pod),
                message="it moves and is listed as unmovable",
            )
    listed = Counter(
        (entry["cluster"], entry["namespace"], entry["pod"]) for entry in case.header["unmovable"]
    )
    differing = {
        (pod.cluster, pod.namespace, pod.name) for pod in (case.target.changes if listed else ())
    }
    for name, count in listed.items():
        if name not in differing:
            yield _violation(
                "complete",
                "/".join(name),
                "it is listed as unmovable and does not differ from the target",
            )
        elif count > 1:
            yield _violation("complete", "/".join(name), f"it is listed {count} times")


def unmovable_unfounded(
    case: Case, usages: Usages, sequences: Sequences, gangs: Gangs
) -> Iterator[Violation]:
    """What is called unmovable is kept from moving by something that can be observed.

    Else a plan that moves nothing would break no rule. Only pods that plainly could move are
    told of: a pod in doubt is left to the people who read its reason.
    """
    kept_gangs = KeptGangs(case, usages, gangs)
    stuck, kept, unfounded = _alone(case, usages, kept_gangs)
    crowded, by_down = kept_gangs.crowded(stuck | unfounded)
    kept = gangs.mates(kept | kept_gangs.kept() | crowded)
    unfounded &= ~kept
    # Who waits for one that waits for it, by whatever rules, moves as little as that one.
    may_wait = np.zeros(len(kept), np.bool_)
    for pod in case.fleet.table.where(kept) if sequences.all else ():
        if pod in case.unmovable:
            may_wait[pod.row] = _may_wait(case, pod, usages, stuck | unfounded)
    in_doubt = unfounded | stuck | (gangs.mates(may_wait | by_down) & kept)
    waits = gangs.mates(in_doubt & (sequences.wait_for(np.flatnonzero(in_doubt)) | ~unfounded))
    for pod in case.fleet.table.where(unfounded & ~waits):
        reason = case.unmovable[pod].get("reason")
        yield _violation(
            "unmovable-unfounded",
            str(pod),
            f"nothing that was observed keeps it from moving; the plan says {reason}",
        )


def _alone(case: Case, usages: Usages, gangs: KeptGangs) -> Sequence[Bools]:
    """The pods that are called unmovable, each by itself, of all of the table.

    Those that may wait for others of these, those that something keeps, and those that nothing
    does. None where the last stage leaves some.
    """
    blocked = unreachable(case) if case.unmovable else set()
    out_of_time = cache(partial(may_be_blocked, case, rules_of(case)))
    stages: Sequence[Mapping[str, Any]] = case.request["spec"].get("stages") or ()
    cut_short = bool(stages) and stages[-1]["perWorkload"] != "100%"
    stuck, kept, unfounded = np.zeros((3, len(case.fleet.table)), np.bool_)
    for pod in case.unmovable:
        workload = case.fleet.workload_of(pod)
        if pod not in case.target.changes or cut_short:
            continue
        if workload is None:
            kept[pod.row] = True
        elif workload in blocked or gangs.is_behind(workload, pod):
            stuck[pod.row] = True
        elif out_of_time(workload) or _has_obstacle(case, pod, workload, usages):
            kept[pod.row] = True
        else:
            unfounded[pod.row] = True
    return stuck, kept, unfounded


def _may_wait(case: Case, pod: Pod, usages: Usages, in_doubt: Bools) -> bool:
    """Whether what keeps a pod may be no more than another one that waits.

    A partition does not say whom it keeps, and a budget may be full of pods that wait themselves.
    """
    workload = case.fleet.workload_of(pod)
    if workload is None:
        return False
    if workload.strategy.partition:
        return True
    if _has_sidecar_partition(case.target.changes[pod]):
        return True
    return any(
        usage.stays_down >= usage.budget.limit and bool(in_doubt[usage.budget.down.rows].any())
        for usage in usages.of(pod)
    )


def _has_sidecar_partition(change: Change) -> bool:
    return any(
        (each.sidecar_set.spec.get("updateStrategy") or {}).get("partition")
        for each in change.sidecars
    )


def _has_obstacle(case: Case, pod: Pod, workload: Workload, usages: Usages) -> bool:
    strategy, change = workload.strategy, case.target.changes[pod]
    if pod.deleting or is_excluded(case, pod):
        return True
    if change.leaves:
        # Whom its partition may hold leaves by the last of its ways, or by the first: in doubt.
        options = options_of(case, pod, change, workload)
        kept = options[-1].forced and change.keeps_data
        return kept or any(_is_blocked(case, pod, option, usages) for option in options)
    if strategy.paused or strategy.partition:
        return True
    if (workload.document["spec"].get("strategy") or {}).get("type") == "Recreate":
        return True  # It would take every pod at once, whatever any plan says.
    if _has_sidecar_partition(change):
        return True
    return all(
        _is_blocked(case, pod, option, usages) for option in options_of(case, pod, change, workload)
    )


def _is_blocked(case: Case, pod: Pod, option: Option, usages: Usages) -> bool:
    """Whether even a wave of its own has no room for the pod."""
    if option.kind == "evict" and not is_evictable(case, pod):
        return True
    for usage in usages.of(pod):
        budget = usage.budget
        if not option.forced and budget.is_closed(pod, option.kind):
            return True
        if budget.would_lose(pod, option.kind):
            return True
        if (
            budget.would_take(pod, option.kind, option.containers)
            and usage.stays_down >= budget.limit
        ):
            return True
    return False


def _violation(rule: str, subject: str, message: str) -> Violation:
    return Violation(rule=rule, subject=subject, wave=None, message=message)
