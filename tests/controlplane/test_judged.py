"""How a run is judged on a real control plane when something else happens than was planned."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from tests.controlplane import fleet
from tests.controlplane.conftest import serves
from tests.controlplane.given import ours, vacate, wants_room
from tests.controlplane.ports import free_ports
from tests.controlplane.program import COMMAND
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.controlplane.api import Api
    from tests.controlplane.given import Plane
    from tests.controlplane.running import Operator, Running

SPACE = "judged"
PLACE = f"/api/v1/namespaces/{SPACE}"
APPS = f"/apis/apps/v1/namespaces/{SPACE}"
REPLICAS = {"store": 1, "web": 6, "api": 4}
NOWHERE = {"nodeSelector": {"no": "where"}}


@pytest.fixture
def hangzhou(shop_planes: Mapping[str, Plane]) -> Iterator[Plane]:
    """A plane with a namespace of three workloads, 11 pods."""
    plane = shop_planes["hangzhou"]
    wants_room({"hangzhou": plane}, PLACE)
    try:
        plane.admin.apply(*fleet.namespace(SPACE))
        for name, count in REPLICAS.items():
            kind = "StatefulSet" if name == "store" else "Deployment"
            plane.admin.apply(
                *fleet.workload(kind, name, image=image(name), space=SPACE, replicas=count)
            )
        until("its pods are ready", lambda: len(ready(plane.admin)) == sum(REPLICAS.values()))
        yield plane
    finally:
        vacate(plane, SPACE)


def image(name: str, tag: str = "1.0.0") -> str:
    return f"{fleet.REGISTRY}/judged-{name}:{tag}"


def request(tags: Mapping[str, str], **spec: Any) -> str:  # noqa: ANN401 JSON
    rules = [
        {"from": image(name).removesuffix(":1.0.0"), "to": image(name, tag)}
        for name, tag in tags.items()
    ]
    document = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "judged"},
        "spec": {"target": {"images": rules}, **spec},
    }
    return json.dumps(document)


def ready(api: Api) -> list[str]:
    """Images of the pods that are ready."""
    pods = api.get(f"{PLACE}/pods")["items"]
    return [pod["spec"]["containers"][0]["image"] for pod in pods if serves(pod)]


def change_template(api: Api, name: str, template: Any, **spec: Any) -> None:  # noqa: ANN401 JSON
    body = {"spec": {"template": {"spec": template}, **spec}}
    kind = "statefulsets" if name == "store" else "deployments"
    api.merge(f"{APPS}/{kind}/{name}", body)


def uid_of(api: Api, pod: str) -> str:
    """Uid of a pod; empty while there is none."""
    items = api.get(f"{PLACE}/pods")["items"]
    return next((it["metadata"]["uid"] for it in items if it["metadata"]["name"] == pod), "")


def take_all_room(api: Api) -> None:
    """Let one pod be down of all, and somebody's rollout take it down."""
    path, budget = fleet.budget("all", 1, space=SPACE)
    api.apply(path, {**budget, "spec": {"maxUnavailable": 1, "selector": {}}})
    rolling = {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    change_template(api, "api", NOWHERE, strategy=rolling)
    until("one is down", lambda: len(ready(api)) == sum(REPLICAS.values()) - 1)


def give_it_back(api: Api) -> None:
    change_template(api, "api", {"nodeSelector": None})
    until("there is room", lambda: len(ready(api)) == sum(REPLICAS.values()))


def test_a_waiting_pod_that_is_lost_is_moved_by_another_plan(
    operator: Operator, hangzhou: Plane
) -> None:
    api = hangzhou.admin
    plan = operator.plan(request({"store": "2.0.0"}))
    take_all_room(api)
    before = uid_of(api, "store-0")
    with operator.apply(plan) as running:
        running.wait_for("moving")
        running.auditor.theirs(cluster="hangzhou", uids=[before])
        api.delete(f"{PLACE}/pods/store-0")
        until("another has come", lambda: uid_of(api, "store-0") not in ("", before))
        give_it_back(api)
        code = running.end()
    assert code in (0, 5), running.errors
    replanned = running.said("replanned")
    if code:
        # While there was no room there was no plan either.
        assert "there is no plan for what is left" in running.said("ended")[0]["why"]
        with operator.apply(plan) as running:
            assert running.end() == 0, running.errors
        replanned = running.said("replanned")
    assert any(
        "1 pods have to move, planned were 0" in why for it in replanned for why in it["why"]
    )
    assert running.said("ended")[0]["moved"] == 1
    assert ready(api).count(image("store", "2.0.0")) == 1


def test_people_try_again_what_failed_and_skip_what_cannot_go(
    operator: Operator, hangzhou: Plane
) -> None:
    api = hangzhou.admin
    plan = operator.plan(request({"store": "2.0.0"}))
    take_all_room(api)
    with operator.apply(plan, "--patience", "1") as running:
        assert running.end() == 5, running.errors
    (ended,) = running.said("ended")
    assert (ended["ending"], ended["failed"]) == ("stopped", 1)
    assert "1 pods failed in this run" in ended["why"]
    operator.say("retry")
    # Nobody is impatient with a run that is paused, however long it takes to say something.
    operator.say("pause")
    with operator.apply(plan) as running:
        running.wait_for("paused")
        operator.say("skip")
        assert running.end() == 5, running.errors
    (ended,) = running.said("ended")
    assert (ended["ending"], ended["moved"], ended["failed"]) == ("incomplete", 0, 0)
    assert ended["held"] == [f"hangzhou/{SPACE}/StatefulSet/store: 1 pod stays at another version"]
    (listed,) = json.loads(operator.say("runs", "--format", "json"))["runs"]
    assert (listed["state"], listed["fidelity"]) == ("incomplete", ended["fidelity"])
    give_it_back(api)
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors
    assert ready(api).count(image("store", "2.0.0")) == 1


def test_what_waits_for_a_pod_that_failed_waits(operator: Operator, hangzhou: Plane) -> None:
    waits = {"workload": {"namespace": SPACE, "name": "web"},
             "after": [{"namespace": SPACE, "name": "store"}]}  # fmt: skip
    plan = operator.plan(request({"store": "broken", "web": "2.0.0"}, dependencies=[waits]))
    with operator.apply(plan, "--patience", "5", "--failures", "1") as running:
        assert running.end() == 5, running.errors
    (ended,) = running.said("ended")
    assert (ended["ending"], ended["moved"]) == ("stopped", 0)
    assert f"{SPACE}/web after {SPACE}/store is not through" in {
        each["why"] for each in running.said("moving")
    }
    assert ready(hangzhou.admin).count(image("web")) == REPLICAS["web"]


def approved_to_its_end(operator: Operator, running: Running) -> int:
    """Approve whatever is asked for; the exit code."""
    asked = 0
    while not running.said("ended"):
        until("asked or over", lambda: len(running.said("approval")) > asked or is_over(running))  # noqa: B023
        if len(running.said("approval")) > asked:
            asked += 1
            operator.say("approve")
        elif is_over(running):
            break
    return running.end()


def is_over(running: Running) -> bool:
    return running.process.poll() is not None


def test_what_somebody_froze_half_done_stays_held(operator: Operator, hangzhou: Plane) -> None:
    api = hangzhou.admin
    stages = [{"name": "half", "perWorkload": "50%", "approval": "required"},
              {"name": "rest", "perWorkload": "100%"}]  # fmt: skip
    plan = operator.plan(request({"web": "2.0.0", "store": "2.0.0"}, stages=stages))
    with operator.apply(plan) as running:
        assert running.end() == 5, running.errors
    behind = ready(api).count(image("web"))
    assert 0 < behind < REPLICAS["web"]
    api.apply(*fleet.budget("web", 0, space=SPACE))
    containers = [{"name": "main", "image": image("store", "1.5.0")}]
    change_template(api, "store", {"containers": containers})
    until("it moves", lambda: ready(api).count(image("store", "1.5.0")))
    operator.say("approve")
    with operator.apply(plan, "--wait") as running:
        assert approved_to_its_end(operator, running) == 5, running.errors
    (ended,) = running.said("ended")
    assert (ended["ending"], len(ended["plans"])) == ("incomplete", 2)
    (held,) = ended["held"]
    assert held == f"hangzhou/{SPACE}/Deployment/web: {behind} pods stay at another version"
    annotations = api.get(f"{APPS}/deployments/web")["metadata"]["annotations"]
    assert "fleet-upgrade-planner/held" in annotations
    assert ready(api).count(image("web")) == behind
    # Once its owner lets it move, the same plan is carried out to its end.
    api.delete(f"/apis/policy/v1/namespaces/{SPACE}/poddisruptionbudgets/web")
    with operator.apply(plan, "--wait") as running:
        assert approved_to_its_end(operator, running) == 0, running.errors
    assert ready(api).count(image("web", "2.0.0")) == REPLICAS["web"]
    assert ready(api).count(image("store", "2.0.0")) == REPLICAS["store"]


def test_an_executor_sees_by_somebody_elses_observer_and_serves_metrics(
    operator: Operator, hangzhou: Plane
) -> None:
    stages = [{"name": "half", "perWorkload": "50%", "approval": "required"},
              {"name": "rest", "perWorkload": "100%"}]  # fmt: skip
    plan = operator.plan(request({"api": "2.0.0"}, stages=stages))
    (port,) = free_ports(1)
    quiet = subprocess.DEVNULL
    command = [*COMMAND, "observe", *operator.live]
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as observer:
        try:
            served_at = ("--metrics", str(port))
            with operator.apply(plan, "--no-observe", "--wait", *served_at) as running:
                # Nothing goes on meanwhile.
                running.wait_for("approval")
                with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                    served = answer.read().decode()
                operator.say("approve")
                assert running.end() == 0, running.errors
        finally:
            observer.send_signal(signal.SIGINT)
    assert 'planner_run_events_total{event="wave"} 2.0' in served
    assert "planner_run_of 4.0" in served
    assert ready(hangzhou.admin).count(image("api", "2.0.0")) == REPLICAS["api"]


def canary(api: Api) -> Any:  # noqa: ANN401 JSON
    """The one pod of `web` that is at its new version."""
    pods = api.get(f"{PLACE}/pods")["items"]
    new = image("web", "2.0.0")
    (pod,) = (it for it in pods if it["spec"]["containers"][0]["image"] == new)
    return pod


def serve(api: Api, pod: Any, *, whether: bool) -> None:  # noqa: ANN401 JSON
    """Let a pod stop to serve, or serve again, as its kubelet would say."""
    conditions = [
        {**it, "status": str(whether)} if it["type"] in ("Ready", "ContainersReady") else it
        for it in pod["status"]["conditions"]
    ]
    path = f"{PLACE}/pods/{pod['metadata']['name']}/status"
    api.merge(path, {"status": {"conditions": conditions}})


def test_what_stops_serving_while_it_soaks_stops_the_run(
    operator: Operator, hangzhou: Plane
) -> None:
    api = ours(hangzhou).admin
    stages = [{"name": "canary", "perWorkload": 1, "soak": "25s"},
              {"name": "rest", "perWorkload": "100%"}]  # fmt: skip
    plan = operator.plan(request({"web": "2.0.0"}, stages=stages))
    with operator.apply(plan, "--patience", "1") as running:
        running.wait_for("soaking")
        broken = canary(api)
        running.auditor.theirs(cluster="hangzhou", uids=[broken["metadata"]["uid"]])
        serve(api, broken, whether=False)
        assert running.end() == 5, running.errors
    (ended,) = running.said("ended")
    assert (ended["ending"], ended["moved"], ended["failed"]) == ("stopped", 0, 1)
    assert any("1 pod not back" in each["why"] for each in running.said("moving"))
    assert ready(api).count(image("web")) == REPLICAS["web"] - 1, "no other has gone"
    serve(api, broken, whether=True)
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors
    assert ready(api).count(image("web", "2.0.0")) == REPLICAS["web"]
