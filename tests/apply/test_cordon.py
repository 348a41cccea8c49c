"""Nodes that are to be empty are cordoned: when, by whom, and with which rights."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import msgspec
import pytest

import planner
from planner.apply.back import back_request
from planner.apply.course import Course
from planner.apply.events import (
    AbortAsked,
    Approved,
    Ended,
    Paused,
    Replanned,
    WaveBegun,
    WaveEnded,
)
from planner.apply.following import Following
from planner.apply.moveset import MoveSet
from planner.apply.preflight import Right, preflight, rights
from planner.apply.tail import tail_request
from planner.errors import ClusterError, RunError
from planner.kube.paths import node_path
from planner.model.policy import Exclusion
from planner.model.request import Spec
from planner.model.selector import Selector
from planner.model.target import Drain
from planner.model.target import Target as UpgradeTarget
from tests.apply.shelf import Agreeing
from tests.apply.test_evictions import CART, Told, going
from tests.apply.test_executor import HOUR_MS, Desk
from tests.shop import request, shop_log, shop_plan

if TYPE_CHECKING:
    from planner.kube.cluster import Answer, Call

NODE = {"metadata": {"name": "n", "uid": "u", "resourceVersion": "7"}, "spec": {}}


def test_a_node_is_cordoned_once_and_guarded_by_what_was_read() -> None:
    shelf = Told()
    shelf.objects[node_path("n")] = NODE
    writer = shelf.writer()
    writer.cordon_node("n")
    writer.cordon_node("n")
    writer.cordon_node("gone")
    (call,) = shelf.writes
    assert call.body == {
        "metadata": {"uid": "u", "resourceVersion": "7"},
        "spec": {"unschedulable": True},
    }
    assert shelf.objects[node_path("n")]["spec"] == {"unschedulable": True}
    assert writer.writes == 1


def test_a_label_of_a_node_is_guarded_as_well() -> None:
    shelf = Told()
    shelf.objects[node_path("n")] = NODE
    shelf.writer().label_node("n", "a", "b")
    (call,) = shelf.writes
    guard = {"uid": "u", "resourceVersion": "7"}
    assert call.body == {"metadata": {**guard, "labels": {"a": "b"}}}


def test_a_server_that_keeps_its_nodes_stops_the_run() -> None:
    shelf = Told()
    shelf.objects[node_path("n")] = NODE
    shelf.refusals[node_path("n")] = ClusterError(403, 'User "x" cannot patch resource "nodes"')
    with pytest.raises(RunError, match=r"hz/n: .*cannot patch"):
        shelf.writer().cordon_node("n")


def test_rights_to_nodes_and_evictions_are_asked_for_where_they_are_needed() -> None:
    recreate = [going(0, {}, kind="recreate").move]
    nodes = {Right("get", "", "nodes"), Right("patch", "", "nodes")}
    evict = Right("create", "", "pods", "eviction", "trade")
    assert not ({*nodes, evict} & {*rights(recreate, sidecars=False)})
    assert {*rights([], sidecars=False, drains=True)} == nodes
    assert evict in rights([going(0, {}).move], sidecars=False)


DRAIN = (Drain(name="node-0002"),)
"""A node of each cluster of the shop."""


def planned(spec: Spec) -> planner.Plan:
    return planner.plan(shop_log(), msgspec.structs.replace(request(), spec=spec), keep=False)


@cache
def drained_plan() -> planner.Plan:
    """The plan of the shop, with nodes to be empty."""
    target = msgspec.structs.replace(request().spec.target, drain=DRAIN)
    return planned(msgspec.structs.replace(request().spec, target=target))


@cache
def empty_plan() -> planner.Plan:
    """A plan without a move: every pod is left out."""
    return planned(
        Spec(target=UpgradeTarget(drain=DRAIN), exclude=(Exclusion(selector=Selector()),))
    )


def cordoned(desk: Desk) -> list[str]:
    """The nodes that were written to, and not only tried."""
    kept = [it for it in desk.door.writes if "dryRun" not in it.query and "/nodes/" in it.path]
    assert all(call.body["spec"] == {"unschedulable": True} for call in kept)
    return [call.path.rpartition("/")[2] for call in kept]


BEGUN = WaveBegun(wave=1, moves="")


def test_nodes_are_cordoned_before_the_first_wave_and_again_by_whoever_goes_on() -> None:
    desk = Desk(plan=drained_plan())
    assert desk.step() == "interrupted"
    assert isinstance(desk.last, WaveBegun)
    assert cordoned(desk) == ["node-0002", "node-0002"], "one in each cluster"
    assert len([it for it in desk.door.writes if "/nodes/node-0002" in it.path]) == 4, "tried first"
    for begun in ((BEGUN,), (BEGUN, WaveEnded(wave=1)), (Replanned(plan="p", why=("x",)),)):
        desk = Desk(*begun, Paused(by="me"), plan=drained_plan())
        desk.step()
        assert cordoned(desk) == ["node-0002", "node-0002"]


def test_nodes_are_cordoned_once_by_each_executor() -> None:
    left = WaveBegun(wave=1, moves=str(MoveSet(Course(drained_plan()).numbers(1))))
    desk = Desk(left, WaveEnded(wave=1), Approved(by="me"), plan=drained_plan())
    desk.clock.advance(HOUR_MS)
    assert desk.step() == "interrupted"
    assert isinstance(desk.last, WaveBegun)
    assert (desk.last.wave, len(cordoned(desk))) == (2, 2)


def test_nodes_are_cordoned_where_nothing_has_to_move_as_well() -> None:
    desk = Desk(plan=empty_plan())
    desk.step()
    assert isinstance(desk.last, Ended)
    assert (desk.last.outcome, desk.last.held) == ("done", ())
    assert cordoned(desk) == ["node-0002", "node-0002"]


def test_a_run_that_waits_or_ends_cordons_nothing() -> None:
    desk = Desk(Paused(by="me"), plan=drained_plan())
    desk.step()
    assert cordoned(desk) == [], "it has not begun"
    desk = Desk(BEGUN, WaveEnded(wave=1), AbortAsked(by="me"), plan=drained_plan())
    desk.step()
    assert isinstance(desk.last, Ended)
    assert cordoned(desk) == [], "nobody goes on"
    desk = Desk()
    desk.step()
    assert not any("/nodes/" in call.path for call in desk.door.writes), "no node is to be empty"


def test_a_cluster_of_which_only_nodes_are_drained_is_one_of_the_plan() -> None:
    course = Course(drained_plan())
    assert [(it.cluster, it.name) for it in course.drains] == [
        ("hangzhou", "node-0002"),
        ("shanghai", "node-0002"),
    ]
    course = Course(empty_plan())
    assert (course.total, course.clusters) == (0, ("hangzhou", "shanghai"))
    assert Following(course).clusters == frozenset(), "nothing else is written there"
    assert Course(shop_plan()).drains == ()


def test_a_cluster_that_nobody_gives_is_asked_for() -> None:
    desk = Desk(plan=drained_plan())
    desk.site.outside = replace(desk.site.outside, doors={"hangzhou": desk.door})
    with pytest.raises(RunError, match="give --cluster shanghai=CONTEXT"):
        preflight(desk.site)


class Asked(Agreeing):
    """An API server that remembers for which rights it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.rights: list[tuple[str, str]] = []

    def send(self, call: Call) -> Answer:
        if call.path.startswith("/apis/authorization"):
            asked = call.body["spec"]["resourceAttributes"]
            self.rights.append((asked["verb"], asked["resource"]))
        return super().send(call)


def test_rights_to_nodes_are_asked_for_before_anything_is_done() -> None:
    desk = Desk(plan=empty_plan())
    doors = {name: Asked() for name in ("hangzhou", "shanghai")}
    desk.site.outside = replace(desk.site.outside, doors=doors)
    preflight(desk.site)
    assert [door.rights for door in doors.values()] == [[("get", "nodes"), ("patch", "nodes")]] * 2


def test_the_rest_of_a_plan_empties_nodes_and_the_way_back_does_not() -> None:
    course = Course(drained_plan())
    rest = tail_request(course, {}, 0)
    assert rest["spec"]["target"]["drain"] == [{"name": "node-0002"}]
    back = back_request(course.request, {CART: {"main": "x"}}, {CART: {"main": "cart:1"}})
    assert back["spec"]["target"].keys() == {"images"}
    only = {**course.request, "spec": {"target": {"drain": [{"name": "node-0002"}]}}}
    assert back_request(only, {CART: {}}, {CART: {"main": "cart:1"}})["spec"]["target"] == {}
