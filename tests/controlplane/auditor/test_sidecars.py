"""The auditor counts the pods that are down because a SidecarSet changed."""

import json
from typing import Any

import pytest

from tests.controlplane.auditor.judge import Judge
from tests.controlplane.auditor.test_judge import clone_set, judge_of, pod


def meshed(number: int, *, mesh: str = "1", **more: Any) -> dict[str, Any]:  # noqa: ANN401 JSON
    """A pod with the sidecar `mesh`."""
    made = pod("web", number, **more)
    made["metadata"]["annotations"] = {"kruise.io/sidecarset-injected-list": "mesh"}
    made["spec"]["containers"].append({"name": "mesh", "image": f"mesh:{mesh}"})
    return made


def judged(held: dict[str, Any] | None = None, **strategy: Any) -> Judge:  # noqa: ANN401 JSON
    """Four pods with a sidecar."""
    sidecar_set: dict[str, Any] = {
        "metadata": {"name": "mesh", "uid": "mesh"},
        "spec": {"containers": [{"name": "mesh"}], "updateStrategy": strategy},
    }
    if held:
        sidecar_set["metadata"]["annotations"] = {"fleet-upgrade-planner/held": json.dumps(held)}
    lists = {
        "pods": [meshed(n) for n in range(4)],
        "clonesets": [clone_set("web", 4, 4)],
        "sidecarsets": [sidecar_set],
    }
    sidecars = [{"sidecarSet": "mesh", "container": "mesh", "to": "mesh:2"}]
    return judge_of(lists, target={"sidecars": sidecars})


def changed(audit: Judge, number: int) -> None:
    """A pod gets its sidecar and is down for it."""
    audit.see("hz", meshed(number, mesh="2"), gone=False)
    audit.see("hz", meshed(number, mesh="2", ready=False), gone=False)


@pytest.mark.parametrize(
    "audit",
    [
        judged(),
        judged(maxUnavailable="25%"),
        judged({"updateStrategy": {"maxUnavailable": 1}}, maxUnavailable="100%"),
    ],
)
def test_more_pods_than_a_sidecar_set_may_have_down_are_found(audit: Judge) -> None:
    changed(audit, 0)
    assert audit.violations == []
    changed(audit, 1)
    assert audit.violations == ["sidecarset/hz/mesh: 2 pods were down for it, 1 may be"]


def test_a_pod_that_serves_again_makes_room_for_the_next() -> None:
    audit = judged()
    for number in range(4):
        changed(audit, number)
        audit.see("hz", meshed(number, mesh="2"), gone=False)
    assert audit.violations == []


def test_a_new_pod_that_brings_the_new_sidecar_counts_too() -> None:
    audit = judged()
    for number in range(2):
        audit.see("hz", meshed(number), gone=True)
        audit.see("hz", meshed(10 + number, mesh="2", ready=False), gone=False)
    assert audit.violations == ["sidecarset/hz/mesh: 2 pods were down for it, 1 may be"]


def test_pods_that_are_down_for_something_else_do_not_count() -> None:
    audit = judged()
    for number in range(2):
        audit.see("hz", meshed(number, tag="2", ready=False), gone=False)
    changed(audit, 2)
    assert audit.violations == []
