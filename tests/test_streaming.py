"""Plans without barriers: of the shop and of random fleets, checked on the checker's own code."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

import planner
from planner.verify import Violation, fold_rows, of_table, verify
from tests import fleets
from tests.shop import header_of, moves_of, request, rows_of, shop_log, shop_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fleets import Recorded

Json = dict[str, Any]

law = partial(
    settings,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def streamed() -> planner.Plan:
    """The plan of the shop without barriers."""
    wanted = msgspec.structs.replace(
        request(), spec=msgspec.structs.replace(request().spec, streaming=True)
    )
    return planner.plan(shop_log(), wanted, keep=False)


def check(header: Json, moves: Sequence[Json]) -> list[Violation]:
    return verify(header, moves, fold_rows(rows_of(shop_log().events)))


def test_without_barriers_the_shop_is_through_as_soon_as_is_proved_possible() -> None:
    header = header_of(streamed())
    told = header["streaming"]
    assert told["seconds"] == told["seconds_bound"] < header["seconds"]
    assert planner.verify(shop_log(), streamed()) == []


def test_times_are_all_that_streaming_adds_to_a_plan() -> None:
    header, with_barriers = header_of(streamed()), header_of(shop_plan())
    del header["streaming"], header["request"]["spec"]["streaming"]
    assert {**header, "id": with_barriers["id"]} == with_barriers
    moves = moves_of(streamed())
    assert all(move.pop("start_s") >= 0 and move.pop("seconds") > 0 for move in moves)
    assert moves == moves_of(shop_plan())


def test_what_the_table_says_of_times_is_what_its_lines_say() -> None:
    observed = fold_rows(rows_of(shop_log().events))
    assert verify(header_of(streamed()), of_table(streamed()), observed) == []


def _later(header: Json, moves: list[Json]) -> None:
    moves[-1]["start_s"] += 1
    header["streaming"]["seconds"] += 1


def _sooner(header: Json, _moves: list[Json]) -> None:
    header["streaming"]["seconds_bound"] += 1
    header["streaming"]["seconds"] += 1


def _span(header: Json, _moves: list[Json]) -> None:
    header["streaming"]["spans"][3][1] += 1


def _at_once(_header: Json, moves: list[Json]) -> None:
    for move in moves:
        move["start_s"] = 0.0


@pytest.mark.parametrize(
    ("breaks", "rules"),
    [
        (_later, {"streaming"}),
        (_sooner, {"streaming", "certificate"}),
        (_span, {"streaming"}),
        (_at_once, {"streaming", "budget", "stage", "dependency"}),
    ],
)
def test_a_plan_that_says_other_times_is_seen(
    breaks: Callable[[Json, list[Json]], None], rules: set[str]
) -> None:
    header, moves = header_of(streamed()), moves_of(streamed())
    breaks(header, moves)
    assert {each.rule for each in check(header, moves)} & rules == rules


@law(max_examples=120, phases=[Phase.generate])
@given(
    st.one_of(
        fleets.fleets(), fleets.troubled_fleets(), fleets.paced_fleets(), fleets.pulling_fleets()
    )
)
def test_moves_of_every_fleet_begin_when_they_may_and_none_too_late(fleet: Recorded) -> None:
    wanted = json.loads(fleet.request)
    wanted["spec"]["streaming"] = True
    streaming = replace(fleet, request=json.dumps(wanted))
    log = streaming.log()
    try:
        plan = streaming.plan(log)
    except planner.InfeasibleError:
        reject()
    assert planner.verify(log, plan) == []
    told = header_of(plan)["streaming"]
    assert told["seconds_bound"] <= told["seconds"]
