"""Nodes emptied by a plan on a real control plane, while workloads on them get new images."""

from __future__ import annotations

import json
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from planner.apply.events import Back, LetGo
from tests.controlplane import fleet
from tests.controlplane.conftest import serves
from tests.controlplane.given import ours, vacate, wants_room
from tests.controlplane.logged import Logged
from tests.controlplane.seen import wait_seen
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.controlplane.api import Api
    from tests.controlplane.given import Plane
    from tests.controlplane.running import Operator, Running

SPACE = "drained"
PLACE = f"/api/v1/namespaces/{SPACE}"
REGISTRY = "registry.example.com"
MESH = "/apis/apps.kruise.io/v1beta1/sidecarsets/drained-mesh"
MESHED = {"drained": "meshed"}
HERE = {"drained": "here"}
"""Label of the nodes that pods of these tests are on."""
OLD_NODES = ("node-0000", "node-0001", "node-0002")
NEW_NODES = ("node-0003", "node-0004", "node-0005")
REPLICAS = {"web": 8, "api": 4, "mysql": 4, "cart": 7, "order": 5}
SURGES: dict[str, Any] = {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
"""Of which no pod may be down: it has to leave its node all the same."""
CHANGED = ("web", "cart")
HELD = "fleet-upgrade-planner/held"


@pytest.fixture
def hangzhou(shop_planes: Mapping[str, Plane]) -> Iterator[Plane]:
    """A plane with 34 pods on six nodes, three of which are old."""
    plane = ours(shop_planes["hangzhou"])
    wants_room({"hangzhou": plane}, PLACE)
    try:
        for name in (*OLD_NODES, *NEW_NODES):
            pool = "old" if name in OLD_NODES else "new"
            change_node(plane.admin, name, {"metadata": {"labels": {**HERE, "pool": pool}}})
        # The taint of a node that was cordoned goes a moment after.
        until("nodes take pods", lambda: not tainted(plane.admin))
        for path, manifest in manifests():
            plane.admin.apply(path, manifest)
            if path == MESH:
                wait_seen(plane.admin, path)
        count = sum(REPLICAS.values()) + len(OLD_NODES) + len(NEW_NODES)
        until("its pods are ready", lambda: len(ready(plane.admin)) == count)
        yield plane
    finally:
        vacate(plane, SPACE)
        plane.admin.delete(MESH)
        for name in (*OLD_NODES, *NEW_NODES):
            as_before = {"metadata": {"labels": {"drained": None, "pool": None}}}
            change_node(plane.admin, name, {**as_before, "spec": {"unschedulable": None}})


def change_node(api: Api, name: str, change: Any) -> None:  # noqa: ANN401 JSON
    api.patch(f"/api/v1/nodes/{name}", change)


def manifests() -> Iterator[tuple[str, fleet.Manifest]]:
    yield fleet.namespace(SPACE)
    yield fleet.custom(
        "apps.kruise.io", "v1beta1", "sidecarsets", "drained-mesh",
        {
            "selector": {"matchLabels": MESHED},
            "containers": [{"name": "mesh", "image": image("mesh")}],
            "updateStrategy": {"type": "RollingUpdate", "maxUnavailable": "25%"},
        },
    )  # fmt: skip
    for kind, name, strategy in (
        ("Deployment", "web", {}),
        ("Deployment", "api", SURGES),
        ("StatefulSet", "mysql", {}),
        ("DaemonSet", "agent", {}),
    ):
        replicas = REPLICAS.get(name, 0)
        path, manifest = fleet.workload(
            kind, name, image=image(name), space=SPACE, replicas=replicas, **strategy
        )
        manifest["spec"]["template"]["spec"]["nodeSelector"] = HERE
        yield path, manifest
    for name in ("cart", "order"):
        template = fleet.template(name, image(name), MESHED)
        gates = [{"conditionType": "InPlaceUpdateReady"}]
        template["spec"] |= {"readinessGates": gates, "nodeSelector": HERE}
        rolling = {"podUpdatePolicy": "InPlaceIfPossible", "maxUnavailable": "30%"}
        spec = {
            "replicas": REPLICAS[name],
            "selector": {"matchLabels": {"app": name}},
            "template": template,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        }
        yield fleet.custom("apps.kruise.io", "v1beta1", "clonesets", name, spec, space=SPACE)
    yield fleet.budget("web", "25%", space=SPACE)
    yield fleet.budget("mysql", 1, space=SPACE)


def image(name: str, tag: str = "1.0.0") -> str:
    return f"{REGISTRY}/drained-{name}:{tag}"


def request() -> str:
    images = [{"from": f"{REGISTRY}/drained-{it}", "to": image(it, "2.0.0")} for it in CHANGED]
    mesh = {"sidecarSet": "drained-mesh", "container": "mesh", "to": image("mesh", "2.0.0")}
    drain = [{"selector": {"matchLabels": {"pool": "old"}}}]
    document = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "drained"},
        "spec": {"target": {"images": images, "sidecars": [mesh], "drain": drain}},
    }
    return json.dumps(document)


