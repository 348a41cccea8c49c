"""Control planes that tests share: started when a test first asks for one, stopped at the end."""

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from tests.controlplane import fleet, shop
from tests.controlplane.binaries import HOW_TO_GET_IT, has_go
from tests.controlplane.definitions import definitions
from tests.controlplane.given import (
    Plane,
    given_clusters,
    is_given,
    wants_kruise,
    wants_room,
)
from tests.controlplane.plane import ControlPlane
from tests.controlplane.running import Operator
from tests.controlplane.wait import at_once, until

NODES = 20
# 300 pods with the 20 of the DaemonSet.
DEPLOYMENTS = {"web": 60, "cart": 60, "search": 50, "order": 50}
STATEFUL_SETS = {"mysql": 20, "kafka": 40}
HERE = Path(__file__).parent
# Without Go one test says how to get it, instead of all of them.
SAYS_SO = "test_tools.py"
collect_ignore = (
    [] if has_go() else [it.name for it in HERE.glob("test_*.py") if it.name != SAYS_SO]
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first one time to build the binaries, whichever that is."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture
def operator(tmp_path: Path, hangzhou: Plane, request: pytest.FixtureRequest) -> Operator:
    """Somebody who has observed the plane `hangzhou` of a module of tests, for its namespace."""
    somebody = Operator(tmp_path, {"hangzhou": hangzhou}, [request.module.SPACE])
    somebody.observe()
    return somebody


@pytest.fixture(scope="session")
def tools() -> None:
    """Skip without Go, where that is allowed."""
    if not has_go():
        if os.environ.get("PLANNER_REQUIRE_CONTROLPLANE") == "1":
            pytest.fail(HOW_TO_GET_IT)
        pytest.skip(HOW_TO_GET_IT)


@pytest.fixture(scope="session")
def plane(tools: None) -> Iterator[ControlPlane]:  # noqa: ARG001 skips
    """A control plane with 300 pods, and all kinds of OpenKruise in both versions."""
    plane = ControlPlane("hangzhou")
    try:
        plane.start()
        _fill(plane)
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def other_plane(tools: None) -> Iterator[ControlPlane]:  # noqa: ARG001 skips
    """A small control plane without OpenKruise."""
    plane = ControlPlane("shanghai")
    try:
        plane.start()
        add_nodes(plane, 3)
        plane.admin.apply(*fleet.namespace(fleet.NAMESPACE))
        plane.admin.apply(*fleet.workload("Deployment", "web", replicas=12))
        wait_all_ready(plane, 12)
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def shop_planes(
    tools: None,  # noqa: ARG001 skips
) -> Iterator[Mapping[str, Plane]]:
    """Two empty control planes by name, hangzhou and shanghai, where OpenKruise's kinds work.

    A stand-in plays their controllers; `shop.fill` puts a shop there, `shop.clear` takes it away.
    Each plane gives `admin` (an Api) and `kubeconfig()` (its only context has the plane's name).
    With PLANNER_E2E_KUBECONFIG they are the clusters of its first two contexts, as they are; of a
    single context there is hangzhou alone. `given.ours` gives what only our own can do, such as
    `restart_api_server()` and `stop_process("standin")`; `given.wants_room` and `wants_kruise`
    skip where somebody else's has no place for a test.
    """
    if is_given():
        with given_clusters() as clusters:
            yield clusters
        return
    planes = {name: ControlPlane(name) for name in ("hangzhou", "shanghai")}
    try:
        at_once(_start_for_shop, planes.values())
        yield planes
    finally:
        at_once(ControlPlane.stop, planes.values())


@pytest.fixture(scope="module")
def filled(shop_planes: Mapping[str, Plane]) -> Iterator[Mapping[str, Plane]]:
    """Both planes with the large shop, for a module of tests."""
    wants_kruise(shop_planes)
    wants_room(shop_planes, *shop.PLACES)

    def fill(name: str) -> None:
        shop.fill(shop_planes[name].admin, cast("shop.Cluster", name), "large")

    try:
        at_once(fill, shop_planes)
        yield shop_planes
    finally:
        at_once(lambda plane: shop.clear(plane.admin), shop_planes.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One log for all releases of a module: each teaches the next one how long things take."""
    return tmp_path_factory.mktemp("release")


def _start_for_shop(plane: ControlPlane) -> None:
    plane.start(first=definitions("v1beta1", "v1alpha1"))
    plane.start_stand_in()
    add_nodes(plane, shop.NODES[plane.name])


def _fill(plane: ControlPlane) -> None:
    add_nodes(plane, NODES)
    for path, manifest in [
        *definitions("v1beta1", "v1alpha1"),
        fleet.namespace(fleet.NAMESPACE),
        *(fleet.workload("Deployment", name, replicas=n) for name, n in DEPLOYMENTS.items()),
        *(fleet.workload("StatefulSet", name, replicas=n) for name, n in STATEFUL_SETS.items()),
        fleet.workload("DaemonSet", "agent"),
        *(fleet.budget(name, "10%") for name in (*DEPLOYMENTS, *STATEFUL_SETS)),
        fleet.quota("compute", pods="10k"),
    ]:
        plane.admin.apply(path, manifest)
    for group, kinds in fleet.KRUISE.items():
        for plural in kinds:
            path, manifest = fleet.custom(group, "v1beta1", plural, "payment", {"x": 1})
            until(f"{plural} are served", partial(is_served, plane, path))
            plane.admin.apply(path, manifest)
    pods = NODES + sum(DEPLOYMENTS.values()) + sum(STATEFUL_SETS.values())
    wait_all_ready(plane, pods)


def add_nodes(plane: ControlPlane, count: int) -> None:
    for path, manifest in fleet.nodes(count):
        plane.admin.apply(path, manifest)

    def all_ready() -> bool:
        found = plane.admin.get("/api/v1/nodes")["items"]
        return all(is_ready(node) and not node["spec"].get("taints") for node in found)

    # Otherwise the first node that is ready gets all pods.
    until("nodes are ready and take pods", all_ready)


def is_served(plane: ControlPlane, path: str) -> bool:
    """Whether objects of this kind can be listed."""
    try:
        plane.admin.get(path.rpartition("/")[0])
    except (OSError, ValueError, RuntimeError):
        return False
    return True


def wait_all_ready(plane: ControlPlane, count: int) -> None:
    """Wait until there are so many pods, all of them are ready and none is on its way out."""

    def all_ready() -> bool:
        pods = plane.admin.get("/api/v1/pods")["items"]
        return len(pods) == count and all(serves(pod) for pod in pods)

    until(f"{count} pods are ready", all_ready)


def is_ready(pod: fleet.Manifest) -> bool:
    """Whether the condition Ready is True."""
    conditions = pod["status"].get("conditions", [])
    return any(it["type"] == "Ready" and it["status"] == "True" for it in conditions)


def serves(pod: fleet.Manifest) -> bool:
    """Whether it is ready and stays."""
    return is_ready(pod) and "deletionTimestamp" not in pod["metadata"]
