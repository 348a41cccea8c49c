"""Workloads that surge onto the same nodes share the room: by hand, judged by the checker too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import planner
from tests.test_drains import node
from tests.test_quotas import a_wave, app
from tests.test_small_clusters import NEW, header, imported, planned, planned_of, pod
from tests.test_surge_room import agent, asking, limit, waves

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]
CART, PAY, WEB = (f"room/trade/Deployment/{name}" for name in ("cart", "pay", "web"))


def cpus(count: str, **more: str) -> Json:
    return {"requests": {"cpu": count, **more}}


def near(pool: str, items: list[Json]) -> list[Json]:
    """The same, of pods that come to nodes of one pool only."""
    items[0]["spec"]["template"]["spec"]["nodeSelector"] = {"pool": pool}
    return items


def rooms(plan: planner.Plan) -> dict[str, int]:
    """The limits of rooms that workloads share."""
    budgets = header(plan)["budgets"]
    return {each["name"]: each["limit"] for each in budgets if each["source"] == "room"}


def test_workloads_that_surge_onto_the_same_nodes_share_the_room(tmp_path: Path) -> None:
    # Eight pods take eight of ten CPUs; one more is free elsewhere.
    nodes = (node("node-1", cpu="10"), node("node-2", cpu="1"))
    plan = planned(tmp_path, *nodes, *app("cart", 4), *app("pay", 4))
    assert a_wave(waves(plan)) == [3, 3, 2]
    assert rooms(plan) == {CART: 3}
    assert limit(plan, CART)[1] == (
        "so many new pods of 2 workloads leave none of trade/Deployment/cart without a node,"
        " which asks for 1 CPUs and 1.00 GiB"
    )
    assert header(plan)["waves_bound"] == 3


def test_room_for_all_at_once_limits_nothing(tmp_path: Path) -> None:
    plan = planned(tmp_path, node("node-1", cpu="16"), *app("cart", 4), *app("pay", 4))
    assert a_wave(waves(plan)) == [8]
    assert rooms(plan) == {}


def test_one_new_pod_more_at_once_is_a_question(tmp_path: Path) -> None:
    log = imported(tmp_path, node("node-1", cpu="8"), *app("cart", 2), *app("pay", 3))
    plan = planned_of(tmp_path, log)
    assert rooms(plan) == {CART: 3}
    [saving] = (it for it in planner.bottlenecks(log, plan)["savings"] if it["name"] == CART)
    assert saving["ask"] == f"hangzhou/{CART}=+1"
    assert rooms(planner.whatif(log, plan, {CART: "+1"})) == {CART: 4}


@pytest.mark.parametrize("free", [2, 3, 4, 5, 6])
def test_one_that_asks_for_two_takes_the_place_of_two(tmp_path: Path, free: int) -> None:
    node_1 = node("node-1", cpu=str(6 + free))
    plan = planned(tmp_path, node_1, *app("cart", 4), *app("pay", 1, cpus("2")))
    assert rooms(plan) == ({CART: free - 1} if free < 6 else {})


def test_a_large_pod_does_not_make_small_ones_as_large(tmp_path: Path) -> None:
    # Thirteen small ones leave room for the large one, and with it twelve for another small one.
    nodes = (node("node-1", cpu="24"), node("node-2", cpu="16"))
    plan = planned(tmp_path, *nodes, *app("cart", 20), *app("pay", 1, cpus("4")))
    assert rooms(plan) == {CART: 13}


def test_large_pods_fill_one_node_after_the_other(tmp_path: Path) -> None:
    spare = (node(f"node-{2 + at}", cpu=cpu) for at, cpu in enumerate(("8", "1", "1", "1")))
    nodes = (node("node-1", cpu="52"), *spare, node("node-6", pool="new", cpu="32"))
    items = (*near("old", app("cart", 12)), *app("pay", 10, cpus("4")))
    # The largest node of cart is full of two of pay, each of the others of one of either.
    assert rooms(planned(tmp_path, *nodes, *items)) == {CART: 5}


def test_one_that_fits_nowhere_takes_no_room(tmp_path: Path) -> None:
    nodes = (node("node-1", cpu="9"),)
    plan = planned(tmp_path, *nodes, *app("cart", 2), *app("pay", 1, cpus("5")))
    assert rooms(plan) == {}
    assert a_wave(waves(plan)) == [2]
    assert limit(plan, "surge/trade/Deployment/cart")[0] == 2


def test_no_room_is_shared_on_different_nodes(tmp_path: Path) -> None:
    nodes = (node("node-1", cpu="6"), node("node-2", pool="new", cpu="2"))
    items = (*near("old", app("cart", 2)), *near("new", app("pay", 2)))
    assert rooms(planned(tmp_path, *nodes, *items)) == {}


def test_only_those_share_whose_nodes_are_the_same(tmp_path: Path) -> None:
    nodes = (node("node-1", cpu="8"), node("node-2", pool="new", cpu="2"))
    carts, pays = near("old", app("cart", 2)), near("new", app("pay", 2))
    plan = planned(tmp_path, *nodes, *carts, *pays, *app("web", 2))
    # Two CPUs are free on each; what is of web may come to be on both, cart and pay on one.
    assert rooms(plan) == {CART: 2, PAY: 2, WEB: 4}
    assert a_wave(waves(plan)) == [4, 2]


def test_what_a_node_has_besides_is_shared_too(tmp_path: Path) -> None:
    gpu = cpus("1") | {"limits": {"example.com/gpu": "1"}}
    gpus = node("node-1", cpu="80", **{"example.com/gpu": "2"})
    plan = planned(tmp_path, gpus, *app("cart", 2, gpu), *app("pay", 2, gpu))
    assert rooms(plan) == {CART: 2}
    # Who needs none of them finds CPUs all the same.
    plan = planned(tmp_path, gpus, *app("cart", 2, gpu), *app("pay", 2))
    assert rooms(plan) == {CART: 2}


def test_a_surge_that_is_under_way_has_its_room(tmp_path: Path) -> None:
    items = app("cart", 2)
    newer = asking(pod("cart-new", items[1]))
    newer["spec"]["containers"][0]["image"] = NEW
    nodes = (node("node-1", cpu="7"),)
    plan = planned(tmp_path, *nodes, *items, newer, *app("pay", 2))
    # Two are free: one more of cart beside the one that is there, or one of pay.
    assert rooms(plan) == {PAY: 2}
    full = planned(tmp_path, node("node-1", cpu="5"), *items, newer, *app("pay", 2), *app("web", 1))
    assert rooms(full) == {}


def test_a_pod_of_a_daemon_set_has_the_room_of_its_own_node(tmp_path: Path) -> None:
    items = (*agent("node-1", "node-2", surge=2), *app("cart", 2))
    nodes = (node("node-1", cpu="5"), node("node-2", cpu="2"))
    assert rooms(planned(tmp_path, *nodes, *items)) == {}


def test_what_is_down_looks_for_no_second_place(tmp_path: Path) -> None:
    items = app("pay", 2)
    for each in items[2:]:
        each["status"]["conditions"][0]["status"] = "False"
    plan = planned(tmp_path, node("node-1", cpu="6"), *app("cart", 2), *items)
    assert rooms(plan) == {}


def test_moves_without_barriers_share_it_at_every_moment(tmp_path: Path) -> None:
    items = (node("node-1", cpu="8"), *app("cart", 3), *app("web", 2))
    plan = planned(tmp_path, *items, streaming=True)
    assert rooms(plan) == {CART: 3}
    assert header(plan)["streaming"]["seconds"] > 0
