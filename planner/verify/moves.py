"""Rules about each move by itself: what it names, and whether that can be done to its pod."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from planner.verify.drains import ways_to_leave
from planner.verify.fleet import revision_hash
from planner.verify.order import is_behind, ordinal_index
from planner.verify.selector import matches
from planner.verify.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.fleet import Workload
    from planner.verify.observed import Pod
    from planner.verify.plan import Case, Move
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
    for move in case.moves:
        if move.pod is None:
            yield _violation(
                "pod-exists", move, "no such pod was observed, or it has ended: check its uid"
            )


def one_move(case: Case) -> Iterator[Violation]:
    """No pod is moved twice."""
    for pod, count in Counter(move.pod for move in case.moves if move.pod).items():
        if count > 1:
            yield Violation(
                rule="one-move",
                subject=str(pod),
                wave=case.wave_of(pod),
                message=f"it has {count} moves; a pod is moved at most once",
            )


def wave_number(case: Case) -> Iterator[Violation]:
    """Waves are numbered from 1 without a gap, and moves are written wave by wave."""
    seen = {move.wave for move in case.moves}
    for move in case.moves:
        if move.wave < 1:
            yield _violation("wave-number", move, "waves are numbered from 1")
    for wave in range(1, case.waves + 1):
        if wave not in seen:
            yield Violation(
                rule="wave-number", subject="plan", wave=wave, message="the wave has no move"
            )
    before = 0
    for move in case.moves:
        if move.wave < before:
            yield _violation("wave-number", move, f"it is written after a move of wave {before}")
        before = move.wave


def node(case: Case) -> Iterator[Violation]:
    """Every move names the node that its pod is on."""
    for move in case.moves:
        if move.pod is not None and move.node != move.pod.node:
            yield _violation(
                "node", move, f"it is on node {move.pod.node!r}, and the move says {move.node!r}"
            )


def workload(case: Case) -> Iterator[Violation]:
    """Every move names the workload that its pod belongs to."""
    named = cache(_named)
    for move in case.move_of.values():
        actual = named(case.fleet.workload_of.get(move.pod)) if move.pod else None
        if move.workload != actual:
            yield _violation(
                "workload", move, f"it belongs to {actual}, and the move says {move.workload}"
            )


def _named(owner: Workload | None) -> Mapping[str, str] | None:
    return None if owner is None else {"kind": owner.key.kind, "name": owner.key.name}


def kind(case: Case) -> Iterator[Violation]:
    """Every move is of a kind that takes its pod to the target."""
    for move, options in _moves_with_options(case):
        kinds = [each.kind for each in options]
        if move.kind not in _KINDS:
            yield _violation("kind", move, f"{move.kind!r} is no kind of move")
        elif not kinds:
            yield _violation("kind", move, "nothing that its controllers do can change this pod")
        elif move.kind not in kinds:
            allowed = " or ".join(dict.fromkeys(kinds))
            yield _violation("kind", move, f"{move.kind} is planned, and it takes {allowed}")


def containers(case: Case) -> Iterator[Violation]:
    """Every move changes the containers that differ, and no other, to the wanted images."""
    for move, options in _moves_with_options(case):
        wanted = [each.containers for each in options if each.kind == move.kind]
        if wanted and move.containers not in wanted:
            yield _violation(
                "containers",
                move,
                f"it changes {dict(move.containers)}, and what differs is {dict(wanted[0])}",
            )


def excluded(case: Case) -> Iterator[Violation]:
    """Pods that the request excludes do not move."""
    for move in case.move_of.values():
        if move.pod is not None and is_excluded(case, move.pod):
            yield _violation("excluded", move, "the request excludes it: leave it where it is")


def eviction(case: Case) -> Iterator[Violation]:
    """No pod is evicted under two PodDisruptionBudgets: the API server refuses (eviction.go)."""
    for move in case.move_of.values():
        if move.pod is not None and move.kind == "evict" and not is_evictable(case, move.pod):
            yield _violation("eviction", move, "several PodDisruptionBudgets match it: leave one")


def is_evictable(case: Case, pod: Pod) -> bool:
    """Whether the API server would ever let the pod be evicted."""
    return case.fleet.disruption_budgets_over.get(pod, 0) <= 1


def is_excluded(case: Case, pod: Pod) -> bool:
    """Whether a rule of the request's `exclude` matches the pod."""
    return any(
        matches(rule.get("selector", {}), pod.labels)
        and rule.get("namespace") in (None, pod.namespace)
        and rule.get("cluster") in (None, pod.cluster)
        for rule in case.request["spec"].get("exclude") or ()
    )


def options_of(case: Case, pod: Pod, change: Change, owner: Workload | None) -> Sequence[Option]:
    """The ways in which a pod of this plan may be taken to the target; none without a way."""
    if change.leaves:
        return _leaving_options(*_need_of(case, pod, change, owner))
    return pod_options(pod, change, owner, case.target)


def pod_options(
    pod: Pod, change: Change, owner: Workload | None, target: Target
) -> Sequence[Option]:
    """The ways in which a pod that may stay on its node is taken to the target."""
    if change.of_application and owner is not None:
        return _options(change, owner, application_kind(pod, owner, target))
    return _options(change, None, None)


def _need_of(case: Case, pod: Pod, change: Change, owner: Workload | None) -> _Need:
    if owner is None:
        return change, None, None, None
    strategy = owner.strategy
    held = (
        ordinal_index(owner, pod) < strategy.partition or is_behind(case, owner, pod)
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


def application_kind(pod: Pod, owner: Workload, target: Target) -> str | None:
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


def _moves_with_options(case: Case) -> Iterator[tuple[Move, Sequence[Option]]]:
    """Moves of pods that differ, with the ways to the target; others are for `complete`."""
    options, leaving_options = cache(_options), cache(_leaving_options)
    for pod, move in case.move_of.items():
        change = case.target.changes.get(pod)
        if change is None:
            continue
        if change.leaves:
            owner = case.fleet.workload_of.get(pod)
            yield move, leaving_options(*_need_of(case, pod, change, owner))
            continue
        owner = case.fleet.workload_of.get(pod) if change.of_application else None
        kind = None if owner is None else application_kind(pod, owner, case.target)
        yield move, options(change, owner, kind)


def _violation(rule: str, move: Move, message: str) -> Violation:
    return Violation(rule=rule, subject=str(move), wave=move.wave, message=message)
