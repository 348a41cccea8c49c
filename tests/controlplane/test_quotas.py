"""What a plan says of a quota is what the API server of a real control plane does."""

from __future__ import annotations

from functools import partial
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

import pytest

import planner
from tests.controlplane import fleet
from tests.controlplane.api import is_refused
from tests.controlplane.observing import fresh_log
from tests.controlplane.wait import until
from tests.test_small_clusters import header, planned_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.controlplane.plane import ControlPlane

SPACE = "limited"
PLACE = f"/api/v1/namespaces/{SPACE}"
QUOTA = f"{PLACE}/resourcequotas/compute"
SURGES = {"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}}
ROLLS = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
NEW = {"images": [{"from": f"{fleet.REGISTRY}/web", "to": f"{fleet.REGISTRY}/web:2.0.0"}]}


@pytest.fixture
def limited(other_plane: ControlPlane) -> Iterator[ControlPlane]:
    """A plane with a namespace that has a quota of 65m CPU."""
    admin = other_plane.admin
    admin.apply(*fleet.namespace(SPACE))
    limit(other_plane, "65m")
    yield other_plane
    admin.delete(PLACE)
    until("the namespace is gone", lambda: is_refused(404, lambda: admin.get(PLACE)))


def limit(plane: ControlPlane, hard: str) -> None:
    """Let pods of the namespace ask for so much, and wait until that counts."""
    plane.admin.apply(*fleet.quota("compute", space=SPACE, requests_cpu=hard, pods="20"))
    until(f"{hard} counts", lambda: status(plane).get("hard", {}).get("requests.cpu") == hard)


def status(plane: ControlPlane) -> dict[str, Any]:
    found: dict[str, Any] = plane.admin.get(QUOTA).get("status", {})
    return found


def running(plane: ControlPlane, strategy: dict[str, Any]) -> None:
    """Three pods of 10m CPU each serve and are counted."""
    path, manifest = fleet.workload("Deployment", "web", replicas=3, space=SPACE, strategy=strategy)
    plane.admin.apply(path, manifest)
    until("they serve", lambda: plane.admin.get(path)["status"].get("readyReplicas") == 3)
    until("they are counted", lambda: status(plane)["used"]["requests.cpu"] == "30m")


def planned(plane: ControlPlane, tmp_path: Path) -> dict[str, Any]:
    """The header of a plan of new images for all; the checker agrees with it."""
    return header(planned_of(tmp_path, planner.Log(fresh_log(plane)), target=NEW))


def is_let_in(plane: ControlPlane, number: int) -> bool:
    """Whether one more pod such as those of the Deployment is let in."""
    template = fleet.template("more", f"{fleet.REGISTRY}/web:2.0.0")
    name = {"name": f"more-{number}", "namespace": SPACE}
    pod = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": name}
    return not is_refused(403, lambda: plane.admin.request("POST", f"{PLACE}/pods", pod))


def test_as_many_new_pods_are_let_in_as_the_plan_says(
    limited: ControlPlane, tmp_path: Path
) -> None:
    running(limited, SURGES)
    budgets = {each["name"]: each["limit"] for each in planned(limited, tmp_path)["budgets"]}
    let_in = takewhile(partial(is_let_in, limited), count())
    assert budgets[f"quota/{SPACE}/compute"] == len(list(let_in)) == 3


def test_a_pod_that_the_plan_calls_unmovable_does_not_come_back(
    limited: ControlPlane, tmp_path: Path
) -> None:
    running(limited, ROLLS)
    limit(limited, "25m")
    unmovable = planned(limited, tmp_path)["unmovable"]
    names = {each["pod"] for each in unmovable if each["namespace"] == SPACE}
    assert len(names) == 3
    assert all(f"quota/{SPACE}/compute" in each["reason"] for each in unmovable)
    limited.admin.delete(f"{PLACE}/pods/{min(names)}")
    until("nobody may come in its place", lambda: "exceeded quota" in failures(limited))
    limit(limited, "30m")
    until("one may", lambda: status(limited)["used"]["requests.cpu"] == "30m")


def failures(plane: ControlPlane) -> str:
    """What the ReplicaSets of the namespace cannot do."""
    sets = plane.admin.get(f"/apis/apps/v1/namespaces/{SPACE}/replicasets")["items"]
    told = (each["status"].get("conditions", ()) for each in sets)
    return " ".join(str(it.get("message", "")) for each in told for it in each)
