"""The writer at a real API server that refuses, fails and falls silent."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from planner.apply.levers.held import spec_with
from planner.apply.tries import Timing
from planner.apply.writer import Claim, Writer
from planner.errors import ClusterError, RunError
from tests.controlplane import fleet
from tests.controlplane.conftest import wait_all_ready
from tests.controlplane.observing import door
from tests.controlplane.plane import OBSERVER
from tests.controlplane.proxy import Proxy
from tests.controlplane.running import Operator
from tests.controlplane.seen import has_settled, wait_seen
from tests.controlplane.test_fence import PODS, WEB, WEB_PATH
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from planner.kube.cluster import Answer, Call, Cluster
    from tests.controlplane.api import Api
    from tests.controlplane.plane import ControlPlane

REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
PODS_MAX = 12
DENIED = "no more than so many may be unavailable"


def writer(
    to: Cluster, wait: Callable[[float], bool] = lambda _: False, *, dry_run: bool = False
) -> Writer:
    return Writer(
        "shanghai",
        to,
        claim=Claim(mark="run/1", check=lambda: None),
        writes_per_s=1000,
        timing=Timing(wait),
        dry_run=dry_run,
    )


def unhurried(_seconds: float) -> bool:
    pytest.fail("nobody has to wait")


def spare(plane: ControlPlane) -> Any:  # noqa: ANN401 JSON
    wait_all_ready(plane, PODS_MAX)
    return plane.admin.get(PODS)["items"][0]["metadata"]


def evict(plane: ControlPlane, by: Writer) -> tuple[str, str]:
    pod = spare(plane)
    written = by.remove(fleet.NAMESPACE, pod["name"], pod["uid"], evict=True)
    return written.outcome, written.why


@contextmanager
def there(api: Api, *objects: tuple[str, dict[str, Any]]) -> Iterator[None]:
    """Objects that are there meanwhile."""
    for path, manifest in objects:
        api.apply(path, manifest)
    try:
        yield
    finally:
        for path, _ in objects:
            api.delete(path)


def budget(name: str, maximum: int) -> tuple[str, dict[str, Any]]:
    path, manifest = fleet.budget(name, maximum)
    manifest["spec"]["selector"] = {"matchLabels": {"app": "web"}}
    return path, manifest


def test_a_budget_without_room_refuses_at_once(other_plane: ControlPlane) -> None:
    none = budget("none", 0)
    with there(other_plane.admin, none):
        wait_seen(other_plane.admin, none[0])
        outcome, why = evict(other_plane, writer(door(other_plane), unhurried))
        tried, _ = evict(other_plane, writer(door(other_plane), dry_run=True))
    assert (outcome, tried) == ("refused", "refused")
    assert "disruption budget" in why


def test_a_budget_that_is_behind_refuses_at_once(other_plane: ControlPlane) -> None:
    some = budget("some", 1)
    with there(other_plane.admin, some):
        wait_seen(other_plane.admin, some[0])
        other_plane.stop_process("kube-controller-manager")
        try:
            other_plane.admin.patch(some[0], {"spec": {"maxUnavailable": 0}})
            outcome, why = evict(other_plane, writer(door(other_plane), unhurried))
        finally:
            other_plane.start_process("kube-controller-manager")
        wait_seen(other_plane.admin, some[0])
    assert outcome == "refused"
    assert "disruption budget" in why


def test_two_budgets_refuse_in_a_body_and_are_told_so(other_plane: ControlPlane) -> None:
    one, two = budget("one", 1), budget("two", 1)
    with there(other_plane.admin, one, two):
        wait_seen(other_plane.admin, one[0])
        wait_seen(other_plane.admin, two[0])
        outcome, why = evict(other_plane, writer(door(other_plane), unhurried))
        with pytest.raises(RunError, match="more than one PodDisruptionBudget"):
            evict(other_plane, writer(door(other_plane), dry_run=True))
    assert outcome == "refused"
    assert "more than one PodDisruptionBudget" in why


def test_an_admission_that_denies_an_eviction_refuses_it_for_now(
    other_plane: ControlPlane,
) -> None:
    name = "guarded.example.com"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"]}
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [{**rule, "resources": ["pods/eviction"]}]},
        "validations": [{"expression": "false", "message": DENIED, "reason": "Forbidden"}],
    }
    binding = {"policyName": name, "validationActions": ["Deny"]}
    with there(
        other_plane.admin,
        registered("ValidatingAdmissionPolicy", "validatingadmissionpolicies", name, policy),
        registered(
            "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", name, binding
        ),
    ):
        until("it denies", partial(is_denied, other_plane))
        outcome, why = evict(other_plane, writer(door(other_plane), unhurried))
    until("it denies no more", lambda: not is_denied(other_plane))
    assert outcome == "refused"
    assert DENIED in why


def registered(
    kind: str, plural: str, name: str, spec: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    manifest = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }
    return f"{REGISTRATION}/{plural}/{name}", manifest


def is_denied(plane: ControlPlane) -> bool:
    """Whether a dry run of an eviction is denied by now."""
    try:
        evict(plane, writer(door(plane), dry_run=True))
    except RunError as error:
        return DENIED in str(error)
    return False


def test_a_right_that_is_missing_stops_the_run(other_plane: ControlPlane) -> None:
    pod = spare(other_plane)
    by = writer(Reading(door(other_plane), door(other_plane, OBSERVER)), unhurried)
    with pytest.raises(RunError, match="cannot create resource"):
        by.remove(fleet.NAMESPACE, pod["name"], pod["uid"], evict=True)


class Reading:
    """A door by which one identity reads and another one writes."""

    def __init__(self, reads: Cluster, writes: Cluster) -> None:
        self._reads, self._writes = reads, writes
        self.get, self.stream, self.interrupt = reads.get, reads.stream, reads.interrupt

    def send(self, call: Call) -> Answer:
        return (self._reads if call.method == "GET" else self._writes).send(call)


def test_a_field_that_the_server_does_not_know_is_refused_and_nothing_is_kept(
    other_plane: ControlPlane,
) -> None:
    before = other_plane.admin.get(WEB_PATH)["metadata"]
    with pytest.raises(RunError, match=r'strict decoding error: unknown field "spec\.tier"'):
        writer(door(other_plane)).pull(*WEB, lambda live: spec_with(live, tier=3))
    after = other_plane.admin.get(WEB_PATH)["metadata"]
    for key in ("generation", "annotations"):
        assert after[key] == before[key]


def test_what_the_server_warns_of_stops_a_dry_run(other_plane: ControlPlane) -> None:
    def chosen(live: Any) -> Any:  # noqa: ANN401 JSON
        template = live["spec"]["template"]
        spec = {**template["spec"], "nodeSelector": {"beta.kubernetes.io/arch": "amd64"}}
        return spec_with(live, template={**template, "spec": spec})

    before = other_plane.admin.get(WEB_PATH)["spec"]
    with pytest.raises(RunError, match=r"the server warns: .*nodeSelector.*deprecated since"):
        writer(door(other_plane), dry_run=True).pull(*WEB, chosen)
    assert other_plane.admin.get(WEB_PATH)["spec"] == before


def test_a_webhook_that_is_down_is_waited_for(other_plane: ControlPlane) -> None:
    path = f"{REGISTRATION}/validatingwebhookconfigurations/down.example.com"
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"],
            "resources": ["deployments"]}  # fmt: skip
    hook = {
        "name": "down.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [rule],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 1,
        # The controllers have to go on.
        "matchConditions": [
            {"name": "ours", "expression": "request.options.fieldManager != ''"},
            {"name": "this", "expression": "object.spec.revisionHistoryLimit == 4"},
        ],
    }
    manifest = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "down.example.com"},
        "webhooks": [hook],
    }
    api, waits = other_plane.admin, []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 10:
            api.delete(path)
        return False

    def limited(live: Any, limit: int) -> Any:  # noqa: ANN401 JSON
        return spec_with(live, revisionHistoryLimit=limit)

    api.apply(path, manifest)
    until("it fails", partial(fails, other_plane))
    # More often than a conflict is tried again.
    writer(door(other_plane), wait).pull(*WEB, partial(limited, limit=4))
    assert len(waits) >= 10
    assert api.get(WEB_PATH)["spec"]["revisionHistoryLimit"] == 4
    until("it fails no more", lambda: not fails(other_plane))
    writer(door(other_plane)).pull(*WEB, partial(limited, limit=10))


def fails(plane: ControlPlane) -> bool:
    """Whether the webhook is asked by now."""
    trying = writer(door(plane), lambda _: True, dry_run=True)
    try:
        trying.pull(*WEB, lambda live: spec_with(live, revisionHistoryLimit=4))
    except ClusterError as error:
        return "failed calling webhook" in str(error)
    return False


def test_a_server_that_is_cut_off_is_waited_for(other_plane: ControlPlane) -> None:
    pod, waits = spare(other_plane), []
    with Proxy(other_plane.port) as proxy:
        by = door(other_plane, port=proxy.port)

        def wait(seconds: float) -> bool:
            waits.append(seconds)
            if len(waits) == 12:
                proxy.mend()
            return False

        proxy.cut()
        written = writer(by, wait).remove(fleet.NAMESPACE, pod["name"], pod["uid"], evict=True)
    assert (written.outcome, len(waits)) == ("done", 12)
    wait_all_ready(other_plane, PODS_MAX)


class Lossy:
    """A door whose first answer to a write is lost, though the write was done."""

    def __init__(self, door: Cluster) -> None:
        self._door = door
        self.lost = 0
        self.get, self.stream, self.interrupt = door.get, door.stream, door.interrupt

    def send(self, call: Call) -> Answer:
        answer = self._door.send(call)
        if call.method != "GET" and not self.lost:
            self.lost += 1
            raise ClusterError(0, "connection reset by peer")
        return answer


def test_a_write_whose_answer_is_lost_is_not_said_again(other_plane: ControlPlane) -> None:
    # Whatever its controller has to say of the Deployment it has said: a write in between is one
    # more of ours.
    wait_all_ready(other_plane, PODS_MAX)
    until("all is told", lambda: has_settled(other_plane.admin.get(WEB_PATH), PODS_MAX))
    lossy = Lossy(door(other_plane))
    by = writer(lossy)
    by.pull(*WEB, lambda live: spec_with(live, revisionHistoryLimit=5))
    assert (lossy.lost, by.writes) == (1, 1)
    assert other_plane.admin.get(WEB_PATH)["spec"]["revisionHistoryLimit"] == 5
    lossy.lost = 0
    outcome, why = evict(other_plane, by)
    assert outcome in ("done", "gone"), why
    assert by.writes == 2
    wait_all_ready(other_plane, PODS_MAX)


def test_a_pod_that_changed_meanwhile_is_read_again(other_plane: ControlPlane) -> None:
    pod = spare(other_plane)
    path = f"{PODS}/{pod['name']}"
    other_plane.admin.patch(path, {"metadata": {"labels": {"meanwhile": "yes"}}})
    by = writer(door(other_plane), unhurried)
    change = {"labels": {"late": "yes"}}
    version = pod["resourceVersion"]
    written = by.merge_pod(fleet.NAMESPACE, pod["name"], pod["uid"], version, change)
    assert (written.outcome, by.writes) == ("done", 2)
    labels = other_plane.admin.get(path)["metadata"]["labels"]
    assert {"meanwhile", "late"} <= labels.keys()
    other = by.merge_pod(fleet.NAMESPACE, pod["name"], "another-uid", version, change)
    assert other.outcome == "gone"


def test_a_run_goes_on_whatever_becomes_of_its_connections(
    other_plane: ControlPlane, tmp_path: Path
) -> None:
    wait_all_ready(other_plane, PODS_MAX)
    api = other_plane.admin
    now = api.get(WEB_PATH)["spec"]["template"]["spec"]["containers"][0]["image"]
    image = now.rpartition(":")[0]
    rule = {"from": image, "to": f"{image}:faults"}
    request = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "faults"},
        "spec": {"target": {"images": [rule]}},
    }
    with there(api, budget("quarter", 3)), Proxy(other_plane.port) as proxy:
        operator = Operator(tmp_path, {other_plane.name: other_plane}, [fleet.NAMESPACE])
        operator.observe()
        plan = operator.plan(json.dumps(request))
        operator.kubeconfig = other_plane.kubeconfig(port=proxy.port)
        with operator.apply(plan) as running:
            for break_, is_noticed in (
                (proxy.cut, lambda: proxy.refused > 5),
                (proxy.silence, lambda: proxy.held > 0),
            ):
                running.wait_for("moving", len(running.said("moving")) + 1)
                break_()
                until("it is noticed", is_noticed)
                proxy.mend()
            assert running.end() == 0, running.errors
    # An old pod may end after the new one has come.
    wait_all_ready(other_plane, PODS_MAX)
    pods = api.get(PODS)["items"]
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {f"{image}:faults"}
    (ended,) = running.said("ended")
    assert (ended["moved"], ended["failed"]) == (PODS_MAX, 0)
