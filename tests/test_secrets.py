"""Nobody's secrets get into the log, a snapshot, a report or a plan."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

import planner
from planner import core, loop
from planner.log.open import open_log
from tests.objects import UID, pod
from tests.shop import IDENTITY, clock, empty_log, rows_of

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = {
    "env": "hunter2-of-the-environment",
    "annotation": "hunter2-of-an-annotation",
    "config": "hunter2-of-a-configmap",
    "secret": "hunter2-of-a-secret",
    "last-applied": "hunter2-of-last-applied",
    "template": "hunter2-of-a-template",
    "template-annotation": "hunter2-of-a-templates-annotation",
    "revision": "hunter2-of-a-revision",
    "manifest": "hunter2-of-a-manifest",
}
IN_ARGUMENTS = "hunter2-of-an-argument"
IN_A_PROBE = "hunter2-of-a-probe"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def deployment(env: str) -> dict[str, Any]:
    template = {
        "metadata": {
            "labels": {"app": "cart"},
            "annotations": {"vault": SECRETS["template-annotation"]},
        },
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "registry.example.com/cart:1.0.0",
                    "env": [{"name": "PASSWORD", "value": env}],
                    "args": [f"--password={IN_ARGUMENTS}"],
                    "livenessProbe": {
                        "httpGet": {
                            "path": "/",
                            "port": 80,
                            "httpHeaders": [{"name": "X", "value": IN_A_PROBE}],
                        }
                    },
                }
            ]
        },
    }
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {
            "name": "cart",
            "namespace": "trade",
            "uid": UID.format(900),
            "resourceVersion": "7",
            "creationTimestamp": "2026-11-23T09:30:59Z",
            "annotations": {LAST_APPLIED: json.dumps({"x": SECRETS["last-applied"]})},
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "cart"}},
            "template": template,
        },
        "status": {"replicas": 1},
    }


def with_secrets() -> list[dict[str, Any]]:
    """Objects of every kind in which people keep what they should not."""
    carrier = {"kind": "Pod", "apiVersion": "v1", **pod(1)}
    carrier["metadata"]["annotations"] = {
        "vault": SECRETS["annotation"],
        LAST_APPLIED: json.dumps({"x": SECRETS["last-applied"]}),
    }
    carrier["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "cart-5d9",
            "uid": UID.format(901),
            "controller": True,
        }
    ]
    carrier["spec"]["containers"][0] |= {
        "env": [{"name": "PASSWORD", "value": SECRETS["env"]}],
        "args": [f"--password={IN_ARGUMENTS}"],
        "command": ["sh", "-c", IN_ARGUMENTS],
    }
    owner = deployment(SECRETS["template"])
    replica_set = deployment(SECRETS["revision"]) | {"kind": "ReplicaSet"}
    replica_set["metadata"] |= {
        "name": "cart-5d9",
        "uid": UID.format(901),
        "ownerReferences": [
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": "cart",
                "uid": UID.format(900),
                "controller": True,
            }
        ],
    }
    revision = {
        "kind": "ControllerRevision",
        "apiVersion": "apps/v1",
        "metadata": {
            "name": "db-1",
            "namespace": "trade",
            "uid": UID.format(902),
            "resourceVersion": "8",
        },
        "revision": 1,
        "data": {"spec": {"template": owner["spec"]["template"]}},
    }
    config = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "c", "namespace": "trade", "uid": UID.format(903)},
        "data": {"password": SECRETS["config"]},
    }
    packed = base64.b64encode(SECRETS["secret"].encode()).decode()
    secret = config | {"kind": "Secret", "data": {"password": packed}}
    secret["stringData"] = {"password": SECRETS["secret"]}
    return [carrier, owner, replica_set, revision, config, secret]


def assert_no_secret(content: bytes, where: str) -> None:
    for name, secret in SECRETS.items():
        for form in (secret.encode(), base64.b64encode(secret.encode()), secret.encode("utf-16le")):
            assert form not in content, f"the {name} is in {where}"


def test_the_search_for_secrets_finds_them() -> None:
    for secret in SECRETS.values():
        with pytest.raises(AssertionError):
            assert_no_secret(b"x" + secret.encode() + b"y", "a test")


def test_no_secret_is_in_the_log_the_rows_the_snapshot_or_the_plan(tmp_path: Path) -> None:
    listed = {"kind": "List", "apiVersion": "v1", "items": with_secrets()}
    recorded = tmp_path / "all.json"
    recorded.write_text(json.dumps(listed))
    assert all(
        name == "manifest" or secret in recorded.read_text() or name == "secret"
        for name, secret in SECRETS.items()
    )
    manifest = deployment(SECRETS["manifest"])
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] += "-1"
    request = request_with(manifest, tmp_path)
    path = tmp_path / "planner.db"
    events = open_log(f"sqlite:///{path}", clock=clock(), new_identity=lambda: IDENTITY)
    with planner.Log(events) as log:
        done = log.import_recorded("hangzhou", recorded)
        assert done.skipped == {"ConfigMap": 1, "Secret": 1}
        plan = planner.plan(log, request)
        assert len(plan) == 1
        assert_no_secret(json.dumps(rows_of(log.events)).encode(), "the rows")
        assert_no_secret(log.fleet().to_bytes(), "the snapshot")
        assert_no_secret(core.status(log.fleet()), "the status")
        assert_no_secret(json.dumps(planner.diff(log, request)).encode(), "the diff")
        assert_no_secret(plan.to_bytes() + plan.header(), "the plan")
        assert_no_secret(b"\n".join(loop.jsonl(plan)), "the moves")
        for commit in log.events.read():
            assert_no_secret(commit.payload, f"the commit at {commit.position_first}")
    for file in tmp_path.glob("planner.db*"):
        assert_no_secret(file.read_bytes(), file.name)


@pytest.mark.parametrize("secret", [IN_ARGUMENTS, IN_A_PROBE])
def test_no_secret_of_a_command_line_is_in_the_log(tmp_path: Path, secret: str) -> None:
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": with_secrets()}))
    log = empty_log()
    log.import_recorded("hangzhou", path)
    assert secret not in json.dumps(rows_of(log.events))


def request_with(manifest: dict[str, Any], folder: Path) -> Any:  # noqa: ANN401
    path = folder / "request.json"
    spec = {"target": {"manifests": [manifest]}}
    head = {"apiVersion": "planner/v1", "kind": "UpgradeRequest", "metadata": {"name": "secret"}}
    path.write_text(json.dumps({**head, "spec": spec}))
    return planner.load_request(path)


def test_equal_secrets_stay_equal_within_a_log_and_differ_between_logs(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": with_secrets()}))

    def rows(log: planner.Log) -> list[dict[str, Any]]:
        log.import_recorded("hangzhou", path)
        return rows_of(log.events)

    assert rows(empty_log()) == rows(empty_log())
    assert rows(empty_log()) != rows(planner.Log.in_memory(clock=clock()))
