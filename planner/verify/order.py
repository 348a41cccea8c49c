"""Rules about the order within a workload: who goes first, who stays, and who is paused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.bound import Moves
from planner.verify.columns import alike, differs, most_before, running_max
from planner.verify.drains import moves_application
from planner.verify.selector import matches
from planner.verify.strategy import partition_of
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.bound import Move
    from planner.verify.columns import Bools, Ints
    from planner.verify.fleet import SidecarSet, Workload
    from planner.verify.gangs import Gangs
    from planner.verify.plan import Case
    from planner.verify.pods import Pod
    from planner.verify.sequences import Sequences
    from planner.verify.table import Table
    from planner.verify.usage import Usages

OrderKey = tuple[int, ...]
_NOBODY = np.zeros(0, np.int64)


def order(case: Case, usages: Usages, sequences: Sequences, gangs: Gangs) -> Iterator[Violation]:
    """Moves of a workload come in the order in which its controller takes pods."""
    workloads = [case.fleet.workloads[key] for key in case.manners_of]
    walked = [it for it in workloads if it.strategy.ordered and it.key not in sequences.unordered]
    yield from Walks(case).passed_over(walked)
    ranked = [it for it in workloads if not it.strategy.ordered and is_ranked(it)]
    yield from _taking_order(case, ranked, gangs.together, usages, sequences)


def partition(case: Case) -> Iterator[Violation]:
    """As many pods as a partition says stay old, and for StatefulSets those that it says."""
    workloads, bound = [case.fleet.workloads[key] for key in case.manners_of], case.bound
    counted = np.array([it.strategy.partition_by == "count" for it in workloads], np.bool_)
    is_whole = bound.of_manner(lambda it: bool(moves_application(it)), np.bool_)
    whole = np.flatnonzero(is_whole & (case.owner >= 0))
    # Without a partition only what is before the first ordinal would be below it.
    is_below = np.zeros(len(case.fleet.table), np.bool_)
    below = [it for it in workloads if it.strategy.partition_by == "index"]
    rows, owner = _pods_of(below)
    is_below[rows] = indices(below, bound.table) < _partitions(below)[owner]
    for place in whole[is_below[bound.row[whole]]].tolist():
        move, workload = bound[place], workloads[case.owner[place]]
        yield Violation(
            rule="partition",
            subject=str(move),
            wave=move.wave,
            message=f"its index is below {workload.key}'s partition"
            f" {workload.strategy.partition}, so it stays old",
        )
    rows, owner = _pods_of(workloads)
    waits = case.applies[case.target.changes.codes[rows]]
    old = np.bincount(owner[waits], minlength=len(workloads))
    moved = np.bincount(case.owner[whole], minlength=len(workloads))
    stay = np.minimum(_partitions(workloads), old)
    for place in np.flatnonzero(counted & (moved > 0) & (old - moved < stay)).tolist():
        yield Violation(
            rule="partition",
            subject=str(workloads[place].key),
            wave=int(bound.wave[whole[case.owner[whole] == place]].max()),
            message=f"{old[place] - moved[place]} pods stay old where the partition keeps"
            f" {workloads[place].strategy.partition}",
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


def _pods_of(workloads: Sequence[Workload]) -> tuple[Ints, Ints]:
    """The pods of each, one workload after the other, and the place of the workload of each."""
    rows = np.concatenate([_NOBODY, *(each.pods.rows for each in workloads)])
    return rows, np.repeat(np.arange(len(workloads)), [len(each.pods) for each in workloads])


def _partitions(workloads: Sequence[Workload]) -> Ints:
    return np.array([each.strategy.partition for each in workloads], np.int64)


def indices(workloads: Sequence[Workload], table: Table) -> Ints:
    """The index of each pod of these, in the order of `_pods_of`."""
    own = (ordinal_index(each, table.ordinal[each.pods.rows]) for each in workloads)
    return np.concatenate([_NOBODY, *own])


def ordinal_index(workload: Workload, ordinal: Any) -> Any:  # noqa: ANN401 -- one, or many
    """An ordinal, or an array of them, counted from the set's first, without reserved ones."""
    strategy = workload.strategy
    index = ordinal - strategy.first_ordinal
    for each in strategy.reserved_ordinals:
        if each >= strategy.first_ordinal:
            index = index - (ordinal > each)
    return index


def is_behind(case: Case, workload: Workload, pod: Pod) -> bool:
    """Whether its controller comes to a pod after one that has to change and does not move."""
    if not workload.strategy.ordered or workload.strategy.on_delete:
        return False
    rows = workload.pods.rows
    stays = case.differs(workload.pods) & (case.bound.of_row[rows] < 0)
    return bool((stays & (case.fleet.table.ordinal[rows] > pod.ordinal)).any())


