"""Pods that surge find room on the nodes: small clusters by hand, judged by the checker too."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.test_drains import LEAVES, deployment, node, on
from tests.test_small_clusters import (
    NEW,
    OLD,
    clone_set,
    header,
    kinds,
    metadata,
    planned,
    pod,
    rolling,
)

if TYPE_CHECKING:
    from pathlib import Path

    import planner

Json = dict[str, Any]
ONE_CPU = {"requests": {"cpu": "1", "memory": "1Gi"}}


def asking(each: Json, resources: Json | None = None) -> Json:
    """A workload or a pod whose containers ask for one CPU, or for something else."""
    each = copy.deepcopy(each)
    spec = each["spec"]["template"]["spec"] if "template" in each["spec"] else each["spec"]
    for container in spec["containers"]:
        container["resources"] = resources or ONE_CPU
    return each


def cart(pods: int, surge: int | str, **spec: Any) -> list[Json]:  # noqa: ANN401
    """A Deployment that only surges, its pods on node-1; `spec` is more of its pods' own."""
    owner, replica_set = (asking(it) for it in deployment(pods, maxUnavailable=0, maxSurge=surge))
    owner["spec"]["template"]["spec"].update(spec)
    names = (f"cart-{number}" for number in range(pods))
    return [owner, replica_set, *(asking(pod(name, replica_set)) for name in names)]


def loose() -> list[Json]:
    """A CloneSet in another namespace that can always move."""
    owner = clone_set(1, **rolling(maxUnavailable=1))
    owner["metadata"] = {**metadata("CloneSet", "loose"), "namespace": "shop"}
    one = pod("loose-0", owner)
    one["metadata"]["namespace"] = "shop"
    return [owner, one]


def agent(*nodes: str, surge: int) -> list[Json]:
    """A DaemonSet that only surges, with a pod on each of these nodes."""
    template = {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [{"name": "main"}]}}
    template["spec"]["containers"][0]["image"] = OLD  # type: ignore[index]
    owner = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": metadata("DaemonSet", "agent"),
        "spec": {
            "template": template,
            "updateStrategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": 0}},
        },
        "status": {"desiredNumberScheduled": len(nodes)},
    }
    pods = (on(name, pod(f"agent-{name}", owner)) for name in nodes)
    return [asking(owner), *map(asking, pods)]


def waves(plan: planner.Plan) -> list[int]:
    return [wave for wave, kind in kinds(plan) if kind == "surge"]


def limit(plan: planner.Plan, name: str) -> tuple[int, str]:
    found = next(each for each in header(plan)["budgets"] if each["name"] == name)
    return found["limit"], found["resolved"]


def left(plan: planner.Plan) -> dict[str, str]:
    return {each["pod"]: each["reason"] for each in header(plan)["unmovable"]}


CART = "surge/trade/Deployment/cart"


def test_no_more_pods_surge_at_once_than_fit(tmp_path: Path) -> None:
    # Six pods take six of eight CPUs, so two are free on the one and one on the other.
    plan = planned(tmp_path, node("node-1"), node("node-2", cpu="1500m"), *cart(6, "100%"))
    assert waves(plan) == [1, 1, 1, 2, 2, 2]
    assert limit(plan, CART) == (
        3,
        (
            "maxSurge 100% of 6 = 6 (rounded up), but 3 fit on the nodes:"
            " each asks for 1 CPUs and 1.00 GiB"
        ),
    )


@pytest.mark.parametrize(("cpu", "expected"), [("8", [1] * 4), ("6", [1, 1, 2, 2])])
def test_all_new_pods_come_beside_the_old_ones_as_far_as_there_is_room(
    tmp_path: Path, cpu: str, expected: list[int]
) -> None:
    """Blue-green, as docs/RULES.md tells it."""
    assert waves(planned(tmp_path, node("node-1", cpu=cpu), *cart(4, "100%"))) == expected


def test_room_that_is_there_changes_no_limit(tmp_path: Path) -> None:
    plan = planned(tmp_path, node("node-1"), *cart(6, 2))
    assert limit(plan, CART) == (2, "maxSurge 2")


@pytest.mark.parametrize("allocatable", [{"cpu": "2"}, {"memory": "2Gi"}, {"pods": "2"}])
def test_where_nothing_fits_nothing_surges(tmp_path: Path, allocatable: dict[str, str]) -> None:
    items = (node("node-1", **allocatable), *cart(2, 1), *loose())
    plan = planned(tmp_path, *items)
    assert kinds(plan) == [(1, "recreate")]
    [reason] = set(left(plan).values())
    assert reason == (
        "budget surge/trade/Deployment/cart allows no disruption: maxSurge 1, but 0 fit on the"
        " nodes: each asks for 1 CPUs and 1.00 GiB"
    )
    [remedy] = {each["remedy"] for each in header(plan)["unmovable"]}
    assert remedy == "make room on its nodes, or let its maxUnavailable be at least 1"


def cordoned(each: Json) -> Json:
    return {**each, "spec": {"unschedulable": True}}


def broken(each: Json) -> Json:
    conditions = [{"type": "Ready", "status": "Unknown"}]
    return {**each, "status": {**each["status"], "conditions": conditions}}


def tainted(each: Json) -> Json:
    return {**each, "spec": {"taints": [{"key": "team", "value": "a", "effect": "NoSchedule"}]}}


