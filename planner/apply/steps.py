"""Which levers a wave pulls, and how far: pure decisions on moves and the standing of workloads."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final

from planner.apply.checkpoint import PodStanding, Standing
from planner.apply.course import Place, place_of
from planner.apply.events import Lever
from planner.model.plan import Move

STATEFUL: Final = ("StatefulSet", "AdvancedStatefulSet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A move that is let go, with the pod that it takes."""

    number: int
    move: Move
    uid: str
    pod: PodStanding

    @property
    def name(self) -> str:
        """Name of the pod."""
        return self.pod.name


def old(moves: Iterable[Going]) -> int:
    """Moves whose controller still counts their pod as old; of a started one only sidecars are."""
    return sum(each.pod.old for each in moves)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happens to one workload at once.

    Attributes:
        place: the workload.
        kind: `go`; `surge` and `swap` are the two halves of a surge; `roll` cannot be stopped.
        value: what the lever is to show: pods of the new version (Deployment), the lowest ordinal
            that goes (ordered StatefulSets), or pods that stay old.
        surge: pods beside as many old ones (Deployment).
        new: pods of the new version that there are already.
        replicas: of the Deployment that the value was counted for.
        pods: that it had then; fewer are left when somebody scales it down.
        ordinal: whether the value is an ordinal.
        moves: the moves that go.
        application: whether containers of the workload itself change.
        sidecar_sets: SidecarSets whose containers change in place.
        new_sidecars: SidecarSets whose new containers come with new pods.
        leaving: revisions of pods whose sidecars wait until the application changes; see `steps`.
    """

    place: Place
    kind: str
    value: int = 0
    surge: int = 0
    new: int = 0
    replicas: int | None = None
    pods: int = 0
    ordinal: bool = False
    moves: tuple[Going, ...] = ()
    application: bool = True
    sidecar_sets: tuple[str, ...] = ()
    new_sidecars: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What a request wants containers to run: images by sidecar set and container."""

    sidecars: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Target":
        """Read it off a request."""
        sidecars: dict[str, dict[str, str]] = {}
        for rule in (request["spec"].get("target") or {}).get("sidecars") or ():
            sidecars.setdefault(rule["sidecarSet"], {})[rule["container"]] = rule["to"]
        return cls(sidecars)

    def sidecar_sets_of(self, move: Move) -> tuple[str, ...]:
        """The SidecarSets that change a pod in place."""
        return self._sets_in(move) if move.kind == "in-place" else ()

    def new_sidecars_of(self, move: Move) -> tuple[str, ...]:
        """The SidecarSets that change as another pod comes: it gets what they say then."""
        return self._sets_in(move) if move.kind != "in-place" else ()

    def _sets_in(self, move: Move) -> tuple[str, ...]:
        changed = move.containers.items()
        return tuple(name for name, images in self.sidecars.items() if changed & images.items())

    def has_application(self, going: Going) -> bool:
        """Whether containers of the workload itself change.

        An eviction may only empty a node: then the workload has nothing to let go.
        """
        move = going.move
        if move.kind == "evict":
            return going.pod.old
        sidecars = {name for images in self.sidecars.values() for name in images}
        return move.kind != "in-place" or bool(move.containers.keys() - sidecars)


def steps(
    going: Iterable[Going],
    standings: Mapping[Place, Standing],
    not_taken: Sequence[Going],
    target: Target,
) -> list[Step]:
    """Compose the steps of moves that may go now, one for each workload and way.

    Sidecars of a pod whose application changes too wait for that: its controller takes the pod out
    of service and gives it another revision in one write, so a SidecarSet that passes over pods at
    the old revision changes them while they are down, and they are disrupted once.

    Args:
        going: the moves.
        standings: how the workloads are.
        not_taken: moves that were let go and that their controllers have not taken yet.
        target: of the request.
    """
    parts: dict[tuple[Place, bool, str], list[Going]] = {}
    for each in going:
        key = (place_of(each.move), target.has_application(each), each.move.kind)
        parts.setdefault(key, []).append(each)
    leaving = leaving_of(chain(not_taken, *parts.values()), target)
    let_go_before = Counter(place_of(each.move) for each in not_taken if each.pod.old)
    made = []
    for (place, application, kind), moves in parts.items():
        sets = dict.fromkeys(name for it in moves for name in target.sidecar_sets_of(it.move))
        anew = dict.fromkeys(name for it in moves for name in target.new_sidecars_of(it.move))
        step = _kind(place, kind)
        before = let_go_before[place]
        value = _value(place, step, moves, standings[place], before) if application else -1
        made.append(
            Step(
                place=place,
                kind=step,
                value=value,
                surge=len(moves) if step == "surge" else 0,
                new=standings[place].new if application else 0,
                replicas=standings[place].replicas if place.kind == "Deployment" else None,
                pods=standings[place].pods,
                ordinal=_is_ordinal(place, standings[place]),
                moves=tuple(moves),
                application=application,
                sidecar_sets=tuple(sets),
                new_sidecars=tuple(anew),
                leaving=tuple(sorted(leaving[place.cluster])) if sets or anew else (),
            )
        )
        if application:
            let_go_before[place] += old(moves)
    return made


