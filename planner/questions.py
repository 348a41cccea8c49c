"""Questions to plans that nothing follows from: the log and the clusters stay as they are."""

from typing import Any

import msgspec

from planner import core
from planner.model.plan_diff import AskedOtherwise, PlanDiff, is_same
from planner.model.spec_path import differences


def compare_plans(before: core.Plan, after: core.Plan) -> PlanDiff:
    """Tell what became different from one plan to another.

    Raises:
        UsageError: a plan cannot be read.
    """
    diff = msgspec.json.decode(core.compare(before, after), type=PlanDiff)
    asked = differences(_spec(before), _spec(after))
    diff = msgspec.structs.replace(
        diff,
        request=tuple(
            AskedOtherwise(path=path, before=one, after=other) for path, one, other in asked
        ),
    )
    return msgspec.structs.replace(diff, same=is_same(diff))


def _spec(plan: core.Plan) -> dict[str, object]:
    return msgspec.json.decode(plan.header(), type=_Made).request.spec


class _Asked(msgspec.Struct):
    """Of a request only the spec."""

    spec: dict[str, Any]


class _Made(msgspec.Struct):
    """Of a header only the request."""

    request: _Asked
