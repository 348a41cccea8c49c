"""The shop's release at the rate at which its registry may be pulled from."""

from __future__ import annotations

import io
from collections import Counter
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from rich.console import Console

import planner
from planner.errors import RequestError
from planner.show import html
from planner.show.plan import tell_plan
from planner.show.rates import rate_lines
from planner.show.table import duration
from planner.verify.rates import registry_of
from tests.shop import header_of, moves_of, request, shop_log, shop_plan
from tests.test_rates import paced, read, rules

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
REGISTRY = "registry.example.com"
PULLS = {"name": "pulls", "registry": REGISTRY, "pullsPerSecond": 1}
MIRROR = {"name": "mirror", "registry": REGISTRY, "cluster": "shanghai", "pullsPerSecond": 2}
WRITES = {"name": "api", "writesPerSecond": 1}


@cache
def plan() -> planner.Plan:
    return planner.plan(shop_log(), paced(rates=[PULLS, MIRROR, WRITES], stages=()), keep=False)


@cache
def without() -> planner.Plan:
    return planner.plan(shop_log(), paced(stages=()), keep=False)


def test_no_wave_ends_before_the_images_of_its_moves_are_pulled_and_the_check_agrees() -> None:
    header = header_of(plan())
    assert rules(header, plan()) == set()
    rates = {rate["name"]: rate for rate in header["rates"]}
    assert list(rates) == [
        "api/hangzhou",
        "api/shanghai",
        f"pulls/{REGISTRY}",
        f"mirror/{REGISTRY}/shanghai",
    ]
    pulls = rates[f"pulls/{REGISTRY}"]
    places = [(it["cluster"], it["kind"], it["name"]) for it in header["workloads"]]
    a_move = {places[index]: count for index, count in pulls["pulls_a_move"]}
    assert max(a_move.values()) > 1, "sidecars come with the pod"
    assert pulls["moves"] == header["totals"]["moves"]
    in_wave: Counter[int] = Counter()
    for move in moves_of(plan()):
        workload = move["workload"]
        units = a_move[move["cluster"], workload["kind"], workload["name"]]
        new = [image for image in move["containers"].values() if registry_of(image) == REGISTRY]
        assert units >= len(set(new))
        in_wave[move["wave"]] += units
    assert sum(in_wave.values()) == pulls["pulls"]
    for wave in header["per_wave"]:
        assert wave["seconds"] > in_wave[wave["wave"]], "one a second"
    assert header["waves"] == header_of(without())["waves"]
    assert header["seconds"] > header_of(without())["seconds"] + pulls["adds_s"] / 2


def test_the_bound_has_the_time_in_it_in_which_images_are_pulled() -> None:
    header = header_of(plan())
    proof = header["proof"]["seconds"]
    pulls = header["rates"][2]
    assert proof["rate"] == {
        "name": f"pulls/{REGISTRY}",
        "moves": pulls["moves"],
        "units": pulls["pulls"],
        "begun_s": float(pulls["pulls"]),
    }
    assert pulls["pulls"] < header["seconds_bound"] <= header["seconds"]
    assert f"moves with {pulls['pulls']} units at 1 a second (pulls/{REGISTRY})" in proof["text"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda header: header["rates"].pop(), ("rate", "rates")),
        (lambda header: header["rates"][2].update(pulls=1), ("rate", "rates")),
        (lambda header: header["rates"][2]["pulls_a_move"].pop(), ("rate", "rates")),
        (lambda header: header["rates"][2]["pulls_a_move"][0].__setitem__(1, 9), ("rate", "rates")),
        (lambda header: header["rates"][3].update(cluster=None), ("rate", "rates")),
        (lambda header: header["per_wave"][3].update(seconds=1.0), ("rate", REGISTRY)),
        (lambda header: header["proof"]["seconds"]["rate"].update(units=9_999),
         ("certificate", "seconds")),
        (lambda header: header["proof"]["seconds"]["rate"].pop("units"),
         ("certificate", "seconds")),
    ],
)  # fmt: skip
def test_the_check_finds_a_plan_that_is_faster_than_its_registry(
    change: Callable[[Json], object], found: tuple[str, str]
) -> None:
    header = deepcopy(header_of(plan()))
    change(header)
    assert found in rules(header, plan())


@pytest.mark.parametrize("pulls", [7, [[0]], [[999, 1]], [["0", 1]], [None]])
def test_pulls_of_workloads_that_are_not_there_are_no_plan(pulls: object) -> None:
    header = deepcopy(header_of(plan()))
    header["rates"][2]["pulls_a_move"] = pulls
    assert rules(header, plan()) == {("header", "header.rates[2].pulls_a_move")}


def test_no_move_pulls_more_images_than_its_pod_has_containers() -> None:
    header = deepcopy(header_of(plan()))
    pulls = header["rates"][2]
    index, before = pulls["pulls_a_move"][0]
    pulls["pulls_a_move"][0] = [index, 9]
    pulls["pulls"] += (9 - before) * header["workloads"][index]["moves"]
    assert ("rate", "rates") in rules(header, plan())


def test_a_wave_is_over_no_sooner_than_its_images_are_pulled() -> None:
    header = deepcopy(header_of(plan()))
    a_move = dict(header["rates"][2]["pulls_a_move"])
    units = {
        wave["wave"]: sum(a_move[index] * moves for index, moves in wave["workloads"])
        for wave in header["per_wave"]
    }
    wave = max(units, key=lambda it: units[it])
    assert header["per_wave"][wave - 1]["moves"] < units[wave] - 1
    header["per_wave"][wave - 1]["seconds"] = units[wave] - 0.5
    assert ("rate", REGISTRY) in rules(header, plan())


