"""Label selectors, as Kubernetes has them."""

from typing import Literal

import msgspec

from planner.model.value import Text, Value

Operator = Literal["In", "NotIn", "Exists", "DoesNotExist"]


class Requirement(Value, frozen=True, kw_only=True):
    """One of a selector's `matchExpressions`."""

    key: Text
    operator: Operator
    values: tuple[str, ...] = ()


class Selector(Value, frozen=True, kw_only=True):
    """A label selector of Kubernetes: all of it has to match, and an empty one matches all."""

    match_labels: dict[str, str] = msgspec.field(default_factory=dict)
    match_expressions: tuple[Requirement, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether it asks for nothing."""
        return not (self.match_labels or self.match_expressions)
