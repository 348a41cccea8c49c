"""How long a short plan is looked for, and that more of it is never for the worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import planner
from benches.request import Regime
from planner import loop
from planner.model.request import load_request
from planner.plan.effort import MOST, STARTS, within
from tests.fleets import recorded
from tests.shop import WEB_ALONE, header_of, request, shop_log, shop_plan
from tests.test_windows import TIMES, timed

if TYPE_CHECKING:
    from planner.plan.effort import Effort


def shop(starts: int) -> planner.Plan:
    log = shop_log()
    text = loop.canonical_redacted(log.events, request())
    return loop.plan_canonical(log.events, log.fleet(), text, loop.How(starts=starts))


@pytest.mark.parametrize("seed", range(3))
def test_more_effort_never_gives_a_worse_plan(seed: int) -> None:
    fleet = recorded(200, seed, Regime.NODE)
    log, wanted = fleet.log(), fleet.wanted()
    efforts: list[Effort] = ["fast", "balanced", "best"]
    plans = [planner.plan(log, wanted, keep=False, effort=effort) for effort in efforts]
    costs = [(header_of(plan)["waves"], header_of(plan)["seconds"]) for plan in plans]
    assert costs == sorted(costs, reverse=True)
    again = planner.plan(log, wanted, keep=False, effort="best")
    assert again.to_bytes() == plans[-1].to_bytes()
    assert all(not planner.verify(log, plan) for plan in plans)


def test_a_plan_says_how_often_its_search_began() -> None:
    assert "starts" not in header_of(shop_plan())
    plan = planner.plan(shop_log(), request(), keep=False, effort="best")
    assert header_of(plan)["starts"] == STARTS["best"]
    other = planner.whatif(shop_log(), plan)
    assert other.to_bytes() == plan.to_bytes(), "what is asked of a plan is planned as it was"


def test_a_shorter_plan_is_looked_for_while_there_is_time() -> None:
    seconds, asked = 0.0, []

    def make(starts: int) -> planner.Plan:
        nonlocal seconds
        asked.append(starts)
        seconds += starts
        return shop(starts)

    plan = within(30, make, lambda: seconds)
    assert asked == [1, 4, 16], "64 starts would take until 85 s"
    assert header_of(plan)["starts"] == 16
    assert seconds == 21


def test_it_ends_where_starts_change_nothing_and_take_no_time() -> None:
    plan = planner.plan(shop_log(), timed(**TIMES), keep=False, effort=3600.0)
    header = header_of(plan)
    assert header["starts"] == MOST
    usual = header_of(planner.plan(shop_log(), timed(**TIMES), keep=False))
    assert (header["waves"], header["seconds"]) == (usual["waves"], usual["seconds"])


def test_nobody_looks_for_what_cannot_be_shorter() -> None:
    alone = load_request(WEB_ALONE.encode(), "alone.yaml", lambda _: [])
    header = header_of(planner.plan(shop_log(), alone, keep=False, effort=3600.0))
    assert (header["waves"], header["seconds"]) == (header["waves_bound"], header["seconds_bound"])
    assert "starts" not in header