def back_request() -> str:
    """What the way back wants: the nodes stay as they are."""
    wanted = json.loads(request().replace(":2.0.0", ":1.0.0"))
    del wanted["spec"]["target"]["drain"]
    return json.dumps(wanted)


def pods(api: Api) -> list[Any]:
    items: list[Any] = api.get(f"{PLACE}/pods")["items"]
    return items


def app_of(pod: Any) -> str:  # noqa: ANN401 JSON
    return str(pod["metadata"]["labels"]["app"])


def ready(api: Api) -> dict[str, Any]:
    """Pods that serve, by uid."""
    return {pod["metadata"]["uid"]: pod for pod in pods(api) if serves(pod)}


def on_old_nodes(api: Api) -> list[str]:
    """Of which workload the pods on old nodes are."""
    return sorted(app_of(pod) for pod in pods(api) if pod["spec"].get("nodeName") in OLD_NODES)


def cordoned(api: Api) -> list[str]:
    nodes = api.get("/api/v1/nodes")["items"]
    return [node["metadata"]["name"] for node in nodes if node["spec"].get("unschedulable")]


def tainted(api: Api) -> list[str]:
    nodes = api.get("/api/v1/nodes")["items"]
    return [node["metadata"]["name"] for node in nodes if node["spec"].get("taints")]


def has_to_move(pod: Any) -> bool:  # noqa: ANN401 JSON
    """Everything but agents and what neither changes nor has to leave."""
    leaves = pod["spec"]["nodeName"] in OLD_NODES and app_of(pod) != "agent"
    return leaves or app_of(pod) in (*CHANGED, "order")


def assert_done(api: Api) -> None:
    """Nothing but agents is on the old nodes, and everything runs what is wanted."""
    assert on_old_nodes(api) == ["agent"] * len(OLD_NODES)
    assert cordoned(api) == list(OLD_NODES)
    counts: dict[str, int] = {}
    for pod in ready(api).values():
        counts[app_of(pod)] = counts.get(app_of(pod), 0) + 1
        tag = "2.0.0" if app_of(pod) in CHANGED else "1.0.0"
        wanted = {"main": image(app_of(pod), tag)}
        if app_of(pod) in ("cart", "order"):
            wanted["mesh"] = image("mesh", "2.0.0")
        assert {it["name"]: it["image"] for it in pod["spec"]["containers"]} == wanted
    assert counts == {**REPLICAS, "agent": len(OLD_NODES) + len(NEW_NODES)}


def test_nodes_are_emptied_while_workloads_change_and_every_pod_moves_once(
    operator: Operator, hangzhou: Plane
) -> None:
    api = hangzhou.admin
    before = ready(api)
    moved = sum(map(has_to_move, before.values()))
    assert {"web", "api", "mysql", "cart", "order"} <= set(on_old_nodes(api))
    plan = operator.plan(request())
    with operator.apply(plan, "--dry-run") as running:
        assert running.end() == 0, running.errors
    assert (cordoned(api), ready(api).keys()) == ([], before.keys())
    with operator.apply(plan) as running:
        running.wait_for("letting-go")
        assert cordoned(api) == list(OLD_NODES), "before anything moves"
        assert running.end() == 0, running.errors + str(running.events[-2:])
    assert running.audit["disrupted"] == moved
    (ended,) = running.said("ended")
    assert ended["moved"] == ended["fidelity"]["as_planned"] == moved
    assert (ended["held"], running.said("replanned")) == ([], [])
    assert_done(api)
    stay = {uid for uid, pod in before.items() if not has_to_move(pod)}
    assert stay <= ready(api).keys()
    with operator.apply(ended["run"], command="rollback", wanted=back_request()) as back:
        assert back.end() == 0, back.errors
    assert cordoned(api) == list(OLD_NODES), "the way back leaves them as they are"
    assert on_old_nodes(api) == ["agent"] * len(OLD_NODES)
    images = {it["image"] for pod in ready(api).values() for it in pod["spec"]["containers"]}
    assert images == {image(name) for name in (*REPLICAS, "agent", "mesh")}


