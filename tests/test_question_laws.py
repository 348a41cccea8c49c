"""What holds of every answer to a question about a plan."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import Phase, given
from hypothesis import strategies as st

import planner
from planner.model.amend import amended
from planner.model.request import canonical_json, load_request
from planner.model.spec_path import differences
from tests import fleets
from tests.shop import header_of, moves_of
from tests.test_plan_laws import law, plan_if_any

if TYPE_CHECKING:
    from tests.fleets import Recorded

Json = dict[str, Any]

MIRRORED = {
    "before": "after",
    "after": "before",
    "came": "went",
    "went": "came",
    "earlier": "later",
    "later": "earlier",
}


def otherwise(spec: Json, random: Any) -> None:  # noqa: ANN401 hypothesis' own
    """Ask otherwise: other budgets, stages, images, fewer dependencies."""
    for budget in spec.get("budgets", ()):
        budget["maxUnavailable"] = random.choice([budget["maxUnavailable"], 1, 3, "20%"])
    if random.random() < 0.5:
        spec["stages"] = [
            {"name": "first", "perWorkload": 2},
            {"name": "rest", "perWorkload": "100%"},
        ]
    if random.random() < 0.5:
        spec["dependencies"] = []
    if random.random() < 0.5:
        spec["target"]["images"].pop()


@st.composite
def pairs(draw: st.DrawFn) -> tuple[planner.Plan, planner.Plan]:
    """Two plans of one fleet."""
    fleet: Recorded = draw(fleets.fleets())
    random = draw(st.randoms(use_true_random=False))
    other = fleet.with_request(lambda spec: otherwise(spec, random))
    log = fleet.log()
    return fleet.plan(log), other.plan(log)


@law(max_examples=20)
@given(fleets.fleets())
def test_a_plan_does_not_differ_from_itself(fleet: Recorded) -> None:
    log = fleet.log()
    plan = fleet.plan(log)
    diff = planner.plan_diff(plan, fleet.plan(log))
    assert diff["same"]
    assert diff["moves"]["same"] == len(plan)
    assert not any(diff[key] for key in ("request", "workloads", "budgets", "dependencies"))


@law(max_examples=20)
@given(pairs())
def test_a_difference_seen_from_the_other_side_is_mirrored(
    pair: tuple[planner.Plan, planner.Plan],
) -> None:
    before, after = pair
    there, back = planner.plan_diff(before, after), planner.plan_diff(after, before)
    assert in_order(mirrored(there)) == in_order(back)


def mirrored(value: Any) -> Any:  # noqa: ANN401 any JSON
    """What the other side sees; the reasons of unmovable pods change their places too."""
    if isinstance(value, dict) and "path" in value:
        return {"path": value["path"], "before": value["after"], "after": value["before"]}
    if isinstance(value, dict):
        turned = {MIRRORED.get(key, key): mirrored(inner) for key, inner in value.items()}
        if "reason_before" in turned:
            turned["reason_before"], turned["reason"] = turned["reason"], turned["reason_before"]
            del turned["remedy"]
        if turned.get("change") in MIRRORED:
            turned["change"] = MIRRORED[turned["change"]]
        return turned
    return [mirrored(each) for each in value] if isinstance(value, list) else value


def in_order(diff: Json) -> Json:
    """Changes of a workload are told in the order of their waves before, which is not mirrored."""
    for workload in diff["workloads"]:
        workload["changes"].sort(key=repr_of)
    for pod in diff["unmovable"]["changed"]:
        pod.pop("remedy", None)
    return diff


def repr_of(value: Any) -> str:  # noqa: ANN401 any JSON
    if isinstance(value, dict):
        return repr(sorted((key, repr_of(inner)) for key, inner in value.items()))
    return repr(value)


@law(max_examples=20)
@given(pairs())
def test_every_move_of_both_plans_is_counted_where_it_belongs(
    pair: tuple[planner.Plan, planner.Plan],
) -> None:
    before, after = pair
    diff = planner.plan_diff(before, after)
    was, now = ({move["uid"]: move for move in moves_of(plan)} for plan in pair)
    told: Counter[str] = Counter()
    for uid in was.keys() | now.keys():
        told[fate(was.get(uid), now.get(uid))] += 1
    assert {fate: count for fate, count in diff["moves"].items() if count} == dict(told)
    by_workload: Counter[str] = Counter()
    for workload in diff["workloads"]:
        for change in workload["changes"]:
            by_workload[change["change"]] += change["moves"]
    assert by_workload == {fate: count for fate, count in told.items() if fate != "same"}
    assert diff["before"]["waves"] == header_of(before)["waves"]
    assert diff["after"]["moves"] == len(after)


def fate(was: Json | None, now: Json | None) -> str:
    if was is None or now is None:
        return "came" if was is None else "went"
    if was["wave"] != now["wave"]:
        return "later" if now["wave"] > was["wave"] else "earlier"
    return "same" if was == now else "stays"


@law(max_examples=20, phases=[Phase.generate])
@given(fleets.troubled_fleets())
def test_a_question_that_supposes_nothing_gives_the_bytes_of_the_plan(fleet: Recorded) -> None:
    log = fleet.log()
    plan = plan_if_any(fleet, log)
    if plan is not None:
        assert planner.whatif(log, plan).to_bytes() == plan.to_bytes()


@law(max_examples=20)
@given(fleets.fleets(), st.randoms(use_true_random=False))
def test_a_budget_with_a_pod_more_has_no_larger_bound(fleet: Recorded, random: Any) -> None:  # noqa: ANN401
    log = fleet.log()
    plan = fleet.plan(log)
    before = header_of(plan)
    budgets = [each["name"] for each in before["budgets"] if "/" in each["name"]]
    after = header_of(planner.whatif(log, plan, {random.choice(budgets): "+1"}))
    # Where more pods can move than before, they may need more waves.
    if after["totals"]["moves"] == before["totals"]["moves"]:
        assert after["waves_bound"] <= before["waves_bound"]
        assert after["seconds_bound"] <= before["seconds_bound"]


@law(max_examples=20)
@given(fleets.fleets(), st.randoms(use_true_random=False))
def test_what_differs_between_two_requests_can_be_set_and_unset(
    fleet: Recorded,
    random: Any,  # noqa: ANN401
) -> None:
    before = json.loads(fleet.request)
    after = json.loads(fleet.with_request(lambda spec: otherwise(spec, random)).request)
    asked = differences(before["spec"], after["spec"])
    sets = [(path, value) for path, _, value in asked if value is not None]
    unsets = [path for path, _, value in reversed(asked) if value is None]
    read = amended(before, sets, unsets)
    assert in_names(json.loads(canonical_json(read))) == in_names(json.loads(canonical(after)))


def canonical(request: Json) -> bytes:
    return canonical_json(load_request(json.dumps(request).encode(), "request", lambda _: ()))


def in_names(request: Json) -> Json:
    """Lists in the order of the names of their items: the order of what is added may be another."""
    spec = request["spec"]
    for key in ("budgets", "stages", "dependencies"):
        if key in spec:
            spec[key] = sorted(spec[key], key=repr_of)
    return request


@law(max_examples=15, phases=[Phase.generate])
@given(fleets.troubled_fleets())
def test_a_unit_more_never_costs_anything(fleet: Recorded) -> None:
    log = fleet.log()
    plan = plan_if_any(fleet, log)
    if plan is None:
        return
    found = planner.bottlenecks(log, plan)
    header, without = header_of(plan), found["without"]
    assert {key: header[key] for key in without if key in header} == {
        key: value for key, value in without.items() if key in header
    }
    assert without["moves"] == len(plan)
    for each in found["savings"]:
        assert each["more_moves"] >= 0, each
        # Moves of two stages never share a wave, so a larger stage may cost one.
        if each["more_moves"] == 0 and each["unit"] != "1 move more in it":
            assert 0 <= each["saves_waves"] <= each["saves_waves_at_most"], each
            assert each["saves_waves"] or each["saves_seconds"] >= 0, each
            assert each["with_it"]["waves_bound"] <= without["waves_bound"], each
            assert each["with_it"]["seconds_bound"] <= without["seconds_bound"], each


@law(max_examples=20, phases=[Phase.generate])
@given(fleets.fleets(), st.randoms(use_true_random=False))
def test_a_budget_that_is_said_never_to_bind_holds_nothing_up(
    fleet: Recorded,
    random: Any,  # noqa: ANN401
) -> None:
    def add(spec: Json) -> None:
        scopes = ["node", "zone", "workload", "namespace", "cluster", "fleet"]
        spec["budgets"] = [
            {"name": f"b{at}", "scope": random.choice(scopes), "maxUnavailable": share}
            for at, share in enumerate(random.choices([1, 2, 5, 40, "20%", "50%", "100%"], k=6))
        ]

    asked = fleet.with_request(add)
    log = asked.log()
    plan = plan_if_any(asked, log)
    if plan is None:
        return
    found = planner.lint(log, asked.wanted())["findings"]
    idle = {each["path"] for each in found if each["rule"] == "never-binds"}
    holds = planner.bottlenecks(log, plan)["savings"]
    assert not idle & {f"budgets.{each['name']}" for each in holds if each["kind"] == "budget"}
