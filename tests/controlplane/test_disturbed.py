"""Releases of the whole shop that do not go as planned, and where they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tests.controlplane import shop
from tests.controlplane.api import is_refused
from tests.controlplane.conftest import serves
from tests.controlplane.released import begun, pods, to, versions
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane.released import Planes
    from tests.controlplane.running import Running

BROKEN = ("catalog", "redis", "tair")
"""A Deployment and a StatefulSet on both planes, and an Advanced StatefulSet, in place."""
CANARIES = 5
DATA, SHOP = "/apis/apps/v1/namespaces/data", "/apis/apps/v1/namespaces/shop"
REDIS = {"kind": "StatefulSet", "namespace": "data", "name": "redis"}
TUNED = {"name": "TUNED", "value": "yes"}


def of(planes: Planes, name: str) -> list[dict[str, Any]]:
    """The pods of a workload in hangzhou."""
    found = shop.pods(planes["hangzhou"].admin)
    return [pod for pod in found if pod["metadata"]["labels"]["app"] == name]


def somebody_works(planes: Planes, running: Running) -> None:
    """Scale a Deployment up, change the environment of a StatefulSet, and delete a pod."""
    api, auditor = planes["hangzhou"].admin, running.auditor
    # Of the spec: of pods that are under way there may be more or fewer.
    scaled, most = (
        api.get(path)["spec"]["replicas"]
        for path in (f"{SHOP}/deployments/catalog", f"{DATA}/statefulsets/redis")
    )
    api.merge(f"{SHOP}/deployments/catalog", {"spec": {"replicas": scaled + 2}})
    # Its controller makes those anew that have the new image already, and the run the others.
    auditor.theirs(cluster="hangzhou", workload=REDIS, most=most)
    containers = {"containers": [{"name": "main", "env": [TUNED]}]}
    api.merge(f"{DATA}/statefulsets/redis", {"spec": {"template": {"spec": containers}}})

    def has_deleted() -> bool:
        lost = next(pod["metadata"] for pod in of(planes, "web") if serves(pod))
        auditor.theirs(cluster="hangzhou", uids=[lost["uid"]])
        # The run may have let it go.
        return not is_refused(
            404, lambda: api.delete(f"/api/v1/namespaces/shop/pods/{lost['name']}")
        )

    until("a pod is deleted", has_deleted)


def test_it_ends_at_its_target_although_somebody_else_works_in_the_middle_of_it(
    filled: Planes, folder: Path
) -> None:
    count = pods(filled)
    operator, plan = begun(folder, filled, to("1.1.0"))
    with operator.apply(plan) as running:
        running.wait_for("letting-go", 2)
        somebody_works(filled, running)
        assert running.end() == 0, running.errors
    (ended,) = running.said("ended")
    assert (ended["ending"], ended["failed"], ended["held"]) == ("done", 0, [])
    whys = [why for each in running.said("replanned") for why in each["why"]]
    assert any(why.startswith("hangzhou/shop/Deployment/catalog: ") for why in whys), whys
    assert running.audit["theirs"] > 0
    until("all pods serve", lambda: len(serving(filled)) == count + 2)
    assert versions(filled) == {"1.1.0"}
    assert all(TUNED in pod["spec"]["containers"][0]["env"] for pod in of(filled, "redis"))


def serving(planes: Planes) -> list[dict[str, Any]]:
    return [pod for plane in planes.values() for pod in shop.pods(plane.admin) if serves(pod)]


def test_what_never_serves_stops_it_and_the_way_back_ends_at_what_ran_before(
    filled: Planes, folder: Path
) -> None:
    (before,) = versions(filled)
    there = to("1.3.0")
    for name in BROKEN:
        there = there.replace(f"/{name}:1.3.0", f"/{name}:broken")
    operator, plan = begun(folder, filled, there)
    with operator.apply(plan, "--failures", str(CANARIES), "--patience", "15") as running:
        assert running.end() == 5, running.errors
    (stopped,) = running.said("ended")
    assert stopped["ending"] == "stopped"
    assert f"pods failed in this run, {CANARIES} may" in stopped["why"]
    # Trade waits for mysql, which was not through.
    assert stopped["failed"] > CANARIES
    assert len(broken(filled)) == CANARIES, "the first of each, and none after them"
    assert stopped["moved"] > CANARIES
    assert versions(filled, "trade") == {before}

    with operator.apply(
        stopped["run"], "--patience", "60", command="rollback", wanted=turned(before)
    ) as back:
        assert back.end() == 0, back.errors
    assert not back.said("replanned")
    assert back.said("ended")[0]["held"] == []
    assert versions(filled) == {before}


def broken(planes: Planes) -> list[str]:
    """Names of pods with an image that never serves."""
    return [
        pod["metadata"]["name"]
        for plane in planes.values()
        for pod in shop.pods(plane.admin)
        if any(it["image"].endswith(":broken") for it in pod["spec"]["containers"])
    ]


def turned(version: str) -> str:
    """The request of the way back, as an auditor is to judge it."""
    request = yaml.safe_load(to(version))
    spec = request["spec"]
    del spec["stages"]
    spec["dependencies"] = [
        {"workload": first, "after": [each["workload"]]}
        for each in spec["dependencies"]
        for first in each["after"]
    ]
    return yaml.safe_dump(request)