class Walks:
    """From the highest ordinal down: the controller's walk never passes a pod over.

    A pod that differs and never moves stops the walk, but for OnDelete where nobody walks. Nor
    does anybody walk to a pod that is evicted only to leave a drained node.
    """

    def __init__(self, case: Case) -> None:
        table, bound = case.fleet.table, case.bound
        codes = case.target.changes.codes
        leaves = np.array([*(it.leaves for it in case.target.changes.all), False])
        self._table, self._ordinal = table, table.ordinal
        self._applies, self._leaves = case.applies[codes], leaves[codes]
        self._wave, self._moves = bound.wave_of_row, bound.of_row >= 0
        # -1 asks for the last, which is of no manner.
        whole = [bool(moves_application(it)) for it in bound.manners]
        self._whole = np.array([*whole, False])[bound.manner_of_row]
        self._own = np.zeros(len(table), np.bool_)
        self._own[bound.row[bound.is_first]] = bound.is_application[bound.is_first]

    def passed_over(self, workloads: Sequence[Workload]) -> Iterator[Violation]:
        """Moves of pods to which the walk of their workload has not come yet."""
        rows, owner = self._walked(workloads)
        moves, waves = self._moves[rows] & self._own[rows], self._wave[rows]
        before = most_before(np.where(moves, np.maximum(waves, 0), 0), owner)
        walks = np.array([not each.strategy.on_delete for each in workloads], np.bool_)
        stops = ~self._moves[rows] & self._applies[rows] & walks[owner]
        passes = (running_max(stops.astype(np.int64), owner) > 0) & self._whole[rows]
        begins = np.searchsorted(owner, np.arange(len(workloads) + 1))
        for place in np.flatnonzero(moves & (passes | (waves < before))).tolist():
            walk = slice(*begins[owner[place] : owner[place] + 2])
            # The first that stopped the walk, or that went in the wave that is reached.
            by = stops[walk] if passes[place] else moves[walk] & (waves[walk] == before[place])
            above = self._table.name[rows[walk][np.argmax(by)]] if by.any() else ""
            pod = self._table[int(rows[place])]
            yield Violation(
                rule="order",
                subject=str(pod),
                wave=int(waves[place]),
                message=f"it moves before {above}, which has a higher ordinal and goes first",
            )

    def too_early(self, workload: Workload, start_of_row: Ints) -> list[int]:
        """The rows of pods whose move begins before one to which the walk comes first."""
        rows, _ = self._walked([workload])
        rows = rows[self._moves[rows] & self._own[rows]]
        starts = start_of_row[rows]
        early: list[int] = rows[starts < np.maximum.accumulate(starts)].tolist()
        return early

    def _walked(self, workloads: Sequence[Workload]) -> tuple[Ints, Ints]:
        """The pods that have to move, but those that a partition holds; the highest first.

        One workload after the other, and the place of the workload of each.
        """
        rows, owner = _pods_of(workloads)
        held = indices(workloads, self._table) < _partitions(workloads)[owner]
        own = np.flatnonzero(self._leaves[rows] | (self._applies[rows] & ~held))
        rows, owner = rows[own], owner[own]
        order = np.lexsort((-self._ordinal[rows], owner))
        return rows[order], owner[order]


def _taking_order(
    case: Case,
    workloads: Sequence[Workload],
    together: Bools,
    usages: Usages,
    sequences: Sequences,
) -> Iterator[Violation]:
    """The order of CloneSets.

    A pod may be passed over when a budget of its own place is full, while its phase waits, or for
    the sake of a phase for which others wait. Pods that move with others of their gang are not
    among these moves: they wait for those, and come before others for the sake of those.
    """
    moves, owner = _moves_of(case, workloads)
    # Controllers take active pods only; one that is being deleted goes by itself.
    own = case.bound.is_application[moves.places] & ~together[moves.rows] & ~is_deleting(moves)
    moves, owner = moves.where(own), owner[own]
    ranks = _ranks(workloads, moves, owner)
    order = np.argsort(-ranks, kind="stable")
    moves, owner, ranks = moves.where(order), owner[order], ranks[order]
    rows, waves, walks = moves.rows, moves.waves, np.cumsum(differs(owner)) - 1
    held_until = sequences.held_until[rows]
    is_new = differs(ranks)
    begins, group = np.flatnonzero(is_new), np.cumsum(is_new) - 1
    walk_begins = np.flatnonzero(differs(owner))
    never = int(waves.max(initial=0)) + 1
    for held in np.unique(held_until).tolist():
        # Only pods that are strictly later may not overtake: ties are in any order.
        after = np.where(waves > held, waves, never)
        later = -running_max(never - np.minimum.reduceat(after, begins), walks[begins]) + never
        earliest = np.where(begins[group] > walk_begins[walks], later[group - 1], never)
        for place in np.flatnonzero((held_until == held) & (earliest < waves)).tolist():
            begin, end = int(walk_begins[walks[place]]), int(begins[group[place]])
            first = begin + _nearest(waves[begin:end], ranks[begin:end], int(earliest[place]))
            move, overtaking = moves[place], moves[first]
            hurries = sequences.hurry(int(rows[first]), int(rows[place]))
            if hurries or _held_back(move, overtaking, usages):
                continue
            yield Violation(
                rule="order",
                subject=str(move),
                wave=move.wave,
                message=f"{overtaking.name} moves in wave {overtaking.wave} and comes after it in"
                f" the order in which {workloads[owner[place]].key} takes pods",
            )


