"""Rules about the order within a workload: who goes first, who stays, and who is paused."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from planner.verify.drains import moves_application
from planner.verify.selector import matches
from planner.verify.strategy import partition_of
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.verify.fleet import SidecarSet, Workload
    from planner.verify.plan import Case, Manner, Move
    from planner.verify.pods import Pod
    from planner.verify.target import Change
    from planner.verify.usage import Usages

OrderKey = tuple[int, ...]

_PHASE_RANKS = {"Pending": 0, "Unknown": 1, "Running": 2}


def order(case: Case, usages: Usages) -> Iterator[Violation]:
    """Moves of a workload come in the order in which its controller takes pods."""
    for key, manners in case.manners_of.items():
        workload = case.fleet.workloads[key]
        if workload.strategy.ordered:
            yield from _ordinal_order(case, workload)
        elif is_ranked(workload):
            own = {each for each in manners if each.is_application}
            application = [move for move in case.moves_of[key] if move.manner in own]
            yield from _taking_order(workload, application, usages)


def partition(case: Case) -> Iterator[Violation]:
    """As many pods as a partition says stay old, and for StatefulSets those that it says."""
    for key, manners in case.manners_of.items():
        workload = case.fleet.workloads[key]
        strategy = workload.strategy
        of_application = [each for each in manners if moves_application(each)]
        application = (move for each in of_application for move in case.in_manner[each])
        if strategy.partition_by == "index":
            # Without a partition only what is before the first ordinal would be below it.
            for move in application:
                if move.pod is not None and ordinal_index(workload, move.pod) < strategy.partition:
                    yield Violation(
                        rule="partition",
                        subject=str(move),
                        wave=move.wave,
                        message=f"its index is below {workload.key}'s partition"
                        f" {strategy.partition}, so it stays old",
                    )
            continue
        old, moved = _old_pods(case, workload), _moves_in(case, of_application)
        if moved and old - moved < min(strategy.partition, old):
            yield Violation(
                rule="partition",
                subject=str(workload.key),
                wave=max(move.wave for move in application),
                message=f"{old - moved} pods stay old where the partition keeps"
                f" {strategy.partition}",
            )
    yield from _sidecar_partitions(case)


def paused(case: Case) -> Iterator[Violation]:
    """What is paused does not move."""
    for workload, moves in case.moves_with_workload():
        if not workload.strategy.paused:
            continue
        for move in moves:
            if moves_application(move.manner):
                yield Violation(
                    rule="paused",
                    subject=str(move),
                    wave=move.wave,
                    message=f"{workload.key} is paused: resume it, or leave the pod",
                )


def _moves_in(case: Case, manners: Iterable[Manner]) -> int:
    return sum(len(case.in_manner[each]) for each in manners)


def ordinal_of(pod: Pod) -> int:
    """The ordinal in the name of a StatefulSet's pod; -1 without one."""
    digits = re.search(r"-(\d+)$", pod.name)
    return int(digits.group(1)) if digits else -1


def ordinal_index(workload: Workload, pod: Pod) -> int:
    """The ordinal counted from the set's first, reserved ordinals left out."""
    strategy = workload.strategy
    ordinal = ordinal_of(pod)
    reserved = sum(strategy.first_ordinal <= each < ordinal for each in strategy.reserved_ordinals)
    return ordinal - strategy.first_ordinal - reserved


def is_behind(case: Case, workload: Workload, pod: Pod) -> bool:
    """Whether its controller comes to a pod after one that has to change and does not move."""
    if not workload.strategy.ordered or workload.strategy.on_delete:
        return False
    changes, own = case.target.changes, ordinal_of(pod)
    return any(
        each not in case.move_of and each in changes and changes[each].of_application
        for each in workload.pods
        if ordinal_of(each) > own
    )


def _old_pods(case: Case, workload: Workload) -> int:
    return sum(
        (change := case.target.changes.get(pod)) is not None and change.of_application
        for pod in workload.pods
    )


def _ordinal_order(case: Case, workload: Workload) -> Iterator[Violation]:
    """From the highest ordinal down: the controller's walk never passes a pod over.

    A pod that differs and never moves stops the walk, but for OnDelete where nobody walks. Nor
    does anybody walk to a pod that is evicted only to leave a drained node.
    """
    reached = 0
    above = stopped = ""
    for pod, change in _from_the_top(case, workload):
        move = case.move_of.get(pod)
        if move is None:
            if change.of_application and not workload.strategy.on_delete:
                stopped = stopped or pod.name
            continue
        if not case.is_application(move):
            continue
        passes = bool(stopped) and moves_application(move.manner)
        if passes or move.wave < reached:
            yield Violation(
                rule="order",
                subject=str(pod),
                wave=move.wave,
                message=f"it moves before {stopped if passes else above}, which has a higher"
                " ordinal and goes first",
            )
        if move.wave > reached:
            reached, above = move.wave, pod.name


def _from_the_top(case: Case, workload: Workload) -> Iterator[tuple[Pod, Change]]:
    """The pods that have to move, but those that a partition holds; the highest ordinal first."""
    for pod in sorted(workload.pods, key=ordinal_of, reverse=True):
        change = case.target.changes.get(pod)
        if change is None or not (change.of_application or change.leaves):
            continue
        if change.leaves or ordinal_index(workload, pod) >= workload.strategy.partition:
            yield pod, change


