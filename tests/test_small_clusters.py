"""Small clusters by hand: what the rules make of them, and that the checker says the same."""

from __future__ import annotations

import io
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from rich.console import Console

import planner
from planner.show.plan import tell_plan
from tests.shop import empty_log

if TYPE_CHECKING:
    from pathlib import Path

SEEN = "2026-11-23T09:00:00Z"
OLD, NEW = "registry.example.com/cart:1.0.0", "registry.example.com/cart:2.0.0"
SIDECAR = "registry.example.com/mesh:1.0.0"

Json = dict[str, Any]


def metadata(kind: str, name: str, **more: Any) -> Json:  # noqa: ANN401
    uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{name}"))
    times = {"resourceVersion": "10", "creationTimestamp": SEEN}
    return {"name": name, "namespace": "trade", "uid": uid, **times, **more}


def clone_set(replicas: int, **update: Any) -> Json:  # noqa: ANN401
    template = {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [main()]}}
    return {
        "apiVersion": "apps.kruise.io/v1beta1",
        "kind": "CloneSet",
        "metadata": metadata("CloneSet", "cart"),
        "spec": {"replicas": replicas, "template": template, **update},
    }


def rolling(**fields: Any) -> Json:  # noqa: ANN401
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": fields}}


def main() -> Json:
    return {"name": "main", "image": OLD}


def pod(name: str, owner: Json | None = None, *, sidecar: bool = False) -> Json:
    about = metadata("Pod", name, labels={"app": "cart"})
    if owner is not None:
        keys = {key: owner["metadata"][key] for key in ("name", "uid")}
        kinds = {key: owner[key] for key in ("apiVersion", "kind")}
        about["ownerReferences"] = [{**kinds, **keys, "controller": True}]
    containers = [main()]
    if sidecar:
        containers.append({"name": "mesh", "image": SIDECAR})
        about["annotations"] = {"kruise.io/sidecarset-injected-list": "mesh"}
        for suffix in ("", "-without-image"):
            hashes = json.dumps({"mesh": {"hash": "same", "sidecarSetName": "mesh"}})
            about["annotations"][f"kruise.io/sidecarset-hash{suffix}"] = hashes
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": SEEN}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": about,
        "spec": {"nodeName": "node-1", "containers": containers},
        "status": {"phase": "Running", "conditions": [ready]},
    }


def imported(tmp_path: Path, *items: Json) -> planner.Log:
    """A log of a cluster of these objects."""
    recorded, log = tmp_path / "list.json", empty_log()
    recorded.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    log.import_recorded("hangzhou", recorded)
    return log


def planned(tmp_path: Path, *items: Json, **spec: Any) -> planner.Plan:  # noqa: ANN401
    """The plan of a cluster of these objects; checker and diff agree with it."""
    return planned_of(tmp_path, imported(tmp_path, *items), **spec)


def planned_of(tmp_path: Path, log: planner.Log, **spec: Any) -> planner.Plan:  # noqa: ANN401
    """The same of a log."""
    request = tmp_path / "request.yaml"
    images = [{"from": "registry.example.com/cart", "to": NEW}]
    written = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "small"},
        "spec": {"target": {"images": images}, **spec},
    }
    request.write_text(yaml.safe_dump(written))
    wanted = planner.load_request(request)
    plan = planner.plan(log, wanted)
    assert planner.verify(log, plan) == []
    assert planner.diff(log, wanted)["unmovable"] == header(plan)["unmovable"]
    return plan


def header(plan: planner.Plan) -> Json:
    read: Json = json.loads(plan.header())
    return read


def kinds(plan: planner.Plan) -> list[tuple[int, str]]:
    moves = map(json.loads, plan.jsonl(0, len(plan)).splitlines())
    return [(move["wave"], move["kind"]) for move in moves]


def test_a_clone_set_of_which_none_may_be_down_surges(tmp_path: Path) -> None:
    owner = clone_set(3, **rolling(maxUnavailable=0, maxSurge=2))
    pods = [pod(f"cart-{index}", owner) for index in range(3)]
    assert kinds(planned(tmp_path, owner, *pods)) == [(1, "surge"), (1, "surge"), (2, "surge")]


def test_a_clone_set_without_a_strategy_rounds_down(tmp_path: Path) -> None:
    owner = clone_set(7)
    pods = [pod(f"cart-{index}", owner) for index in range(7)]
    waves = [wave for wave, _ in kinds(planned(tmp_path, owner, *pods))]
    assert waves == [1, 2, 3, 4, 5, 6, 7], "20% of 7 is 1"


