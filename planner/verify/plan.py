"""A plan as it was written, and what the rules need to judge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planner.verify.fleet import Fleet, Workload, WorkloadKey
    from planner.verify.observed import Pod
    from planner.verify.target import Target


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Move:
    """A move of the plan, bound to the pod that it names."""

    wave: int
    stage: str | None
    kind: str
    containers: Mapping[str, str]
    node: str
    because: Sequence[str]
    workload: Mapping[str, Any] | None
    cluster: str
    namespace: str
    name: str
    pod: Pod | None
    """None when no such pod was observed."""

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A plan, the fleet that it was made for, and what its request wants of that fleet."""

    header: Mapping[str, Any]
    request: Mapping[str, Any]
    fleet: Fleet
    target: Target
    moves: Sequence[Move]
    """Every move as it was written, those of unknown pods included."""
    move_of: Mapping[Pod, Move]
    """The first move of each pod."""
    unmovable: Mapping[Pod, Mapping[str, Any]]
    """Entries of the header's list whose pod exists."""
    moves_of: Mapping[WorkloadKey, Sequence[Move]]
    """First moves by workload, in the order of the plan."""
    waves: int
    """The last wave that has a move; 0 without moves."""

    def wave_of(self, pod: Pod) -> int | None:
        """The wave that moves a pod; None when nothing does."""
        move = self.move_of.get(pod)
        return None if move is None else move.wave

    def moves_with_workload(self) -> Iterable[tuple[Workload, Sequence[Move]]]:
        """Every workload that moves, with its moves."""
        for key, moves in self.moves_of.items():
            yield self.fleet.workloads[key], moves

    def is_application(self, move: Move) -> bool:
        """Whether the workload's own controller makes the move, and not a SidecarSet."""
        if move.pod is None:
            return False
        workload = self.fleet.workload_of.get(move.pod)
        if move.kind != "in-place" or workload is None:
            return True
        change = self.target.changes.get(move.pod)
        if change is None:
            return True
        sidecars = {each.container for each in change.sidecars}
        return not move.containers or not sidecars.issuperset(move.containers)


def build_case(
    header: Mapping[str, Any], moves: Iterable[Mapping[str, Any]], fleet: Fleet, target: Target
) -> Case:
    """Bind moves and unmovable pods to the observed pods."""
    shared = _Shared()
    bound = tuple(_move(each, fleet, shared) for each in moves)
    move_of: dict[Pod, Move] = {}
    moves_of: dict[WorkloadKey, list[Move]] = {}
    for move in bound:
        if move.pod is None or move.pod in move_of:
            continue
        move_of[move.pod] = move
        if move.pod in fleet.workload_of:
            moves_of.setdefault(fleet.workload_of[move.pod].key, []).append(move)
    return Case(
        header=header,
        request=header["request"],
        fleet=fleet,
        target=target,
        moves=bound,
        move_of=move_of,
        unmovable=_unmovable(header["unmovable"], fleet),
        moves_of=moves_of,
        waves=max((move.wave for move in bound), default=0),
    )


class _Shared:
    """Values that many moves have in common, each kept once."""

    def __init__(self) -> None:
        self._kept: dict[object, Any] = {}

    def text(self, text: str) -> str:
        kept: str = self._kept.setdefault(text, text)
        return kept

    def causes(self, causes: Iterable[str]) -> tuple[str, ...]:
        key = tuple(causes)
        kept: tuple[str, ...] = self._kept.setdefault(("causes", key), key)
        return kept

    def mapping(self, mapping: Mapping[str, Any]) -> Mapping[str, Any]:
        # In order: what is written in another order is shown in another order.
        key = ("mapping", *mapping.items())
        try:
            kept: Mapping[str, Any] = self._kept.setdefault(key, mapping)
        except TypeError:  # a value that cannot be looked up: no plan of ours has such
            return mapping
        return kept


def _move(written: Mapping[str, Any], fleet: Fleet, shared: _Shared) -> Move:
    pod = fleet.observed.pods.get((written["cluster"], written["uid"]))
    named = pod is not None and (pod.namespace, pod.name) == (written["namespace"], written["pod"])
    workload = written["workload"]
    return Move(
        wave=written["wave"],
        stage=None if written["stage"] is None else shared.text(written["stage"]),
        kind=shared.text(written["kind"]),
        containers=shared.mapping(written["containers"]),
        node=shared.text(written["node"] or ""),
        because=shared.causes(written["because"]),
        workload=None if workload is None else shared.mapping(workload),
        cluster=shared.text(written["cluster"]),
        namespace=shared.text(written["namespace"]),
        name=pod.name if named and pod is not None else written["pod"],
        pod=pod if named and pod is not None and not pod.finished else None,
    )


def _unmovable(entries: Iterable[Mapping[str, Any]], fleet: Fleet) -> dict[Pod, Mapping[str, Any]]:
    by_name = {(pod.cluster, pod.namespace, pod.name): pod for pod in fleet.pods}
    found: dict[Pod, Mapping[str, Any]] = {}
    for entry in entries:
        pod = by_name.get((entry["cluster"], entry["namespace"], entry["pod"]))
        if pod is not None:
            found[pod] = entry
    return found
