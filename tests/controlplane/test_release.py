"""The whole release of a shop on two control planes, under an auditor of its own rules."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING, cast

import pytest
import yaml

from tests.controlplane import shop
from tests.controlplane.given import wants_kruise, wants_room
from tests.controlplane.plane import ControlPlane
from tests.controlplane.running import Auditor, Operator, Running
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.controlplane.given import Plane
    from tests.controlplane.running import Event

    Planes = Mapping[str, Plane]

KILLS = 30
BROKEN = ("catalog", "redis", "tair")
"""A Deployment and a StatefulSet on both planes, and an Advanced StatefulSet, in place."""
CANARIES = 5


@pytest.fixture(scope="module")
def filled(shop_planes: Planes) -> Iterator[Planes]:
    """Both planes with the large shop."""
    wants_kruise(shop_planes)
    wants_room(shop_planes, *shop.PLACES)
    try:
        for name, plane in shop_planes.items():
            shop.fill(plane.admin, cast("shop.Cluster", name), "large")
        yield shop_planes
    finally:
        for plane in shop_planes.values():
            shop.clear(plane.admin)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One log for all releases: each teaches the next one how long things take."""
    return tmp_path_factory.mktemp("release")


def begun(folder: Path, planes: Planes, version: str) -> tuple[Operator, str]:
    """An operator who has planned the release, and the plan."""
    operator = Operator(folder, planes)
    operator.observe()
    return operator, operator.plan(shop.request().replace(shop.NEW, version))


def pods(planes: Planes) -> int:
    """How many pods the shop has: more than 600 on two clusters of our own."""
    return sum(len(shop.pods(plane.admin)) for plane in planes.values())


def versions(planes: Planes, *namespaces: str) -> set[str]:
    """Versions of everything that runs in these namespaces, by default of the whole shop."""
    return {
        container["image"].rpartition(":")[2]
        for plane in planes.values()
        for pod in shop.pods(plane.admin)
        if pod["metadata"]["namespace"] in (namespaces or shop.NAMESPACES)
        for container in pod["spec"]["containers"]
    }


def broken(planes: Planes) -> list[str]:
    """Names of pods with an image that never serves."""
    return [
        pod["metadata"]["name"]
        for plane in planes.values()
        for pod in shop.pods(plane.admin)
        if any(it["image"].endswith(":broken") for it in pod["spec"]["containers"])
    ]


def test_the_release_goes_as_planned_and_breaks_no_rule(filled: Planes, folder: Path) -> None:
    count = pods(filled)
    operator, plan = begun(folder, filled, "1.1.0")
    with (
        Auditor(folder / "request.yaml", filled, shop.NAMESPACES) as auditor,
        operator.apply(plan) as running,
    ):
        assert running.end() == 0, running.errors
        audit = auditor.found()
    assert audit["violations"] == []
    assert audit["disrupted"] == count
    (ended,) = running.said("ended")
    assert ended["moved"] == ended["fidelity"]["as_planned"] == count
    print(went(ended))  # noqa: T201 `pytest -s` shows it
    assert ended["held"] == []
    assert versions(filled) == {"1.1.0"}


def went(ended: Event) -> str:
    """The row of docs/apply.md of a run; `pytest -s` prints it."""
    numbers = ended["fidelity"]
    return (
        f"\n{ended['moved']} of {numbers['moves']} | {numbers['as_planned']} as planned"
        f" | {ended['writes']} writes | {numbers['took_s']} s, {numbers['expected_s']} s"
    )


def has_done(running: Running, events: int) -> bool:
    return len(running.events) >= events or running.process.poll() is not None


def test_it_does_so_although_its_executor_is_killed_and_an_api_server_restarts(
    filled: Planes, folder: Path
) -> None:
    count = pods(filled)
    operator, plan = begun(folder, filled, "1.2.0")
    random = Random(1)
    kills = 0
    with Auditor(folder / "request.yaml", filled, shop.NAMESPACES) as auditor:
        while True:
            with operator.apply(plan) as running:
                if kills == KILLS:
                    assert running.end() == 0, running.errors
                    break
                # At a random moment of what it does, wherever it is.
                running.wait_for("run")
                seen = len(running.events) + random.randrange(1, 8)
                until("it did so much", partial(has_done, running, seen))
                hangzhou = filled["hangzhou"]
                if kills == KILLS // 2 and isinstance(hangzhou, ControlPlane):
                    hangzhou.restart_api_server()
            kills += 1
        audit = auditor.found()
    # Whoever is killed between two writes may disrupt the pods of a wave twice, and nothing else.
    twice = [each for each in audit["violations"] if each.endswith(("twice", "disrupted again"))]
    assert audit["violations"] == twice
    assert len(twice) < 0.01 * count, twice
    assert audit["disrupted"] == count
    (ended,) = running.said("ended")
    assert ended["moved"] == count
    print(went(ended), f"| {kills} kills, {len(twice)} pods twice")  # noqa: T201 as above
    assert ended["fidelity"]["as_planned"] >= 0.99 * count
    assert versions(filled) == {"1.2.0"}


def test_what_never_serves_stops_it_and_the_way_back_ends_at_what_ran_before(
    filled: Planes, folder: Path
) -> None:
    (before,) = versions(filled)
    operator = Operator(folder, filled)
    operator.observe()
    there = shop.request().replace(shop.NEW, "1.3.0")
    for name in BROKEN:
        there = there.replace(f"/{name}:1.3.0", f"/{name}:broken")
    plan = operator.plan(there)
    with (
        Auditor(folder / "request.yaml", filled, shop.NAMESPACES) as auditor,
        operator.apply(plan, "--failures", str(CANARIES), "--patience", "15") as running,
    ):
        assert running.end() == 5, running.errors
        assert auditor.found()["violations"] == []
    (stopped,) = running.said("ended")
    assert stopped["ending"] == "stopped"
    assert f"pods failed in this run, {CANARIES} may" in stopped["why"]
    # Trade waits for mysql, which was not through.
    assert stopped["failed"] > CANARIES
    assert len(broken(filled)) == CANARIES, "the first of each, and none after them"
    assert stopped["moved"] > CANARIES
    assert versions(filled, "trade") == {before}

    operator.folder.joinpath("back.yaml").write_text(turned(before))
    with (
        Auditor(folder / "back.yaml", filled, shop.NAMESPACES) as auditor,
        operator.apply(stopped["run"], "--patience", "60", command="rollback") as back,
    ):
        assert back.end() == 0, back.errors
        violations = auditor.found()["violations"]
    assert violations == []
    assert not back.said("replanned")
    assert back.said("ended")[0]["held"] == []
    assert versions(filled) == {before}


def turned(version: str) -> str:
    """The request of the way back, as an auditor is to judge it."""
    request = yaml.safe_load(shop.request().replace(shop.NEW, version))
    spec = request["spec"]
    del spec["stages"]
    spec["dependencies"] = [
        {"workload": first, "after": [each["workload"]]}
        for each in spec["dependencies"]
        for first in each["after"]
    ]
    return yaml.safe_dump(request)
