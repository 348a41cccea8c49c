"""Owners who change a workload on a real control plane while a run holds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from planner.apply.naming import DELETION_COST, FIRST_TO_GO, OWNERS_COST
from planner.apply.writer import FIELD_MANAGER
from tests.controlplane import fleet
from tests.controlplane.api import RefusedError, is_refused
from tests.controlplane.conftest import is_ready, serves
from tests.controlplane.given import ours, vacate, wants_room
from tests.controlplane.proxy import Proxy
from tests.controlplane.seen import wait_seen
from tests.controlplane.test_faults import registered, there
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.controlplane.api import Api
    from tests.controlplane.given import Plane
    from tests.controlplane.running import Operator

SPACE = "touched"
PLACE = f"/api/v1/namespaces/{SPACE}"
WEB = f"/apis/apps/v1/namespaces/{SPACE}/deployments/web"
IMAGE = "registry.example.com/touched-web"
NAMED = {"kind": "Deployment", "namespace": SPACE, "name": "web"}
HELD = "fleet-upgrade-planner/held"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
PODS = 12
LOST = "node-0007"
SLOW = 4
"""Pods on the lost node, of which each takes 10 s to start after the one before it."""


@pytest.fixture
def hangzhou(shop_planes: Mapping[str, Plane]) -> Iterator[Plane]:
    """A plane with a Deployment of 12 pods, of which its owner lets 3 be down."""
    plane = shop_planes["hangzhou"]
    wants_room({"hangzhou": plane}, PLACE)
    try:
        plane.admin.apply(*fleet.namespace(SPACE))
        plane.admin.apply(
            *fleet.workload("Deployment", "web", image=f"{IMAGE}:1.0.0", space=SPACE, replicas=PODS)
        )
        until("its pods are ready", lambda: len(ready(plane.admin)) == PODS)
        yield plane
    finally:
        vacate(plane, SPACE)


def request(**spec: Any) -> str:  # noqa: ANN401 JSON
    document = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "touched"},
        "spec": {"target": {"images": [{"from": IMAGE, "to": f"{IMAGE}:2.0.0"}]}, **spec},
    }
    return json.dumps(document)


def pods(api: Api) -> list[Any]:
    items: list[Any] = api.get(f"{PLACE}/pods")["items"]
    return items


def cost_of(pod: Any) -> str:  # noqa: ANN401 JSON
    """The deletion cost of a pod; empty when it has none."""
    return str((pod["metadata"].get("annotations") or {}).get(DELETION_COST, ""))


def ready(api: Api) -> dict[str, str]:
    """Image by uid of the pods that serve."""
    serving = filter(serves, pods(api))
    return {pod["metadata"]["uid"]: pod["spec"]["containers"][0]["image"] for pod in serving}


def images(api: Api) -> list[str]:
    return sorted(ready(api).values())


def restart(api: Api, at: str | None) -> None:
    """As `kubectl rollout restart` does."""
    template = {"metadata": {"annotations": {RESTARTED: at}}}
    api.merge(WEB, {"spec": {"template": template}})
    wait_seen(api, WEB)


def change(api: Api, spec: dict[str, Any], *, at_rest: bool) -> None:
    """Change it as its owner while a run holds it, and has paused it or not at that moment."""

    def is_changed() -> bool:
        live = api.get(WEB)
        is_held = HELD in (live["metadata"].get("annotations") or {})
        if not is_held or live["spec"].get("paused", False) != at_rest:
            return False
        version = {"resourceVersion": live["metadata"]["resourceVersion"]}
        return not is_refused(409, lambda: api.merge(WEB, {"metadata": version, "spec": spec}))

    until("it is held, and changed so", is_changed)


def test_a_restart_at_a_gate_takes_no_pod_and_stops_the_run(
    operator: Operator, hangzhou: Plane
) -> None:
    api = hangzhou.admin
    before = api.get(WEB)["spec"]
    most = {"name": "most", "perWorkload": "75%", "approval": "required"}
    stages = [most, {"name": "rest", "perWorkload": "100%"}]
    plan = operator.plan(request(stages=stages))
    with operator.apply(plan) as running:
        assert running.end() == 5, running.errors
    at_gate = ready(api)
    assert len(at_gate) == PODS
    restart(api, "now")
    operator.say("approve")
    with operator.apply(plan) as running:
        assert running.end() == 5, running.errors
    (ended,) = running.said("ended")
    assert (
        "9 pods run what is wanted, but not all of them are of its present template"
        in (ended["why"])
    )
    assert ready(api) == at_gate, "no pod went"
    restart(api, None)
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors + str(running.events[-2:])
    assert images(api) == [f"{IMAGE}:2.0.0"] * PODS
    after = api.get(WEB)
    assert HELD not in after["metadata"]["annotations"]
    assert {**after["spec"], "template": None} == {**before, "template": None}


def test_who_pauses_a_workload_is_heard_and_not_undone(operator: Operator, hangzhou: Plane) -> None:
    api = hangzhou.admin
    api.apply(*fleet.budget("web", "25%", space=SPACE))
    before = api.get(WEB)["spec"]
    plan = operator.plan(request())
    with operator.apply(plan, "--patience", "10") as running:
        running.wait_for("letting-go")
        # Between waves it is paused already.
        change(api, {"paused": True}, at_rest=False)
        assert running.end() == 5, running.errors
    assert api.get(WEB)["spec"]["paused"] is True
    paused = ready(api)
    assert f"{IMAGE}:1.0.0" in paused.values()
    with operator.apply(plan) as running:
        assert running.end() == 5, running.errors
    assert api.get(WEB)["spec"]["paused"] is True
    assert paused.items() <= ready(api).items()
    # As `kubectl rollout resume` does.
    api.merge(WEB, {"spec": {"paused": None}})
    operator.say("retry")
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors + str(running.events[-2:])
    assert images(api) == [f"{IMAGE}:2.0.0"] * PODS
    after = api.get(WEB)["spec"]
    assert {**after, "template": None} == {**before, "template": None}


def test_nobody_waits_for_pods_that_come_while_a_wave_is_under_way(
    operator: Operator, hangzhou: Plane
) -> None:
    """Somebody scales the workload up, as an autoscaler does in the night of a sale."""
    api = hangzhou.admin
    plan = operator.plan(request())
    scaled = (PODS + 4, PODS + 7)
    with operator.apply(plan, "--patience", "60") as running:
        for wave, replicas in enumerate(scaled, 1):
            running.wait_for("letting-go", wave)
            api.merge(WEB, {"spec": {"replicas": replicas}})
        assert running.end() == 0, running.errors + str(running.events[-2:])
    (ended,) = running.said("ended")
    assert ended["failed"] == 0
    assert running.said("replanned")
    until("all of it serves", lambda: images(api) == [f"{IMAGE}:2.0.0"] * scaled[-1])


def test_a_workload_that_is_scaled_down_while_a_wave_is_let_go_goes_on_with_what_is_left(
    operator: Operator, hangzhou: Plane
) -> None:
    api = hangzhou.admin
    plan = operator.plan(request())
    # Pods are named one after the other, a second each, before their Deployment is written to:
    # until then it rests.
    with operator.apply(plan, "--patience", "60", "--writes-per-second", "1") as running:
        running.wait_for("letting-go", 2)
        running.auditor.theirs(cluster="hangzhou", workload=NAMED, most=PODS // 2, forGood=True)
        change(api, {"replicas": PODS // 2}, at_rest=True)
        assert running.end() == 0, running.errors + str(running.events[-2:])
    assert running.said("ended")[0]["failed"] == 0
    until("all of it serves", lambda: images(api) == [f"{IMAGE}:2.0.0"] * (PODS // 2))


def test_pods_that_stay_have_the_deletion_cost_of_their_owner(
    operator: Operator, hangzhou: Plane
) -> None:
    api = hangzhou.admin
    before = {pod["metadata"]["uid"] for pod in pods(api)}
    for pod in pods(api):
        path = f"{PLACE}/pods/{pod['metadata']['name']}"
        api.merge(path, {"metadata": {"annotations": {DELETION_COST: "7"}}})
    operator.observe()
    some = {"name": "some", "perWorkload": 3, "approval": "required"}
    plan = operator.plan(request(stages=[some, {"name": "rest", "perWorkload": "100%"}]))
    with operator.apply(plan) as running:
        running.wait_for("letting-go")
        # Pods that come now go first, as they are not ready, and those that were let go stay.
        api.merge(WEB, {"spec": {"replicas": PODS + 4}})
        assert running.end() == 5, running.errors
    operator.say("abort")
    with operator.apply(plan) as running:
        assert running.end() == 5, running.errors
    until("it is as large as it should be", lambda: len(ready(api)) == PODS + 4)
    stay = {pod["metadata"]["uid"]: pod for pod in pods(api) if pod["metadata"]["uid"] in before}
    assert len(stay) >= PODS - 3
    assert {cost_of(pod) for pod in stay.values()} == {"7"}
    assert FIRST_TO_GO not in map(cost_of, pods(api))
    assert not any(OWNERS_COST in (pod["metadata"].get("annotations") or {}) for pod in pods(api))


def test_the_rest_is_tried_before_a_run_goes_over_to_it(
    operator: Operator, hangzhou: Plane
) -> None:
    api, name = hangzhou.admin, "touched.example.com"
    ours(hangzhou)
    canary = {"name": "canary", "perWorkload": 1, "approval": "required"}
    plan = operator.plan(request(stages=[canary, {"name": "rest", "perWorkload": "100%"}]))
    with operator.apply(plan) as running:
        assert running.end() == 5, running.errors
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"]}
    theirs = 'object.metadata.name != "web" || request.options.?fieldManager.orValue("") != '
    policy = {
        "matchConstraints": {"resourceRules": [{**rule, "resources": ["deployments"]}]},
        "validations": [{"expression": theirs + json.dumps(FIELD_MANAGER), "message": "not now"}],
    }
    binding = {"policyName": name, "validationActions": ["Deny"]}
    kind = "ValidatingAdmissionPolicy"
    with there(
        api,
        registered(kind, "validatingadmissionpolicies", name, policy),
        registered(f"{kind}Binding", "validatingadmissionpolicybindings", name, binding),
    ):
        until("it is denied", lambda: is_denied(api))
        # More has to move than was planned.
        api.merge(WEB, {"spec": {"replicas": PODS + 4}})
        until("its pods are ready", lambda: len(ready(api)) == PODS + 4)
        operator.say("approve")
        with operator.apply(plan) as running:
            assert running.end() == 5, running.errors
        assert "not now" in running.said("ended")[0]["why"]
        assert not running.said("replanned")
    until("it is not denied", lambda: not is_denied(api))
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors + str(running.events[-2:])
    assert running.said("replanned")
    assert images(api) == [f"{IMAGE}:2.0.0"] * (PODS + 4)


def is_denied(api: Api) -> bool:
    """Whether a dry run of the field manager of runs is denied by now."""
    path = f"{WEB}?dryRun=All&fieldManager={FIELD_MANAGER}"
    try:
        api.patch(path, {"spec": {"revisionHistoryLimit": 7}})
    except RefusedError:
        return True
    return False


def test_a_run_lets_pods_go_no_faster_than_their_registry_may_be_pulled_from(
    operator: Operator, hangzhou: Plane
) -> None:
    pulls = {"name": "pulls", "registry": "registry.example.com", "pullsPerSecond": 1}
    with operator.apply(operator.plan(request(rates=[pulls]))) as running:
        assert running.end() == 0, running.errors + str(running.events[-2:])
    went = running.said("letting-go")
    first_of = {it["wave"]: it["moves"] for it in reversed(went)}
    assert len(went) > len(first_of) > 1
    assert set(first_of.values()) == {1}, "the others of a wave wait for its registry"
    assert images(hangzhou.admin) == [f"{IMAGE}:2.0.0"] * PODS


def test_a_run_gets_through_slow_answers_slow_starts_and_a_node_that_is_lost_meanwhile(
    operator: Operator, hangzhou: Plane
) -> None:
    plane, api = ours(hangzhou), hangzhou.admin
    slow = f"{IMAGE}-slow"
    path, manifest = fleet.workload(
        "StatefulSet", "slow", image=f"{slow}:1.0.0", space=SPACE, replicas=SLOW
    )
    manifest["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/hostname": LOST}
    api.apply(path, manifest)
    until("its pods are ready", lambda: len(ready(api)) == PODS + SLOW)
    operator.observe()
    images = [{"from": IMAGE, "to": f"{IMAGE}:2.0.0"}, {"from": slow, "to": f"{slow}:slow"}]
    plan = operator.plan(request(target={"images": images}))
    with Proxy(plane.port) as proxy:
        operator.kubeconfig = plane.kubeconfig(port=proxy.port)
        with operator.apply(plan) as running:
            running.wait_for("letting-go")
            proxy.delay(0.2)
            running.auditor.theirs(cluster="hangzhou", node=LOST)
            plane.lose_node(LOST)
            try:
                # kwok lets a node go at most 10 s after it has lost its lease, and starts what it
                # was about to start: one pod or two of them. The others are not started.
                until("its pods do not serve", lambda: not serving_on(api, LOST))
                assert not is_ready(api.get(f"/api/v1/nodes/{LOST}"))
                assert running.process.poll() is None, "the wave waits for it"
            finally:
                plane.find_node(LOST)
            assert running.end() == 0, running.errors + str(running.events[-2:])
    (ended,) = running.said("ended")
    assert (ended["moved"], ended["failed"]) == (PODS + SLOW, 0)
    assert running.audit["theirs"] > 0, "they fell with their node"
    assert sorted(ready(api).values()) == [f"{slow}:slow"] * SLOW + [f"{IMAGE}:2.0.0"] * PODS


def serving_on(api: Api, node: str) -> list[Any]:
    return [pod for pod in pods(api) if pod["spec"].get("nodeName") == node and serves(pod)]
