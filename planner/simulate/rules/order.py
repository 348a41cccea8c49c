"""In which order controllers take pods.

Pods that all keys leave equal are taken by name: the controllers leave those to their caches.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cmp_to_key
from typing import Any, Final

from planner.simulate.rules.pods import (
    DELETION_COST,
    Object,
    annotations_of,
    created,
    is_active,
    is_ready,
    labels_of,
    name_of,
    node_of,
    phase_of,
    ready_since,
    restarts_of,
)
from planner.simulate.rules.selector import selects

_PHASES: Final = ("Pending", "Unknown", "Running")
_TRAILING_DIGITS: Final = re.compile(r"[0-9]+$")
_NS_PER_S: Final = 1_000_000_000


def least_serving_first(pod: Object) -> tuple[object, ...]:
    """The key of OpenKruise's base order.

    Unassigned, then Pending before Unknown before Running, not ready, less time ready, more
    restarts, newer. Source: kubernetes pkg/controller/controller_utils.go, ActivePods.Less.
    """
    ready = is_ready(pod)
    return (
        node_of(pod) != "",
        _rank_of_phase(pod),
        ready,
        -ready_since(pod) if ready else 0,
        -restarts_of(pod),
        -created(pod),
        name_of(pod),
    )


def update_order(
    waiting: Iterable[Object], pods: Sequence[Object], rolling: Mapping[str, Any]
) -> list[Object]:
    """Order the waiting pods of a CloneSet or SidecarSet: base order, priority, scatter.

    Source: openkruise/kruise pkg/controller/cloneset/sync/cloneset_update.go, SortUpdateIndexes.
    """
    ordered = by_priority(sorted(waiting, key=least_serving_first), rolling.get("priorityStrategy"))
    return scattered(ordered, pods, rolling.get("scatterStrategy") or ())


def by_priority(pods: list[Object], strategy: Mapping[str, Any] | None) -> list[Object]:
    """Order pods by their priority, those of equal priority as they came.

    Source: openkruise/kruise pkg/util/updatesort/priority_sort.go, compare.
    """
    if not strategy:
        return pods
    if weights := strategy.get("weightPriority"):
        return sorted(pods, key=lambda pod: -_weight(pod, weights))
    keys = [each["orderedKey"] for each in strategy.get("orderPriority") or ()]
    return sorted(pods, key=lambda pod: _order_priority(pod, keys)) if keys else pods


def _weight(pod: Object, weights: Iterable[Mapping[str, Any]]) -> int:
    labels = labels_of(pod)
    return sum(each["weight"] for each in weights if selects(each["matchSelector"], labels))


def _order_priority(pod: Object, keys: Sequence[str]) -> tuple[int, int]:
    """Pods without any of the keys go first, whatever the API's comment says."""
    labels = labels_of(pod)
    for level, key in enumerate(keys):
        if key in labels:
            digits = _TRAILING_DIGITS.search(labels[key])
            return level, -int(digits.group()) if digits else 0
    return -1, 0


def scattered(
    ordered: Sequence[Object], pods: Sequence[Object], terms: Iterable[Mapping[str, str]]
) -> list[Object]:
    """Spread the pods that match each term among the others, those that match most first.

    Source: openkruise/kruise pkg/util/updatesort/scatter_sort.go, Sort.
    """
    pairs = list(dict.fromkeys(_expanded(terms, pods)))
    ordered = list(ordered)
    if len(ordered) <= 1 or not pairs:
        return ordered
    if len(pairs) > 1:
        counts = Counter(pair for pod in ordered for pair in pairs if _has(pod, pair))
        pairs = sorted((pair for pair in pairs if counts[pair]), key=lambda pair: -counts[pair])
    for pair in pairs:
        ordered = _scattered(ordered, pods, pair)
    return ordered


def _expanded(
    terms: Iterable[Mapping[str, str]], pods: Sequence[Object]
) -> Iterable[tuple[str, str]]:
    for term in terms:
        if term["value"] != "*":
            yield term["key"], term["value"]
            continue
        for pod in pods:
            if term["key"] in labels_of(pod):
                yield term["key"], labels_of(pod)[term["key"]]


def _has(pod: Object, pair: tuple[str, str]) -> bool:
    return labels_of(pod).get(pair[0]) == pair[1]


