"""A cluster whose OpenKruise serves v1alpha1 alone: its every kind is upgraded, under the auditor.

So do releases with CloneSets and PodUnavailableBudgets up to 1.9, with SidecarSets and Advanced
DaemonSets up to 1.8; Advanced StatefulSets have been of v1beta1 for long.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.controlplane import fleet, versions
from tests.controlplane.auditing import Auditor
from tests.controlplane.conftest import add_nodes, serves
from tests.controlplane.definitions import definitions
from tests.controlplane.plane import ControlPlane
from tests.controlplane.running import Operator
from tests.controlplane.seen import wait_seen
from tests.controlplane.test_given import CONTRACT, HERE, run
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.controlplane.api import Api

AGENTS = HERE / "test_agents.py"
SPACE = "elder"
PODS = f"/api/v1/namespaces/{SPACE}/pods"
APPS = "/apis/apps.kruise.io/v1alpha1"
MESH = f"{APPS}/sidecarsets/mesh"
MESHED = {"mesh": "enabled"}
NODES = 4
REPLICAS = {"cart": 8, "resizer": 4, "tair": 4, "agent": NODES}
KINDS = {
    "cart": "clonesets",
    "resizer": "clonesets",
    "tair": "statefulsets",
    "agent": "daemonsets",
}
IN_PLACE = ("cart", "tair", "agent")


@pytest.fixture(scope="module")
def old_plane(tools: None) -> Iterator[ControlPlane]:  # noqa: ARG001 skips
    """A small control plane of its own, and a stand-in."""
    plane = ControlPlane("elder", hurry=5)
    try:
        plane.start(first=definitions("v1alpha1"))
        plane.start_stand_in()
        add_nodes(plane, NODES)
        yield plane
    finally:
        plane.stop()


@pytest.fixture
def elder(old_plane: ControlPlane) -> Iterator[ControlPlane]:
    """The plane with a workload of every kind."""
    admin = old_plane.admin
    try:
        for path, manifest in manifests():
            admin.apply(path, manifest)
            if path == MESH:
                wait_seen(admin, path)
        until("its pods are ready", lambda: len(ready(admin)) == sum(REPLICAS.values()))
        yield old_plane
    finally:
        for name, kind in KINDS.items():
            admin.delete(f"{APPS}/namespaces/{SPACE}/{kind}/{name}")
        admin.delete(MESH)
        until("its pods are gone", lambda: not admin.get(PODS)["items"])


def manifests() -> Iterator[tuple[str, fleet.Manifest]]:
    yield fleet.namespace(SPACE)
    sidecars = {
        "namespace": SPACE,
        "selector": {"matchLabels": MESHED},
        "containers": [{"name": "mesh", "image": image("mesh", "1.0.0")}],
        "updateStrategy": {"type": "RollingUpdate", "maxUnavailable": "25%", "partition": 0},
    }
    yield fleet.custom("apps.kruise.io", "v1alpha1", "sidecarsets", "mesh", sidecars)
    reference = {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet", "name": "cart"}
    budget = {"targetRef": reference, "maxUnavailable": "25%"}
    yield fleet.custom(
        "policy.kruise.io", "v1alpha1", "podunavailablebudgets", "cart", budget, space=SPACE
    )
    rolling: dict[str, Any] = {"podUpdatePolicy": "InPlaceIfPossible", "maxUnavailable": "50%"}
    nodes = {"rollingUpdateType": "InPlaceIfPossible", "maxUnavailable": 1}
    scatter = [{"key": "app", "value": "cart"}]
    flat = {"type": "InPlaceIfPossible", "maxUnavailable": "25%", "scatterStrategy": scatter}
    yield workload("cart", flat, labels=MESHED)
    yield workload("resizer", {"maxUnavailable": 1})
    yield workload(
        "tair",
        {"type": "RollingUpdate", "rollingUpdate": rolling},
        serviceName="tair",
        podManagementPolicy="Parallel",
    )
    yield workload("agent", {"type": "RollingUpdate", "rollingUpdate": nodes})


def workload(
    name: str,
    strategy: dict[str, Any],
    *,
    labels: dict[str, str] | None = None,
    **spec: Any,  # noqa: ANN401 JSON
) -> tuple[str, fleet.Manifest]:
    template = fleet.template(name, image(name, "1.0.0"), labels)
    template["spec"]["readinessGates"] = [{"conditionType": "InPlaceUpdateReady"}]
    spec |= {
        "selector": {"matchLabels": {"app": name}},
        "template": template,
        "updateStrategy": strategy,
    }
    if name != "agent":
        spec["replicas"] = REPLICAS[name]
    return fleet.custom("apps.kruise.io", "v1alpha1", KINDS[name], name, spec, space=SPACE)


def image(name: str, tag: str) -> str:
    return f"{fleet.REGISTRY}/elder-{name}:{tag}"


def request() -> str:
    images = [{"from": f"{fleet.REGISTRY}/elder-{it}", "to": image(it, "2.0.0")} for it in REPLICAS]
    sidecars = [{"sidecarSet": "mesh", "container": "mesh", "to": image("mesh", "2.0.0")}]
    document = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "elder"},
        "spec": {
            "target": {"images": images, "sidecars": sidecars},
            "stages": [
                {"name": "canary", "perWorkload": 1},
                {"name": "rest", "perWorkload": "100%"},
            ],
        },
    }
    return json.dumps(document)


def ready(api: Api) -> dict[str, Any]:
    """Pods that serve, by uid."""
    pods = api.get(PODS)["items"]
    return {pod["metadata"]["uid"]: pod for pod in pods if serves(pod)}


def owned(api: Api) -> dict[str, Any]:
    """What the run holds for a while, by name."""
    found = {"mesh": api.get(MESH)}
    for name, kind in KINDS.items():
        found[name] = api.get(f"{APPS}/namespaces/{SPACE}/{kind}/{name}")
    return found


def strategies(things: dict[str, Any]) -> dict[str, Any]:
    return {name: each["spec"]["updateStrategy"] for name, each in things.items()}


def test_every_kind_of_v1alpha1_goes_as_planned_and_is_given_back(
    elder: ControlPlane, tmp_path: Path
) -> None:
    admin = elder.admin
    before, strategy = ready(admin), strategies(owned(admin))
    operator = Operator(tmp_path, {"hangzhou": elder}, [SPACE])
    operator.observe()
    with operator.apply(operator.plan(request())) as running:
        assert running.end() == 0, running.errors
    assert running.audit["disrupted"] == len(before)
    (ended,) = running.said("ended")
    assert ended["moved"] == ended["fidelity"]["as_planned"] == len(before)
    after = ready(admin)
    for pod in after.values():
        app = pod["metadata"]["labels"]["app"]
        names = {app, "mesh"} if app == "cart" else {app}
        its = {each["image"] for each in pod["spec"]["containers"]}
        assert its == {image(name, "2.0.0") for name in names}
    kept = [pod["metadata"]["labels"]["app"] for uid, pod in after.items() if uid in before]
    assert sorted(kept) == sorted(name for name in IN_PLACE for _ in range(REPLICAS[name]))
    assert strategies(owned(admin)) == strategy
    assert "fleet-upgrade-planner" not in json.dumps(
        [each["metadata"].get("annotations") for each in owned(admin).values()]
    )


def test_the_auditor_holds_others_to_the_limits_of_v1alpha1(
    elder: ControlPlane, tmp_path: Path
) -> None:
    admin, wanted = elder.admin, tmp_path / "request.json"
    wanted.write_text(json.dumps({"spec": {"target": {}}}))
    before = ready(admin)
    gone = {uid for uid, pod in before.items() if pod["metadata"]["labels"]["app"] == "cart"}
    with Auditor(wanted, {"hangzhou": elder}, [SPACE]) as auditor:
        admin.delete(f"{PODS}?labelSelector=app%3Dcart")

        def is_over() -> bool:
            there = ready(admin).keys()
            return len(there) == len(before) and gone.isdisjoint(there)

        until("others are there instead", is_over)
        violations = auditor.found()["violations"]
    assert "workload/hangzhou/clonesets/elder/cart: 5 pods served, 6 have to" in violations
    assert "pub/hangzhou/elder/cart: 5 pods served, 6 have to" in violations


def test_a_cluster_of_v1alpha1_that_is_given_is_good_enough(old_plane: ControlPlane) -> None:
    assert "1 passed" in run(old_plane, AGENTS)
    # A SidecarSet, and a CloneSet whose strategy is flat there.
    said = run(old_plane, CONTRACT, "-k", "only_selected or priority_names")
    assert "2 passed" in said


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ({"rollingUpdate": {"partition": 2}}, {"type": "ReCreate", "partition": 2}),
        (
            {"rollingUpdate": {"podUpdatePolicy": "InPlaceOnly", "maxSurge": 1}},
            {"type": "InPlaceOnly", "maxSurge": 1},
        ),
    ],
)
def test_a_clone_set_of_v1alpha1_has_its_strategy_flat(
    nested: dict[str, Any], flat: dict[str, Any]
) -> None:
    spec = {"updateStrategy": {"type": "RollingUpdate", **nested}}
    _, manifest = fleet.custom("apps.kruise.io", "v1beta1", "clonesets", "cart", spec)
    as_old = versions.elder(manifest)
    assert as_old["apiVersion"] == "apps.kruise.io/v1alpha1"
    assert as_old["spec"]["updateStrategy"] == flat
