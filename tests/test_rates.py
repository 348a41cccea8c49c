"""The shop's release at the rate at which its API servers may be written to."""

from __future__ import annotations

import io
from collections import Counter
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from rich.console import Console

import planner
from planner.errors import RequestError
from planner.model.request import UpgradeRequest, canonical_json, load_request
from planner.show import html
from planner.show.plan import tell_plan
from planner.show.table import duration
from planner.verify import verify
from tests.shop import header_of, moves_of, request, shop_log, shop_plan
from tests.test_verify_shop import observed

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
RATES = [{"name": "api", "writesPerSecond": 20}, {"name": "slow", "cluster": "hangzhou",
          "writesPerSecond": 1}]  # fmt: skip


def paced(**spec: object) -> UpgradeRequest:
    tree = msgspec.json.decode(canonical_json(request()))
    tree["spec"] |= spec
    return msgspec.convert(tree, UpgradeRequest)


@cache
def plan() -> planner.Plan:
    return planner.plan(shop_log(), paced(rates=RATES), keep=False)


@cache
def at_once() -> planner.Plan:
    """Without stages, whose soaks take longer than any writes."""
    return planner.plan(shop_log(), paced(rates=RATES, stages=()), keep=False)


def read(rates: str) -> UpgradeRequest:
    """A request with these rates, as a person writes them."""
    text = (
        "apiVersion: planner/v1\nkind: UpgradeRequest\nmetadata: {name: shop}\n"
        f"spec: {{target: {{}}, rates: {rates}}}\n"
    )
    return load_request(text.encode(), "request.yaml", lambda _: [])


def rules(header: Json, of: planner.Plan) -> set[tuple[str, str]]:
    found = verify(header, (dict(move) for move in moves_of(of)), observed())
    return {(each.rule, each.subject) for each in found}


def test_no_wave_ends_before_its_moves_have_begun_and_the_check_agrees() -> None:
    header = header_of(plan())
    assert rules(header, plan()) == set()
    moves = Counter((move["wave"], move["cluster"]) for move in moves_of(plan()))
    for wave in header["per_wave"]:
        assert wave["seconds"] > moves[wave["wave"], "hangzhou"], "one a second"
    rates = {rate["cluster"]: rate for rate in header["rates"]}
    assert {it: (rate["name"], rate["writes_per_second"]) for it, rate in rates.items()} == {
        "hangzhou": ("slow/hangzhou", 1),
        "shanghai": ("api/shanghai", 20),
    }
    without = header_of(shop_plan())
    assert "rates" not in without
    assert header["waves"] == without["waves"]
    longer = header["seconds"] - without["seconds"]
    assert longer == pytest.approx(rates["hangzhou"]["adds_s"], rel=0.1)


def test_text_and_page_say_what_a_rate_costs(capsys: pytest.CaptureFixture[str]) -> None:
    tell_plan(plan().header(), Console(width=200))
    line = "of it because hangzhou takes 1 write a second (slow/hangzhou)"
    adds_s = header_of(plan())["rates"][0]["adds_s"]
    assert f"{duration(adds_s)} {line}" in capsys.readouterr().out
    page = io.StringIO()
    html.render(header_of(plan()), moves_of(plan()), page)
    assert f"{html.duration(adds_s)} {line}" in page.getvalue()


def test_the_bound_has_the_time_in_it_in_which_moves_begin() -> None:
    header = header_of(at_once())
    assert rules(header, at_once()) == set()
    assert header["rates"][0]["moves"] < header["seconds_bound"] <= header["seconds"]
    assert "at 1 a second (slow/hangzhou)" in header["proof"]["seconds"]["text"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda header: header["rates"].pop(), ("rate", "rates")),
        (lambda header: header["rates"][0].update(moves=1), ("rate", "rates")),
        (lambda header: header["request"]["spec"]["rates"][0].update(writesPerSecond=1),
         ("rate", "rates")),
        (lambda header: header["per_wave"][3].update(seconds=1.0), ("rate", "hangzhou")),
        (lambda header: header["proof"]["seconds"].pop("rate"), ("certificate", "seconds")),
        (lambda header: header["proof"]["seconds"]["rate"].update(begun_s=9_999.0),
         ("certificate", "seconds")),
        (lambda header: header["proof"]["seconds"]["rate"].update(moves=9_999),
         ("certificate", "seconds")),
    ],
)  # fmt: skip
def test_the_check_finds_a_plan_that_is_faster_than_its_rates(
    change: Callable[[Json], object], found: tuple[str, str]
) -> None:
    header = deepcopy(header_of(at_once()))
    change(header)
    assert found in rules(header, at_once())


