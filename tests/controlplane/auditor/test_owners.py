"""The auditor judges workloads by what their owners wrote, each kind by its own rounding."""

import json
from typing import Any

import pytest

from tests.controlplane.auditor.owners import max_unavailable, spec_of
from tests.controlplane.auditor.test_judge import clone_set, judge_of, pod


def rolling(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 JSON
    return {"updateStrategy": {"rollingUpdate": fields}}


def deployment(**strategy: Any) -> dict[str, Any]:  # noqa: ANN401 JSON
    return {"strategy": strategy}


@pytest.mark.parametrize(
    ("kind", "spec", "total", "down"),
    [
        ("clonesets", rolling(), 7, 2),
        ("clonesets", rolling(maxSurge="20%"), 7, 1),
        ("clonesets", rolling(maxSurge="20%", paused=True), 7, 2),
        ("clonesets", rolling(maxSurge=1, maxUnavailable=0), 7, 0),
        ("clonesets", {}, 7, 1),
        ("clonesets", {"updateStrategy": {"type": "OnDelete"}}, 7, 7),
        ("deployments", {}, 10, 2),
        ("deployments", {}, 1, 0),
        ("deployments", deployment(rollingUpdate={"maxSurge": 0, "maxUnavailable": 0}), 10, 1),
        ("deployments", deployment(type="Recreate"), 10, 10),
        ("deployments", deployment(type="Recreate"), 1, 1),
        ("statefulsets", {}, 10, 1),
        ("advancedstatefulsets", rolling(maxUnavailable="25%"), 10, 2),
        ("daemonsets", rolling(maxUnavailable="25%"), 10, 3),
        ("daemonsets", rolling(maxUnavailable=0, maxSurge=1), 10, 0),
        ("advanceddaemonsets", rolling(maxUnavailable=0), 10, 1),
    ],
)
def test_each_kind_rounds_in_its_own_way(
    kind: str, spec: dict[str, Any], total: int, down: int
) -> None:
    assert max_unavailable(kind, spec, total) == down


def test_what_a_run_put_into_a_spec_is_not_the_owners() -> None:
    held = {"updateStrategy": {"type": "RollingUpdate"}, "minReadySeconds": None}
    its = {
        "metadata": {"annotations": {"fleet-upgrade-planner/held": json.dumps(held)}},
        "spec": {"replicas": 3, "updateStrategy": {"type": "OnDelete"}, "minReadySeconds": 9},
    }
    assert spec_of(its) == {"replicas": 3, "updateStrategy": {"type": "RollingUpdate"}}


def test_a_workload_that_is_held_is_judged_by_the_strategy_of_its_owner() -> None:
    owners = json.dumps({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}})
    held = clone_set("web", 4, 4)
    held["metadata"]["annotations"] = {"fleet-upgrade-planner/held": owners}
    audit = judge_of({"pods": [pod("web", n) for n in range(4)], "clonesets": [held]})
    for number in range(2):
        audit.see("hz", pod("web", number, ready=False), gone=False)
    assert audit.violations == ["workload/hz/clonesets/shop/web: 2 pods served, 3 have to"]


@pytest.mark.parametrize(
    ("update", "surge", "down"),
    [
        ({"type": "InPlaceIfPossible", "maxUnavailable": 3}, {}, 3),
        ({"maxUnavailable": "20%"}, {"maxSurge": 1}, 1),
        ({}, {}, 2),
        ({"type": "OnDelete", "maxUnavailable": 3}, {}, 7),
    ],
)
def test_a_clone_set_of_v1alpha1_has_its_strategy_flat(
    update: dict[str, Any], surge: dict[str, Any], down: int
) -> None:
    owners = json.dumps({"updateStrategy": {**update, **surge}})
    its = {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"annotations": {"fleet-upgrade-planner/held": owners}},
        "spec": {"updateStrategy": {"partition": 5}},
    }
    assert max_unavailable("clonesets", spec_of(its), 7) == down


def aged(number: int, since: str, *, ready: bool = True) -> dict[str, Any]:
    """A pod that is Ready (or is not) since then."""
    made = pod("web", number, ready=ready)
    made["status"]["conditions"][0]["lastTransitionTime"] = since
    return made


OLD, YOUNG = "2026-11-23T09:00:00Z", "2026-11-23T09:59:50Z"


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("clonesets", {"minReadySeconds": 30, **rolling(maxUnavailable=1)}),
        ("advancedstatefulsets", rolling(maxUnavailable=1, minReadySeconds=30)),
    ],
)
def test_a_pod_that_was_not_ready_for_long_enough_does_not_count(
    kind: str, spec: dict[str, Any]
) -> None:
    workload = {**clone_set("web", 3, 1), "spec": {"replicas": 3, **spec}}
    audit = judge_of({"pods": [aged(n, OLD) for n in range(3)], kind: [workload]})
    audit.see("hz", aged(0, YOUNG, ready=False), gone=False)
    audit.see("hz", aged(0, YOUNG), gone=False)
    assert audit.violations == []
    audit.see("hz", aged(1, YOUNG, ready=False), gone=False)
    assert audit.violations == [f"workload/hz/{kind}/shop/web: 1 pods served, 2 have to"]


def test_a_pod_that_was_too_young_to_count_takes_nothing_when_it_goes() -> None:
    workload = {**clone_set("web", 2, 1), "spec": {"replicas": 2, "minReadySeconds": 30}}
    audit = judge_of({"pods": [aged(0, OLD), aged(1, YOUNG)], "clonesets": [workload]})
    audit.see("hz", aged(1, YOUNG, ready=False), gone=False)
    assert audit.violations == []
