"""What a run gives back when it ends, and what stays held: pure decisions on a checkpoint."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.apply.checkpoint import Checkpoint
from planner.apply.course import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Where a run leaves what it may hold.

    Attributes:
        free: workloads and SidecarSets that are given back.
        held: those that stay held, and why.
        left: pods that were planned to be at the target and are not.
    """

    free: tuple[Place, ...]
    held: tuple[str, ...]
    left: int


def part(
    workloads: Mapping[Place, int], sidecar_sets: Iterable[Place], checkpoint: Checkpoint
) -> Parting:
    """Give back what has nothing left to change; what was given back early would go on by itself.

    Args:
        workloads: every one that a plan of the run moved or was to move, with the pods of it that
            were to differ still when it is done. What a checkpoint does not know stays held: nobody
            can say that it is at its target.
        sidecar_sets: those that the run changes. Their controller changes every pod that they were
            injected into, also those that no workload of the run owns.
        checkpoint: how far they are.
    """
    standings = checkpoint.by_place()
    behind = {
        Place(each.cluster, "", "SidecarSet", each.name): each.behind
        for each in checkpoint.sidecar_sets
    }
    free: list[Place] = []
    held: list[str] = []
    left = 0
    for place, planned in sorted(workloads.items()):
        standing = standings.get(place)
        if standing is None:
            held.append(f"{place}: it is gone, or the request does not reach it any more")
        elif standing.behind:
            held.append(f"{place}: {_pods(standing.behind)} at another version")
            left += max(0, standing.behind - planned)
        else:
            free.append(place)
    for place in sidecar_sets:
        if count := behind.get(place, 0):
            held.append(f"{place}: {_pods(count)} at another version")
        elif place in behind:
            free.append(place)
    return Parting(free=tuple(free), held=tuple(held), left=left)


def _pods(count: int) -> str:
    return "1 pod stays" if count == 1 else f"{count:,} pods stay"
