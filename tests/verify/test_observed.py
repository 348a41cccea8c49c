"""Folding rows: what is left after lists, watches and time."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from planner.errors import ObservationError
from planner.verify import fold_rows
from planner.verify.held import as_its_owner_wrote_it
from tests.verify.builders import (
    LABEL_INSTANCE_ID,
    LABEL_POD_INDEX,
    LABEL_POD_NAME,
    LABEL_REVISION,
    READY,
    RUNNING,
    App,
    Row,
    row,
)

APP = App(pods=3)
LABEL_TEMPLATE_HASH = 1 << 14


def pod(index: int, version: int = 100, **columns: object) -> Row:
    return {**APP.pod_row(index), "resource_version": version, **columns}


def gone(index: int, version: int) -> Row:
    return row("hangzhou", "gone", "pods", uid=APP.pod_uid(index), resource_version=version)


def listed(*rows: Row, version: int, cluster: str = "hangzhou") -> list[Row]:
    return [
        row(cluster, "list_begun", "pods", resource_version=version),
        *rows,
        row(cluster, "list_completed", "pods", resource_version=version),
    ]


def names(rows: list[Row]) -> set[str]:
    return {each.name for each in fold_rows(rows).pods.values()}


def test_what_a_completed_list_does_not_mention_is_gone() -> None:
    rows = [pod(0), pod(1), *listed(pod(1, 120), version=130)]
    assert names(rows) == {APP.pod_name(1)}


def test_a_list_speaks_of_one_resource_of_one_cluster() -> None:
    elsewhere = replace(APP, cluster="shanghai").pod_row(0)
    rows = [elsewhere, pod(0), *listed(pod(1), version=130), *APP.rows()[:1]]
    observed = fold_rows(rows)
    assert {(each.cluster, each.name) for each in observed.pods.values()} == {
        ("shanghai", APP.pod_name(0)),
        ("hangzhou", APP.pod_name(1)),
    }
    assert len(list(observed.documents("hangzhou", "clonesets"))) == 1


def test_a_list_that_was_never_completed_takes_nothing_away() -> None:
    assert names([pod(0), *listed(pod(1), version=130)[:-1]]) == {APP.pod_name(0), APP.pod_name(1)}


def test_what_was_made_after_a_list_outlives_it() -> None:
    assert APP.pod_name(2) in names([pod(2, 140), *listed(pod(0), version=130)])


def test_an_older_row_does_not_overwrite_a_newer_one() -> None:
    rows = [pod(0, 120, node="new"), pod(0, 110, node="old")]
    assert next(iter(fold_rows(rows).pods.values())).node == "new"


def test_an_older_row_does_not_bring_back_what_is_gone() -> None:
    assert names([pod(0, 110), gone(0, 120), pod(0, 115)]) == set()


def test_an_older_farewell_is_ignored() -> None:
    assert names([pod(0, 120), gone(0, 110)]) == {APP.pod_name(0)}


def test_time_passes_without_objects() -> None:
    late = {**row("hangzhou", "time_passed", "pods"), "time_ms": 10**15, "resource": None}
    assert fold_rows([pod(0), late]).time_ms == 10**15


def test_an_event_of_a_later_version_is_refused() -> None:
    with pytest.raises(ObservationError, match="'moved'"):
        fold_rows([row("hangzhou", "moved", "pods")])


def test_labels_that_follow_from_name_and_revision_are_restored() -> None:
    flags = READY | RUNNING | LABEL_POD_NAME | LABEL_POD_INDEX | LABEL_REVISION
    flags |= LABEL_INSTANCE_ID | LABEL_TEMPLATE_HASH
    observed = fold_rows([pod(0, name="kafka-7", revision="kafka-6b4", flags=flags)])
    labels = next(iter(observed.pods.values())).labels
    assert labels == {
        "app": "cart",
        "statefulset.kubernetes.io/pod-name": "kafka-7",
        "apps.kubernetes.io/pod-index": "7",
        "apps.kruise.io/cloneset-instance-id": "7",
        "controller-revision-hash": "kafka-6b4",
        "pod-template-hash": "6b4",
    }


def test_labels_without_their_flag_are_not_invented() -> None:
    assert next(iter(fold_rows([pod(0)]).pods.values())).labels == {"app": "cart"}


def test_a_pod_without_a_controller_has_no_owner() -> None:
    spec = json.dumps({"containers": [], "readinessGates": [{"conditionType": "Gate"}]})
    found = next(iter(fold_rows([pod(0, owner="", spec=spec)]).pods.values()))
    assert found.owner is None
    assert found.readiness_gates == {"Gate"}


def test_what_was_written_while_a_run_holds_it_is_the_owners() -> None:
    held = {"paused": None, "updateStrategy": {"maxUnavailable": "20%", "partition": 3}}
    wrote = {"paused": True, "updateStrategy": {"maxUnavailable": "20%", "priority": 1}}
    live = {"paused": True, "updateStrategy": {"maxUnavailable": 1, "priority": 1, "partition": 0}}
    annotations = {
        "fleet-upgrade-planner/held": json.dumps(held),
        "fleet-upgrade-planner/wrote": json.dumps(wrote),
    }
    document = {"metadata": {"annotations": annotations}, "spec": {"replicas": 3, **live}}
    expected = {"maxUnavailable": 1, "partition": 3}
    assert as_its_owner_wrote_it(document)["spec"] == {"replicas": 3, "updateStrategy": expected}
    resumed = {**document, "spec": {"replicas": 3, "updateStrategy": wrote["updateStrategy"]}}
    assert as_its_owner_wrote_it(resumed)["spec"] == {
        "replicas": 3,
        "updateStrategy": held["updateStrategy"],
    }


def test_what_a_run_holds_is_read_as_its_owner_wrote_it() -> None:
    held = json.dumps({"minReadySeconds": None, "strategy": {"type": "RollingUpdate"}})
    document = {
        "metadata": {"annotations": {"fleet-upgrade-planner/held": held}},
        "spec": {"replicas": 3, "minReadySeconds": 7, "strategy": {"rollingUpdate": {}}},
    }
    workload = row(
        "hangzhou",
        "observed",
        "deployments",
        uid="1",
        name="web",
        resource_version=5,
        document=json.dumps(document),
    )
    (found,) = fold_rows([workload]).documents("hangzhou", "deployments")
    assert found["spec"] == {"replicas": 3, "strategy": {"type": "RollingUpdate"}}