@pytest.mark.parametrize("closed", [cordoned, broken, tainted])
def test_nodes_that_take_no_new_pods_have_no_room(tmp_path: Path, closed: Any) -> None:  # noqa: ANN401
    plan = planned(tmp_path, node("node-1", cpu="7"), closed(node("node-2")), *cart(6, 3))
    assert waves(plan) == [1, 2, 3, 4, 5, 6]


def test_nodes_that_are_drained_have_no_room(tmp_path: Path) -> None:
    nodes = (node("node-1"), node("node-2", pool="new", cpu="2"))
    images = [{"from": OLD.partition(":")[0], "to": NEW}]
    plan = planned(tmp_path, *nodes, *cart(4, 3), target={"images": images, "drain": LEAVES})
    assert waves(plan) == [1, 1, 2, 2]


NEAR = {"key": "pool", "operator": "In", "values": ["new"]}
TERMS = {"nodeSelectorTerms": [{"matchExpressions": [NEAR]}]}
AFFINITY = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": TERMS}}


@pytest.mark.parametrize(
    "spec",
    [{"nodeSelector": {"pool": "new"}}, {"affinity": AFFINITY}],
    ids=["selector", "affinity"],
)
def test_only_nodes_count_that_the_pods_ask_for(tmp_path: Path, spec: Json) -> None:
    nodes = (node("node-1"), node("node-2", pool="new", cpu="1"))
    assert waves(planned(tmp_path, *nodes, *cart(3, 3, **spec))) == [1, 2, 3]


def test_a_taint_that_the_pods_tolerate_keeps_none_away(tmp_path: Path) -> None:
    nodes = (node("node-1", cpu="7"), tainted(node("node-2", cpu="2")))
    tolerated = {"tolerations": [{"key": "team", "operator": "Exists"}]}
    assert waves(planned(tmp_path, *nodes, *cart(6, 3, **tolerated))) == [1, 1, 1, 2, 2, 2]


def test_a_node_without_what_the_pods_name_besides_has_no_room(tmp_path: Path) -> None:
    items = cart(2, 2)
    gpu = {"requests": {"cpu": "1"}, "limits": {"example.com/gpu": "1"}}
    items[0] = asking(items[0], gpu)
    plan = planned(tmp_path, node("node-1"), node("node-2", **{"example.com/gpu": "1"}), *items)
    assert waves(plan) == [1, 2]


def test_what_was_injected_into_pods_takes_room_in_new_ones_too(tmp_path: Path) -> None:
    owner, replica_set, *pods = cart(2, 2)
    pods = [asking(each, {"requests": {"cpu": "2"}}) for each in pods]
    plan = planned(tmp_path, node("node-1", cpu="6"), owner, replica_set, *pods)
    assert waves(plan) == [1, 2]


def test_where_a_node_does_not_tell_its_room_nothing_is_known(tmp_path: Path) -> None:
    silent = node("node-2")
    del silent["status"]["allocatable"]
    assert waves(planned(tmp_path, node("node-1", cpu="3"), silent, *cart(3, 3))) == [1, 1, 1]


def test_a_surge_that_is_under_way_has_its_room(tmp_path: Path) -> None:
    items = cart(3, 1)
    newer = asking(pod("cart-new", items[1]))
    newer["spec"]["containers"][0]["image"] = NEW
    assert waves(planned(tmp_path, node("node-1", cpu="4"), *items, newer)) == [1, 2, 3]


def test_a_pod_of_a_daemon_set_surges_where_its_node_has_room_for_two(tmp_path: Path) -> None:
    nodes = (node("node-1", cpu="1"), node("node-2", cpu="2"), cordoned(node("node-3", cpu="2")))
    plan = planned(tmp_path, *nodes, *agent("node-1", "node-2", "node-3", surge=3))
    assert waves(plan) == [1, 1]
    assert left(plan) == {
        "agent-node-1": "node-1 has no room beside it for a new pod, which asks for 1 CPUs and"
        " 1.00 GiB"
    }
    assert limit(plan, "surge/trade/DaemonSet/agent") == (
        2,
        "maxSurge 3, less 1 for whose new pods their nodes have no room",
    )


def test_a_daemon_set_that_may_wait_for_one_node_alone_does_not_go(tmp_path: Path) -> None:
    nodes = (node("node-1", cpu="1"), node("node-2", cpu="2"))
    plan = planned(tmp_path, *nodes, *agent("node-1", "node-2", surge=1), *loose())
    assert kinds(plan) == [(1, "recreate")]
    assert left(plan)["agent-node-2"].startswith("budget surge/trade/DaemonSet/agent allows no")


def test_a_successor_that_is_there_already_is_room_enough(tmp_path: Path) -> None:
    items = agent("node-1", surge=1)
    newer = asking(on("node-1", pod("agent-new", items[0])))
    newer["spec"]["containers"][0]["image"] = NEW
    assert waves(planned(tmp_path, node("node-1", cpu="2"), *items, newer)) == [1]


def test_a_pod_that_would_surge_off_its_node_has_no_room_though_a_partition_may_keep_it(
    tmp_path: Path,
) -> None:
    owner = asking(clone_set(2, **rolling(maxUnavailable=0, maxSurge=1, partition=1)))
    pods = [asking(pod(f"cart-{number}", owner)) for number in range(2)]
    nodes = (node("node-1"), node("node-2", pool="new", cpu="500m"))
    images = [{"from": OLD.partition(":")[0], "to": NEW}]
    plan = planned(tmp_path, *nodes, owner, *pods, target={"images": images, "drain": LEAVES})
    assert kinds(plan) == [(1, "evict")]
    assert set(left(plan)) == {"cart-0"}
