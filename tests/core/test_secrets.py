"""What may hold a secret never reaches the log, in whatever place of whatever object it is."""

import json
from typing import Any

import pytest

from planner import core

SECRET = "hunter2-5eCr3t"  # noqa: S105 it is what must not be found
SALT = bytes(range(32))
UID = "401598b1-3f34-4eee-afe2-d156af76ff{:02x}"


def _metadata(number: int, **more: object) -> dict[str, object]:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"a": SECRET})}
    return {
        "name": f"cart-{number}",
        "namespace": "trade",
        "uid": UID.format(number),
        "resourceVersion": "7",
        "annotations": {"note": SECRET, **applied},
        "managedFields": [{"manager": SECRET}],
        **more,
    }


def _pod_spec() -> dict[str, object]:
    container = {"name": "main", "image": "cart:1", "env": [{"name": "TOKEN", "value": SECRET}]}
    return {"containers": [container], "initContainers": [{**container, "name": "init"}]}


def _template() -> dict[str, object]:
    return {"metadata": {"annotations": {"config": SECRET}}, "spec": _pod_spec()}


IN_PLACE = {
    "revision": "cart-1",
    "updateEnvFromMetadata": True,
    "nextContainerRefMetadata": {"main": {"annotations": {"config": SECRET}}},
    "nextContainerResources": {"main": {"limits": {SECRET: SECRET}}},
}
GRACE = {
    "revision": "cart-1",
    "containerRefMetadata": {"main": {"annotations": {"config": SECRET}}},
    "metaDataPatch": SECRET,
}
META = {"containers": [{"name": "main", "containerID": SECRET, "hashes": {"plainHash": 1}}]}
OBJECTS: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "Pod", "metadata": _metadata(1), "spec": _pod_spec()},
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(
            2,
            annotations={
                "apps.kruise.io/inplace-update-state": json.dumps(IN_PLACE),
                "apps.kruise.io/inplace-update-grace": json.dumps(GRACE),
                "apps.kruise.io/runtime-containers-meta": json.dumps(META),
            },
        ),
    },
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(3),
        "spec": {"template": _template()},
    },
    {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": _metadata(4),
        "data": {"spec": {"template": {"$patch": "replace", **_template()}}},
    },
    {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "SidecarSet",
        "metadata": _metadata(5),
        "spec": {**_pod_spec(), "patchPodMetadata": [{"annotations": {"config": SECRET}}]},
    },
    {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": _metadata(6),
        "spec": {
            "template": _template(),
            "volumeClaimTemplates": [{"metadata": {"annotations": {"config": SECRET}}}],
        },
    },
    {"apiVersion": "v1", "kind": "Node", "metadata": _metadata(7), "spec": {"podCIDR": SECRET}},
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(
            12,
            annotations={
                "apps.kruise.io/inplace-update-state": SECRET,
                "apps.kruise.io/inplace-update-grace": SECRET,
                "kruise.io/sidecarset-inplace-update-state": SECRET,
                "kruise.io/sidecarset-hash": SECRET,
                "apps.kruise.io/runtime-containers-meta": SECRET,
            },
        ),
    },
]
SKIPPED: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "Secret", "metadata": _metadata(8), "data": {"a": SECRET}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(9), "data": {"a": SECRET}},
]


def _batches(objects: list[dict[str, Any]]) -> tuple[list[core.Batch], dict[str, int]]:
    intake = core.Intake(salt=SALT)
    document = {"apiVersion": "v1", "kind": "List", "items": objects}
    intake.add("all.json", json.dumps(document).encode())
    for each in objects:
        intake.add("watch", json.dumps({"type": "MODIFIED", "object": each}).encode())
    return intake.finish(), intake.skipped


@pytest.mark.parametrize("each", OBJECTS, ids=lambda each: each["kind"])
def test_no_secret_of_an_observed_object_gets_into_a_batch(each: dict[str, Any]) -> None:
    batches, _ = _batches([each])
    rows = [row for batch in batches for row in batch.rows()]
    assert [row["event"] for row in rows if "name" in row] == ["observed"] * 2
    assert SECRET not in json.dumps(rows)
    for batch in batches:
        assert SECRET.encode() not in batch.to_bytes()
    fleet = core.fold(core.Fleet.empty(), [("hangzhou", 1, batch) for batch in batches])
    assert SECRET.encode() not in fleet.to_bytes()


def test_objects_that_the_planner_has_no_use_for_are_counted_and_not_read() -> None:
    batches, skipped = _batches(SKIPPED)
    assert batches == []
    assert skipped == {"ConfigMap": 2, "Secret": 2}


# Of a manifest hashes of sidecars are kept, and of a node all of its spec.
MANIFESTS = [OBJECTS[0], *OBJECTS[2:6], *SKIPPED]


@pytest.mark.parametrize("each", MANIFESTS, ids=lambda each: each["kind"])
def test_no_secret_of_a_manifest_survives_redaction(each: dict[str, Any]) -> None:
    assert SECRET.encode() not in core.redact(json.dumps(each).encode(), SALT)


def test_a_change_of_a_secret_is_seen_without_the_secret() -> None:
    deployment = json.dumps(OBJECTS[2]).encode()
    changed = deployment.replace(SECRET.encode(), b"another")
    assert core.redact(deployment, SALT) == core.redact(deployment, SALT)
    assert core.redact(deployment, SALT) != core.redact(changed, SALT)
    assert core.redact(deployment, SALT) != core.redact(deployment, bytes(32))
