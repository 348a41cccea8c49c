"""Plans carried out on real control planes: to the end, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from planner.model.clock import SystemClock
from tests.controlplane import applied
from tests.controlplane.applied import (
    ALL,
    REPLICAS,
    SPACE,
    expected,
    image,
    images,
    pods,
    ready,
    request,
    total,
    workloads,
)
from tests.controlplane.auditing import merged
from tests.controlplane.given import ours
from tests.controlplane.logged import Logged
from tests.controlplane.plane import OBSERVER
from tests.controlplane.program import planner
from tests.controlplane.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.controlplane.api import Api
    from tests.controlplane.given import Plane
    from tests.controlplane.running import Operator, Running

HELD = "fleet-upgrade-planner/held"


@pytest.fixture
def hangzhou(shop_planes: Mapping[str, Plane]) -> Iterator[Plane]:
    """A plane with a namespace of native workloads of every way to be upgraded, 43 pods."""
    with applied.filled(shop_planes["hangzhou"]) as plane:
        yield plane


def test_a_dry_run_changes_nothing(operator: Operator, hangzhou: Plane) -> None:
    before = {pod["metadata"]["uid"] for pod in pods(hangzhou.admin)}
    specs = {name: each["spec"] for name, each in workloads(hangzhou.admin).items()}
    plan = operator.plan(request("2.0.0", *ALL))
    with operator.apply(plan, "--dry-run") as running:
        assert running.end() == 0, running.errors
    assert running.audit["disrupted"] == 0
    assert {pod["metadata"]["uid"] for pod in ready(hangzhou.admin)} == before
    assert {name: each["spec"] for name, each in workloads(hangzhou.admin).items()} == specs


def test_every_native_way_goes_as_planned_and_everything_is_given_back(
    operator: Operator, hangzhou: Plane
) -> None:
    before = workloads(hangzhou.admin)
    plan = operator.plan(request("2.0.0", *ALL))
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors
    assert running.audit["disrupted"] == total(hangzhou.admin)
    ended = running.said("ended")[0]
    assert images(hangzhou.admin) == expected(hangzhou.admin, "2.0.0")
    assert ended["moved"] == ended["fidelity"]["as_planned"] == total(hangzhou.admin)
    assert not running.said("replanned")
    for name, each in workloads(hangzhou.admin).items():
        assert HELD not in each["metadata"].get("annotations", {})
        was = before[name]["spec"]
        assert {**each["spec"], "template": was["template"]} == was
    with operator.apply(plan) as again:
        assert again.end() == 0, "a plan is carried out once"
    assert not again.said("wave")


def test_pods_of_a_gang_share_the_wave_of_a_run(operator: Operator, hangzhou: Plane) -> None:
    shards = {"name": "shards", "labelKey": "apps.kubernetes.io/pod-index"}
    plan = operator.plan(request("2.0.0", "mysql", "kafka", gangs=[shards]))
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors
    (ended,) = running.said("ended")
    assert ended["moved"] == ended["fidelity"]["as_planned"] == 7
    waves: dict[str, list[int]] = {}
    for move in Logged(operator.db).moves:
        waves.setdefault(move.pod.rpartition("-")[2], []).append(move.wave)
    assert sorted(map(len, waves.values())) == [1, 2, 2, 2]
    assert all(len(set(each)) == 1 for each in waves.values())
    assert images(hangzhou.admin) == expected(hangzhou.admin, "2.0.0", "mysql", "kafka")


def test_a_run_that_is_killed_again_and_again_does_nothing_twice(
    operator: Operator, hangzhou: Plane
) -> None:
    plan = operator.plan(request("2.0.0", *ALL))
    uids: set[str] = {pod["metadata"]["uid"] for pod in pods(hangzhou.admin)}
    with operator.audited() as auditor:
        kills = 0
        while True:
            with operator.apply(plan) as running:
                running.wait_for("run")
                until("something happens", partial(has_moved_or_ended, running))
                uids |= {pod["metadata"]["uid"] for pod in pods(hangzhou.admin)}
                if running.process.poll() is not None:
                    assert running.end() == 0, running.errors
                    break
            kills += 1
        audit = auditor.found()
    assert kills >= 5
    assert (audit["violations"], audit["disrupted"]) == ([], total(hangzhou.admin))
    assert images(hangzhou.admin) == expected(hangzhou.admin, "2.0.0")
    (ended,) = running.said("ended")
    assert ended["moved"] == total(hangzhou.admin)
    # Each pod was made anew once: every pod that was ever seen is an old or a new one.
    uids |= {pod["metadata"]["uid"] for pod in pods(hangzhou.admin)}
    assert len(uids) <= 2 * total(hangzhou.admin)


def has_moved_or_ended(running: Running) -> bool:
    return bool(running.said("moving")) or running.process.poll() is not None


def test_an_api_server_that_restarts_is_waited_for(operator: Operator, hangzhou: Plane) -> None:
    plane = ours(hangzhou)
    plan = operator.plan(request("2.0.0", "web", "mysql"))
    with operator.apply(plan) as running:
        for number in (signal.SIGKILL, signal.SIGTERM):
            running.wait_for("moving", len(running.said("moving")) + 1)
            plane.restart_api_server(number)
        assert running.end() == 0, running.errors
    assert images(hangzhou.admin) == expected(hangzhou.admin, "2.0.0", "web", "mysql")


def test_pods_that_never_serve_stop_the_run_and_there_is_a_way_back(
    operator: Operator, hangzhou: Plane
) -> None:
    before = images(hangzhou.admin)
    stages = [{"name": "canary", "perWorkload": 1}, {"name": "rest", "perWorkload": "100%"}]
    plan = operator.plan(request("broken", "web", "mysql", stages=stages))
    # Longer than a controller may stand still: what it was slow to take would fail, too.
    with operator.apply(plan, "--patience", "15") as running:
        assert running.end() == 5, running.errors
    (ended,) = running.said("ended")
    assert (ended["ending"], ended["moved"], ended["failed"]) == ("stopped", 0, 2)
    assert "2 pods failed in this run" in ended["why"]
    broken = [pod for pod in pods(hangzhou.admin) if ":broken" in json.dumps(pod["spec"])]
    assert len(broken) == 2, "one of each workload, and no more"
    wanted = request("1.0.0", "web", "mysql")
    with operator.apply(ended["run"], command="rollback", wanted=wanted) as back:
        assert back.end() == 0, back.errors
    until("everything is as before", lambda: images(hangzhou.admin) == before)
    assert all(HELD not in each["metadata"].get("annotations", {})
               for each in workloads(hangzhou.admin).values())  # fmt: skip


def test_somebody_else_at_work_makes_it_plan_the_rest_anew(
    operator: Operator, hangzhou: Plane
) -> None:
    stages = [{"name": "canary", "perWorkload": 1, "approval": "required"},
              {"name": "rest", "perWorkload": "100%"}]  # fmt: skip
    plan = operator.plan(request("2.0.0", "web", "mysql", stages=stages))
    with operator.apply(plan) as running:
        assert running.end() == 5, running.errors
    assert running.said("approval")
    template = {"spec": {"containers": [{"name": "main", "image": image("mysql", "1.5.0")}]}}
    hangzhou.admin.merge(
        f"/apis/apps/v1/namespaces/{SPACE}/statefulsets/mysql", {"spec": {"template": template}}
    )
    until("it moves", lambda: images(hangzhou.admin).get(image("mysql", "1.5.0")))
    until("it serves again", lambda: len(ready(hangzhou.admin)) == total(hangzhou.admin))
    operator.say("approve")
    with operator.apply(plan, "--wait") as running:
        running.wait_for("replanned")
        # What is left has its own first stage.
        until("asked or over", lambda: running.said("approval") or running.said("ended"))
        if running.said("approval"):
            operator.say("approve")
        assert running.end() == 0, running.errors
    (replanned,) = running.said("replanned")
    assert replanned["why"] == [
        f"hangzhou/{SPACE}/StatefulSet/mysql: 4 pods have to move, planned were 3"
    ]
    assert images(hangzhou.admin) == expected(hangzhou.admin, "2.0.0", "web", "mysql")


def test_people_pause_it_resume_it_and_end_it(operator: Operator, hangzhou: Plane) -> None:
    # One pod after the other, so that it is not over before people have said what they say.
    one = [{"name": "one", "scope": "fleet", "maxUnavailable": 1}]
    plan = operator.plan(request("2.0.0", "web", "mysql", budgets=one))
    with operator.apply(plan) as running:
        running.wait_for("wave")
        operator.say("pause")
        running.wait_for("paused")
        waves = len(running.said("wave"))
        counted = images(hangzhou.admin)
        assert sum(counted.values()) == total(hangzhou.admin), "what was let go came back"
        operator.say("resume")
        running.wait_for("wave", waves + 1)
        operator.say("abort")
        assert running.end() == 5, running.errors
    (ended,) = running.said("ended")
    assert ended["ending"] == "aborted"
    assert any("stay at another version" in each for each in ended["held"])
    # Held where it is: nothing goes on by itself.
    until("its pods are ready", lambda: len(ready(hangzhou.admin)) == total(hangzhou.admin))
    still = images(hangzhou.admin)
    assert still[image("web")] > 0
    wanted = request("1.0.0", "web", "mysql", budgets=one)
    with operator.apply(ended["run"], command="rollback", wanted=wanted) as back:
        assert back.end() == 0, back.errors
    assert images(hangzhou.admin) == expected(hangzhou.admin, "1.0.0")


def test_a_run_waits_until_its_window_opens(operator: Operator, hangzhou: Plane) -> None:
    # It opens later than a run takes to begin here, which a dry run tells.
    begun = now()
    with operator.apply(operator.plan(request("2.0.0", "web", "mysql")), "--dry-run") as running:
        assert running.end() == 0, running.errors
    opens = now() + 2 * (now() - begun) + timedelta(seconds=15)
    once = {"from": opens.isoformat(), "until": (opens + timedelta(minutes=10)).isoformat()}
    windows = [{"name": "soon", "selector": {"matchLabels": {"app": "web"}}, "during": [once]}]
    plan = operator.plan(request("2.0.0", "web", "mysql", windows=windows))
    with operator.apply(plan) as running:
        closed = running.wait_for("closed")
        assert closed["calendars"] == ["window:soon"]
        assert datetime.fromisoformat(closed["opens"]) == opens
        assert images(hangzhou.admin).get(image("web", "2.0.0")) is None
        assert running.end() == 0, running.errors
    assert images(hangzhou.admin) == expected(hangzhou.admin, "2.0.0", "web", "mysql")
    new = [pod for pod in pods(hangzhou.admin) if image("web", "2.0.0") in json.dumps(pod["spec"])]
    made = {datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in new}
    assert min(made) >= opens
    ended = running.said("ended")[0]
    assert ended["moved"] == REPLICAS["web"] + REPLICAS["mysql"]


def now() -> datetime:
    """In whole seconds, as a window has them."""
    return datetime.fromtimestamp(SystemClock().now_ms() // 1000, UTC)


def test_what_is_not_allowed_is_said_before_anything_is_done(
    operator: Operator, hangzhou: Plane
) -> None:
    observer = ours(hangzhou).api(OBSERVER)
    role, binding = rights("planner-observer", "observe")
    hangzhou.admin.apply(*role)
    hangzhou.admin.apply(*binding)
    plan = operator.plan(request("2.0.0", "web", "agent"))
    merged(operator.folder / "kubeconfig", {"hangzhou": hangzhou}, user="observer")
    with operator.apply(plan) as running:
        assert running.end() == 1
    assert "not allowed to delete pods in applied" in running.errors
    assert "planner apply --role" in running.errors
    (refused,) = json.loads(operator.say("runs", "--format", "json"))["runs"]
    assert refused["state"] == "aborted", "it keeps no place"
    assert "not allowed to delete pods in applied" in refused["why"]
    for path, manifest in rights("planner-executor", "apply"):
        hangzhou.admin.apply(path, manifest)
    until("the server knows of it", lambda: may_delete_pods(observer))
    with operator.apply(plan) as running:
        assert running.end() == 0, running.errors
    assert images(hangzhou.admin)[image("web", "2.0.0")] == 12


def may_delete_pods(api: Api) -> bool:
    asked = {"verb": "delete", "resource": "pods", "namespace": SPACE}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return bool(json.loads(api.request("POST", path, review))["status"]["allowed"])


def rights(name: str, command: str) -> list[tuple[str, Any]]:
    """The role that a command prints, and its binding to the user `observer`."""
    role = yaml.safe_load(planner(command, "--role").stdout)
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "observer"}],
    }
    base = "/apis/rbac.authorization.k8s.io/v1"
    return [(f"{base}/clusterroles/{name}", role), (f"{base}/clusterrolebindings/{name}", binding)]


def test_an_executor_that_slept_and_was_replaced_does_nothing(
    operator: Operator, hangzhou: Plane
) -> None:
    plan = operator.plan(request("2.0.0", "web", "mysql", "agent"))
    with (
        operator.audited(),
        # However long the others take to begin, the run is not over before.
        applied.held(hangzhou.admin, "mysql-3") as free,
        operator.apply(plan) as sleeper,
    ):
        sleeper.wait_for("letting-go")
        with operator.apply(plan) as second:
            assert second.end() == 64
            assert "is being carried out by" in second.errors
        until("it sleeps and holds no log", partial(put_to_sleep, sleeper, operator))
        free()
        # Its lease runs out: 30 seconds.
        until("another takes over", partial(taken_over, operator, plan), deadline_s=300)
        seen = len(sleeper.events)
        sleeper.process.send_signal(signal.SIGCONT)
        assert sleeper.end() == 1
        assert "another executor" in sleeper.errors or "taken over" in sleeper.errors
        assert not any(each["event"] in ("wave", "letting-go") for each in sleeper.events[seen:])
    assert images(hangzhou.admin) == expected(hangzhou.admin, "2.0.0", "web", "mysql", "agent")


def put_to_sleep(sleeper: Running, operator: Operator) -> bool:
    """Stop it, but not in the middle of a write to the log: in SQLite nobody else could write."""
    sleeper.process.send_signal(signal.SIGSTOP)
    # Not every thread of it may stand still at once.
    os.waitid(os.P_PID, sleeper.process.pid, os.WSTOPPED)
    log = sqlite3.connect(operator.db.removeprefix("sqlite:///"), timeout=0)
    with closing(log):
        try:
            log.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            sleeper.process.send_signal(signal.SIGCONT)
            return False
    return True


def taken_over(operator: Operator, plan: str) -> bool:
    """Try to take the run over, and carry it out to its end."""
    with operator.apply(plan) as running:
        code = running.end()
    assert code in (0, 64), running.errors
    return code == 0
