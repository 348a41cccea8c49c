"""Agents on every node: Advanced DaemonSets, let go node by node, under the auditor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.controlplane import fleet
from tests.controlplane.conftest import serves
from tests.controlplane.given import vacate, wants_kruise, wants_room
from tests.controlplane.running import Operator
from tests.controlplane.versions import as_served, served
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.controlplane.api import Api
    from tests.controlplane.given import Plane

SPACE = "agents"
PLACE = f"/api/v1/namespaces/{SPACE}"
# Either way to be updated; each pod in place has the gate that this takes.
WAYS = {"mesh-agent": "InPlaceIfPossible", "log-agent": "Standard"}


@pytest.fixture
def hangzhou(shop_planes: Mapping[str, Plane]) -> Iterator[Plane]:
    """A plane with two agents on every node."""
    plane = shop_planes["hangzhou"]
    wants_kruise({"hangzhou": plane})
    wants_room({"hangzhou": plane}, PLACE)
    try:
        plane.admin.apply(*fleet.namespace(SPACE))
        for name in WAYS:
            plane.admin.apply(*as_served(plane.admin, *agent(name)))
        count = len(WAYS) * len(plane.admin.get("/api/v1/nodes")["items"])
        until("its pods are ready", lambda: len(ready(plane.admin)) == count)
        yield plane
    finally:
        vacate(plane, SPACE)


def named(api: Api) -> list[str]:
    """Nodes with a label of ours: of a run that is over there is none."""
    return [
        node["metadata"]["name"]
        for node in api.get("/api/v1/nodes")["items"]
        if any(key.startswith("fleet-upgrade-planner/") for key in node["metadata"]["labels"])
    ]


def strategies(api: Api) -> list[Any]:
    """How their owner wants the agents updated."""
    version = served(api, "apps.kruise.io", "daemonsets")
    sets = api.get(f"/apis/apps.kruise.io/{version}/namespaces/{SPACE}/daemonsets")["items"]
    return [each["spec"]["updateStrategy"] for each in sets]


def agent(name: str) -> tuple[str, dict[str, Any]]:
    template = fleet.template(name, image(name, "1.0.0"))
    template["spec"]["readinessGates"] = [{"conditionType": "InPlaceUpdateReady"}]
    rolling = {"rollingUpdateType": WAYS[name], "maxUnavailable": "25%"}
    spec = {
        "selector": {"matchLabels": {"app": name}},
        "template": template,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
    }
    return fleet.custom("apps.kruise.io", "v1beta1", "daemonsets", name, spec, space=SPACE)


def image(name: str, tag: str) -> str:
    return f"{fleet.REGISTRY}/{name}:{tag}"


def ready(api: Api) -> dict[str, Any]:
    """Pods that serve, by uid."""
    return {pod["metadata"]["uid"]: pod for pod in api.get(f"{PLACE}/pods")["items"] if serves(pod)}


def test_agents_go_node_by_node_and_never_two_of_one_node(hangzhou: Plane, tmp_path: Path) -> None:
    admin = hangzhou.admin
    before, as_wanted = ready(admin), strategies(admin)
    budget = {"name": "node", "scope": "node", "maxUnavailable": 1}
    agents = {"matchExpressions": [{"key": "app", "operator": "In", "values": list(WAYS)}]}
    images = [{"from": f"{fleet.REGISTRY}/{it}", "to": image(it, "2.0.0")} for it in WAYS]
    request = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "agents"},
        "spec": {
            "target": {"images": images},
            "budgets": [{**budget, "selector": agents}],
            "stages": [
                {"name": "canary", "perWorkload": 1},
                {"name": "rest", "perWorkload": "100%"},
            ],
        },
    }
    operator = Operator(tmp_path, {"hangzhou": hangzhou}, [SPACE])
    operator.observe()
    plan = operator.plan(json.dumps(request))
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors
    assert running.audit["disrupted"] == len(before)
    (ended,) = running.said("ended")
    assert ended["moved"] == ended["fidelity"]["as_planned"] == len(before)
    after = ready(admin)
    assert len(after) == len(before)
    for pod in after.values():
        app = pod["metadata"]["labels"]["app"]
        assert pod["spec"]["containers"][0]["image"] == image(app, "2.0.0")
    kept = {pod["metadata"]["labels"]["app"] for uid, pod in after.items() if uid in before}
    assert kept == {"mesh-agent"}
    assert named(admin) == []
    assert strategies(admin) == as_wanted