def test_a_move_in_place_pulls_what_it_changes_and_any_other_all_that_its_pod_has() -> None:
    named = (f"{REGISTRY}/cart", f"{REGISTRY}/exporter")
    images = tuple(it for it in request().spec.target.images if it.from_ in named)
    target = replace(request().spec.target, images=images, sidecars=())
    alone = planner.plan(shop_log(), paced(target=target, rates=[PULLS]), keep=False)
    assert rules(header_of(alone), alone) == set()
    header = header_of(alone)
    kinds: dict[int, set[str]] = {}
    new: dict[int, int] = {}
    index_of = {
        (it["cluster"], it["namespace"], it["kind"], it["name"]): index
        for index, it in enumerate(header["workloads"])
    }
    for move in moves_of(alone):
        workload = move["workload"]
        index = index_of[move["cluster"], move["namespace"], workload["kind"], workload["name"]]
        kinds.setdefault(index, set()).add(move["kind"])
        new[index] = max(new.get(index, 0), len(set(move["containers"].values())))
    a_move = dict(header["rates"][0]["pulls_a_move"])
    in_place = [index for index, of in kinds.items() if of == {"in-place"}]
    anew = [index for index, of in kinds.items() if "in-place" not in of]
    assert in_place
    assert all(a_move[index] == new[index] for index in in_place)
    assert any(a_move[index] > new[index] for index in anew)


def test_text_and_page_say_what_a_registry_costs(capsys: pytest.CaptureFixture[str]) -> None:
    tell_plan(plan().header(), Console(width=200))
    pulls = header_of(plan())["rates"][2]
    line = (
        f"of it because {REGISTRY} takes 1 pull a second, and there are {pulls['pulls']:,} "
        f"(pulls/{REGISTRY})"
    )
    assert f"{duration(pulls['adds_s'])} {line}" in capsys.readouterr().out
    mirror = {**header_of(plan())["rates"][3], "adds_s": 9.0}
    (line_of_mirror,) = rate_lines({"rates": [mirror]}, duration)
    assert f"{REGISTRY} takes 2 pulls by shanghai a second" in line_of_mirror
    page = io.StringIO()
    html.render(header_of(plan()), moves_of(plan()), page)
    assert f"{html.duration(pulls['adds_s'])} {line}" in page.getvalue()


def test_one_pull_more_a_second_saves_what_it_is_said_to() -> None:
    found = planner.bottlenecks(shop_log(), plan())["savings"]
    savings = {each["name"]: each for each in found if each["kind"] == "rate"}
    pulls = savings[f"pulls/{REGISTRY}"]
    assert (pulls["cluster"], pulls["limit"]) == (None, 1)
    assert pulls["ask"] == "rates.pulls.pullsPerSecond=2"
    faster = paced(rates=[{**PULLS, "pullsPerSecond": 2}, MIRROR, WRITES], stages=())
    other = header_of(planner.plan(shop_log(), faster, keep=False))
    assert pulls["saves_seconds"] == header_of(plan())["seconds"] - other["seconds"]


def test_the_forecast_waits_for_pulls() -> None:
    with_it, other = (
        planner.eta(shop_log(), of, samples=200)["end"]["p50_s"] for of in (plan(), without())
    )
    slower = header_of(plan())["seconds"] - header_of(without())["seconds"]
    assert with_it - other == pytest.approx(slower, rel=0.1)


def test_a_registry_from_which_no_move_pulls_is_told() -> None:
    rates = [{**PULLS, "registry": "registry.exmaple.com"}]
    header = header_of(planner.plan(shop_log(), paced(rates=rates), keep=False))
    said = "no move pulls from registry.exmaple.com; correct its name or take it out"
    assert f"rate pulls/registry.exmaple.com: {said}" in header["warnings"]
    assert header["seconds"] == header_of(shop_plan())["seconds"]


@pytest.mark.parametrize(
    ("rate", "problem"),
    [
        ("{name: pulls, pullsPerSecond: 5}", "registry and pullsPerSecond belong together"),
        ("{name: pulls, registry: a.example}", "give either writesPerSecond"),
        ("{name: pulls}", "give either writesPerSecond"),
        ("{name: pulls, writesPerSecond: 5, registry: a.example, pullsPerSecond: 5}",
         "give either writesPerSecond"),
        ("{name: pulls, writesPerSecond: 5, registry: a.example}", "belong together"),
        ("{name: pulls, registry: a.example, pullsPerSecond: 0}", ">= 1"),
        ("{name: pulls, registry: a.example/team, pullsPerSecond: 5}", "write a.example"),
        ("{name: pulls, registry: 'https://a.example/', pullsPerSecond: 5}", "write a.example"),
    ],
)  # fmt: skip
def test_a_rate_of_pulls_that_is_none_is_refused(rate: str, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        read(f"[{rate}]")


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("nginx", "docker.io"),
        ("library/nginx:1.27", "docker.io"),
        ("index.docker.io/library/nginx", "docker.io"),
        ("registry:5000/cart", "registry:5000"),
        ("localhost/cart", "localhost"),
        ("Mirror/cart", "Mirror"),
    ],
)
def test_an_image_without_a_host_is_of_docker(image: str, registry: str) -> None:
    assert registry_of(image) == registry
