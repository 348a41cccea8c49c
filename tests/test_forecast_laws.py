"""What holds of every forecast: of the time of a plan, and of the way back from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given, reject
from hypothesis import strategies as st

import planner
from planner import core, loop
from planner.apply.back import back_request, read_images
from planner.apply.course import Course
from planner.apply.tail import images_of
from tests import fleets
from tests.shop import moves_of
from tests.test_plan_laws import law, plan_if_any

if TYPE_CHECKING:
    from tests.fleets import Recorded

Json = dict[str, Any]
QUANTILES = ("p50_s", "p90_s", "p99_s")
SHARES = st.floats(0, 1)
"""How much of a plan is done."""


@law(max_examples=15)
@given(fleets.fleets(), st.integers(0, 2**64 - 1))
def test_a_forecast_is_ordered_and_follows_from_its_seed(fleet: Recorded, seed: int) -> None:
    log = fleet.log()
    plan = planner.plan(log, fleet.wanted())
    found = planner.eta(log, plan, samples=60, seed=seed)
    assert found == planner.eta(log, plan, samples=60, seed=seed)
    rests_s = sum(it["waits_s"] for it in msgspec.json.decode(plan.header())["per_wave"])
    for quantile in QUANTILES:
        # Without calendars only the waves vary.
        assert abs(found["end"][quantile] - found["moving"][quantile] - rests_s) < 0.01
        ends = [it["end"][quantile] for it in found["per_wave"]]
        assert ends == sorted(ends)
        assert ends[-1] == found["end"][quantile]
    for each in (found["end"], found["moving"], *(it["takes"] for it in found["per_wave"])):
        assert [each[it] for it in QUANTILES] == sorted(each[it] for it in QUANTILES)
    assert (found["unfinished"], found["late"], found["past_window"]) == (0, None, None)


def streams(spec: Json) -> None:
    """No barrier is left: a run waits for all that goes on where somebody has to approve."""
    spec["streaming"] = True
    for stage in spec.get("stages") or ():
        stage.pop("approval", None)


EXACT = msgspec.json.encode({"supposed": 0, "seen": {}})
"""Moves take as long as the plan expects."""


@law(max_examples=60)
@given(st.one_of(fleets.fleets(), fleets.troubled_fleets(), fleets.paced_fleets()))
def test_without_chance_a_plan_that_streams_takes_what_it_says(fleet: Recorded) -> None:
    fleet = fleet.with_request(streams)
    log = fleet.log()
    plan = plan_if_any(fleet, log)
    if plan is None:
        reject()
    header = msgspec.json.decode(plan.header())
    drawn = core.eta(
        log.fleet(),
        plan,
        spreads=EXACT,
        durations=b"{}",
        calendars=b"{}",
        samples=3,
        seed=0,
    )
    found = msgspec.json.decode(drawn)
    assert found["end"] == dict.fromkeys(QUANTILES, header["streaming"]["seconds"])
    assert found["planned_s"] == header["streaming"]["seconds"]
    for wave, (begin_s, end_s) in zip(found["per_wave"], header["streaming"]["spans"], strict=True):
        assert wave["end"] == dict.fromkeys(QUANTILES, end_s)
        assert wave["takes"]["p50_s"] == wave["planned_s"] == round(end_s - begin_s, 3)
    legs = [(it["last_wave"], it["end"]["p99_s"]) for it in found["per_leg"]]
    assert legs == [(header["waves"], header["streaming"]["seconds"])]


def back_for_real(fleet: Recorded, plan: planner.Plan, wave: int) -> tuple[planner.Log, core.Plan]:
    """The way back as it is planned where the moves of these waves were seen."""
    log = fleet.log()
    before = read_images(msgspec.json.decode(core.images(log.fleet())))
    request = back_request(Course(plan).request, images_of(Course(plan)), before)
    text = msgspec.json.encode(request, order="sorted")
    there = fleet.applied(move for move in moves_of(plan) if move["wave"] <= wave).log()
    back = loop.plan_canonical(there.events, there.fleet(), text)
    return there, back


@law(max_examples=25)
@given(fleets.fleets(), SHARES)
def test_the_way_back_is_that_of_a_fleet_that_was_moved(fleet: Recorded, share: float) -> None:
    log = fleet.log()
    plan = fleet.plan(log)
    last = len(Course(plan).waves)
    wave = round(share * last)
    (found,) = planner.way_back(log, plan, waves=[wave])["after"]
    assert found["moved"] == sum(move["wave"] <= wave for move in moves_of(plan))
    try:
        there, back = back_for_real(fleet, plan, wave)
    except planner.InfeasibleError:
        reject()  # Nothing at all can go back, so that there is no plan to compare with.
    assert planner.verify(there, back) == []
    header = msgspec.json.decode(back.header())
    said = {key: found[key] for key in ("waves", "waves_bound", "seconds", "seconds_bound")}
    assert said == {key: header[key] for key in said}
    assert found["kinds"] == header["totals"]["kinds"]
    assert found["stays"] == header["unmovable"]
    full = {(it["name"], it["cluster"]): it["headroom"].count(0) for it in header["budgets"]}
    for budget in found["full"]:
        assert budget["waves"] == full[budget["name"], budget["cluster"]]


@law(max_examples=15)
@given(fleets.troubled_fleets(), SHARES)
def test_what_goes_back_was_moved(fleet: Recorded, share: float) -> None:
    """Or was behind its own template, whither a rollback brings it too."""
    log = fleet.log()
    plan = plan_if_any(fleet, log)
    if plan is None:
        return
    last = len(Course(plan).waves)
    at = sorted({0, round(share * last), last})
    after = planner.way_back(log, plan, waves=at)["after"]
    assert [it["wave"] for it in after] == at
    if after[0]["reason"] is not None:
        reject()  # Nothing can go back at first, and nobody counts what is behind.
    behind = after[0]["moves"] + len(after[0]["stays"])
    for each in after:
        assert each["moves"] + len(each["stays"]) <= each["moved"] + behind
        assert each["waves_bound"] <= each["waves"] <= each["moves"]