def test_a_chain_beside_a_rate_is_of_its_cluster_and_without_soaks() -> None:
    header = deepcopy(header_of(at_once()))
    proof = header["proof"]["seconds"]
    assert proof["chain"][0]["workload"].startswith("hangzhou/")
    header["seconds_bound"] -= proof["rate"]["begun_s"]
    moves = header["rates"][1]["moves"]
    proof["rate"] = {"name": "api/shanghai", "moves": moves, "begun_s": moves / 20}
    header["seconds_bound"] = round(header["seconds_bound"] + moves / 20, 3)
    assert ("certificate", "seconds") in rules(header, at_once())
    header = deepcopy(header_of(plan()))
    proof = header["proof"]["seconds"]
    assert sum(link["soaks_s"] for link in proof["chain"]) > 0
    begun_s = sum(link.pop("begun_s") for link in proof["chain"])
    moves = header["rates"][0]["moves"]
    proof["rate"] = {"name": "slow/hangzhou", "moves": moves, "begun_s": float(moves)}
    header["seconds_bound"] += moves - begun_s
    assert ("certificate", "seconds") in rules(header, plan())


def test_windows_hold_no_more_moves_than_can_begin_in_them() -> None:
    open_s = 400
    windows = [
        {
            "name": "nights",
            "during": [
                {"rrule": "FREQ=HOURLY", "duration": f"{open_s}s", "timeZone": "Asia/Shanghai"}
            ],
        }
    ]
    request = paced(rates=RATES, windows=windows, start="2026-11-23T12:00:00Z", stages=())
    inside = planner.plan(shop_log(), request, keep=False)
    header = header_of(inside)
    assert rules(header, inside) == set()
    moves = Counter((move["wave"], move["cluster"]) for move in moves_of(inside))
    assert all(count < open_s for (_, cluster), count in moves.items() if cluster == "hangzhou")


def test_one_write_more_a_second_saves_what_it_is_said_to() -> None:
    found = planner.bottlenecks(shop_log(), plan())["savings"]
    savings = {each["name"]: each for each in found if each["kind"] == "rate"}
    slow = savings["slow/hangzhou"]
    assert slow["limit"] == 1
    assert slow["ask"] == "rates.slow.writesPerSecond=2"
    faster = paced(rates=[RATES[0], {**RATES[1], "writesPerSecond": 2}])
    other = header_of(planner.plan(shop_log(), faster, keep=False))
    assert slow["saves_seconds"] == header_of(plan())["seconds"] - other["seconds"]
    assert "api/shanghai" not in savings, "twenty writes are over before a pod is"


def test_the_forecast_waits_for_moves_to_begin() -> None:
    with_it, without = (
        planner.eta(shop_log(), of, samples=200)["end"]["p50_s"] for of in (plan(), shop_plan())
    )
    slower = header_of(plan())["seconds"] - header_of(shop_plan())["seconds"]
    assert with_it - without == pytest.approx(slower, rel=0.1)


def test_a_rate_of_a_cluster_that_is_not_there_is_told() -> None:
    rates = [{"name": "api", "cluster": "hangzou", "writesPerSecond": 5}]
    header = header_of(planner.plan(shop_log(), paced(rates=rates), keep=False))
    assert "rate api: there is no cluster hangzou; correct its name" in header["warnings"]
    assert "rates" not in header


@pytest.mark.parametrize(
    ("rates", "problem"),
    [
        ("[{name: api, writesPerSecond: 0}]", ">= 1"),
        ("[{name: api, writesPerSecond: 5}, {name: api, writesPerSecond: 6}]", "has the name"),
        ("[{name: api, writesPerSec: 5}]", "writesPerSecond"),
    ],
)  # fmt: skip
def test_a_rate_that_is_none_is_refused(rates: str, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        read(rates)
