"""Plans know ResourceQuotas: small clusters by hand, judged by the checker too."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import planner
from tests.test_drains import LEAVES, UPGRADED, deployment, node
from tests.test_small_clusters import (
    NEW,
    OLD,
    clone_set,
    header,
    imported,
    kinds,
    metadata,
    planned,
    planned_of,
    pod,
    rolling,
)
from tests.test_surge_room import agent, asking, left, limit, loose, waves

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]
COMPUTE = "quota/trade/compute"
LARGE: Json = {"limits": {"memory": "1Gi"}}


def app(name: str, pods: int, resources: Json | None = None, **update: Any) -> list[Json]:  # noqa: ANN401
    """A Deployment with its pods; unless `update` says otherwise, it surges all at once."""
    update = update or {"maxUnavailable": 0, "maxSurge": "100%"}
    owner, replica_set = (asking(it, resources) for it in deployment(pods, **update))
    owner["metadata"] = metadata("Deployment", name)
    reference = replica_set["metadata"]["ownerReferences"][0]
    reference |= {"name": name, "uid": owner["metadata"]["uid"]}
    replica_set["metadata"] = metadata("ReplicaSet", f"{name}-1", ownerReferences=[reference])
    each = (pod(f"{name}-{number}", replica_set) for number in range(pods))
    return [owner, replica_set, *(asking(it, resources) for it in each)]


def quota(hard: Json, used: Json, **spec: Any) -> Json:  # noqa: ANN401
    """A quota of the namespace of all these; its spec says something else than its status."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata("ResourceQuota", "compute"),
        "spec": {"hard": dict.fromkeys(hard, "0"), **spec},
        "status": {"hard": hard, "used": used},
    }


def cpus(hard: str, used: str, **spec: Any) -> Json:  # noqa: ANN401
    return quota({"requests.cpu": hard}, {"requests.cpu": used}, **spec)


def a_wave(found: list[int]) -> list[int]:
    """Moves of each wave."""
    return [moves for _, moves in sorted(Counter(found).items())]


def test_workloads_of_a_namespace_share_its_quota(tmp_path: Path) -> None:
    plan = planned(tmp_path, *app("cart", 4), *app("pay", 4), cpus("11", "8"))
    assert a_wave(waves(plan)) == [3, 3, 2]
    assert limit(plan, COMPUTE) == (
        3,
        "8 of hard 11 requests.cpu are used, and a new pod asks for up to 1",
    )
    assert header(plan)["waves_bound"] == 3
    told = (json.loads(each) for each in plan.jsonl(0, len(plan)).splitlines())
    assert {f"budget:{COMPUTE}"} == {it for each in told for it in each.get("because", ())}


def test_one_new_pod_more_at_once_is_a_question(tmp_path: Path) -> None:
    log = imported(tmp_path, *app("cart", 4), *app("pay", 4), cpus("11", "8"))
    plan = planned_of(tmp_path, log)
    [saving] = planner.bottlenecks(log, plan)["savings"]
    assert (saving["name"], saving["ask"]) == (COMPUTE, f"hangzhou/{COMPUTE}=+1")
    after = planner.whatif(log, plan, {COMPUTE: "+1"})
    assert limit(after, COMPUTE)[0] == 4
    assert header(after)["waves"] == 2


def test_the_hungriest_pod_that_surges_says_how_many_fit(tmp_path: Path) -> None:
    two = {"requests": {"cpu": "2"}}
    still = app("still", 1, {"requests": {"cpu": "9"}}, maxUnavailable=1, maxSurge=0)
    items = (*app("cart", 2), *app("pay", 2, two), *still)
    plan = planned(tmp_path, *items, cpus("18", "15"))
    assert limit(plan, COMPUTE)[0] == 1
    assert a_wave(waves(plan)) == [1, 1, 1, 1]


def test_where_a_quota_is_full_nothing_surges(tmp_path: Path) -> None:
    items = (*app("cart", 2), *loose(), cpus("2", "2"))
    plan = planned(tmp_path, *items)
    assert kinds(plan) == [(1, "recreate")]
    [entry, _] = header(plan)["unmovable"]
    assert (entry["reason"], entry["remedy"]) == (
        (
            "budget quota/trade/compute allows no disruption: 2 of hard 2 requests.cpu are used,"
            " and a new pod asks for up to 1"
        ),
        "raise the hard limits of quota/trade/compute, or let maxUnavailable be at least 1",
    )


