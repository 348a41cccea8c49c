"""What the core answers a run, on the recorded shop: the plan's own waves have room one by one."""

import json
import lzma
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

import planner
from planner import core
from planner.apply.back import back_request, read_images
from planner.apply.checkpoint import Checkpoint, Question, ask
from planner.apply.course import Course, Place, place_of
from planner.apply.levers.selected import REVISION_LABEL
from planner.apply.steps import Going, Target
from planner.apply.tail import images_of, tail_request
from planner.loop import observe_fleet
from tests.shop import SALE_MS, SHOP, shop_log, shop_plan
from tests.test_drains import node
from tests.test_quotas import app, cpus
from tests.test_small_clusters import NEW, imported
from tests.test_small_clusters import pod as a_pod
from tests.test_surge_room import asking

SMALL = {"apiVersion": "planner/v1", "kind": "UpgradeRequest", "metadata": {"name": "small"}}


@cache
def fleet() -> core.Fleet:
    log = shop_log().events
    return observe_fleet(log, Course(shop_plan()).position, None)


@cache
def course() -> Course:
    return Course(shop_plan())


def asked(question: Question) -> Checkpoint:
    request = tail_request(course(), images_of(course()), 0)
    return ask(fleet(), msgspec.json.encode(request), question, now_ms=SALE_MS)


def keys(*waves: int) -> list[tuple[str, str]]:
    return [(move.cluster, move.uid) for wave in waves for _, move in course().moves(wave)]


def test_the_first_wave_has_room_in_every_budget() -> None:
    checkpoint = asked(Question(due=keys(1)))
    # Pods that were leaving when the plan was made need nobody to let them go.
    assert {pod.state for pod in checkpoint.due} <= {"here", "leaving"}
    assert {pod.held_by for pod in checkpoint.due} == {""}


def test_a_pod_is_old_and_at_its_revision_as_long_as_its_application_differs() -> None:
    target = Target.of(course().request)
    every = range(len(keys(*range(1, len(course().waves) + 1))))
    moves = [course().move(number) for number in every]
    checkpoint = asked(Question(due=[(move.cluster, move.uid) for move in moves]))
    here = [it for it in zip(moves, checkpoint.due, strict=True) if it[1].state == "here"]
    going = [Going(number=0, move=move, uid=move.uid, pod=pod) for move, pod in here]
    assert [it.pod.old for it in going] == [target.has_application(it) for it in going]
    assert {pod.old for _, pod in here} == {True, False}
    revisions = {
        pod["metadata"]["uid"]: pod["metadata"]["labels"][REVISION_LABEL]
        for path in SHOP.glob("*/pods.json.xz")
        for pod in json.loads(lzma.decompress(path.read_bytes()))["items"]
        if REVISION_LABEL in pod["metadata"].get("labels", {})
    }
    held = [(pod.revision, revisions[move.uid]) for move, pod in here if move.uid in revisions]
    assert held
    assert [one for one, _ in held] == [other for _, other in held]


def test_whoever_waits_for_another_is_held_until_that_one_serves() -> None:
    every = keys(*range(1, len(course().waves) + 1))
    held = asked(Question(due=every)).due
    names = [course().move(number).workload.name for number in range(len(every))]
    waits = [pod.held_by for name, pod in zip(names, held, strict=True) if name == "order"]
    assert set(waits) <= {"dependency:trade/order after trade/payment"}
    assert waits
    first = [pod for name, pod in zip(names, held, strict=True) if name == "mysql"]
    assert not any(pod.held_by.startswith("dependency") for pod in first), "it waits for nobody"


def test_three_waves_at_once_have_not() -> None:
    held = [pod.held_by for pod in asked(Question(due=keys(1, 2, 3))).due]
    assert held[: len(keys(1))] == [""] * len(keys(1)), "first come, first served"
    assert any(held)
    assert all(name.partition("/")[0] in {"fleet", "pdb", "pub", "workload", "trade", "storefront",
               "surge", "sidecarset", "per-node", "per-zone", "dependency:trade"}
               for name in held if name)  # fmt: skip


def test_pods_that_were_let_go_take_room_until_they_are_taken() -> None:
    alone = asked(Question(due=keys(2)))
    beside = asked(Question(let_go=keys(1), due=keys(2)))
    assert sum(not pod.held_by for pod in beside.due) < sum(not pod.held_by for pod in alone.due)


def test_as_many_pods_can_move_as_the_plan_moves() -> None:
    movable = {each.place: each.movable for each in asked(Question()).workloads}
    planned: Counter[Place] = Counter()
    every = keys(*range(1, len(course().waves) + 1))
    for number, pod in enumerate(asked(Question(due=every)).due):
        planned[place_of(course().move(number))] += pod.state != "leaving"
    assert {place: count for place, count in movable.items() if count} == planned


