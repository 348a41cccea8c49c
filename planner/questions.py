"""Questions to plans that nothing follows from: the log and the clusters stay as they are."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Final

import msgspec

from planner import core, loop
from planner.log import EventLog
from planner.model.amend import amended
from planner.model.bottlenecks import Bottlenecks, Saving, ScheduleFigures, Untried
from planner.model.lint import Finding, Lint
from planner.model.plan_diff import AskedOtherwise, PlanDiff, is_same
from planner.model.request import UpgradeRequest, canonical_json
from planner.model.spec_path import differences
from planner.model.suppose import Supposed, check_allowances, is_budget_of_clusters
from planner.plan.calendars import laid_out
from planner.plan.rates import idle_rates

MOVES_AT_ONCE: Final = 400_000
"""Moves that are scheduled between two reports of progress."""


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

    asked = msgspec.json.decode(plan.header(), type=_Asked)
    request = amended(asked.request, supposed.sets, supposed.unsets)
    other = loop.plan_canonical(
        log,
        fleet,
        # Its manifests were redacted when they were first planned.
        canonical_json(request),
        loop.How(
            warnings=tuple(order_dependencies(request).warnings),
            starts=asked.starts,
            allowances=msgspec.json.encode(supposed.allowances),
        ),
    )
    if supposed.allowances:
        check_allowances(supposed.allowances, msgspec.json.decode(other.header())["budgets"])
    return other


def find_bottlenecks(
    log: EventLog,
    fleet: core.Fleet,
    plan: core.Plan,
    *,
    limit: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Bottlenecks:
    """Tell what one unit more of each budget, dependency, stage or sequence would save a plan.

    And what a dependency or a sequence less would.

    Args:
        log: the log that the plan was made from.
        fleet: at the plan's position in it.
        plan: of this version.
        limit: how many units are tried at most, the most promising ones; all by default.
        progress: told how many of how many have been tried.
    """
    written = msgspec.json.decode(plan.header(), type=_Written)
    durations = loop.learnt_durations(log, fleet.position)
    request = bytes(written.request)
    calendars = laid_out(request, fleet.now_ms)
    posed = core.Bottlenecks(fleet, request, durations=durations, calendars=calendars)
    tries = len(posed) if limit is None else min(limit, len(posed))
    at_once = max(2, min(64, MOVES_AT_ONCE // (len(plan) + 1)))
    savings: list[Saving] = []
    for begin in range(0, tries, at_once):
        progress(begin, tries)
        found = posed.solve(begin, min(at_once, tries - begin))
        savings += msgspec.json.decode(found, type=list[Saving])
    head = msgspec.json.decode(posed.head(), type=_Posed)
    spec = _spec(plan)
    savings = [msgspec.structs.replace(each, ask=_ask_for(each, spec)) for each in savings]
    return Bottlenecks(
        plan=plan.id,
        without=head.figures(),
        savings=tuple(sorted(savings, key=_most_first)),
        left=len(posed) - tries,
        ordered=head.ordered,
        windowed=head.windowed,
        untried=head.untried,
    )


def _most_first(saving: Saving) -> tuple[object, ...]:
    """Waves first, as plans are made; then time, then pods that can move at all."""
    return (
        -saving.saves_waves if not saving.more_moves else 0,
        -saving.saves_seconds if not saving.more_moves else 0,
        -saving.more_moves,
        -saving.holds,
        saving.name,
        saving.cluster or "",
        saving.unit,
    )


def _ask_for(saving: Saving, spec: Mapping[str, Any]) -> str | None:
    """The assignment or path by which `planner whatif` asks for the same, if there is one."""
    if saving.kind == "sequence":
        return f"sequences.{saving.name}"
    if saving.kind == "budget" and is_budget_of_clusters(saving.name):
        return f"{saving.cluster}/{saving.name}=+1"
    if saving.kind == "budget" and saving.limit is not None:
        (budget,) = (each for each in spec["budgets"] if each["name"] == saving.name)
        # A percentage has another limit at each place.
        if isinstance(budget["maxUnavailable"], int) or budget.get("scope", "fleet") == "fleet":
            return f"budgets.{saving.name}.maxUnavailable={saving.limit + 1}"
    if saving.kind == "rate" and saving.limit is not None:
        (rate,) = (each for each in spec["rates"] if saving.name in _names_of(each, saving.cluster))
        if "pullsPerSecond" in rate:
            return f"rates.{rate['name']}.pullsPerSecond={saving.limit + 1}"
        # One of every cluster would change all of them.
        if rate.get("cluster"):
            return f"rates.{rate['name']}.writesPerSecond={saving.limit + 1}"
    return None


def _names_of(rate: Mapping[str, Any], cluster: str | None) -> set[str]:
    """What plans may call a rate of the request."""
    parts = (rate["name"], rate.get("registry"), cluster)
    return {"/".join(filter(None, parts))}


def lint_request(log: EventLog, fleet: core.Fleet, request: UpgradeRequest) -> Lint:
    """Tell what of a request does nothing in a fleet, or blocks too much.

    Raises:
        InfeasibleError: workloads wait for each other.
    """
    from planner.plan.graph import order_dependencies  # noqa: PLC0415 networkx takes a while

    found = core.lint(fleet, loop.canonical_redacted(log, request))
    implied = [
        Finding(
            rule="implied" if "as long as" in text else "waits-for-nothing",
            path="dependencies",
            message=text,
            remedy="take it out",
        )
        for text in order_dependencies(request).warnings
    ]
    idle = [
        Finding(
            rule="never-binds",
            path=f"rates.{rate.name}",
            message=f"it never holds anything up: {other.name} is always at least as slow",
            remedy="make it slower, or take it out",
        )
        for rate, other in idle_rates(request.spec.rates)
    ]
    findings = msgspec.json.decode(found, type=list[Finding]) + implied + idle
    order = ("target", "dependencies", "sequences", "budgets", "rates", "stages", "exclude")
    findings.sort(key=lambda each: order.index(each.path.partition(".")[0]))
    return Lint(request=request.metadata.name, position=fleet.position, findings=tuple(findings))


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
    starts: int = 1


class _Written(msgspec.Struct):
    """The request of a header as it is written there."""

    request: msgspec.Raw


class _Posed(ScheduleFigures, frozen=True, kw_only=True):
    """What the core tells before anything is tried."""

    ordered: int
    windowed: int
    untried: tuple[Untried, ...]

    def figures(self) -> ScheduleFigures:
        """Give the schedule without a unit more."""
        return msgspec.convert(msgspec.structs.asdict(self), ScheduleFigures)
