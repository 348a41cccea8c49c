"""The test bed itself: pods behave as kubelets would make them, and trouble comes on demand."""

from __future__ import annotations

import ssl
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.controlplane import fleet
from tests.controlplane.api import RefusedError
from tests.controlplane.conftest import is_ready
from tests.controlplane.plane import OBSERVER
from tests.controlplane.proxy import Proxy
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.controlplane.plane import ControlPlane

SPACE = "bed"


@pytest.fixture(scope="module", autouse=True)
def space(other_plane: ControlPlane) -> Iterator[None]:
    """A namespace that goes with everything in it."""
    path, manifest = fleet.namespace(SPACE)
    other_plane.admin.apply(path, manifest)
    yield
    other_plane.admin.delete(path)


def deploy(plane: ControlPlane, name: str, **options: Any) -> Callable[[], list[dict[str, Any]]]:  # noqa: ANN401 JSON
    """Apply a Deployment, and give what lists its pods."""
    plane.admin.apply(*fleet.workload("Deployment", name, space=SPACE, **options))

    def pods() -> list[dict[str, Any]]:
        query = f"labelSelector=app%3D{name}"
        found: list[dict[str, Any]] = plane.admin.get(f"/api/v1/namespaces/{SPACE}/pods?{query}")[
            "items"
        ]
        return found

    return pods


def status(pod: dict[str, Any]) -> dict[str, Any]:
    """The status of the first container."""
    (first, *_) = pod["status"].get("containerStatuses", [{}])
    found: dict[str, Any] = first
    return found


def test_a_broken_image_crashes_and_never_becomes_ready(other_plane: ControlPlane) -> None:
    pods = deploy(other_plane, "crashing", image="registry.example.com/web:broken")
    until("it crashes", lambda: any("waiting" in status(pod).get("state", {}) for pod in pods()))
    assert not any(is_ready(pod) for pod in pods())


def test_an_image_that_changes_in_place_restarts_its_container(other_plane: ControlPlane) -> None:
    pods = deploy(other_plane, "changing")
    (pod,) = until("it is ready", lambda: [pod for pod in pods() if is_ready(pod)])
    path = f"/api/v1/namespaces/{SPACE}/pods/{pod['metadata']['name']}"
    image = "registry.example.com/web:2.0.0"
    container = {**pod["spec"]["containers"][0], "image": image}
    other_plane.admin.patch(path, {"spec": {"containers": [container]}})
    after = until(
        "it runs the new image",
        lambda: next((it for it in pods() if status(it).get("image") == image), None),
    )
    assert after["metadata"]["uid"] == pod["metadata"]["uid"]
    assert status(after)["restartCount"] == status(pod)["restartCount"] + 1
    assert status(after)["imageID"] != status(pod)["imageID"]
    until("it is ready again", lambda: all(is_ready(it) for it in pods()))


def test_a_slow_pod_takes_longer_to_start_than_others(other_plane: ControlPlane) -> None:
    # By what was written, for nobody may be there at the moment when only the others are ready.
    slow, quick = (
        until("it is ready", lambda: [started_s(pod) for pod in its() if is_ready(pod)])  # noqa: B023
        for its in (
            deploy(other_plane, "slow", labels={"tests/start": "slow"}),
            deploy(other_plane, "quick"),
        )
    )
    # Both times are cut off to seconds.
    assert slow[0] >= 10 - 1
    assert quick[0] < slow[0]


def started_s(pod: dict[str, Any]) -> float:
    """Seconds from when a pod had a node until it was ready."""
    since = {it["type"]: it["lastTransitionTime"] for it in pod["status"]["conditions"]}
    scheduled, ready = (datetime.fromisoformat(since[it]) for it in ("PodScheduled", "Ready"))
    return (ready - scheduled).total_seconds()


def test_answers_are_slow_when_they_are_told_to_be(other_plane: ControlPlane) -> None:
    with Proxy(other_plane.port) as proxy:
        api = other_plane.api("admin", port=proxy.port)
        api.raw("/readyz")
        proxy.delay(0.5)
        begin = time.monotonic()
        api.raw("/readyz")
        assert time.monotonic() - begin >= 0.5
        proxy.cut()
        with pytest.raises((ConnectionError, ssl.SSLError)):
            api.raw("/readyz")
        proxy.mend()
        api.raw("/readyz")


def test_whoever_has_no_role_may_do_nothing(other_plane: ControlPlane) -> None:
    with pytest.raises(RefusedError) as refused:
        other_plane.api(OBSERVER).raw("/api/v1/pods")
    assert refused.value.status == 403
