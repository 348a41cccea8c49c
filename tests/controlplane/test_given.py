"""Scenarios of runs work on a cluster that somebody gives, and leave it as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.controlplane import applied, fleet, test_apply
from tests.controlplane.given import VARIABLE, is_there, ours
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.controlplane.api import Api
    from tests.controlplane.given import Plane
    from tests.controlplane.plane import ControlPlane

HERE = Path(__file__).parent
SCENARIO = test_apply.test_every_native_way_goes_as_planned_and_everything_is_given_back
APPLIED = f"{HERE / 'test_apply.py'}::{SCENARIO.__name__}"
RELEASED = HERE / "test_release.py"
CONTRACT = HERE / "test_contract.py"
# Of a Deployment, of both StatefulSets (one field has a gate), of a SidecarSet, and of broken pods.
SOME = "recreate_takes or ordinals_go or only_selected or budget_that_broken"
KINDS = (
    "/api/v1/namespaces",
    "/api/v1/nodes",
    "/api/v1/pods",
    "/apis/apps/v1/deployments",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
)


def run(plane: ControlPlane, *tests: str | Path) -> str:
    """Give a cluster to tests of another process, and what pytest says of them."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *tests],
        env={**kept, VARIABLE: str(plane.kubeconfig())},
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    # Reasons are wrapped where a terminal is narrow.
    return " ".join(done.stdout.split())


def what_is_there(api: Api) -> set[tuple[str, str, str]]:
    """Everything that somebody has, by kind and uid, and its labels."""
    until("no namespace and no pod is on its way out", lambda: not leaving(api))
    return {
        (kind, each["metadata"]["uid"], str(each["metadata"].get("labels")))
        for kind in KINDS
        for each in api.get(kind)["items"]
    }


def leaving(api: Api) -> list[str]:
    there = (
        it["metadata"]
        for kind in ("namespaces", "pods")
        for it in api.get(f"/api/v1/{kind}")["items"]
    )
    return [it["name"] for it in there if "deletionTimestamp" in it]


def test_a_plan_is_carried_out_on_a_cluster_that_is_given(other_plane: ControlPlane) -> None:
    before = what_is_there(other_plane.admin)
    said = run(other_plane, APPLIED, RELEASED)
    assert "1 passed, 2 skipped" in said
    missing = "clonesets, daemonsets, sidecarsets, statefulsets of apps.kruise.io"
    assert f"hangzhou has no {missing}; install OpenKruise there" in said
    assert what_is_there(other_plane.admin) == before


def test_the_controllers_of_a_cluster_that_is_given_are_held_to_the_contract(
    shop_planes: Mapping[str, Plane],
) -> None:
    plane = ours(shop_planes["hangzhou"])
    before = what_is_there(plane.admin)
    node, its = next(fleet.nodes(1))
    played = its["metadata"]["annotations"]
    try:
        # As if a kubelet were there.
        plane.admin.patch(node, {"metadata": {"annotations": dict.fromkeys(played)}})
        said = run(plane, CONTRACT, "-k", SOME)
    finally:
        plane.admin.patch(node, {"metadata": {"annotations": played}})
    assert "3 passed, 2 skipped" in said
    assert "hangzhou drops maxUnavailable; its feature gate is off" in said
    assert "hangzhou has nodes that kwok does not play; a kubelet says itself" in said
    assert what_is_there(plane.admin) == before


def test_a_namespace_that_is_somebody_elses_is_left_alone(other_plane: ControlPlane) -> None:
    path, manifest = fleet.namespace(applied.SPACE)
    other_plane.admin.apply(path, manifest)
    said = run(other_plane, APPLIED)
    assert f"hangzhou has {path} already, and it is not ours" in said
    assert is_there(other_plane.admin, path)
    other_plane.admin.delete(path)
