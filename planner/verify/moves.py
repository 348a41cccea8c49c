"""Rules about each move by itself: what it names, and whether that can be done to its pod."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.verify.drains import ways_to_leave
from planner.verify.fleet import revision_hash
from planner.verify.order import is_behind, ordinal_index
from planner.verify.selector import every, matches, tells_kin_apart
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.verify.bound import Manner, Move
    from planner.verify.columns import Bools
    from planner.verify.fleet import Workload
    from planner.verify.plan import Case
    from planner.verify.pods import Kin, Pod
    from planner.verify.target import Change, Target

    _Need = tuple[Change, Workload | None, str | None, bool | None]
    """What the ways depend on in which a pod leaves its node: those alike share them."""

_IN_PLACE_GATE = "InPlaceUpdateReady"
_KINDS = frozenset(("in-place", "recreate", "surge", "evict", "delete"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way in which a pod may be taken to the target."""

    kind: str
    containers: Mapping[str, str]
    forced: bool = False
    """Whether it is an eviction that only the drain of its node asks for."""


def pod_exists(case: Case) -> Iterator[Violation]:
    """Every move names a pod that was observed and has not ended."""
    for move in case.moves.where(case.bound.row < 0):
        yield _violation(
            "pod-exists", move, "no such pod was observed, or it has ended: check its uid"
        )


def one_move(case: Case) -> Iterator[Violation]:
    """No pod is moved twice."""
    rows = case.bound.row
    moves_of = np.bincount(rows[rows >= 0])
    for pod in case.fleet.table.where(moves_of > 1):
        yield Violation(
            rule="one-move",
            subject=str(pod),
            wave=case.wave_of(pod),
            message=f"it has {moves_of[pod.row]} moves; a pod is moved at most once",
        )


def wave_number(case: Case) -> Iterator[Violation]:
    """Waves are numbered from 1 without a gap, and moves are written wave by wave."""
    waves = case.bound.wave
    seen = set(np.unique(waves).tolist())
    for move in case.moves.where(waves < 1):
        yield _violation("wave-number", move, "waves are numbered from 1")
    for wave in range(1, case.waves + 1):
        if wave not in seen:
            yield Violation(
                rule="wave-number", subject="plan", wave=wave, message="the wave has no move"
            )
    before = np.concatenate(([0], waves))[: len(waves)]
    back = waves < before
    for move, wave in zip(case.moves.where(back), before[back].tolist(), strict=True):
        yield _violation("wave-number", move, f"it is written after a move of wave {wave}")


def node(case: Case) -> Iterator[Violation]:
    """Every move names the node that its pod is on."""
    bound, table = case.bound, case.fleet.table
    codes = {node: code for code, node in enumerate(table.node.values)}
    said = np.array([codes.get(it, -1) for it in bound.node.values] or [-1])[bound.node.codes]
    known = bound.row >= 0
    known[known] = said[known] != table.node.codes[bound.row[known]]
    for move in case.moves.where(known):
        if move.pod is not None:
            yield _violation(
                "node", move, f"it is on node {move.pod.node!r}, and the move says {move.node!r}"
            )


def workload(case: Case) -> Iterator[Violation]:
    """Every move names the workload that its pod belongs to."""
    for manner in case.in_manner:
        actual, said = _named(manner.owner), manner.workload
        if said != actual:
            message = f"it belongs to {actual}, and the move says {said}"
            yield from _each("workload", case, manner, message)


def _named(owner: Workload | None) -> Mapping[str, str] | None:
    return None if owner is None else {"kind": owner.key.kind, "name": owner.key.name}


def way(case: Case) -> Iterator[Violation]:
    """Every move is of a kind that takes its pod to the target, and changes what differs.

    It changes the containers that differ, and no other, to the wanted images.
    """
    for manner, moves, options in _with_options(case):
        for rule, message in _wrong_way(manner, options):
            yield from (_violation(rule, move, message) for move in moves)


def _wrong_way(manner: Manner, options: Sequence[Option]) -> Iterator[tuple[str, str]]:
    if any(it.kind == manner.kind and it.containers == manner.containers for it in options):
        return
    kinds = [each.kind for each in options]
    if manner.kind not in _KINDS:
        yield "kind", f"{manner.kind!r} is no kind of move"
    elif not kinds:
        yield "kind", "nothing that its controllers do can change this pod"
    elif manner.kind not in kinds:
        allowed = " or ".join(dict.fromkeys(kinds))
        yield "kind", f"{manner.kind} is planned, and it takes {allowed}"
    wanted = [each.containers for each in options if each.kind == manner.kind]
    if wanted and manner.containers not in wanted:
        said, found = dict(manner.containers), dict(wanted[0])
        yield "containers", f"it changes {said}, and what differs is {found}"


def excluded(case: Case) -> Iterator[Violation]:
    """Pods that the request excludes do not move."""
    rules = case.request["spec"].get("exclude") or ()
    apart = any(tells_kin_apart(rule.get("selector")) for rule in rules)
    for manner, moves in case.in_manner.items() if rules else ():
        if manner.kin is None or not (apart or _excludes(rules, manner.kin)):
            continue
        for move in moves:
            if move.pod is not None and (not apart or is_excluded(case, move.pod)):
                message = "the request excludes it: leave it where it is"
                yield _violation("excluded", move, message)


def eviction(case: Case) -> Iterator[Violation]:
    """No pod is evicted under two PodDisruptionBudgets: the API server refuses (eviction.go)."""
    for manner, moves in case.in_manner.items():
        for move in moves if manner.kind == "evict" else ():
            if move.pod is not None and not is_evictable(case, move.pod):
                message = "several PodDisruptionBudgets match it: leave one"
                yield _violation("eviction", move, message)


