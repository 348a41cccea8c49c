"""Label selectors, and pods found by them without trying every pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planner.verify.observed import Pod


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


class PodsByLabel:
    """Pods with an index over the labels that selectors have asked for."""

    def __init__(self, pods: Iterable[Pod]) -> None:
        self.pods: Sequence[Pod] = tuple(pods)
        self._by_value: dict[str, dict[str, list[Pod]]] = {}

    def select(self, selector: Mapping[str, Any] | None) -> list[Pod]:
        """The pods that match, in the order in which they were given."""
        if selector is None:
            return []
        candidates: Sequence[Pod] = self.pods
        labels = selector.get("matchLabels") or {}
        for key, value in labels.items():
            found = self._with_label(key, value)
            if len(found) < len(candidates):
                candidates = found
        if len(labels) <= 1 and not selector.get("matchExpressions"):
            return list(candidates)  # what was looked up is all that is asked
        return [pod for pod in candidates if matches(selector, pod.labels)]

    def _with_label(self, key: str, value: str) -> list[Pod]:
        if key not in self._by_value:
            values: dict[str, list[Pod]] = {}
            for pod in self.pods:
                if key in pod.labels:
                    values.setdefault(pod.labels[key], []).append(pod)
            self._by_value[key] = values
        return self._by_value[key].get(value, [])