def test_a_full_quota_holds_no_pod_back_that_goes_first(tmp_path: Path) -> None:
    items = app("cart", 2, None, maxUnavailable=1, maxSurge=1)
    assert kinds(planned(tmp_path, *items, cpus("2", "2"))) == [(1, "recreate"), (2, "recreate")]


def test_what_was_lowered_lets_no_pod_come_back(tmp_path: Path) -> None:
    items = app("cart", 2, None, maxUnavailable=1, maxSurge=0)
    plan = planned(tmp_path, *items, *loose(), cpus("1500m", "2"))
    assert kinds(plan) == [(1, "recreate")]
    entry, other = header(plan)["unmovable"]
    assert (entry["pod"], other["pod"]) == ("cart-0", "cart-1")
    assert (entry["reason"], entry["remedy"]) == (
        (
            "quota/trade/compute would let no pod come in its place: 2 of hard 1500m requests.cpu"
            " are used, and it asks for 1"
        ),
        "raise the hard requests.cpu of quota/trade/compute, or let its pods ask for less",
    )


def test_what_changes_in_place_needs_no_quota(tmp_path: Path) -> None:
    cart = asking(clone_set(1, **rolling(maxUnavailable=1, podUpdatePolicy="InPlaceIfPossible")))
    revision: Json = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata("ControllerRevision", "cart-a"),
        "data": {"spec": {"template": {"$patch": "replace", **cart["spec"]["template"]}}},
        "revision": 1,
    }
    reference = {key: cart["metadata"][key] for key in ("name", "uid")}
    reference |= {"apiVersion": cart["apiVersion"], "kind": "CloneSet", "controller": True}
    revision["metadata"]["ownerReferences"] = [reference]
    one = asking(pod("cart-0", cart))
    one["metadata"]["labels"]["controller-revision-hash"] = "cart-a"
    one["spec"]["readinessGates"] = [{"conditionType": "InPlaceUpdateReady"}]
    assert kinds(planned(tmp_path, cart, revision, one, cpus("0", "1"))) == [(1, "in-place")]


GPU = "example.com/gpu"
ALL = {
    "requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi", GPU: "1"},
    "limits": {"cpu": "2", "memory": "2Gi", "ephemeral-storage": "2Gi", GPU: "1"},
}


@pytest.mark.parametrize(
    ("resource", "hard", "used"),
    [
        ("pods", "6", "4"),
        ("count/pods", "6", "4"),
        ("cpu", "6900m", "4900m"),
        ("requests.cpu", "6", "4"),
        ("memory", "6Gi", "4Gi"),
        ("requests.memory", "6Gi", "4294967296"),
        ("limits.cpu", "12", "8"),
        ("limits.memory", "12Gi", "8Gi"),
        ("ephemeral-storage", "6Gi", "4Gi"),
        ("requests.ephemeral-storage", "6Gi", "4Gi"),
        ("limits.ephemeral-storage", "12Gi", "8Gi"),
        (f"requests.{GPU}", "6", "4"),
    ],
)
def test_every_resource_of_pods_counts(tmp_path: Path, resource: str, hard: str, used: str) -> None:
    plan = planned(tmp_path, *app("cart", 4, ALL), quota({resource: hard}, {resource: used}))
    assert a_wave(waves(plan)) == [2, 2]


@pytest.mark.parametrize(
    "resource",
    ["limits.cpu", f"requests.{GPU}", GPU, "requests.storage", "services", "limits.nothing"],
)
def test_what_pods_do_not_ask_for_limits_nothing(tmp_path: Path, resource: str) -> None:
    for items in (app("cart", 2), app("cart", 2, None, maxUnavailable="100%", maxSurge=0)):
        plan = planned(tmp_path, *items, quota({resource: "1"}, {resource: "2"}))
        assert [wave for wave, _ in kinds(plan)] == [1, 1]
        assert COMPUTE not in {each["name"] for each in header(plan)["budgets"]}


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"hard": {"pods": "1"}},
        {"hard": {"pods": "1"}, "used": {"cpu": "1"}},
        {"hard": {"pods": "one"}, "used": {"pods": "1"}},
    ],
)
def test_a_quota_that_tells_nothing_limits_nothing(tmp_path: Path, status: Json) -> None:
    silent = {**cpus("1", "1"), "status": status}
    assert waves(planned(tmp_path, *app("cart", 2), silent)) == [1, 1]


