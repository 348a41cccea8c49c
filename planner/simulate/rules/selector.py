"""Label selectors as the API reads them."""

from collections.abc import Mapping
from typing import Any


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a selector: None selects nothing, `{}` everything.

    Source: apimachinery pkg/apis/meta/v1/helpers.go, LabelSelectorAsSelector.
    """
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(each["operator"], labels.get(each["key"]), each.get("values") or ())
        for each in selector.get("matchExpressions") or ()
    )


def _holds(operator: str, value: str | None, values: list[str] | tuple[()]) -> bool:
    holds = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return holds[operator]