def as_appended(made: Iterable[Step], levers: Mapping[Place, Lever]) -> list[Step]:
    """Give steps the numbers that were appended for them, and with them what has nothing to take.

    Args:
        made: steps of what was let go and is still there.
        levers: the last one that was appended of each workload.
    """
    given = {place: _numbers(lever) for place, lever in levers.items()}
    again = [
        replace(step, **given[step.place]) if step.application and step.place in given else step
        for step in made
    ]
    known = {step.place for step in again if step.application}
    return [*again, *(Step(place=it, **its) for it, its in given.items() if it not in known)]


def _numbers(lever: Lever) -> dict[str, Any]:
    _, kind, value, surge = lever
    return {"kind": kind, "value": value, "surge": surge}


def leaving_of(moves: Iterable[Going], target: Target) -> Mapping[str, set[str]]:
    """Revisions, by cluster, at which sidecars wait until the application changes."""
    leaving: defaultdict[str, set[str]] = defaultdict(set)
    for each in moves:
        has_both = target.has_application(each) and target.sidecar_sets_of(each.move)
        if has_both and each.pod.old:
            leaving[each.move.cluster].add(each.pod.revision)
    return leaving


def without_those_that_stay(
    going: Sequence[Going], not_taken: Iterable[Going], target: Target
) -> list[Going]:
    """Leave out sidecar changes of pods that stay at a revision which others are about to leave.

    A SidecarSet's selector cannot tell them apart, so they go once the others were taken.
    """
    leaving = leaving_of(chain(going, not_taken), target)
    return [
        each
        for each in going
        if each.move.kind != "in-place"
        or target.has_application(each)
        or each.pod.revision not in leaving[each.move.cluster]
    ]


def without_evictions_that_wait(
    going: Sequence[Going], not_taken: Iterable[Going], target: Target
) -> list[Going]:
    """Leave out evictions that only empty a node while their workload takes pods to a new version.

    A partition counts: a pod that comes for an evicted one may be made new, and one of those that
    were let go would stay old for it.
    """
    changing = {
        place_of(each.move) for each in chain(going, not_taken) if target.has_application(each)
    }
    return [
        each
        for each in going
        if each.move.kind != "evict"
        or target.has_application(each)
        or place_of(each.move) not in changing
    ]


def _kind(place: Place, move_kind: str) -> str:
    if move_kind != "surge":
        return "go"
    return {"Deployment": "surge", "DaemonSet": "roll"}.get(place.kind, "go")


def _value(place: Place, step: str, moves: Sequence[Going], standing: Standing, before: int) -> int:
    match place.kind:
        case "Deployment":
            going = 0 if step == "surge" else old(moves)
            return standing.new + before + going
        case _ if _is_ordinal(place, standing):
            return min(ordinal_of(it.name) for it in moves)
        case _:
            return max(0, standing.old - before - old(moves))


def _is_ordinal(place: Place, standing: Standing) -> bool:
    return place.kind in STATEFUL and not standing.unordered


def held_up(step: Step, unnamed: Mapping[int, str]) -> dict[int, str]:
    """Moves that cannot go without those that have no name: ordinals go from the highest down."""
    if not step.ordinal or not unnamed:
        return {}
    first = max(
        (it for it in step.moves if it.number in unnamed), key=lambda it: ordinal_of(it.name)
    )
    below = (it for it in step.moves if ordinal_of(it.name) < ordinal_of(first.name))
    return {it.number: f"{first.name} goes before it" for it in below}


def without(step: Step, numbers: Collection[int], before: int = 0) -> Step:
    """Leave moves out of a step, and let its lever show as many fewer.

    Args:
        step: that it is.
        numbers: of the moves.
        before: moves that were left out of steps of the same workload before it.
    """
    moves = tuple(it for it in step.moves if it.number not in numbers)
    count = old(step.moves) - old(moves)
    if not (count or before) or not step.application:
        return replace(step, moves=moves)
    if step.ordinal:
        return replace(step, moves=moves, value=min(ordinal_of(it.name) for it in moves))
    if step.surge:
        return replace(step, moves=moves, surge=step.surge - count, value=step.value - before)
    less = count + before
    value = step.value - less if step.place.kind == "Deployment" else step.value + less
    return replace(step, moves=moves, value=value)


def ordinal_of(pod: str) -> int:
    """The number that ends the name of a pod of a StatefulSet."""
    return int(pod.rpartition("-")[2])
