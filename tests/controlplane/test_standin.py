"""The shop where a stand-in plays OpenKruise: what tests of whole upgrades build on."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import planner
from tests.controlplane import fleet, shop
from tests.controlplane.given import ours
from tests.controlplane.observing import door, empty_log, observing, wait_same
from tests.controlplane.wait import until
from tests.shop import header_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.controlplane.given import Plane
    from tests.controlplane.plane import ControlPlane

CLONE_SETS = "/apis/apps.kruise.io/v1beta1/namespaces/trade/clonesets"


@pytest.fixture(scope="module")
def small_shop(shop_planes: Mapping[str, Plane]) -> Iterator[Mapping[str, ControlPlane]]:
    """The small shop on both planes, which have to be ours: their stand-in is what is tested."""
    planes = {name: ours(plane) for name, plane in shop_planes.items()}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda it: shop.fill(it[1].admin, it[0], "small"), planes.items()))
        yield planes
        list(pool.map(lambda it: shop.clear(it.admin), planes.values()))


def images(plane: ControlPlane, app: str) -> set[str]:
    return {
        each["image"]
        for pod in shop.ready_pods(plane.admin)
        if pod["metadata"]["labels"]["app"] == app
        for each in pod["spec"]["containers"]
    }


def upgrade(plane: ControlPlane, name: str, version: str, **rolling: Any) -> None:  # noqa: ANN401 JSON
    path = f"{CLONE_SETS}/{name}"
    (container,) = plane.admin.get(path)["spec"]["template"]["spec"]["containers"]
    changed = {**container, "image": f"{fleet.REGISTRY}/{name}:{version}"}
    plane.admin.patch(
        path,
        {
            "spec": {
                "template": {"spec": {"containers": [changed]}},
                "updateStrategy": {"rollingUpdate": rolling},
            }
        },
    )


def done(plane: ControlPlane, name: str) -> bool:
    its = plane.admin.get(f"{CLONE_SETS}/{name}")
    status = its.get("status") or {}
    return bool(
        status.get("observedGeneration") == its["metadata"]["generation"]
        and status["updatedReadyReplicas"] == its["spec"]["replicas"]
    )


def test_the_disruption_controller_counts_the_pods_of_a_clone_set(
    small_shop: Mapping[str, ControlPlane],
) -> None:
    path = "/apis/policy/v1/namespaces/trade/poddisruptionbudgets/cart"

    def allowed() -> tuple[int, int]:
        status = small_shop["hangzhou"].admin.get(path)["status"]
        return status["expectedPods"], status["disruptionsAllowed"]

    # It looks again whenever a pod becomes ready.
    until("it has counted all of them, and three may go", lambda: allowed() == (10, 3))


def test_an_upgrade_goes_on_when_the_stand_in_is_killed_and_started_again(
    small_shop: Mapping[str, ControlPlane],
) -> None:
    plane = small_shop["hangzhou"]
    new = f"{fleet.REGISTRY}/order:2.0.0"
    upgrade(plane, "order", "2.0.0", maxUnavailable=2)
    for _ in range(2):
        until("some have moved", lambda: new in images(plane, "order"))
        plane.stop_process("standin", signal.SIGKILL)
        plane.start_process("standin")
    until("all have moved", lambda: done(plane, "order"))
    assert images(plane, "order") == {new, f"{fleet.REGISTRY}/{shop.SIDECAR}:{shop.OLD}"}


def test_an_upgrade_goes_on_when_the_api_server_is_killed_and_started_again(
    small_shop: Mapping[str, ControlPlane],
) -> None:
    plane = small_shop["hangzhou"]
    new = f"{fleet.REGISTRY}/checkout:2.0.0"
    upgrade(plane, "checkout", "2.0.0")
    until("some have moved", lambda: new in images(plane, "checkout"))
    plane.restart_api_server(signal.SIGKILL)
    until("all have moved", lambda: done(plane, "checkout"))


def test_a_strategy_of_v1alpha1_is_dropped_by_v1beta1(
    small_shop: Mapping[str, ControlPlane],
) -> None:
    admin, path = small_shop["shanghai"].admin, f"{CLONE_SETS}/cart"
    admin.patch(path, {"spec": {"updateStrategy": {"partition": "100%"}}})
    assert "partition" not in admin.get(path)["spec"]["updateStrategy"]


def test_the_release_of_the_shop_can_be_planned(
    small_shop: Mapping[str, ControlPlane], tmp_path: Path
) -> None:
    events = empty_log()
    with observing(events, {name: door(plane) for name, plane in small_shop.items()}):
        for plane in small_shop.values():
            wait_same(events, plane)
    path = tmp_path / "request.yaml"
    path.write_text(shop.request())
    log = planner.Log(events)
    plan = planner.plan(log, planner.load_request(path))
    assert planner.verify(log, plan) == []
    moved = shop.pods_of("hangzhou", "small") + shop.pods_of("shanghai", "small")
    assert (len(plan), header_of(plan)["unmovable"]) == (moved, [])
