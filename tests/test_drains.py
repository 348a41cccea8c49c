"""Nodes that are drained, in small clusters by hand: who leaves, how, and what is said of it."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from planner.apply.checkpoint import Checkpoint, Question, ask
from planner.apply.course import Course
from planner.apply.parting import part
from planner.apply.tail import images_of, tail_request
from planner.loop import observe_fleet
from tests.shop import empty_log
from tests.test_small_clusters import (
    NEW,
    OLD,
    clone_set,
    header,
    metadata,
    planned,
    pod,
    rolling,
)

if TYPE_CHECKING:
    from pathlib import Path

    import planner

Json = dict[str, Any]
LEAVES = [{"selector": {"matchLabels": {"pool": "old"}}}]
NOTHING = {"target": {"drain": LEAVES}}
UPGRADED = {"images": [{"from": "registry.example.com/cart", "to": NEW}], "drain": LEAVES}


def node(name: str, *, pool: str = "old", **allocatable: str) -> Json:
    room = {"cpu": "8", "memory": "32Gi", "pods": "110", **allocatable}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata("Node", name, labels={"pool": pool}) | {"namespace": None},
        "spec": {},
        "status": {
            "allocatable": room,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


NODES = (node("node-1"), node("node-2", pool="new"))


def deployment(replicas: int, **rolling_update: Any) -> tuple[Json, Json]:  # noqa: ANN401
    """A Deployment and its ReplicaSet."""
    template = {
        "metadata": {"labels": {"app": "cart"}},
        "spec": {"containers": [{"name": "main", "image": OLD}]},
    }
    selector = {"matchLabels": {"app": "cart"}}
    owner: Json = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata("Deployment", "cart"),
        "spec": {
            "replicas": replicas,
            "selector": selector,
            "template": template,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling_update},
        },
    }
    reference = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "cart",
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    replica_set = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata("ReplicaSet", "cart-1", ownerReferences=[reference]),
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    }
    return owner, replica_set


def on(name: str, each: Json) -> Json:
    each = copy.deepcopy(each)
    each["spec"]["nodeName"] = name
    return each


def with_empty_dir(each: Json) -> Json:
    each = copy.deepcopy(each)
    each["spec"]["volumes"] = [{"name": "tmp", "emptyDir": {}}]
    return each


def asked(tmp_path: Path, *items: Json, **spec: Any) -> Checkpoint:  # noqa: ANN401
    """What a run that drains is told of a cluster of these objects."""
    recorded = tmp_path / "now.json"
    recorded.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    log = empty_log()
    log.import_recorded("hangzhou", recorded)
    fleet = observe_fleet(log.events, log.events.head().position, None)
    request = json.dumps({"spec": spec or NOTHING}).encode()
    return ask(fleet, request, Question(), now_ms=0)


def moves(plan: planner.Plan) -> list[Json]:
    return [json.loads(line) for line in plan.jsonl(0, len(plan)).splitlines()]


def told(plan: planner.Plan) -> list[tuple[str, str, Json]]:
    return [(it["pod"], it["kind"], it["containers"]) for it in moves(plan)]


def reasons(plan: planner.Plan) -> dict[str, str]:
    return {it["pod"]: it["reason"] for it in header(plan)["unmovable"]}


def test_pods_are_evicted_from_drained_nodes_and_from_no_other(tmp_path: Path) -> None:
    owner, replica_set = deployment(3, maxUnavailable=1, maxSurge=0)
    pods = [pod("cart-a", replica_set), pod("cart-b", replica_set)]
    away = on("node-2", pod("cart-c", replica_set))
    plan = planned(tmp_path, *NODES, owner, replica_set, *pods, away, **NOTHING)
    assert [(it["wave"], it["kind"], it["containers"]) for it in moves(plan)] == [
        (1, "evict", {}),
        (2, "evict", {}),
    ]
    assert {it["pod"] for it in moves(plan)} == {"cart-a", "cart-b"}
    drained = {"cluster": "hangzhou", "name": "node-1", "moves": 2, "stays": 0, "wave": 2}
    assert header(plan)["drains"] == [drained]


def test_a_deployment_of_which_none_may_be_down_lets_one_pod_go_at_a_time(tmp_path: Path) -> None:
    owner, replica_set = deployment(2, maxUnavailable=0, maxSurge=1)
    pods = [pod(f"cart-{name}", replica_set) for name in "ab"]
    plan = planned(tmp_path, *NODES, owner, replica_set, *pods, **NOTHING)
    assert [(it["wave"], it["kind"]) for it in moves(plan)] == [(1, "evict"), (2, "evict")]
    (own,) = (it for it in header(plan)["budgets"] if it["source"] == "workload")
    assert (own["limit"], own["resolved"]) == (
        1,
        "maxUnavailable 0, but 1 for pods that leave drained nodes under no budget of the cluster",
    )


def test_a_budget_of_the_cluster_says_how_many_leave_where_the_workload_says_none(
    tmp_path: Path,
) -> None:
    owner, replica_set = deployment(4, maxUnavailable=0, maxSurge=1)
    pods = [pod(f"cart-{name}", replica_set) for name in "abcd"]
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata("PodDisruptionBudget", "cart"),
        "spec": {"maxUnavailable": 2, "selector": {"matchLabels": {"app": "cart"}}},
    }
    plan = planned(tmp_path, *NODES, owner, replica_set, *pods, budget, **NOTHING)
    assert [it["wave"] for it in moves(plan)] == [1, 1, 2, 2]


def test_the_strategy_recreate_does_not_let_all_pods_leave_at_once(tmp_path: Path) -> None:
    owner, replica_set = deployment(3)
    owner["spec"]["strategy"] = {"type": "Recreate"}
    pods = [pod(f"cart-{name}", replica_set) for name in "abc"]
    plan = planned(tmp_path, *NODES, owner, replica_set, *pods, **NOTHING)
    assert [it["wave"] for it in moves(plan)] == [1, 2, 3]


def test_who_is_made_anew_anyway_leaves_by_that(tmp_path: Path) -> None:
    owner, replica_set = deployment(2, maxUnavailable=0, maxSurge=1)
    pods = [with_empty_dir(pod("cart-a", replica_set)), on("node-2", pod("cart-b", replica_set))]
    wanted = {"images": [{"from": OLD.partition(":")[0], "to": NEW}], "drain": LEAVES}
    plan = planned(tmp_path, *NODES, owner, replica_set, *pods, target=wanted)
    assert sorted(told(plan)) == [
        ("cart-a", "surge", {"main": NEW}),
        ("cart-b", "surge", {"main": NEW}),
    ]
    assert header(plan)["drains"][0]["moves"] == 1
    assert header(plan)["totals"]["disruptions_saved"] == 1


def test_who_would_change_in_place_is_evicted_to_its_new_image(tmp_path: Path) -> None:
    owner = clone_set(2, **rolling(maxUnavailable=2, podUpdatePolicy="InPlaceIfPossible"))
    pods = [pod("cart-a", owner), on("node-2", pod("cart-b", owner))]
    plan = planned(tmp_path, *NODES, *in_place(owner, pods), target=UPGRADED)
    assert sorted(told(plan)) == [
        ("cart-a", "evict", {"main": NEW}),
        ("cart-b", "in-place", {"main": NEW}),
    ]


def in_place(owner: Json, pods: list[Json]) -> list[Json]:
    """A CloneSet and its pods, which OpenKruise can change in place."""
    revision = {"observedGeneration": 1, "currentRevision": "cart-1", "updateRevision": "cart-1"}
    owner["metadata"]["generation"] = 1
    for each in pods:
        each["metadata"]["labels"]["controller-revision-hash"] = "cart-1"
        each["spec"]["readinessGates"] = [{"conditionType": "InPlaceUpdateReady"}]
    return [{**owner, "status": revision}, *pods]


def test_a_pause_does_not_keep_a_pod_on_its_node(tmp_path: Path) -> None:
    owner = clone_set(1, **rolling(maxUnavailable=1, paused=True))
    plan = planned(tmp_path, *NODES, owner, pod("cart-a", owner), target=UPGRADED)
    assert told(plan) == [("cart-a", "evict", {})]


def test_data_in_an_empty_dir_is_deleted_only_where_that_was_said(tmp_path: Path) -> None:
    owner, replica_set = deployment(2, maxUnavailable=1)
    pods = [with_empty_dir(pod("cart-a", replica_set)), pod("cart-b", replica_set)]
    objects = (*NODES, owner, replica_set, *pods)
    plan = planned(tmp_path, *objects, **NOTHING)
    assert reasons(plan) == {"cart-a": "its emptyDir data would be deleted"}
    drained = header(plan)["drains"][0]
    assert (drained["moves"], drained["stays"], drained["wave"]) == (1, 1, None)
    deleting = [*LEAVES, {"name": "node-1", "deleteEmptyDirData": True}]
    plan = planned(tmp_path, *objects, target={"drain": deleting})
    assert {it["pod"] for it in moves(plan)} == {"cart-a", "cart-b"}


def test_pods_of_the_node_itself_stay(tmp_path: Path) -> None:
    owner, replica_set = deployment(1, maxUnavailable=1)
    mirror = pod("kube-proxy-node-1")
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "digest"}
    ended = pod("cart-ended", replica_set)
    ended["status"] = {"phase": "Succeeded"}
    daemons = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": metadata("DaemonSet", "agent"),
        "spec": {
            "template": {"metadata": {}, "spec": {"containers": [{"name": "main", "image": OLD}]}}
        },
        "status": {"desiredNumberScheduled": 1},
    }
    stay = (mirror, ended, pod("agent-1", daemons))
    plan = planned(
        tmp_path, *NODES, owner, replica_set, pod("cart-a", replica_set), daemons, *stay, **NOTHING
    )
    assert told(plan) == [("cart-a", "evict", {})]
    assert reasons(plan) == {}


def test_pods_that_nobody_would_make_anew_are_named(tmp_path: Path) -> None:
    owner, replica_set = deployment(1, maxUnavailable=1)
    gone: Json = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": metadata("DaemonSet", "agent"),
    }
    lonely = (pod("alone"), pod("agent-1", gone))
    plan = planned(
        tmp_path, *NODES, owner, replica_set, pod("cart-a", replica_set), *lonely, **NOTHING
    )
    why = "it has no controller that would make it anew"
    assert reasons(plan) == {"alone": why, "agent-1": why}
    assert header(plan)["drains"][0]["stays"] == 2


@pytest.mark.parametrize(
    ("drain", "warning"),
    [
        ({"name": "node-7"}, "drain[1]: no node matches"),
        ({"cluster": "shanghai", "name": "node-1"}, "drain[1]: no node matches"),
    ],
)
def test_a_drain_of_nothing_is_told(tmp_path: Path, drain: Json, warning: str) -> None:
    owner, replica_set = deployment(1, maxUnavailable=1)
    objects = (*NODES, owner, replica_set, pod("cart-a", replica_set))
    plan = planned(tmp_path, *objects, target={"drain": [*LEAVES, drain]})
    assert warning in header(plan)["warnings"]


def test_what_a_node_says_of_its_room_hides_no_label(tmp_path: Path) -> None:
    owner, replica_set = deployment(1, maxUnavailable=1)
    odd = node("node-1")
    odd["status"] = {"allocatable": {"cpu": 8}, "conditions": [{"type": "Ready"}]}
    objects = (odd, NODES[1], owner, replica_set, pod("cart-a", replica_set))
    assert told(planned(tmp_path, *objects, **NOTHING)) == [("cart-a", "evict", {})]


def test_nodes_without_room_for_those_that_leave_are_told(tmp_path: Path) -> None:
    owner, replica_set = deployment(3, maxUnavailable=1)
    pods = [pod(f"cart-{name}", replica_set) for name in "abc"]
    for each in pods:
        each["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "500m"}}
    there = on("node-2", pods[2])
    full = (node("node-1"), node("node-2", pool="new", cpu="1"))
    plan = planned(tmp_path, *full, owner, replica_set, *pods[:2], there, **NOTHING)
    (warning,) = header(plan)["warnings"]
    assert warning == (
        "hangzhou: pods that leave drained nodes ask for 1.0 CPUs and the other nodes have room "
        "for 0.5, so some will wait for a place; add nodes or drain fewer"
    )
    plan = planned(tmp_path, *NODES, owner, replica_set, *pods[:2], there, **NOTHING)
    assert header(plan)["warnings"] == []


def test_a_stateful_set_stops_at_a_pod_that_stays_and_others_leave_all_the_same(
    tmp_path: Path,
) -> None:
    mysql = clone_set(3) | {"apiVersion": "apps/v1", "kind": "StatefulSet"}
    mysql["metadata"] = metadata("StatefulSet", "mysql")
    pods = [pod(f"mysql-{index}", mysql) for index in range(3)]
    pods[2]["metadata"]["labels"]["keep"] = "yes"
    exclude = [{"selector": {"matchLabels": {"keep": "yes"}}}]
    away = on("node-2", pods[0])
    plan = planned(tmp_path, *NODES, mysql, away, *pods[1:], target=UPGRADED, exclude=exclude)
    assert told(plan) == [("mysql-1", "evict", {})]
    assert reasons(plan) == {
        "mysql-0": "its controller takes mysql-2 first, which cannot move",
        "mysql-2": "excluded by the request",
    }


def test_what_lets_nobody_be_down_changes_nothing_in_place_but_lets_pods_leave(
    tmp_path: Path,
) -> None:
    policy = {"podUpdatePolicy": "InPlaceIfPossible"}
    owner = clone_set(2, **rolling(maxUnavailable=0, maxSurge=0, **policy))
    pods = [pod("cart-a", owner), on("node-2", pod("cart-b", owner))]
    plan = planned(tmp_path, *NODES, *in_place(owner, pods), target=UPGRADED)
    assert told(plan) == [("cart-a", "evict", {"main": NEW})]
    (reason,) = reasons(plan).values()
    assert reason == "budget workload/trade/CloneSet/cart allows no disruption: maxUnavailable 0"


def test_a_run_knows_its_workloads_when_the_node_is_gone(tmp_path: Path) -> None:
    owner, replica_set = deployment(2, maxUnavailable=1)
    (standing,) = asked(tmp_path, NODES[1], owner, replica_set).workloads
    assert (standing.place.name, standing.missing) == ("cart", 2)


def test_a_run_waits_for_who_comes_at_the_old_version(tmp_path: Path) -> None:
    """For example behind a partition: nothing else brings it to the target."""
    owner = clone_set(2, **rolling(maxUnavailable=1, paused=True))
    comes = on("node-2", pod("cart-b", owner))
    comes["spec"]["containers"][0]["image"] = "registry.example.com/cart:0.9.0"
    comes["status"]["conditions"][0]["status"] = "False"
    (standing,) = asked(tmp_path, *NODES, owner, comes, target=UPGRADED).workloads
    assert standing.unsettled == 1


@pytest.mark.parametrize("stay_old", [2, 3])
def test_who_is_held_at_the_old_version_is_not_missed_at_the_end(
    tmp_path: Path, stay_old: int
) -> None:
    owner = clone_set(4, **rolling(maxUnavailable=1, partition=2))
    pods = [pod(f"cart-{name}", owner) for name in "abcd"]
    course = Course(planned(tmp_path, *NODES, owner, *pods, target=UPGRADED))
    kinds = Counter(move["kind"] for move in moves(course.plan))
    assert kinds == {"recreate": 2, "evict": 2}
    (place,) = course.places
    assert course.behind() == {place: 2}
    comes = [on("node-2", each) for each in pods]
    for each in comes[stay_old:]:
        each["spec"]["containers"][0]["image"] = NEW
    rest = tail_request(course, images_of(course), len(course.waves))
    checkpoint = asked(tmp_path, *NODES, owner, *comes, **rest["spec"])
    parted = part(course.behind(), (), checkpoint)
    assert parted.left == stay_old - 2
    assert parted.free == (), "its controller would go on"
