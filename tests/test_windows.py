"""The shop's release inside windows and around freezes: planned, checked, broken, explained."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import planner
from planner.model.request import UpgradeRequest, canonical_json
from planner.verify import verify
from tests.shop import header_of, moves_of, request, shop_log
from tests.test_verify_shop import observed

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
TIMES: Json = {
    "start": "2026-11-23T12:00:00Z",
    "deadline": "2026-11-25T00:00:00Z",
    "windows": [
        {
            "name": "nights",
            "cluster": "hangzhou",
            "during": [
                {
                    "rrule": "FREQ=DAILY;BYHOUR=22;BYMINUTE=30",
                    "duration": "1h",
                    "timeZone": "Asia/Shanghai",
                }
            ],
        }
    ],
    "freezes": [
        {
            "name": "rehearsal",
            "selector": {"matchLabels": {"team": "storefront"}},
            "during": [{"from": "2026-11-23T14:30:00Z", "until": "2026-11-23T15:00:00Z"}],
        }
    ],
}


def timed(**times: object) -> UpgradeRequest:
    tree = msgspec.json.decode(canonical_json(request()))
    tree["spec"] |= times
    return msgspec.convert(tree, UpgradeRequest)


@cache
def plan() -> planner.Plan:
    return planner.plan(shop_log(), timed(**TIMES), keep=False)


def rules(header: Json) -> set[tuple[str, str]]:
    found = verify(header, (dict(move) for move in moves_of(plan())), observed())
    return {(each.rule, each.subject) for each in found}


def test_every_wave_lies_in_its_windows_and_the_check_agrees() -> None:
    header = header_of(plan())
    assert rules(header) == set()
    assert header["waves_bound"] <= header["waves"]
    assert header["seconds_bound"] <= header["seconds"]
    assert header["proof"]["seconds"]["kind"] == "calendar"
    assert [each["name"] for each in header["calendars"]] == ["window:nights", "freeze:rehearsal"]
    spans = header["calendars"][0]["open"][:2]
    assert spans == [
        ["2026-11-23T14:30:00Z", "2026-11-23T15:30:00Z"],
        ["2026-11-24T14:30:00Z", "2026-11-24T15:30:00Z"],
    ]
    causes = {cause for move in moves_of(plan()) for cause in move["because"]}
    assert {"window:nights", "freeze:rehearsal"} <= causes


def test_without_windows_nothing_is_said_of_time() -> None:
    header = header_of(planner.plan(shop_log(), request(), keep=False))
    assert header.keys().isdisjoint({"start", "deadline", "calendars"})
    assert not any("soaks_s" in wave for wave in header["per_wave"])


def shift(header: Json) -> None:
    for wave in header["per_wave"]:
        wave["start_s"] += 3600


def close_later(header: Json) -> None:
    header["calendars"][0]["open"][0][1] = "2026-11-23T23:00:00Z"


def forget(header: Json) -> None:
    next(each for each in header["workloads"] if each.get("calendars")).pop("calendars")


def hurry(header: Json) -> None:
    header["deadline"]["spare_s"] += 1


def start_earlier(header: Json) -> None:
    header["start"] = "2026-11-23T11:00:00Z"


@pytest.mark.parametrize("damage", [shift, close_later, forget, hurry, start_earlier])
def test_a_plan_that_breaks_a_rule_of_time_is_caught(damage: Callable[[Json], None]) -> None:
    header = deepcopy(header_of(plan()))
    damage(header)
    assert "calendar" in {rule for rule, _ in rules(header)}


def test_a_deadline_that_is_missed_is_said() -> None:
    late = planner.plan(
        shop_log(), timed(**TIMES | {"deadline": "2026-11-24T00:00:00Z"}), keep=False
    )
    header = header_of(late)
    assert header["deadline"]["spare_s"] < 0
    assert header["deadline"]["late"]
    assert any("after the deadline 2026-11-24T00:00:00Z" in it for it in header["warnings"])


def test_pods_for_which_no_time_is_left_are_listed_and_the_rest_is_planned() -> None:
    once = {"from": "2026-11-23T14:30:00Z", "until": "2026-11-23T14:40:00Z"}
    window = {"name": "once", "cluster": "hangzhou", "during": [once]}
    short = planner.plan(shop_log(), timed(windows=[window]), keep=False)
    header = header_of(short)
    assert verify(header, (dict(move) for move in moves_of(short)), observed()) == []
    left = [each for each in header["unmovable"] if "leaves no time" in each["reason"]]
    assert {each["cluster"] for each in left} >= {"hangzhou"}
    assert all("window:once" in each["remedy"] for each in left)
    assert header["totals"]["moves"] > 0