def _taking_order(workload: Workload, moves: Sequence[Move], usages: Usages) -> Iterator[Violation]:
    """A CloneSet's order; a pod may be passed over when a budget of its own place is full."""
    keyed = sorted(
        (
            (clone_set_key(workload, move.pod), move)
            for move in moves
            # Controllers take active pods only; one that is being deleted goes by itself.
            if move.pod is not None and not move.pod.deleting
        ),
        key=lambda pair: pair[0],
        reverse=True,
    )
    earliest: Move | None = None
    group: list[Move] = []
    group_key: OrderKey | None = None
    for key, move in keyed:
        if key != group_key:
            # Only pods that are strictly later may not overtake: ties are in any order.
            earliest = min([*group, *([earliest] if earliest else [])], key=_wave, default=None)
            group, group_key = [], key
        group.append(move)
        overtaken = earliest is not None and earliest.wave < move.wave
        if earliest is not None and overtaken and not _held_back(move, earliest, usages):
            yield Violation(
                rule="order",
                subject=str(move),
                wave=move.wave,
                message=f"{earliest.name} moves in wave {earliest.wave} and comes after it in"
                f" the order in which {workload.key} takes pods",
            )


def pods_ahead(case: Case, workload: Workload, usages: Usages) -> dict[Pod, int]:
    """How many pods a CloneSet certainly takes before each that waits for no room itself.

    Such a pod takes from no budget, so for its sake nobody is passed over, nor is it.
    """
    if not is_ranked(workload):
        return {}
    keys = {
        move.pod: clone_set_key(workload, move.pod)
        for move in case.moves_of[workload.key]
        if move.pod is not None and not move.pod.deleting and case.is_application(move)
        if not any(usage.budget.takes(move) for usage in usages.of(move.pod))
    }
    ranks = sorted(keys.values())
    return {pod: bisect_left(ranks, key) for pod, key in keys.items()}


def _wave(move: Move) -> int:
    return move.wave


def _held_back(passed_over: Move, overtaking: Move, usages: Usages) -> bool:
    """Whether a budget of the one pod and not of the other may have made it wait.

    One that was full when it was overtaken; or one of its node or zone, for whose sake pods of
    crowded places go first.
    """
    if passed_over.pod is None or overtaking.pod is None:
        return False
    # One that surges does not take from what an eviction waits for.
    apart = {passed_over.kind, overtaking.kind} == {"surge", "evict"}
    shared = {
        id(usage)
        for usage in usages.of(overtaking.pod)
        if not apart or usage.budget.takes(overtaking)
    }
    return any(
        usage.budget.instance is not None or usage.in_wave(overtaking.wave) >= usage.budget.limit
        for usage in usages.of(passed_over.pod)
        if id(usage) not in shared and usage.budget.takes(passed_over)
    )


def is_ranked(workload: Workload) -> bool:
    """Whether its controller takes pods by `clone_set_key` alone."""
    return workload.key.kind == "CloneSet" and not workload.strategy.scatter


def clone_set_key(workload: Workload, pod: Pod) -> OrderKey:
    """Sorts pods as a CloneSet takes them (cloneset_core.go, GetPodsSortFunc; priority_sort.go).

    The stable sort by priority comes second and so counts first.
    """
    return (
        *_priority(workload.strategy.priority, pod),
        int(bool(pod.node)),
        _PHASE_RANKS.get(pod.phase, 2),
        int(pod.ready),
        -pod.ready_since_s if pod.ready else 0,
        -pod.restarts,
        -pod.created_s,
    )


def _priority(priority: Mapping[str, object] | None, pod: Pod) -> OrderKey:
    if not priority:
        return (0, 0)
    weights = priority.get("weightPriority")
    if isinstance(weights, list) and weights:
        weight = sum(
            each["weight"] for each in weights if matches(each["matchSelector"], pod.labels)
        )
        return (-weight, 0)
    keys = priority.get("orderPriority")
    for level, each in enumerate(keys if isinstance(keys, list) else ()):
        value = pod.labels.get(each["orderedKey"])
        if value is not None:
            digits = re.search(r"\d+$", value)
            return (level, -int(digits.group()) if digits else 0)
    # Pods without any of the keys go first, against the comment of the API.
    return (-1, 0)


def _sidecar_partitions(case: Case) -> Iterator[Violation]:
    """A SidecarSet's partition is cut from the end of the pods that wait for it."""
    for sidecar_set in case.fleet.sidecar_sets.values():
        update = sidecar_set.spec.get("updateStrategy") or {}
        kept = partition_of(update.get("partition") or 0, len(sidecar_set.pods))
        if not kept:
            continue
        waiting, moved = _sidecar_counts(case, sidecar_set)
        if moved > max(0, waiting - kept):
            yield Violation(
                rule="partition",
                subject=f"{sidecar_set.cluster}/sidecarset/{sidecar_set.name}",
                wave=None,
                message=f"{moved} of the {waiting} pods that wait for it are updated in place,"
                f" and its partition keeps {kept}",
            )


def _sidecar_counts(case: Case, sidecar_set: SidecarSet) -> tuple[int, int]:
    """Pods that wait for a SidecarSet, and those of them that it updates in place."""
    waiting = moved = 0
    for pod in sidecar_set.pods:
        change = case.target.changes.get(pod)
        names = {
            each.container
            for each in (change.sidecars if change else ())
            if each.sidecar_set is sidecar_set and each.in_place
        }
        if names:
            waiting += 1
            move = case.move_of.get(pod)
            in_place = move is not None and move.kind == "in-place"
            moved += in_place and move is not None and not names.isdisjoint(move.containers)
    return waiting, moved