def is_evictable(case: Case, pod: Pod) -> bool:
    """Whether the API server would ever let the pod be evicted."""
    return bool(case.fleet.disruption_budgets_over[pod.row] <= 1)


def excludes(case: Case) -> bool:
    """Whether the request excludes anybody."""
    return bool(case.request["spec"].get("exclude"))


def is_excluded(case: Case, pod: Pod) -> bool:
    """Whether a rule of the request's `exclude` matches the pod."""
    return _excludes(case.request["spec"].get("exclude") or (), pod)


def are_excluded(case: Case) -> Bools:
    """The same of every pod of the table."""
    found = np.zeros(len(case.fleet.table), np.bool_)
    for rule in case.request["spec"].get("exclude") or ():
        matched = case.fleet.by_label.select(rule.get("selector", {})).items()
        kin = {kin: its for kin, its in matched if _is_where(rule, kin)}
        found[every(case.fleet.table, kin).rows] = True
    return found


def _excludes(rules: Iterable[Mapping[str, Any]], pod: Kin | Pod) -> bool:
    return any(
        matches(rule.get("selector", {}), pod.labels) and _is_where(rule, pod) for rule in rules
    )


def _is_where(rule: Mapping[str, Any], pod: Kin | Pod) -> bool:
    """Whether pods are in the namespace and cluster of a rule, those that it names."""
    return rule.get("namespace") in (None, pod.namespace) and rule.get("cluster") in (
        None,
        pod.cluster,
    )


def options_of(case: Case, pod: Pod, change: Change, owner: Workload | None) -> Sequence[Option]:
    """The ways in which a pod of this plan may be taken to the target; none without a way."""
    if change.leaves:
        return _leaving_options(*_need_of(case, pod, change, owner))
    return pod_options(pod, change, owner, case.target)


def pod_options(
    pod: Kin | Pod, change: Change, owner: Workload | None, target: Target
) -> Sequence[Option]:
    """The ways in which a pod that may stay on its node is taken to the target."""
    return _options(*_asked_of(pod, change, owner, target))


def _asked_of(
    pod: Kin | Pod, change: Change, owner: Workload | None, target: Target
) -> tuple[Change, Workload | None, str | None]:
    """What the ways depend on: pods alike in it share them."""
    if change.of_application and owner is not None:
        return change, owner, application_kind(pod, owner, target)
    return change, None, None


def _need_of(case: Case, pod: Pod, change: Change, owner: Workload | None) -> _Need:
    if owner is None:
        return change, None, None, None
    strategy = owner.strategy
    held = (
        ordinal_index(owner, pod.ordinal) < strategy.partition or is_behind(case, owner, pod)
        if strategy.partition_by == "index"
        else None
    )
    kind = application_kind(pod, owner, case.target) if change.of_application else None
    return change, owner, kind, held


def _leaving_options(
    change: Change,
    owner: Workload | None,
    application: str | None,
    held: bool | None,  # noqa: FBT001 -- what is looked up
) -> Sequence[Option]:
    # A pod that nobody makes anew stays.
    ways = () if owner is None else ways_to_leave(change, owner, application, held)
    return [Option(kind=it.kind, containers=it.containers, forced=it.forced) for it in ways]


def _options(change: Change, owner: Workload | None, application: str | None) -> Sequence[Option]:
    in_running_pod = {each.container: each.image for each in change.sidecars if each.in_place}
    sidecars_alone = [Option(kind="in-place", containers=in_running_pod)] if in_running_pod else []
    if owner is None or application is None:
        return sidecars_alone
    if application == "in-place":
        both = Option(kind="in-place", containers={**change.images, **in_running_pod})
    else:
        # The new pod is injected with the newest sidecars, whatever kept the old ones.
        injected = {each.container: each.image for each in change.sidecars}
        both = Option(kind=application, containers={**change.images, **injected})
    held = owner.strategy.paused or owner.strategy.partition > 0
    return [both, *(sidecars_alone if held else ())]


def application_kind(pod: Kin | Pod, owner: Workload, target: Target) -> str | None:
    """The kind of move by which a workload's controller takes its pod to the target."""
    strategy = owner.strategy
    if strategy.on_delete:
        return "delete" if owner.key.kind.endswith("DaemonSet") else "evict"
    anew = "surge" if strategy.surges else "recreate"
    if strategy.pod_policy == "ReCreate":
        return anew
    if strategy.in_place_needs_gate and _IN_PLACE_GATE not in pod.readiness_gates:
        return anew
    if (owner.key, revision_hash(pod)) in target.in_place_from:
        return "in-place"
    return None if strategy.pod_policy == "InPlaceOnly" else anew


def _with_options(case: Case) -> Iterator[tuple[Manner, Sequence[Move], Sequence[Option]]]:
    """Moves of pods that differ, with the ways to the target; others are for `complete`."""
    ways = cache(_options)
    for manner, moves in case.in_manner.items():
        change, kin = manner.change, manner.kin
        if change is None or kin is None:
            continue
        if not change.leaves:
            yield manner, moves, ways(*_asked_of(kin, change, manner.owner, case.target))
            continue
        for move in moves:
            if move.pod is not None:
                yield manner, (move,), options_of(case, move.pod, change, manner.owner)


def _each(rule: str, case: Case, manner: Manner, message: str) -> Iterator[Violation]:
    return (_violation(rule, move, message) for move in case.in_manner[manner])


def _violation(rule: str, move: Move, message: str) -> Violation:
    return Violation(rule=rule, subject=str(move), wave=move.wave, message=message)
