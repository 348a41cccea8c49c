"""The role that the planner prints is enough to observe, and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from planner.cli.observe import ROLE_NAME
from planner.observe.follow import ROLE_REMEDY
from planner.observe.kinds import observer_role
from tests.controlplane import fleet
from tests.controlplane.api import RefusedError
from tests.controlplane.observing import (
    door,
    empty_log,
    observing,
    rows,
    wait_same,
    wait_told,
)
from tests.controlplane.plane import OBSERVER
from tests.controlplane.program import planner
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.controlplane.plane import ControlPlane

RBAC = "/apis/rbac.authorization.k8s.io/v1"
SPACE = f"/api/v1/namespaces/{fleet.NAMESPACE}"
APPS = f"/apis/apps/v1/namespaces/{fleet.NAMESPACE}"
FORBIDDEN: dict[str, tuple[str, str, object]] = {
    "read secrets": ("GET", "/api/v1/secrets", None),
    "read one secret": ("GET", f"{SPACE}/secrets/x", None),
    "watch secrets": ("GET", "/api/v1/secrets?watch=true", None),
    "read config maps": ("GET", "/api/v1/configmaps", None),
    "read service accounts": ("GET", "/api/v1/serviceaccounts", None),
    "read logs": ("GET", f"{SPACE}/pods/x/log", None),
    "run commands": ("POST", f"{SPACE}/pods/x/exec?command=id", None),
    "read roles": ("GET", f"{RBAC}/clusterroles", None),
    "create a pod": ("POST", f"{SPACE}/pods", {}),
    "delete a pod": ("DELETE", f"{SPACE}/pods/x", None),
    "evict a pod": ("POST", f"{SPACE}/pods/x/eviction", {}),
    "delete all pods": ("DELETE", f"{SPACE}/pods", None),
    "change a workload": ("PATCH", f"{APPS}/deployments/web", {}),
    "scale a workload": ("PATCH", f"{APPS}/deployments/web/scale", {}),
    "change a node": ("PATCH", "/api/v1/nodes/node-0000", {}),
    "make a token": ("POST", f"{SPACE}/serviceaccounts/default/token", {}),
}
MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def bound(plane: ControlPlane) -> Iterator[None]:
    """The role as it is printed, for the user who observes."""
    plane.kubectl("apply", "-f", "-", stdin=planner("observe", "--role").stdout)
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": ROLE_NAME},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": ROLE_NAME,
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": OBSERVER}],
    }
    plane.admin.apply(f"{RBAC}/clusterrolebindings/{ROLE_NAME}", binding)
    until("the server knows of it", lambda: may_read(plane))
    yield
    plane.admin.delete(f"{RBAC}/clusterrolebindings/{ROLE_NAME}")


def may_read(plane: ControlPlane) -> bool:
    """Whether the user who observes may read pods by now."""
    try:
        plane.api(OBSERVER).raw("/api/v1/pods?limit=1")
    except RefusedError:
        return False
    return True


def test_the_printed_role_is_the_one_that_the_kinds_need() -> None:
    assert yaml.safe_load(planner("observe", "--role").stdout) == observer_role(ROLE_NAME)


@pytest.mark.usefixtures("bound")
def test_whoever_has_the_role_sees_the_whole_fleet(plane: ControlPlane) -> None:
    log = empty_log()
    with observing(log, {plane.name: door(plane, OBSERVER)}) as running:
        wait_same(log, plane)
    assert not any("trying again" in line for line in running.told)


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize("what", FORBIDDEN)
def test_whoever_has_the_role_may_not(plane: ControlPlane, what: str) -> None:
    method, path, body = FORBIDDEN[what]
    with pytest.raises(RefusedError) as refused:
        plane.api(OBSERVER).request(
            method, path, body, content_type=MERGE if method == "PATCH" else "application/json"
        )
    assert refused.value.status == 403


@pytest.mark.usefixtures("bound")
def test_the_server_knows_of_no_other_permission(plane: ControlPlane) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": fleet.NAMESPACE},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    told = plane.api(OBSERVER).request("POST", path, review)
    rules = yaml.safe_load(told)["status"]["resourceRules"]
    # To ask what one may do is open to everybody.
    own = [rule for rule in rules if not is_about_oneself(rule)]
    assert sorted(own, key=str) == sorted(observer_role(ROLE_NAME)["rules"], key=str)


def is_about_oneself(rule: dict[str, Any]) -> bool:
    return all(name.startswith("selfsubject") for name in rule["resources"])


def test_with_the_role_of_an_older_version_quotas_are_done_without(
    other_plane: ControlPlane,
) -> None:
    role, binding = f"{RBAC}/clusterroles/older", f"{RBAC}/clusterrolebindings/older"
    older = observer_role("older")
    for rule in older["rules"]:
        rule["resources"] = [it for it in rule["resources"] if it != "resourcequotas"]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "older"}
    user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": OBSERVER}
    api = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "older"}}
    other_plane.admin.apply(role, older)
    other_plane.admin.apply(
        binding,
        {**api, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [user]},
    )
    try:
        until("the server knows of it", lambda: may_read(other_plane))
        log = empty_log()
        with observing(log, {other_plane.name: door(other_plane, OBSERVER)}) as running:
            wait_same(log, other_plane)
        about = [line for line in running.told if "resourcequotas" in line]
        assert [ROLE_REMEDY in line for line in about if "forbidden" in line] == [True]
        assert not any("trying again" in line for line in running.told)
    finally:
        other_plane.admin.delete(binding)
        other_plane.admin.delete(role)


def test_without_the_role_the_observer_says_what_to_do_and_waits(
    other_plane: ControlPlane,
) -> None:
    log = empty_log()
    with observing(log, {other_plane.name: door(other_plane, OBSERVER)}) as running:
        wait_told(running, "apply the role that `planner observe --role` prints")
    assert {row["resource"] for row in rows(log) if "name" in row} <= {"versions"}