def _scattered(
    ordered: list[Object], pods: Sequence[Object], pair: tuple[str, str]
) -> list[Object]:
    matched = [pod for pod in ordered if _has(pod, pair)]
    others = [pod for pod in ordered if not _has(pod, pair)]
    if len(matched) <= 1 or len(others) <= 1:
        return ordered
    # The last one that matches is kept for the very end, so that it shows that all went well.
    last = matched.pop()
    all_matched = sum(_has(pod, pair) for pod in pods) - 1
    all_others = len(pods) - all_matched - 1
    groups, size, size_others = _groups(len(matched), len(others))
    first = 0
    if all_others * len(matched) < len(others) * all_matched:
        _, size, size_others = _groups(all_matched, all_others)
        groups = min(len(matched) // size, len(others) // size_others)
        first = len(others) - groups * size_others
    spread = others[:first]
    others = others[first:]
    for group in range(groups):
        spread += matched[group * size : (group + 1) * size]
        spread += others[group * size_others : (group + 1) * size_others]
    return [*spread, *matched[groups * size :], *others[groups * size_others :], last]


def _groups(matched: int, others: int) -> tuple[int, int, int]:
    """How many groups, and how many of both in each; halves are rounded up."""
    groups = min(matched, others)
    return groups, math.floor(matched / groups + 0.5), math.floor(others / groups + 0.5)


def scale_in_order(pods: Sequence[Object], is_available: Callable[[Object], bool]) -> list[Object]:
    """Order the pods of a CloneSet that scales in: those that go first in front.

    Of the pods on one node all but the one that serves longest go before those that stand alone.
    Source: openkruise/kruise pkg/controller/cloneset/utils/pod_sorter.go, ActivePodsWithRanks,
    NewSameNodeRanker.
    """

    def key(pod: Object, rank: int) -> tuple[object, ...]:
        cost = int(annotations_of(pod).get(DELETION_COST, "0"))
        assigned, phase, ready, *times = least_serving_first(pod)
        return assigned, phase, is_available(pod), ready, cost, -rank, *times

    on_node: dict[str, list[Object]] = {}
    for pod in pods:
        on_node.setdefault(node_of(pod), []).append(pod)
    ranks: dict[str, int] = {}
    for node, its in on_node.items():
        its.sort(key=lambda pod: key(pod, 0))
        for place, pod in enumerate(its):
            ranks[name_of(pod)] = len(its) - 1 - place if node else 0
    return sorted(pods, key=lambda pod: key(pod, ranks[name_of(pod)]))


class Victims:
    """The order in which a ReplicaSet scales in.

    `related` are all pods of the workload: those on a crowded node go first. `now` in seconds
    since the epoch: times of about the same age count as equal, and then the uid decides.
    Source: kubernetes pkg/controller/controller_utils.go, ActivePodsWithRanks.Less, with the gate
    LogarithmicScaleDown.
    """

    def __init__(self, related: Iterable[Object], now: float) -> None:
        self._crowd = Counter(node_of(pod) for pod in related if is_active(pod))
        self._now = now

    def sorted(self, pods: Iterable[Object]) -> list[Object]:
        """Give the pods, those that go first in front."""
        return sorted(sorted(pods, key=name_of), key=cmp_to_key(self._compare))

    def _compare(self, first: Object, second: Object) -> int:
        coarse, its_coarse = self._coarse(first), self._coarse(second)
        if coarse != its_coarse:
            return -1 if coarse < its_coarse else 1
        both_ready = is_ready(first) and is_ready(second)
        if both_ready and ready_since(first) != ready_since(second):
            return self._younger(ready_since(first), ready_since(second), first, second)
        if restarts_of(first) != restarts_of(second):
            return restarts_of(second) - restarts_of(first)
        if created(first) != created(second):
            return self._younger(created(first), created(second), first, second)
        return 0

    def _coarse(self, pod: Object) -> tuple[object, ...]:
        cost = int(annotations_of(pod).get(DELETION_COST, "0"))
        assigned = node_of(pod) != ""
        return assigned, _rank_of_phase(pod), is_ready(pod), cost, -self._crowd[node_of(pod)]

    def _younger(self, time: int, its_time: int, first: Object, second: Object) -> int:
        age, its_age = self._log_age(time), self._log_age(its_time)
        if age != its_age:
            return -1 if age < its_age else 1
        return -1 if first["metadata"]["uid"] < second["metadata"]["uid"] else 1

    def _log_age(self, time: int) -> int:
        passed_ns = (self._now - time) * _NS_PER_S
        return int(math.log2(passed_ns)) if passed_ns > 0 else -1


def _rank_of_phase(pod: Object) -> int:
    phase = phase_of(pod)
    return _PHASES.index(phase) if phase in _PHASES else len(_PHASES)
