"""Label selectors, and pods found by them without trying every pod."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from planner.verify.columns import grouped
from planner.verify.pods import OF_NAME
from planner.verify.table import Pods

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.verify.pods import Kin
    from planner.verify.table import Table

    PodsOfKin = Mapping[Kin, Pods]
    """Pods that exist by their kin, each in the order in which it was given."""


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a selector. An absent selector matches nothing, `{}` everything."""
    if selector is None:
        return False
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    return all(
        _satisfies(expression, labels) for expression in selector.get("matchExpressions") or ()
    )


def _satisfies(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            # A pod without the key satisfies NotIn (apimachinery labels.Requirement.Matches).
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case unknown:
            raise ValueError(
                f"{unknown!r} is no operator of a selector; write In, NotIn, Exists or DoesNotExist"
            )


def tells_kin_apart(selector: Mapping[str, Any] | None) -> bool:
    """Whether a selector may match a pod and not its kin: it asks for what follows from a name."""
    asked = selector or {}
    keys = (each["key"] for each in asked.get("matchExpressions") or ())
    return not OF_NAME.isdisjoint(chain(asked.get("matchLabels") or {}, keys))


def by_kin(table: Table) -> dict[Kin, Pods]:
    """Pods by their kin; the kin of the first pod is the first."""
    order, ends = grouped(table.kin, len(table.kins))
    found = [
        (int(order[begin]), kin, order[begin:end])
        for kin, begin, end in zip(table.kins, ends, ends[1:], strict=False)
        if begin < end
    ]
    found.sort(key=lambda it: it[0])
    return {kin: Pods(table, rows) for _, kin, rows in found}


def matching(selector: Mapping[str, Any] | None, pods: PodsOfKin) -> PodsOfKin:
    """The pods that match, by their kin."""
    return _split(selector, pods, wanted=True)


def without(selector: Mapping[str, Any] | None, pods: PodsOfKin) -> PodsOfKin:
    """The pods that do not match, by their kin."""
    return _split(selector, pods, wanted=False)


def _split(selector: Mapping[str, Any] | None, pods: PodsOfKin, *, wanted: bool) -> PodsOfKin:
    if not tells_kin_apart(selector):
        return {kin: its for kin, its in pods.items() if matches(selector, kin.labels) is wanted}
    found = {
        kin: its.only(lambda pod: matches(selector, pod.labels) is wanted)
        for kin, its in pods.items()
    }
    return {kin: its for kin, its in found.items() if len(its)}


def every(table: Table, pods: PodsOfKin) -> Pods:
    """The pods themselves."""
    return Pods.joined(table, list(pods.values()))


def count(pods: PodsOfKin) -> int:
    """How many they are."""
    return sum(map(len, pods.values()))


def down_of(table: Table, pods: PodsOfKin) -> Pods:
    """Those that do not serve."""
    return Pods.joined(table, [its for kin, its in pods.items() if kin.state.down])


class PodsByLabel:
    """Pods with an index over the labels that selectors have asked for."""

    def __init__(self, pods: PodsOfKin) -> None:
        self.pods = pods
        self._by_value: dict[str, dict[str, dict[Kin, Pods]]] = {}

    def select(self, selector: Mapping[str, Any] | None) -> PodsOfKin:
        """The pods that match, by their kin."""
        if selector is None:
            return {}
        candidates = self.pods
        labels = selector.get("matchLabels") or {}
        for key, value in labels.items():
            found = self.by_value(key).get(value, {})
            if len(found) <= len(candidates):
                candidates = found
        if len(labels) <= 1 and not selector.get("matchExpressions"):
            return candidates  # what was looked up is all that is asked
        return matching(selector, candidates)

    def by_value(self, key: str) -> Mapping[str, PodsOfKin]:
        """The pods with a label, by its value."""
        if key not in self._by_value:
            values: dict[str, dict[Kin, Pods]] = {}
            for kin, pods, own in self._labelled(key):
                values.setdefault(own, {})[kin] = pods
            self._by_value[key] = values
        return self._by_value[key]

    def _labelled(self, key: str) -> Iterator[tuple[Kin, Pods, str]]:
        """Pods with a label, and its value, those of a kin that are alike in it together."""
        for kin, pods in self.pods.items():
            if key not in OF_NAME:
                if key in kin.labels:
                    yield kin, pods, kin.labels[key]
                continue
            values: dict[str, list[int]] = {}
            for pod in pods:
                value = pod.labels.get(key)
                if value is not None:
                    values.setdefault(value, []).append(pod.row)
            for value, own in values.items():
                yield kin, pods.table.some(own), value
