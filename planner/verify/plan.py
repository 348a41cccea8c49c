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
    bound = tuple(_move(each, fleet) for each in moves)
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


def _move(written: Mapping[str, Any], fleet: Fleet) -> Move:
    pod = fleet.observed.pods.get((written["cluster"], written["uid"]))
    named = pod is not None and (pod.namespace, pod.name) == (written["namespace"], written["pod"])
    return Move(
        wave=written["wave"],
        stage=written["stage"],
        kind=written["kind"],
        containers=written["containers"],
        node=written["node"] or "",
        because=tuple(written["because"]),
        workload=written["workload"],
        cluster=written["cluster"],
        namespace=written["namespace"],
        name=written["pod"],
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