def test_waves_that_stages_leave_half_empty_prove_a_time_too(tmp_path: Path) -> None:
    items = []
    for name in ("cart", "order"):
        owner = clone_set(6, **rolling(maxUnavailable=6)) | {"metadata": metadata("CloneSet", name)}
        items += [owner, *(pod(f"{name}-{index}", owner) for index in range(6))]
    stages = [{"name": "canary", "perWorkload": 1}, {"name": "rest", "perWorkload": "100%"}]
    plan = planned(
        tmp_path, *items, budgets=[{"name": "fleet", "maxUnavailable": 4}], stages=stages
    )
    seconds = header(plan)["proof"]["seconds"]
    assert (seconds["budget"]["name"], seconds["budget"]["room"]) == ("fleet", 4)
    assert seconds["head"] == {"waves": 1, "moves": 2}
    assert header(plan)["seconds_bound"] == 4 * seconds["shortest_s"]


JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata("Job", "import")}


@pytest.mark.parametrize("owner", [None, JOB, clone_set(1)])
def test_a_pod_that_no_known_workload_owns_is_listed(tmp_path: Path, owner: Json | None) -> None:
    if owner is not None:
        owner = {**owner, "metadata": metadata(owner["kind"], "elsewhere")}
    cart = clone_set(1, **rolling(maxUnavailable=1))
    plan = planned(tmp_path, cart, pod("cart-0", cart), pod("alone", owner))
    assert [each["pod"] for each in header(plan)["unmovable"]] == ["alone"]


def test_a_pod_without_workload_whose_sidecar_differs_is_listed(tmp_path: Path) -> None:
    cart = clone_set(1, **rolling(maxUnavailable=1, podUpdatePolicy="InPlaceIfPossible"))
    hashes = {"kruise.io/sidecarset-hash-without-image": "same"}
    about = metadata("SidecarSet", "mesh", annotations=hashes)
    del about["namespace"]
    mesh = {
        "apiVersion": "apps.kruise.io/v1beta1",
        "kind": "SidecarSet",
        "metadata": about,
        "spec": {
            "selector": {"matchLabels": {"app": "cart"}},
            "containers": [{"name": "mesh", "image": SIDECAR}],
        },
    }
    newer = SIDECAR.replace("1.0.0", "2.0.0")
    target = {"sidecars": [{"sidecarSet": "mesh", "container": "mesh", "to": newer}]}
    pods = [pod("cart-0", cart, sidecar=True), pod("alone", sidecar=True)]
    plan = planned(tmp_path, mesh, cart, *pods, target=target)
    assert kinds(plan) == [(1, "in-place")]
    assert [each["pod"] for each in header(plan)["unmovable"]] == ["alone"]


def test_what_a_budget_keeps_is_unmovable_in_the_diff_too(tmp_path: Path) -> None:
    cart = clone_set(2, **rolling(maxUnavailable=1))
    pods = [pod(f"cart-{index}", cart) for index in range(2)]
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata("PodDisruptionBudget", "cart"),
        "spec": {"selector": {"matchExpressions": []}, "maxUnavailable": 0},
    }
    free = {**clone_set(1, **rolling(maxUnavailable=1))}
    free["metadata"] = {**metadata("CloneSet", "free"), "namespace": "shop"}
    loose = pod("free-0", free)
    loose["metadata"]["namespace"] = "shop"
    plan = planned(tmp_path, cart, free, budget, *pods, loose)
    assert kinds(plan) == [(1, "recreate")]
    assert [each["pod"] for each in header(plan)["unmovable"]] == ["cart-0", "cart-1"]


def test_a_dependency_of_a_workload_that_is_not_there_is_told(tmp_path: Path) -> None:
    cart = clone_set(1, **rolling(maxUnavailable=1))
    waits = {
        "workload": {"namespace": "trade", "name": "chekout"},
        "after": [{"namespace": "trade", "name": "cart"}],
    }
    plan = planned(tmp_path, cart, pod("cart-0", cart), dependencies=[waits])
    [warning] = header(plan)["warnings"]
    assert warning == "dependency of trade/chekout: no such workload in the fleet"


