"""A plan as it was written, and what the rules need to judge it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from planner.verify.written import Written, of_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planner.verify.fleet import Fleet, Workload, WorkloadKey
    from planner.verify.pods import Kin, Pod
    from planner.verify.target import Change, Target


class Manner(Struct, frozen=True, eq=False, kw_only=True):
    """What moves of pods that are alike have in common: all but wave, stage, cause and names.

    What is wrong with a manner is wrong with each of its moves, so most rules judge manners.
    """

    kind: str
    containers: Mapping[str, str]
    workload: Mapping[str, Any] | None
    """As the plan says it."""
    cluster: str
    namespace: str
    kin: Kin | None
    """Of the pods; None when no such pod was observed."""
    owner: Workload | None
    """The workload that the pods are of."""
    change: Change | None
    """How the pods differ from the target; None when they do not."""

    @property
    def is_application(self) -> bool:
        """Whether the workload's own controller makes the moves, and not a SidecarSet."""
        if self.kin is None:
            return False
        if self.kind != "in-place" or self.owner is None or self.change is None:
            return True
        sidecars = {each.container for each in self.change.sidecars}
        return not self.containers or not sidecars.issuperset(self.containers)


class Move(Struct, frozen=True, eq=False):
    """A move of the plan, bound to the pod that it names."""

    manner: Manner
    wave: int
    stage: str | None
    node: str
    because: Sequence[str]
    name: str
    pod: Pod | None
    """None when no such pod was observed."""

    @property
    def kind(self) -> str:
        """How the pod is moved."""
        return self.manner.kind

    @property
    def containers(self) -> Mapping[str, str]:
        """Image by container that the move changes."""
        return self.manner.containers

    @property
    def workload(self) -> Mapping[str, Any] | None:
        """The workload that the plan says it is of."""
        return self.manner.workload

    def __str__(self) -> str:
        return f"{self.manner.cluster}/{self.manner.namespace}/{self.name}"


Place = tuple[int, str | None]
"""Wave and stage of a move."""

place_of = attrgetter("wave", "stage")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A plan, the fleet that it was made for, and what its request wants of that fleet."""

    header: Mapping[str, Any]
    request: Mapping[str, Any]
    fleet: Fleet
    target: Target
    moves: Sequence[Move]
    """Every move as it was written, those of unknown pods included."""
    kinds: Mapping[tuple[int, str], int]
    """How many of these are in each wave and of each kind."""
    move_of: Mapping[Pod, Move]
    """The first move of each pod."""
    in_manner: Mapping[Manner, Sequence[Move]]
    """The first moves of pods by manner."""
    unmovable: Mapping[Pod, Mapping[str, Any]]
    """Entries of the header's list whose pod exists."""
    moves_of: Mapping[WorkloadKey, Sequence[Move]]
    """First moves by workload, in the order of the plan."""
    manners_of: Mapping[WorkloadKey, Sequence[Manner]]
    """The manners of these."""
    places_of: Mapping[WorkloadKey, Counter[Place]]
    """How many of these are in each wave and stage."""
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
        return move.manner.is_application


def build_case(
    header: Mapping[str, Any],
    moves: Written | Iterable[Mapping[str, Any]],
    fleet: Fleet,
    target: Target,
) -> Case:
    """Bind moves and unmovable pods to the observed pods."""
    written = moves if isinstance(moves, Written) else of_objects(moves)
    manners = _Manners(fleet)
    bound, move_of = manners.bind(written, target)
    in_manner = {manner: its for manner, its, _ in manners.known.values() if its}
    manners_of: dict[WorkloadKey, list[Manner]] = {}
    for manner in in_manner:
        if manner.owner is not None:
            manners_of.setdefault(manner.owner.key, []).append(manner)
    moves_of = {key: manners.of_workload[key] for key in manners_of}
    return Case(
        header=header,
        request=header["request"],
        fleet=fleet,
        target=target,
        moves=bound,
        kinds=Counter(zip(written.wave, written.kind, strict=True)),
        move_of=move_of,
        in_manner=in_manner,
        unmovable=_unmovable(header["unmovable"], fleet),
        moves_of=moves_of,
        manners_of=manners_of,
        places_of={key: Counter(map(place_of, its)) for key, its in moves_of.items()},
        waves=max(written.wave, default=0),
    )


class _Manners:
    """The manners of a plan, with the moves of each and of its workload."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.known: dict[object, tuple[Manner, list[Move], list[Move]]] = {}
        self.of_workload: dict[WorkloadKey | None, list[Move]] = {}

    def add(self, key: object, manner: Manner) -> tuple[Manner, list[Move], list[Move]]:
        """A manner of which there was no move yet."""
        owner = manner.owner
        own = self.of_workload.setdefault(None if owner is None else owner.key, [])
        found = self.known[key] = manner, [], own
        return found

    def bind(self, written: Written, target: Target) -> tuple[list[Move], dict[Pod, Move]]:
        """Every move, and the first of each pod; these are kept by manner and by workload, too."""
        known, change_of = self.known, target.changes.get
        bound: list[Move] = []
        move_of: dict[Pod, Move] = {}
        pods = map(self._fleet.observed.pods.get, zip(written.cluster, written.uid, strict=True))
        for found, row in zip(pods, written.rows(), strict=True):
            wave, stage, cluster, namespace, name, node, workload, kind, containers, because = row
            pod = kin = change = None
            if found is not None and found.name == name and found.kin.namespace == namespace:
                # One that has ended is as good as gone.
                pod = None if found.kin.state.finished else found
            if pod is not None:
                kin, change = pod.kin, change_of(pod)
            key = (kind, id(containers), id(workload), cluster, namespace, kin, change)
            manner, of_manner, of_workload = known.get(key) or self.add(
                key,
                Manner(
                    kind=kind,
                    containers=containers,
                    workload=workload,
                    cluster=cluster,
                    namespace=namespace,
                    kin=kin,
                    owner=None if kin is None else self._fleet.workload_of_kin.get(kin),
                    change=change,
                ),
            )
            move = Move(manner, wave, stage, node, because, name, pod)
            bound.append(move)
            if pod is not None and pod not in move_of:
                move_of[pod] = move
                of_manner.append(move)
                of_workload.append(move)
        return bound, move_of


def _unmovable(entries: Sequence[Mapping[str, Any]], fleet: Fleet) -> dict[Pod, Mapping[str, Any]]:
    by_name = {
        (pod.cluster, pod.namespace, pod.name): pod for pod in (fleet.pods if entries else ())
    }
    found: dict[Pod, Mapping[str, Any]] = {}
    for entry in entries:
        pod = by_name.get((entry["cluster"], entry["namespace"], entry["pod"]))
        if pod is not None:
            found[pod] = entry
    return found