def test_a_quota_that_cannot_be_read_is_told_of(tmp_path: Path) -> None:
    plan = planned(tmp_path, *app("cart", 2), cpus("2", "2", scopes="all"))
    assert waves(plan) == [1, 1]
    [warning] = header(plan)["warnings"]
    assert warning.startswith("quota trade/compute: ")
    assert warning.endswith("correct the object in the cluster")


CLASS = {"priorityClassName": "high"}
NEAR = {"topologyKey": "zone", "labelSelector": {}}
SPREAD = "preferredDuringSchedulingIgnoredDuringExecution"


def priority(operator: str, *values: str) -> Json:
    expression = {"scopeName": "PriorityClass", "operator": operator, "values": list(values)}
    return {"scopeSelector": {"matchExpressions": [expression]}}


def affine(sort: str, **term: Any) -> Json:  # noqa: ANN401
    weighted = [{"weight": 1, "podAffinityTerm": {**NEAR, **term}}]
    return {"affinity": {sort: {SPREAD: weighted}}}


@pytest.mark.parametrize(
    ("scope", "own", "counts"),
    [
        ({"scopes": ["Terminating"]}, {}, False),
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 0}, True),
        ({"scopes": ["NotTerminating"]}, {}, True),
        ({"scopes": ["BestEffort"]}, {}, False),
        ({"scopes": ["NotBestEffort"]}, {}, True),
        ({"scopes": ["NotBestEffort", "Terminating"]}, {}, False),
        ({"scopes": ["PriorityClass"]}, {}, False),
        ({"scopes": ["PriorityClass"]}, CLASS, True),
        (priority("In", "low", "high"), CLASS, True),
        (priority("In", "low"), CLASS, False),
        (priority("In", "low"), {}, False),
        (priority("NotIn", "low"), CLASS, True),
        (priority("NotIn", "high"), CLASS, False),
        (priority("NotIn", "high"), {}, True),
        (priority("Exists"), CLASS, True),
        (priority("DoesNotExist"), CLASS, False),
        (priority("DoesNotExist"), {}, True),
        ({"scopes": ["CrossNamespacePodAffinity"]}, {}, False),
        ({"scopes": ["CrossNamespacePodAffinity"]}, affine("podAffinity"), False),
        (
            {"scopes": ["CrossNamespacePodAffinity"]},
            affine("podAntiAffinity", namespaces=["shop"]),
            True,
        ),
        (
            {"scopes": ["CrossNamespacePodAffinity"]},
            affine("podAffinity", namespaceSelector={}),
            True,
        ),
        ({"scopes": ["VolumeAttributesClass"]}, {}, False),
    ],
)
def test_a_quota_counts_the_pods_of_its_scopes(
    tmp_path: Path, scope: Json, own: Json, *, counts: bool
) -> None:
    items = app("cart", 2)
    items[0]["spec"]["template"]["spec"].update(own)
    plan = planned(tmp_path, *items, cpus("3", "2", **scope))
    assert a_wave(waves(plan)) == ([1, 1] if counts else [2])


def test_a_pod_that_asks_for_nothing_is_best_effort(tmp_path: Path) -> None:
    items = app("cart", 2, {"requests": {GPU: "1"}})
    best = quota({"pods": "3"}, {"pods": "2"}, scopes=["BestEffort"])
    assert a_wave(waves(planned(tmp_path, *items, best))) == [1, 1]


def test_pods_of_a_daemon_set_take_from_it_too(tmp_path: Path) -> None:
    items = (*agent("node-1", "node-2", "node-3", surge=3), *app("cart", 1))
    plan = planned(tmp_path, *items, quota({"pods": "6"}, {"pods": "4"}))
    assert a_wave(waves(plan)) == [2, 2]


def test_new_pods_that_are_there_are_counted_already(tmp_path: Path) -> None:
    items = app("cart", 3)
    newer = asking(pod("cart-new", items[1]))
    newer["spec"]["containers"][0]["image"] = NEW
    plan = planned(tmp_path, *items, newer, cpus("4", "4"))
    assert a_wave(waves(plan)) == [1, 1, 1]
    assert limit(plan, COMPUTE) == (
        1,
        (
            "4 of hard 4 requests.cpu are used, and a new pod asks for up to 1,"
            " and 1 beside the old ones are counted already"
        ),
    )