def test_the_pods_of_a_workload_are_listed_in_the_order_of_its_plan() -> None:
    place = Place("hangzhou", "data", "StatefulSet", "redis")
    listed = asked(Question(list=[place])).by_place()[place].moves
    waves = range(1, len(course().waves) + 1)
    planned = [
        move.uid
        for wave in waves
        for _, move in course().moves(wave)
        if (move.cluster, move.workload.name) == ("hangzhou", "redis")
    ]
    assert list(listed) == planned


def test_a_uid_that_is_none_is_gone() -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    (pod,) = asked(Question(due=[("hangzhou", unknown)])).due
    assert (pod.state, pod.name) == ("gone", "")


def test_the_way_back_wants_what_there_was() -> None:
    before = read_images(json.loads(core.images(fleet())))
    request = back_request(course().request, images_of(course()), before)
    rules = request["spec"]["target"]["images"]
    (order,) = [
        it["to"] for it in rules if (it["workload"]["name"], it["container"]) == ("order", "main")
    ]
    assert order == before[Place("hangzhou", "trade", "CloneSet", "order")]["main"]
    assert "stages" not in request["spec"]
    pairs = {(it["workload"]["name"], it["after"][0]["name"]) for it in
             request["spec"]["dependencies"]}  # fmt: skip
    assert ("mysql", "payment") in pairs
    assert ("payment", "order") in pairs


def test_nothing_leads_back_from_where_nothing_moved() -> None:
    before = read_images(json.loads(core.images(fleet())))
    request = back_request(course().request, images_of(course()), before)
    text = msgspec.json.encode(request)
    plan = core.plan(
        fleet(),
        text,
        log_digest="",
        version="",
        durations=b"{}",
        calendars=b"{}",
        warnings=[],
        allowances=b"[]",
        strict=False,
        starts=1,
    )
    # But for pods that were in the middle of another rollout when the plan was made.
    assert Course(plan).total < Course(shop_plan()).total // 20


def test_whole_manifests_have_no_way_back() -> None:
    request = {"metadata": {"name": "x"}, "spec": {"target": {"manifests": [{"kind": "x"}]}}}
    with pytest.raises(planner.UsageError, match="whole manifests"):
        back_request(request, {}, {})


def held(folder: Path, objects: list[Any], let_go: int) -> list[str]:
    """What holds up each pod of these but the first ones, which were let go."""
    pods = [each["metadata"]["uid"] for each in objects if each["kind"] == "Pod"]
    uids = [("hangzhou", uid) for uid in pods][:4]
    rules = [{"from": "registry.example.com/cart", "to": NEW}]
    request = msgspec.json.encode({**SMALL, "spec": {"target": {"images": rules}}})
    log = imported(folder, *objects).events
    small = observe_fleet(log, log.head().position, None)
    question = Question(let_go=uids[:let_go], due=uids[let_go:])
    return [pod.held_by for pod in ask(small, request, question, now_ms=SALE_MS).due]


def test_every_new_pod_asks_the_quota_of_its_namespace_again(tmp_path: Path) -> None:
    items = [*app("cart", 2), *app("pay", 2)]
    quota = "quota/trade/compute"
    assert held(tmp_path, [*items, cpus("6", "4")], 0) == ["", "", quota, quota]
    assert held(tmp_path, [*items, cpus("6", "4")], 1) == ["", quota, quota]
    # The successor of the first is there, and is counted in what is used.
    newer = a_pod("cart-new", items[1])
    newer["spec"]["containers"][0]["image"] = NEW
    assert held(tmp_path, [*items, newer, cpus("6", "5")], 1)[:2] == ["", quota]
    # Somebody else took what was left.
    assert held(tmp_path, [*items, cpus("6", "6")], 0) == [quota] * 4


def test_every_new_pod_asks_for_room_on_the_nodes_of_others_again(tmp_path: Path) -> None:
    items = [*app("cart", 2), *app("pay", 2)]
    room, of_pay = (f"room/trade/Deployment/{name}" for name in ("cart", "pay"))
    assert held(tmp_path, [*items, node("node-1", cpu="7")], 0) == ["", "", "", room]
    assert held(tmp_path, [*items, node("node-1", cpu="7")], 2) == ["", room]
    # The successor of the first is there and took of the room; until the old one is gone it counts
    # with that, too.
    newer = asking(a_pod("cart-new", items[1]))
    newer["spec"]["containers"][0]["image"] = NEW
    assert held(tmp_path, [*items, newer, node("node-1", cpu="7")], 1) == ["", of_pay, of_pay]
    gone = [each for each in items if each["metadata"]["name"] != "cart-0"]
    assert held(tmp_path, [*gone, newer, node("node-1", cpu="7")], 0) == [""] * 4
    # Somebody else took what was left but for one.
    assert held(tmp_path, [*items, node("node-1", cpu="5")], 0) == ["", room, room, room]
