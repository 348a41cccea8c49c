"""Levers change what they should, remember what the owner wrote, and say the same again."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from planner.apply.levers import deployment, partition, selected, template
from planner.apply.levers.held import (
    HELD,
    RUN,
    WROTE,
    annotated,
    annotations_of,
    is_paused,
    owners,
    released,
)
from tests.apply.objects import ADVANCED, CLONE_SET, DAEMON_SET, DEPLOYMENT, STATEFUL_SET, workload

Live = dict[str, Any]
Lever = Callable[[Live], Live]
LEVERS: list[tuple[dict[str, Any], Lever]] = [
    (DEPLOYMENT, lambda live: deployment.let_go(live, new=3, surge=0)),
    (DEPLOYMENT, deployment.stand_still),
    (CLONE_SET, lambda live: partition.keep(live, old=7, label="r-1")),
    (STATEFUL_SET, lambda live: partition.from_ordinal(live, lowest=8, run="r")),
    (ADVANCED, lambda live: partition.keep_unordered(live, old=7, label="r-1")),
    (DAEMON_SET, selected.on_delete),
    (DAEMON_SET, lambda live: selected.by_nodes(live, run="r")),
    (CLONE_SET, lambda live: selected.by_pods(live, run="r", wave="r-1", label="r-1-1")),
]


@pytest.mark.parametrize(("live", "lever"), LEVERS)
def test_a_lever_says_the_same_when_it_is_asked_again(live: dict[str, Any], lever: Lever) -> None:
    once = lever(live)
    assert lever(once) == once
    assert once != live


@pytest.mark.parametrize(("live", "lever"), LEVERS)
def test_what_the_owner_wrote_comes_back(live: dict[str, Any], lever: Lever) -> None:
    held = annotated(lever(live), {RUN: "r/1"})
    assert owners(held)["spec"] == live["spec"]
    assert released(held) == live


@pytest.mark.parametrize(("live", "lever"), LEVERS)
def test_a_lever_leaves_the_template_alone(live: dict[str, Any], lever: Lever) -> None:
    assert lever(live)["spec"]["template"] == live["spec"]["template"]


def test_what_another_run_left_held_is_still_the_owners() -> None:
    left = partition.keep(CLONE_SET, old=9, label="old-1")
    again = partition.keep(left, old=5, label="new-1")
    assert released(again) == CLONE_SET


def test_a_deployment_gets_as_many_new_pods_as_it_shall_have() -> None:
    spec = deployment.let_go(DEPLOYMENT, new=3, surge=0)["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 3, "maxSurge": 0}
    assert spec["minReadySeconds"] < spec["progressDeadlineSeconds"]
    assert "paused" not in spec


def test_a_deployment_that_recreates_is_left_to_itself() -> None:
    live = workload("Deployment", strategy={"type": "Recreate"})
    assert deployment.let_go(live, new=1, surge=0) == live


def test_a_deployment_stands_still_when_no_new_pod_counts_as_available() -> None:
    still = deployment.stand_still(DEPLOYMENT)
    status = {"observedGeneration": 3, "replicas": 10, "updatedReplicas": 4}
    assert deployment.has_settled({**still, "status": {**status, "availableReplicas": 6}})
    assert not deployment.has_settled({**still, "status": {**status, "availableReplicas": 10}})
    behind = {**status, "availableReplicas": 6, "observedGeneration": 2}
    assert not deployment.has_settled({**still, "status": behind})


def test_a_clone_set_takes_the_pods_of_the_wave_first() -> None:
    rolling = partition.keep(CLONE_SET, old=7, label="r-1")["spec"]["updateStrategy"][
        "rollingUpdate"
    ]
    selector = {"matchLabels": {"fleet-upgrade-planner/wave": "r-1"}}
    assert rolling["partition"] == 7
    assert rolling["priorityStrategy"] == {
        "weightPriority": [{"weight": 100, "matchSelector": selector}]
    }
    assert "scatterStrategy" not in rolling
    assert rolling["maxUnavailable"] == "20%"


def test_the_old_version_of_the_api_keeps_a_clone_sets_strategy_flat() -> None:
    live = workload("CloneSet", "apps.kruise.io/v1alpha1", updateStrategy={"type": "InPlaceOnly"})
    update = partition.keep(live, old=7, label="r-1")["spec"]["updateStrategy"]
    assert update["partition"] == 7
    assert update["type"] == "InPlaceOnly"


@pytest.mark.parametrize(
    ("live", "lowest", "index"),
    [
        (STATEFUL_SET, 8, 8),
        (workload("StatefulSet", ordinals={"start": 5}), 8, 3),
        # 2, 4 and 5 are reserved: the places are 0, 1, 3, 6, 7, 8.
        (ADVANCED, 6, 3),
        (ADVANCED, 3, 2),
    ],
)
def test_a_partition_is_the_place_of_an_ordinal(
    live: dict[str, Any], lowest: int, index: int
) -> None:
    held = partition.from_ordinal(live, lowest=lowest, run="r")
    assert held["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == index


def test_a_partition_only_goes_down_in_one_run_and_starts_anew_in_the_next() -> None:
    def pull(live: Live, lowest: int, run: str) -> Live:
        return annotated(partition.from_ordinal(live, lowest=lowest, run=run), {RUN: f"{run}/1"})

    def index(live: Live) -> int:
        return int(live["spec"]["updateStrategy"]["rollingUpdate"]["partition"])

    went = pull(STATEFUL_SET, 5, "r")
    assert index(pull(went, 8, "r")) == 5
    assert index(pull(went, 8, "another")) == 8


def test_sidecars_of_one_wave_are_let_go_label_by_label() -> None:
    def pull(live: Live, label: str, run: str) -> Live:
        wave = label.rpartition("-")[0]
        held = selected.by_pods(live, run=run, wave=wave, label=label)
        return annotated(held, {RUN: f"{run}/1"})

    def values(live: Live) -> list[str]:
        selector = live["spec"]["updateStrategy"]["selector"]
        found: list[str] = selector["matchExpressions"][0]["values"]
        return found

    went = pull(pull(CLONE_SET, "r-1-1", "r"), "r-1-2", "r")
    assert values(went) == ["r-1-1", "r-1-2"]
    assert values(pull(went, "r-11-3", "r")) == ["r-11-3"], "so does the next wave"
    assert values(pull(went, "s-1-1", "s")) == ["s-1-1"], "and the next run"


def test_a_sidecar_set_passes_over_pods_that_are_about_to_leave_their_revision() -> None:
    def pull(live: Live, label: str, leaving: list[str]) -> Live:
        held = selected.by_pods(live, run="r", wave="r-1", label=label, leaving=leaving)
        return annotated(held, {RUN: "r/1"})

    first = pull(CLONE_SET, "r-1-1", ["cart-2", "cart-1"])
    terms = first["spec"]["updateStrategy"]["selector"]["matchExpressions"]
    assert terms == [
        {"key": "fleet-upgrade-planner/sidecars", "operator": "In", "values": ["r-1-1"]},
        {"key": "controller-revision-hash", "operator": "NotIn", "values": ["cart-1", "cart-2"]},
    ]
    (after,) = pull(first, "r-1-2", [])["spec"]["updateStrategy"]["selector"]["matchExpressions"]
    assert after["values"] == ["r-1-1", "r-1-2"], "labels only, and all have left"
    alike = pull(pull(CLONE_SET, "r-1-1", ["r-1-9"]), "r-1-2", [])
    (after,) = alike["spec"]["updateStrategy"]["selector"]["matchExpressions"]
    assert after["values"] == ["r-1-1", "r-1-2"], "a revision is no label, whatever its name"


def test_images_change_and_nothing_else_of_the_template() -> None:
    changed = template.with_images(DEPLOYMENT, {"main": "cart:2.0.0", "missing": "x:1"})
    assert template.images_of(changed) == {"main": "cart:2.0.0", "log": "log:1.0.0"}
    assert template.with_images(changed, {"main": "cart:1.0.0"}) == DEPLOYMENT


def test_a_manifest_is_laid_over_the_object_but_for_what_a_run_holds() -> None:
    held = deployment.let_go(DEPLOYMENT, new=3, surge=0)
    manifest = {
        "metadata": {"labels": {"team": "trade"}},
        "spec": {
            "strategy": {"type": "RollingUpdate"},
            "template": {"spec": {"containers": [{"name": "log", "image": "log:2.0.0"}]}},
        },
    }
    laid = template.with_manifest(held, manifest)
    assert laid["spec"]["strategy"] == held["spec"]["strategy"]
    assert laid["metadata"]["labels"] == {"team": "trade"}
    assert template.images_of(laid) == {"log": "log:2.0.0"}


@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        (
            {"type": "InPlaceOnly", "maxUnavailable": 3, "partition": 1},
            {
                "type": "RollingUpdate",
                "rollingUpdate": {
                    "podUpdatePolicy": "InPlaceOnly",
                    "maxUnavailable": 3,
                    "partition": 1,
                },
            },
        ),
        ({"maxSurge": 1}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}),
        ({"type": "OnDelete"}, {"type": "OnDelete"}),
    ],
)
def test_a_manifest_of_a_clone_set_may_be_of_another_version_than_is_served(
    flat: dict[str, Any], nested: dict[str, Any]
) -> None:
    old, new = (
        workload("CloneSet", f"apps.kruise.io/{version}", updateStrategy=update)
        for version, update in (("v1alpha1", flat), ("v1beta1", nested))
    )
    for manifest, served in ((old, new), (new, old), (old, old), (new, new)):
        live = workload("CloneSet", served["apiVersion"])
        assert template.with_manifest(live, manifest) == served


def since(live: Live, *path: str, value: Any) -> Live:  # noqa: ANN401 JSON
    """Somebody writes into the spec while it is held; None takes away."""
    changed = copy.deepcopy(live)
    place = changed["spec"]
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    if value is None:
        del place[path[-1]]
    return changed


def test_a_pause_of_the_owner_is_seen_kept_and_given_back() -> None:
    def pull(live: Live, new: int) -> Live:
        return deployment.let_go(live, new=new, surge=0)

    held = pull(DEPLOYMENT, 2)
    assert not is_paused(held)
    assert not is_paused(deployment.stand_still(held)), "what we pause is not his"
    paused = since(held, "paused", value=True)
    assert is_paused(paused)
    assert is_paused(deployment.stand_still(paused))
    assert released(deployment.stand_still(paused))["spec"]["paused"] is True
    resumed = since(deployment.stand_still(paused), "paused", value=None)
    assert not is_paused(resumed)
    assert released(pull(resumed, 4)) == DEPLOYMENT


def test_what_the_owner_wrote_since_is_his_and_what_a_lever_wrote_is_not() -> None:
    rolling = ("updateStrategy", "rollingUpdate")
    held = partition.keep(CLONE_SET, old=8, label="r-1")
    held = since(held, *rolling, "maxUnavailable", value=1)
    held = since(held, *rolling, "paused", value=True)
    assert is_paused(held)
    expected = {
        "maxUnavailable": 1,
        "paused": True,
        "scatterStrategy": [{"key": "a", "value": "b"}],
    }
    for each in (held, partition.keep(held, old=4, label="r-2")):
        assert released(each)["spec"]["updateStrategy"]["rollingUpdate"] == expected
    again = partition.keep(held, old=4, label="r-2")["spec"]["updateStrategy"]["rollingUpdate"]
    assert (again["partition"], again["maxUnavailable"]) == (4, 1)


def test_another_strategy_of_the_owner_takes_the_place_of_the_first() -> None:
    held = deployment.let_go(DEPLOYMENT, new=2, surge=0)
    changed = since(held, "strategy", value={"type": "Recreate"})
    assert released(changed)["spec"]["strategy"] == {"type": "Recreate"}
    assert deployment.let_go(changed, new=3, surge=0)["spec"] == changed["spec"]
    restored = since(held, "strategy", value=DEPLOYMENT["spec"]["strategy"])
    assert released(restored) == DEPLOYMENT


def test_a_default_of_the_server_does_not_take_the_place_of_what_the_owner_wrote() -> None:
    sidecar_set = workload("SidecarSet", updateStrategy={"type": "RollingUpdate", "partition": 5})
    held = selected.by_pods(sidecar_set, run="r", wave="r-1", label="r-1-1")
    held = since(held, "updateStrategy", "partition", value=0)
    assert released(held) == sidecar_set


def test_what_was_held_before_there_was_a_record_comes_back_as_it_was() -> None:
    held = annotated(deployment.let_go(DEPLOYMENT, new=2, surge=0), {WROTE: None})
    assert released(since(held, "paused", value=True)) == DEPLOYMENT


def test_the_annotation_names_every_field_that_changed() -> None:
    assert annotations_of(deployment.let_go(DEPLOYMENT, new=3, surge=0))[HELD] == (
        '{"minReadySeconds":null,"paused":null,"progressDeadlineSeconds":600,'
        '"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"},"type":"RollingUpdate"}}'
    )
