"""How a wave goes on: pure decisions on the run and a checkpoint."""

from collections import Counter, deque
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from planner.apply.checkpoint import Checkpoint, PodStanding, Standing
from planner.apply.course import Place, place_of
from planner.apply.events import Base
from planner.apply.moveset import MoveSet
from planner.apply.wave_state import Bound, Wave
from planner.model.plan import Move


@dataclass(frozen=True, slots=True)
class Due:
    """A move of the wave, with the pod that it is bound to."""

    number: int
    move: Move
    uid: str

    @property
    def key(self) -> tuple[str, str]:
        """Cluster and uid of the pod."""
        return self.move.cluster, self.uid


def bound_moves(moves: Iterable[tuple[int, Move]], wave: Wave) -> list[Due]:
    """Give the moves of a wave with their pods, without those that nobody has to make."""
    return [
        Due(number, move, wave.bound.get(number, move.uid))
        for number, move in moves
        if number not in wave.dropped
    ]


def split(due: Sequence[Due], wave: Wave) -> tuple[list[Due], list[Due]]:
    """Give the moves that were let go, as `let_go_of` does, and those that wait to be.

    A move that is back without having been let go, because others made it, is in neither.
    """
    changed = wave.let_go | wave.back
    return let_go_of(due, wave), [each for each in due if each.number not in changed]


def let_go_of(due: Iterable[Due], wave: Wave) -> list[Due]:
    """Give the moves that were let go whose pods matter still.

    Of a leg that streams, of which most moves are back most of the time, those that are back only
    when they strayed: their pods may be taken still.
    """
    matter = wave.let_go - (wave.back - wave.strays) if wave.streams else wave.let_go
    return [each for each in due if each.number in matter]


def by_others(
    waiting: Sequence[Due], wave: Wave, index_of: Mapping[Place, int], checkpoint: Checkpoint
) -> tuple[MoveSet, MoveSet]:
    """Give waiting moves that others made, and those whose pods are gone for good.

    A pod that is gone is not replaced yet while its workload misses more pods than before the wave.
    What comes in its place may be at another version: the rest is planned anew then.
    """
    standings = checkpoint.by_place()

    def misses(place: Place) -> bool:
        standing, base = standings.get(place), wave.base.get(index_of[place])
        return standing is not None and standing.missing > (base[3] if base else 0)

    states = [(each, pod.state) for each, pod in zip(waiting, checkpoint.due, strict=True)]
    moved = MoveSet(each.number for each, state in states if state == "done")
    gone = MoveSet(
        each.number for each, state in states if state == "gone" and not misses(place_of(each.move))
    )
    return moved, gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Which pod each move of a wave takes, decided when the wave begins."""

    bound: Bound
    dropped: MoveSet


def bind(
    moves: Sequence[tuple[int, Move]],
    standing_of: Mapping[tuple[str, str], PodStanding],
    listed: Mapping[Place, Sequence[str]],
    later: frozenset[str],
    *,
    nodes: Mapping[str, str],
    drained: Container[tuple[str, str]],
) -> Binding:
    """Bind moves to the pods that are there.

    A move whose pod is gone takes one that the plan does not know, such as a pod that was made
    since, in the order in which the workload's controller takes them; when there is none, nobody
    has to make the move.

    Args:
        moves: of the wave, with their numbers.
        standing_of: how the pods that the plan names are.
        listed: uids of the pods of each workload that have to move, in order.
        later: uids that the plan names.
        nodes: of listed pods that the plan does not name, by uid; where nodes are drained.
        drained: cluster and name of each node that is to be empty.
    """
    bound: dict[int, str] = {}
    dropped: list[int] = []
    spare = {
        place: _Spare((uid for uid in uids if uid not in later), place.cluster, nodes, drained)
        for place, uids in listed.items()
    }
    for number, move in moves:
        if standing_of[move.cluster, move.uid].state == "here":
            continue
        free = spare.get(place_of(move))
        if free and (uid := free.take(move)):
            bound[number] = uid
        else:
            dropped.append(number)
    return Binding(bound=bound, dropped=MoveSet(dropped))


class _Spare:
    """Pods of a workload that the plan does not name, those on nodes that are drained apart.

    Of a workload thousands may be gone at once: nobody goes through all that are left for each.
    """

    def __init__(
        self,
        uids: Iterable[str],
        cluster: str,
        nodes: Mapping[str, str],
        drained: Container[tuple[str, str]],
    ) -> None:
        self._drained = drained
        self._left: dict[bool, deque[tuple[int, str]]] = {True: deque(), False: deque()}
        for order, uid in enumerate(uids):
            self._left[(cluster, nodes.get(uid, "")) in drained].append((order, uid))

    def take(self, move: Move) -> str:
        """Take the first pod of which a move makes what the plan wants; empty when there is none.

        What changes in place stays on its node, and an eviction may only empty one.
        """
        leaves = (move.cluster, move.node) in self._drained
        stays = move.kind in ("in-place", "evict")
        fits = [self._left[leaves]] if stays else self._left.values()
        first = min(filter(None, fits), default=None, key=lambda its: its[0])
        return first.popleft()[1] if first else ""


def bases(index_of: Mapping[Place, int], standings: Iterable[Standing]) -> tuple[Base, ...]:
    """How workloads are before a wave."""
    return tuple(
        (index_of[it.place], it.movable, it.unsettled, it.missing, it.at_target) for it in standings
    )


def rebased(
    due: Sequence[Due], wave: Wave, index_of: Mapping[Place, int], checkpoint: Checkpoint
) -> tuple[Base, ...]:
    """How workloads would have been before the wave that are not as it and its moves left them.

    Somebody has scaled them, or removed or moved pods of theirs. While moves of a workload are
    under way nobody can tell that from what they do.
    """
    changed = wave.let_go | wave.back
    moves = Counter(place_of(it.move) for it in due if it.number in changed)
    let_go = wave.let_go - wave.back
    under_way = {place_of(it.move) for it in due if it.number in let_go}
    found: list[Base] = []
    for place, standing in checkpoint.by_place().items():
        base = wave.base.get(index_of.get(place, -1))
        if base is None or place in under_way:
            continue
        index, _, unsettled, missing, _ = base
        back = moves[place]
        now = index, standing.movable + back, unsettled, missing, standing.at_target - back
        if now != base:
            found.append(now)
    return tuple(found)
