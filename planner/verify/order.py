"""Rules about the order within a workload: who goes first, who stays, and who is paused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.columns import alike
from planner.verify.drains import moves_application
from planner.verify.selector import matches
from planner.verify.strategy import partition_of
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from planner.verify.bound import Manner, Move, Moves
    from planner.verify.columns import Bools, Ints
    from planner.verify.fleet import SidecarSet, Workload
    from planner.verify.gangs import Gangs
    from planner.verify.plan import Case
    from planner.verify.pods import Pod
    from planner.verify.sequences import Sequences
    from planner.verify.usage import Usages

OrderKey = tuple[int, ...]

_NOTHING = np.zeros(1, np.int64)
_NEVER = np.iinfo(np.int64).max


def order(case: Case, usages: Usages, sequences: Sequences, gangs: Gangs) -> Iterator[Violation]:
    """Moves of a workload come in the order in which its controller takes pods."""
    walks = Walks(case)
    for key in case.manners_of:
        workload = case.fleet.workloads[key]
        if workload.strategy.ordered:
            if key not in sequences.unordered:
                yield from walks.passed_over(workload)
        elif is_ranked(workload):
            moves = case.moves_of[key]
            alone = ~gangs.together[moves.rows]
            application = moves.where(case.bound.is_application[moves.places] & alone)
            yield from _taking_order(workload, application, usages, sequences)


def partition(case: Case) -> Iterator[Violation]:
    """As many pods as a partition says stay old, and for StatefulSets those that it says."""
    for key, manners in case.manners_of.items():
        workload = case.fleet.workloads[key]
        strategy = workload.strategy
        of_application = [each for each in manners if moves_application(each)]
        if strategy.partition_by == "index":
            # Without a partition only what is before the first ordinal would be below it.
            for moves in (case.in_manner[each] for each in of_application):
                index = ordinal_index(workload, case.fleet.table.ordinal[moves.rows])
                for move in moves.where(index < strategy.partition):
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
                wave=max(int(case.in_manner[each].waves.max()) for each in of_application),
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


def _old_pods(case: Case, workload: Workload) -> int:
    return int(np.count_nonzero(case.differs(workload.pods)))


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

    def passed_over(self, workload: Workload) -> Iterator[Violation]:
        """Moves of pods to which the walk has not come yet."""
        rows = self._walked(workload)
        moves, waves = self._moves[rows] & self._own[rows], self._wave[rows]
        reached = np.maximum.accumulate(np.where(moves, np.maximum(waves, 0), 0))
        before = np.concatenate((_NOTHING, reached[:-1]))
        stops = ~self._moves[rows] & self._applies[rows]
        if workload.strategy.on_delete:
            stops[:] = False
        passes = np.logical_or.accumulate(stops) & self._whole[rows]
        for place in np.flatnonzero(moves & (passes | (waves < before))).tolist():
            # The first that stopped the walk, or that went in the wave that is reached.
            by = stops if passes[place] else moves & (waves == before[place])
            above = self._table.name[rows[np.argmax(by)]] if by.any() else ""
            pod = self._table[int(rows[place])]
            yield Violation(
                rule="order",
                subject=str(pod),
                wave=int(waves[place]),
                message=f"it moves before {above}, which has a higher ordinal and goes first",
            )

    def too_early(self, workload: Workload, start_of_row: Ints) -> list[int]:
        """The rows of pods whose move begins before one to which the walk comes first."""
        rows = self._walked(workload)
        rows = rows[self._moves[rows] & self._own[rows]]
        starts = start_of_row[rows]
        early: list[int] = rows[starts < np.maximum.accumulate(starts)].tolist()
        return early

    def _walked(self, workload: Workload) -> Ints:
        """The pods that have to move, but those that a partition holds; the highest first."""
        rows = workload.pods.rows
        index = ordinal_index(workload, self._ordinal[rows])
        held = index < workload.strategy.partition
        own = rows[self._leaves[rows] | (self._applies[rows] & ~held)]
        walked: Ints = own[np.argsort(-self._ordinal[own], kind="stable")]
        return walked


def _taking_order(
    workload: Workload, moves: Moves, usages: Usages, sequences: Sequences
) -> Iterator[Violation]:
    """A CloneSet's order.

    A pod may be passed over when a budget of its own place is full, while its phase waits, or for
    the sake of a phase for which others wait. Pods that move with others of their gang are not
    among these moves: they wait for those, and come before others for the sake of those.
    """
    # Controllers take active pods only; one that is being deleted goes by itself.
    moves = moves.where(~is_deleting(moves))
    if len(np.unique(moves.waves)) <= 1:
        return  # nobody overtakes anybody
    ranks = taking_ranks(workload, moves)
    order = np.argsort(-ranks, kind="stable")
    ranks, waves = ranks[order], moves.waves[order]
    begins = np.flatnonzero(np.concatenate(([True], ranks[1:] != ranks[:-1])))
    group = np.cumsum(np.concatenate(([0], ranks[1:] != ranks[:-1])))
    held_until = sequences.held_until[moves.rows[order]]
    overtaken: list[tuple[int, int]] = []
    for held in np.unique(held_until).tolist():
        # Only pods that are strictly later may not overtake: ties are in any order.
        after = np.where(waves > held, waves, _NEVER)
        least = np.minimum.accumulate(np.minimum.reduceat(after, begins))
        earliest = np.where(group > 0, least[group - 1], _NEVER)
        places = np.flatnonzero((held_until == held) & (earliest < waves))
        overtaken.extend(zip(places.tolist(), earliest[places].tolist(), strict=True))
    for place, wave in sorted(overtaken):
        move = moves[int(order[place])]
        first = _first_of(waves, begins, int(group[place]), wave)
        overtaking = moves[int(order[first])]
        row, other = (int(moves.rows[order[it]]) for it in (first, place))
        if not (_held_back(move, overtaking, usages) or sequences.hurry(row, other)):
            yield Violation(
                rule="order",
                subject=str(move),
                wave=move.wave,
                message=f"{overtaking.name} moves in wave {overtaking.wave} and comes after it in"
                f" the order in which {workload.key} takes pods",
            )


def _first_of(waves: Ints, begins: Ints, group: int, wave: int) -> int:
    """Of the groups before one the nearest with a move in this wave, and there the first move."""
    last = int(np.flatnonzero(waves[: begins[group]] == wave)[-1])
    begin = int(begins[np.searchsorted(begins, last, side="right") - 1])
    return begin + int(np.argmax(waves[begin : last + 1] == wave))


def pods_ahead(case: Case, workload: Workload, usages: Usages) -> dict[Pod, int]:
    """How many pods a CloneSet certainly takes before each that waits for no room itself.

    Such a pod takes from no budget, so for its sake nobody is passed over, nor is it.
    """
    if not is_ranked(workload):
        return {}
    moves = case.moves_of[workload.key]
    moves = moves.where(case.bound.is_application[moves.places] & ~is_deleting(moves))
    pairs = zip(moves.pods, moves, strict=True)
    waits = [any(usage.budget.takes(move) for usage in usages.of(pod)) for pod, move in pairs]
    moves = moves.where(~np.array(waits, np.bool_))
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
    table, rows = moves.bound.table, moves.rows
    priority = workload.strategy.priority
    first = [_priority(priority, pod) for pod in moves.pods] if priority else []
    place = {each: index for index, each in enumerate(sorted(set(first)))}
    ready = table.ready[rows]
    columns = (
        np.array([place[each] for each in first] or [0] * len(rows), np.int64),
        table.is_placed[rows],
        table.phase_rank[rows],
        ready,
        np.where(ready, -table.ready_since_s[rows], 0),
        -table.restarts[rows],
        -table.created_s[rows],
    )
    order = np.lexsort(columns[::-1])
    differs = np.zeros(len(rows), np.int64)
    for column in columns:
        of = column[order]
        differs[1:] |= of[1:] != of[:-1]
    ranks = np.empty(len(rows), np.int64)
    ranks[order] = np.cumsum(differs)
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