@pytest.mark.parametrize(
    ("rolling_update", "warned"),
    [({"maxSurge": 1, "maxUnavailable": 0}, True), ({"maxUnavailable": 1}, False)],
)
def test_a_daemon_set_that_cannot_be_stopped_is_told(
    tmp_path: Path,
    rolling_update: Json,
    warned: bool,  # noqa: FBT001 pytest gives it
) -> None:
    agent = clone_set(2, updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling_update})
    agent |= {"apiVersion": "apps/v1", "kind": "DaemonSet"}
    agent["metadata"] = metadata("DaemonSet", "agent")
    warnings = header(planned(tmp_path, agent, pod("a", agent), pod("b", agent)))["warnings"]
    assert (
        any("hangzhou/trade/DaemonSet/agent: it may only surge" in it for it in warnings) == warned
    )


@pytest.mark.parametrize("policy", ["OrderedReady", "Parallel"])
def test_a_stateful_set_that_waits_for_a_broken_pod_is_told(tmp_path: Path, policy: str) -> None:
    mysql = clone_set(2, podManagementPolicy=policy)
    mysql |= {"apiVersion": "apps/v1", "kind": "StatefulSet"}
    mysql["metadata"] = metadata("StatefulSet", "mysql")
    broken = pod("mysql-1", mysql)
    broken["status"]["conditions"][0]["status"] = "False"
    warnings = header(planned(tmp_path, mysql, pod("mysql-0", mysql), broken))["warnings"]
    told = any("StatefulSet/mysql: pod mysql-1 is not Ready" in each for each in warnings)
    assert told == (policy == "OrderedReady")


def test_a_plan_moves_nothing_when_the_request_leaves_out_what_differs(tmp_path: Path) -> None:
    cart = clone_set(2, **rolling(maxUnavailable=1))
    pods = [pod(f"cart-{index}", cart) for index in range(2)]
    exclude = [{"selector": {"matchLabels": {"app": "cart"}}}]
    plan = planned(tmp_path, cart, *pods, exclude=exclude)
    assert header(plan)["waves"] == 0
    assert {each["reason"] for each in header(plan)["unmovable"]} == {"excluded by the request"}


def test_a_stateful_set_stops_at_a_pod_that_is_left_out(tmp_path: Path) -> None:
    mysql = clone_set(4)
    mysql |= {"apiVersion": "apps/v1", "kind": "StatefulSet"}
    mysql["metadata"] = metadata("StatefulSet", "mysql")
    pods = [pod(f"mysql-{index}", mysql) for index in range(4)]
    pods[2]["metadata"]["labels"]["keep"] = "yes"
    exclude = [{"selector": {"matchLabels": {"keep": "yes"}}}]
    plan = planned(tmp_path, mysql, *pods, exclude=exclude)
    assert len(plan) == 1
    assert {each["pod"]: each["reason"] for each in header(plan)["unmovable"]} == {
        "mysql-0": "its controller takes mysql-2 first, which cannot move",
        "mysql-1": "its controller takes mysql-2 first, which cannot move",
        "mysql-2": "excluded by the request",
    }


@pytest.mark.parametrize(("surge", "troubles"), [(0, []), (1, ["rounds-to-nothing"])])
def test_a_percentage_of_which_the_controller_makes_one_is_no_trouble(
    tmp_path: Path, surge: int, troubles: list[str]
) -> None:
    template = {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [main()]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "cart"}}, "template": template}
    strategy = rolling(maxUnavailable="10%", maxSurge=surge)["updateStrategy"]
    owner: Json = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata("Deployment", "cart"),
        "spec": {**spec, "strategy": strategy},
    }
    keys = {"name": "cart", "uid": owner["metadata"]["uid"], "controller": True}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", **keys}
    replicas: Json = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata("ReplicaSet", "cart-1", ownerReferences=[reference]),
        "spec": spec,
    }
    pods = [pod(f"cart-1-{index}", replicas) for index in range(3)]
    found = planner.status(imported(tmp_path, owner, replicas, *pods))
    assert [each["reason"] for each in found["trouble"]] == troubles


def test_a_plan_of_one_cluster_says_so(tmp_path: Path) -> None:
    owner = clone_set(7)
    pods = [pod(f"cart-{index}", owner) for index in range(7)]
    out = io.StringIO()
    tell_plan(planned(tmp_path, owner, *pods).header(), Console(file=out, width=200))
    assert ", 1 cluster at log position " in out.getvalue()
