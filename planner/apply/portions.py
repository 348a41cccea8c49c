"""Pods that two controllers change go a few at a time, so that they are disrupted once.

The application of a pod is changed by the controller of its workload, its sidecars by that of their
SidecarSet, each pod after pod. When one of them is behind by more than a restart takes, the pod
serves again before the second change, which disrupts it anew. No write changes both. So few are in
their hands at once: neither can be further behind than those few.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from planner.apply.steps import Going, Target

TOGETHER: Final = 16
"""Pods of a cluster that are in the hands of two controllers at once. At three writes a pod and ten
milliseconds a write half a second, and containers take longer to restart."""


def in_hand(going: Iterable[Going], target: Target) -> Counter[str]:
    """Count by cluster pods that were let go and that two controllers have not both changed."""
    return Counter(each.move.cluster for each in going if _has_both(each, target))


def next_portion(going: Sequence[Going], target: Target, in_hand: Mapping[str, int]) -> list[Going]:
    """Give those of the moves that may go at once; all that need one controller only.

    The next ones of a cluster go when half of those before them are through, or all that wait have
    room, so that levers are not pulled for every single pod.

    Args:
        going: moves that may go, in the order of their controllers.
        target: of the request.
        in_hand: by cluster, see `in_hand`.
    """
    waiting = Counter(each.move.cluster for each in going if _has_both(each, target))
    room = {it: TOGETHER - in_hand.get(it, 0) for it in waiting}
    left = {it: room[it] if room[it] >= min(waiting[it], TOGETHER // 2) else 0 for it in waiting}
    portion = []
    for each in going:
        if _has_both(each, target):
            if not left[each.move.cluster]:
                continue
            left[each.move.cluster] -= 1
        portion.append(each)
    return portion


def _has_both(each: Going, target: Target) -> bool:
    return target.has_application(each.move) and bool(target.sidecar_sets_of(each.move))
