"""Questions to plans that nothing follows from: the log and the clusters stay as they are."""

from importlib.metadata import version
from typing import Any

import msgspec

from planner import core, loop
from planner.log import EventLog
from planner.model.amend import amended
from planner.model.plan_diff import AskedOtherwise, PlanDiff, is_same
from planner.model.request import canonical_json
from planner.model.spec_path import differences
from planner.model.suppose import Supposed, check_allowances


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


def ask(log: EventLog, fleet: core.Fleet, plan: core.Plan, supposed: Supposed) -> core.Plan:
    """Plan the request of a plan again, with what is supposed, without keeping it.

    Where nothing is supposed it gives the bytes of the plan (by the version that made it).

    Args:
        log: the log that the plan was made from.
        fleet: at the plan's position in it.
        plan: whose request it is.
        supposed: what is to be otherwise.

    Raises:
        UsageError: a path or a budget that is supposed is not there; with the nearest that is.
        InfeasibleError: no plan exists; names a smallest set of rules that conflict.
    """
    from planner.plan.graph import order_dependencies  # noqa: PLC0415 networkx takes a while

    asked = msgspec.json.decode(plan.header(), type=_Asked).request
    request = amended(asked, supposed.sets, supposed.unsets)
    other = loop.plan_canonical(
        log,
        fleet,
        # Its manifests were redacted when they were first planned.
        canonical_json(request),
        warnings=list(order_dependencies(request).warnings),
        strict=False,
        allowances=msgspec.json.encode(supposed.allowances),
    )
    if supposed.allowances:
        check_allowances(supposed.allowances, msgspec.json.decode(other.header())["budgets"])
    return other


def keep(log: EventLog, plan: core.Plan) -> None:
    """Keep the answer to a question in the log as if it had been planned; again does nothing."""
    request = msgspec.json.decode(plan.header(), type=_Written).request
    loop.keep_plan(log, plan, bytes(request))


def is_of_this_version(plan: core.Plan) -> bool:
    """Whether a plan was made by the version that runs."""
    return msgspec.json.decode(plan.header(), type=_Asked).planner == version(
        "fleet-upgrade-planner"
    )


def _spec(plan: core.Plan) -> dict[str, Any]:
    spec: dict[str, Any] = msgspec.json.decode(plan.header(), type=_Asked).request["spec"]
    return spec


class _Asked(msgspec.Struct):
    """Of a header only what was asked, and of whom."""

    planner: str
    request: dict[str, Any]


class _Written(msgspec.Struct):
    """The request of a header as it is written there."""

    request: msgspec.Raw