def test_a_pod_that_is_down_makes_room_for_its_successor(tmp_path: Path) -> None:
    items = app("cart", 2)
    items[2]["status"]["conditions"][0]["status"] = "False"
    full = planned(tmp_path, *items, cpus("2", "2"))
    assert kinds(full) == [(1, "surge")]
    lowered = planned(tmp_path, *items, *loose(), cpus("1", "2"))
    assert left(lowered)["cart-0"].startswith("quota/trade/compute would let no pod come")


def test_a_pod_that_leaves_its_node_has_to_come_back_too(tmp_path: Path) -> None:
    items = (node("node-1"), node("node-2", pool="new"), *app("cart", 1, None, maxUnavailable=1))
    images = [{"from": OLD.partition(":")[0], "to": OLD}]
    target = {"images": images, "drain": LEAVES}
    plan = planned(tmp_path, *items, cpus("1", "1"), target=target)
    assert kinds(plan) == [(1, "evict")]
    plan = planned(tmp_path, *items, *loose(), cpus("0", "1"), target=target)
    assert left(plan)["cart-0"].startswith("quota/trade/compute would let no pod come")


def manifest(items: list[Json], resources: Json) -> Json:
    owner = asking(items[0], resources)
    return {**owner, "metadata": {"name": "cart", "namespace": "trade"}}


@pytest.mark.parametrize(
    ("cpu", "quota_of", "moves"),
    [
        ("2", cpus("2", "2"), 0),
        ("2", cpus("3", "2"), 2),
        ("500m", cpus("1500m", "2"), 2),
        ("500m", cpus("1", "2"), 0),
    ],
)
def test_a_manifest_that_asks_for_more_or_less(
    tmp_path: Path, cpu: str, quota_of: Json, moves: int
) -> None:
    items = app("cart", 2, {"requests": {"cpu": "1"}}, maxUnavailable=1, maxSurge=0)
    wanted = manifest(items, {"requests": {"cpu": cpu}})
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = NEW
    target = {"manifests": [wanted], "images": [{"from": "registry.example.com/cart", "to": NEW}]}
    plan = planned(tmp_path, *items, *loose(), quota_of, target=target)
    assert len([kind for _, kind in kinds(plan)]) == moves + 1


def test_what_was_injected_comes_again(tmp_path: Path) -> None:
    # The template asks for one CPU, its pods have two: a manifest with two instead makes three.
    items = app("cart", 1, {"requests": {"cpu": "1"}}, maxUnavailable=1, maxSurge=0)
    items[2] = asking(items[2], {"requests": {"cpu": "2"}})
    wanted = manifest(items, {"requests": {"cpu": "2"}})
    target = {"manifests": [wanted], "images": [{"from": "registry.example.com/cart", "to": NEW}]}
    for hard, moves in (("3", 2), ("2", 1)):
        plan = planned(tmp_path, *items, *loose(), cpus(hard, "2"), target=target)
        assert len(plan) == moves, hard


def test_a_namespace_without_quota_is_not_limited(tmp_path: Path) -> None:
    elsewhere = cpus("0", "9")
    elsewhere["metadata"]["namespace"] = "other"
    assert waves(planned(tmp_path, *app("cart", 2), elsewhere)) == [1, 1]


def test_whom_a_partition_keeps_on_a_drained_node_only_the_plan_knows(tmp_path: Path) -> None:
    """The checker takes its word where none of them moves: one has no quota, the other no room."""
    owner = asking(clone_set(2, **rolling(maxUnavailable=0, maxSurge=2, partition=1)), LARGE)
    asked: Json = {"a": {"requests": {}}, "b": {"requests": {"memory": "1Gi"}}}
    pods = [asking(pod(f"cart-{name}", owner), each) for name, each in asked.items()]
    pods[0]["status"]["conditions"][0]["status"] = "False"
    lowered = quota({"pods": "0", "memory": "0"}, {"pods": "0", "memory": "0"})
    both = (node("node-1"), node("node-2", pool="new"))
    plan = planned(tmp_path, *both, owner, *pods, lowered, *loose(), target=UPGRADED)
    assert limit(plan, "workload/trade/CloneSet/cart")[0] == 1
    assert header(plan)["totals"]["unmovable"] == 2
