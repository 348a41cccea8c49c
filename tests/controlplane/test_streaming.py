"""A plan that streams on a real control plane: nobody waits for a wave to be over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from planner.apply.course import Place, place_of
from planner.apply.events import Back, LetGo
from tests.controlplane import fleet
from tests.controlplane.conftest import serves
from tests.controlplane.given import vacate, wants_room
from tests.controlplane.logged import Logged
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.controlplane.api import Api
    from tests.controlplane.given import Plane
    from tests.controlplane.running import Operator

SPACE = "streaming"
PLACE = f"/api/v1/namespaces/{SPACE}"
REGISTRY = "registry.example.com/streaming"
PODS = {"store": 5, "web": 12, "front": 8}
"""The store takes 10 s for each start; the front waits for the web."""
TARGET = {"store": "slow", "web": "2.0.0", "front": "2.0.0"}
SOAK_S = 15


@pytest.fixture
def hangzhou(shop_planes: Mapping[str, Plane]) -> Iterator[Plane]:
    """A plane with a StatefulSet and two Deployments, each under a budget of its own."""
    plane = shop_planes["hangzhou"]
    wants_room({"hangzhou": plane}, PLACE)
    try:
        plane.admin.apply(*fleet.namespace(SPACE))
        for name, replicas in PODS.items():
            kind = "StatefulSet" if name == "store" else "Deployment"
            image = f"{REGISTRY}-{name}:1.0.0"
            its = fleet.workload(kind, name, image=image, space=SPACE, replicas=replicas)
            plane.admin.apply(*its)
            plane.admin.apply(*fleet.budget(name, 1 if name == "store" else "25%", space=SPACE))
        until("its pods are ready", lambda: len(images(plane.admin)) == sum(PODS.values()))
        yield plane
    finally:
        vacate(plane, SPACE)


def images(api: Api) -> list[str]:
    """Images of the pods that serve."""
    serving = filter(serves, api.get(f"{PLACE}/pods")["items"])
    return sorted(pod["spec"]["containers"][0]["image"] for pod in serving)


def request() -> str:
    rules = [
        {"from": f"{REGISTRY}-{name}", "to": f"{REGISTRY}-{name}:{tag}"}
        for name, tag in TARGET.items()
    ]
    reference = {"namespace": SPACE, "kind": "Deployment"}
    spec: dict[str, Any] = {
        "target": {"images": rules},
        "streaming": True,
        "stages": [
            {"name": "canary", "perWorkload": 1, "soak": f"{SOAK_S}s"},
            {"name": "rest", "perWorkload": "100%"},
        ],
        "dependencies": [
            {"workload": {**reference, "name": "front"}, "after": [{**reference, "name": "web"}]}
        ],
    }
    document = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "streaming"},
        "spec": spec,
    }
    return json.dumps(document)


def test_a_run_that_streams_overtakes_waves_and_nothing_else(
    operator: Operator, hangzhou: Plane
) -> None:
    plan = operator.plan(request())
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors + str(running.events[-2:])
    wanted = [f"{REGISTRY}-{name}:{tag}" for name, tag in TARGET.items() for _ in range(PODS[name])]
    assert images(hangzhou.admin) == sorted(wanted)
    (ended,) = running.said("ended")
    assert (ended["moved"], ended["failed"]) == (sum(PODS.values()), 0)
    assert not running.said("replanned")
    (begun,) = running.said("wave")
    assert (begun["of"], begun["streaming"]) == (1, True)

    seen = Logged(operator.db)
    let_go, back = seen.times(LetGo), seen.times(Back)
    overtaken = [
        (first, later)
        for first, its in enumerate(seen.moves)
        for later, others in enumerate(seen.moves)
        if others.wave > its.wave and let_go[first] < let_go[later] < back[first]
    ]
    assert overtaken, "moves of a later wave went while one of an earlier wave was away"

    def of(name: str, stage: str) -> list[int]:
        place = Place("hangzhou", SPACE, "StatefulSet" if name == "store" else "Deployment", name)
        numbered = enumerate(seen.moves)
        return [n for n, it in numbered if place_of(it) == place and it.stage == stage]

    for name in PODS:
        (canary,) = of(name, "canary")
        rest = min(let_go[number] for number in of(name, "rest"))
        assert rest >= back[canary] + SOAK_S * 1000, f"{name} has soaked"
    web = [number for stage in ("canary", "rest") for number in of("web", stage)]
    front = [number for stage in ("canary", "rest") for number in of("front", stage)]
    assert min(let_go[it] for it in front) >= max(back[it] for it in web), "it waits for the web"