def _moves_of(case: Case, workloads: Sequence[Workload]) -> tuple[Moves, Ints]:
    """The moves of each, one workload after the other, and the place of the workload of each."""
    own = [case.moves_of[each.key] for each in workloads]
    places = np.concatenate([_NOBODY, *(each.places for each in own)])
    return Moves(case.bound, places), np.repeat(np.arange(len(own)), [len(each) for each in own])


def _nearest(waves: Ints, ranks: Ints, wave: int) -> int:
    """Of the last that have one rank and of which one moves in the wave, the first that does."""
    inside = np.flatnonzero(waves == wave)
    return int(inside[np.argmax(ranks[inside] == ranks[inside[-1]])])


def pods_ahead(case: Case, workload: Workload, usages: Usages) -> dict[Pod, int]:
    """How many pods a CloneSet certainly takes before each that waits for no room itself.

    Such a pod takes from no budget, so for its sake nobody is passed over, nor is it.
    """
    if not is_ranked(workload):
        return {}
    moves = case.moves_of[workload.key]
    moves = moves.where(case.bound.is_application[moves.places] & ~is_deleting(moves))
    _, budgets = usages.takers.budgets(moves.rows)
    moves = moves.where(budgets == 0)
    ranks = taking_ranks(workload, moves)
    ahead = np.searchsorted(np.sort(ranks), ranks).tolist()
    return dict(zip(moves.pods, ahead, strict=True))


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


def is_deleting(moves: Moves) -> Bools:
    """Of each move of a pod whether that is on its way out."""
    return moves.bound.is_deleting[moves.rows]


def taking_ranks(workload: Workload, moves: Moves) -> Ints:
    """Sorts moves as a CloneSet takes pods (cloneset_core.go, GetPodsSortFunc; priority_sort.go).

    The stable sort by priority comes second and so counts first. Those that are alike have the
    same rank.
    """
    return _ranks([workload], moves, np.zeros(len(moves), np.int64))


def _ranks(workloads: Sequence[Workload], moves: Moves, owner: Ints) -> Ints:
    """The same of the moves of several, given with the place of the workload of each, in order."""
    table, rows = moves.bound.table, moves.rows
    first = np.zeros(len(rows), np.int64)
    for place, workload in enumerate(workloads):
        if workload.strategy.priority:
            own = np.flatnonzero(owner == place)
            keys = [_priority(workload.strategy.priority, pod) for pod in moves.where(own).pods]
            found = {each: index for index, each in enumerate(sorted(set(keys)))}
            first[own] = [found[each] for each in keys]
    ready = table.ready[rows]
    columns = (
        owner,
        first,
        table.is_placed[rows],
        table.phase_rank[rows],
        ready,
        np.where(ready, -table.ready_since_s[rows], 0),
        -table.restarts[rows],
        -table.created_s[rows],
    )
    order = np.lexsort(columns[::-1])
    is_new = np.zeros(len(rows), np.int64)
    for column in columns:
        of = column[order]
        is_new[1:] |= of[1:] != of[:-1]
    ranks = np.empty(len(rows), np.int64)
    ranks[order] = np.cumsum(is_new)
    return ranks


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
    rows = sidecar_set.pods.rows
    changes, manners = case.target.changes.codes[rows], case.bound.manner_of_row[rows]
    firsts, groups = alike(
        (changes + 1, int(changes.max(initial=-1)) + 2), (manners + 1, len(case.bound.manners) + 1)
    )
    for first, pods in zip(firsts.tolist(), np.bincount(groups).tolist(), strict=True):
        change, manner = changes[first], manners[first]
        names = {
            each.container
            for each in (case.target.changes.all[change].sidecars if change >= 0 else ())
            if each.sidecar_set is sidecar_set and each.in_place
        }
        if names:
            waiting += pods
            made = case.bound.manners[manner] if manner >= 0 else None
            in_place = made is not None and made.kind == "in-place"
            if in_place and made is not None and not names.isdisjoint(made.containers):
                moved += pods
    return waiting, moved
