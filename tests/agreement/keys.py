"""What the controllers sort by, read from their source once more and not from the planner.

A comparison tells of two pods which one goes first, as far as the controller's own keys say so.
Where they say nothing, the controller takes pods in the order of its cache or of a Go map.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from tests.agreement.operations import Operation
from tests.agreement.recording import Pod

# Negative: the first pod goes first; 0: the keys do not say.
Comparison = Callable[[Pod, Pod], int]

PHASES = ("Pending", "Unknown", "Running")


def comparison_of(operation: Operation, pods: Iterable[Pod]) -> Comparison:
    """How the controller of the workload compares two of its `pods`."""
    match operation.kind:
        case "CloneSet" | "SidecarSet":
            return _by_key(serving_least)
        case "StatefulSet" | "AdvancedStatefulSet":
            return _by_key(highest_ordinal)
        case "Deployment":
            return Ranks(operation.begin, pods).compare
        case _:
            return lambda _first, _second: 0


def serving_least(pod: Pod) -> tuple[object, ...]:
    """`kubernetes pkg/controller ActivePods.Less`: the smaller, the earlier."""
    since = _seconds(pod.ready_since) if pod.ready else 0
    return (
        bool(pod.node),
        PHASES.index(pod.phase),
        pod.ready,
        -since,
        -pod.restarts,
        -_seconds(pod.created),
    )


def highest_ordinal(pod: Pod) -> tuple[object, ...]:
    """`kubernetes pkg/controller/statefulset updateStatefulSetAfterInvariantEstablished`."""
    return (-int(pod.name.rpartition("-")[2]),)


class Ranks:
    """`kubernetes pkg/controller ActivePodsWithRanks.Less`, with `LogarithmicScaleDown`."""

    def __init__(self, now: float, pods: Iterable[Pod]) -> None:
        self._now = now
        self._crowd = Counter(pod.node for pod in pods if not pod.leaving)

    def compare(self, first: Pod, second: Pod) -> int:
        """Negative when the first goes before the second."""
        coarse, its_coarse = self._coarse(first), self._coarse(second)
        if coarse != its_coarse:
            return -1 if coarse < its_coarse else 1
        times = [(first.created, second.created)]
        if first.ready:
            times.insert(0, (first.ready_since, second.ready_since))
        for time, its_time in times:
            if time != its_time:
                # Times of about the same age count as equal, and then the uid decides at once.
                one, other = (self._rank(time), first.uid), (self._rank(its_time), second.uid)
                return -1 if one < other else 1
        return 0

    def _coarse(self, pod: Pod) -> tuple[object, ...]:
        return (bool(pod.node), PHASES.index(pod.phase), pod.ready, -self._crowd[pod.node])

    def _rank(self, time: str) -> int:
        passed_ns = (self._now - _seconds(time)) * 1e9
        return int(math.log2(passed_ns)) if passed_ns > 0 else -1


def _by_key(key: Callable[[Pod], tuple[object, ...]]) -> Comparison:
    def compare(first: Pod, second: Pod) -> int:
        one, other = key(first), key(second)
        return (one > other) - (one < other)

    return compare


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