def test_nodes_are_emptied_one_after_another_whatever_else_goes_on(
    operator: Operator, hangzhou: Plane
) -> None:
    wanted = json.loads(request())
    by_node = {"name": "nodes", "each": "node", "drained": True}
    wanted["spec"] |= {"sequences": [by_node], "streaming": True}
    with operator.apply(operator.plan(json.dumps(wanted))) as running:
        assert running.end() == 0, running.errors + str(running.events[-2:])
    assert not running.said("replanned")
    assert_done(hangzhou.admin)

    logged = Logged(operator.db)
    let_go, back = logged.times(LetGo), logged.times(Back)

    def leaving(node: str) -> list[int]:
        return [n for n, it in enumerate(logged.moves) if it.node == node]

    for first, then in pairwise(OLD_NODES):
        assert max(back[it] for it in leaving(first)) <= min(let_go[it] for it in leaving(then))
    others = [n for n, it in enumerate(logged.moves) if it.node not in OLD_NODES]
    assert min(let_go[it] for it in others) < min(let_go[it] for it in leaving(OLD_NODES[-1]))


def test_a_run_that_is_killed_again_and_again_empties_nodes_all_the_same(
    operator: Operator, hangzhou: Plane
) -> None:
    api = hangzhou.admin
    uids = {pod["metadata"]["uid"] for pod in pods(api)}
    anew = sum(has_to_move(pod) and is_made_anew(pod) for pod in pods(api))
    plan = operator.plan(request())
    kills = 0
    with operator.audited():
        while True:
            with operator.apply(plan) as running:
                until("something happens", partial(has_moved_or_ended, running), deadline_s=600)
                uids |= {pod["metadata"]["uid"] for pod in pods(api)}
                if running.process.poll() is not None:
                    assert running.end() == 0, running.errors
                    break
            kills += 1
    assert kills >= 3
    assert_done(api)
    uids |= {pod["metadata"]["uid"] for pod in pods(api)}
    all_pods = sum(REPLICAS.values()) + len(OLD_NODES) + len(NEW_NODES)
    assert len(uids) <= all_pods + anew, "nothing was made anew twice"
    for kind in ("apps/v1", "apps.kruise.io/v1beta1"):
        plural = "deployments" if kind == "apps/v1" else "clonesets"
        items = api.get(f"/apis/{kind}/namespaces/{SPACE}/{plural}")["items"]
        assert not any(HELD in it["metadata"].get("annotations", {}) for it in items)


def test_a_pod_that_came_to_an_old_node_since_the_plan_leaves_it(
    operator: Operator, hangzhou: Plane
) -> None:
    """Its move is another one now: what would have changed in place has to leave its node."""
    api = hangzhou.admin
    names = {pod["metadata"]["name"] for pod in pods(api)}
    plan = operator.plan(request())
    on_new = [pod for pod in pods(api) if pod["spec"]["nodeName"] in NEW_NODES]
    lost = next(pod for pod in on_new if app_of(pod) == "order")
    for name in NEW_NODES:
        change_node(api, name, {"spec": {"unschedulable": True}})
    api.delete(f"{PLACE}/pods/{lost['metadata']['name']}")
    until("another has come", lambda: {it["metadata"]["name"] for it in pods(api)} - names)
    until("it serves", lambda: len(ready(api)) == len(names))
    for name in NEW_NODES:
        change_node(api, name, {"spec": {"unschedulable": None}})
    with operator.apply(plan, "--patience", "60") as running:
        assert running.end() == 0, running.errors + str(running.events[-2:])
    assert running.said("ended")[0]["failed"] == 0
    assert_done(api)


def test_pods_that_are_made_anew_come_with_new_sidecars(
    operator: Operator, hangzhou: Plane
) -> None:
    """Nothing changes in place, so only the moves that make pods anew can change the SidecarSet."""
    api = hangzhou.admin
    anew = {"updateStrategy": {"rollingUpdate": {"podUpdatePolicy": "ReCreate"}}}
    api.patch(f"/apis/apps.kruise.io/v1beta1/namespaces/{SPACE}/clonesets/cart", {"spec": anew})
    operator.observe()
    wanted = json.loads(request())
    del wanted["spec"]["target"]["drain"]
    wanted["spec"]["exclude"] = [
        {
            "selector": {
                "matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["cart"]}]
            }
        }
    ]
    with operator.apply(operator.plan(json.dumps(wanted)), "--patience", "60") as running:
        assert running.end() == 0, running.errors + str(running.events[-2:])
    (ended,) = running.said("ended")
    assert ended["moved"] == ended["fidelity"]["as_planned"] == REPLICAS["cart"]
    meshed = [pod for pod in ready(api).values() if app_of(pod) in ("cart", "order")]
    for pod in meshed:
        tag = "2.0.0" if app_of(pod) == "cart" else "1.0.0"
        images = {it["name"]: it["image"] for it in pod["spec"]["containers"]}
        assert images == {"main": image(app_of(pod), tag), "mesh": image("mesh", tag)}


def is_made_anew(pod: Any) -> bool:  # noqa: ANN401 JSON
    return app_of(pod) == "web" or pod["spec"]["nodeName"] in OLD_NODES


def has_moved_or_ended(running: Running) -> bool:
    return bool(running.said("moving")) or running.process.poll() is not None
