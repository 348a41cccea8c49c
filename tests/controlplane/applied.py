"""A namespace of native workloads of every way to be upgraded, 43 pods, and what runs in it."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.controlplane import fleet, shop
from tests.controlplane.api import RefusedError
from tests.controlplane.conftest import serves
from tests.controlplane.fleet import REGISTRY
from tests.controlplane.given import vacate, wants_room
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.controlplane.api import Api
    from tests.controlplane.given import Plane

SPACE = "applied"
PLACE = f"/api/v1/namespaces/{SPACE}"
SURGES = {"strategy": {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}}}
QUARTER = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "25%"}}}
ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}
ALL = ("web", "api", "mysql", "kafka", "agent")
REPLICAS = {"web": 12, "api": 4, "mysql": 4, "kafka": 3}


@contextmanager
def filled(plane: Plane) -> Iterator[Plane]:
    """A plane that has it for a while."""
    wants_room({"hangzhou": plane}, PLACE)
    try:
        fill(plane.admin)
        yield plane
    finally:
        vacate(plane, SPACE)


def fill(api: Api) -> None:
    for path, manifest in (
        fleet.namespace(SPACE),
        *(
            fleet.workload(kind, name, image=image(name), space=SPACE, replicas=count, **spec)
            for kind, name, count, spec in (
                ("Deployment", "web", 12, {}),
                ("Deployment", "api", 4, SURGES),
                ("StatefulSet", "mysql", 4, {}),
                ("StatefulSet", "kafka", 3, ON_DELETE),
                ("DaemonSet", "agent", 0, QUARTER),
            )
        ),
        fleet.budget("web", "25%", space=SPACE),
        fleet.budget("kafka", 1, space=SPACE),
    ):
        api.apply(path, manifest)
    until("it has nodes", lambda: agents(api))
    until("its pods are ready", lambda: len(ready(api)) == total(api))


def image(name: str, tag: str = "1.0.0") -> str:
    return f"{REGISTRY}/applied-{name}:{tag}"


def request(tag: str, *names: str, **spec: Any) -> str:  # noqa: ANN401 JSON
    rules = [{"from": f"{REGISTRY}/applied-{name}", "to": image(name, tag)} for name in names]
    document = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "applied"},
        "spec": {"target": {"images": rules}, **spec},
    }
    return json.dumps(document)


def pods(api: Api) -> list[Any]:
    found: list[Any] = api.get(f"/api/v1/namespaces/{SPACE}/pods")["items"]
    return found


def ready(api: Api) -> list[Any]:
    return [pod for pod in pods(api) if serves(pod)]


def images(api: Api) -> dict[str, int]:
    """Ready pods by image."""
    counts: dict[str, int] = {}
    for pod in ready(api):
        for container in pod["spec"]["containers"]:
            counts[container["image"]] = counts.get(container["image"], 0) + 1
    return counts


def workloads(api: Api) -> dict[str, Any]:
    kinds = ("deployments", "statefulsets", "daemonsets")
    lists = (api.get(f"/apis/apps/v1/namespaces/{SPACE}/{kind}")["items"] for kind in kinds)
    return {each["metadata"]["name"]: each for items in lists for each in items}


@contextmanager
def held(api: Api, name: str) -> Iterator[Callable[[], None]]:
    """A pod of a StatefulSet that does not end before it is let: its move lasts as long.

    Gives what lets it end.
    """
    path = f"{PLACE}/pods/{name}"

    def free() -> None:
        api.patch(path, {"metadata": {"finalizers": None}})

    api.patch(path, {"metadata": {"finalizers": ["tests/held"]}})
    try:
        yield free
    finally:
        # It may be on its way back.
        with suppress(RefusedError):
            free()


def agents(api: Api) -> int:
    """How many nodes the agent is on: somebody else's cluster has any number."""
    return shop.scheduled(api, SPACE, "agent")


def total(api: Api) -> int:
    """How many pods there are."""
    return sum(REPLICAS.values()) + agents(api)


def expected(api: Api, tag: str, *names: str) -> dict[str, int]:
    """Every pod of these workloads (of all, without a name) at a version, the others as before."""
    at, counts = names or ALL, {**REPLICAS, "agent": agents(api)}
    return {image(name, tag if name in at else "1.0.0"): count for name, count in counts.items()}
