"""What the request wants, and the kind of move that it takes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from planner.verify import fold_rows
from planner.verify.fleet import read_fleet
from planner.verify.images import repository_of
from planner.verify.moves import Option, pod_options
from planner.verify.target import Target, read_target
from planner.verify.template import differences, in_place, overlay
from tests.verify.builders import REGISTRY, App, Row, request, sidecar_set, upgrade

IN_PLACE = App(pods=1, spec={"updateStrategy": {"type": "InPlaceIfPossible"}})
MESHED = replace(IN_PLACE, labels={"mesh": "enabled"}, sidecars={"mesh": "1.0.0"})
MESH_RULE = {"sidecarSet": "mesh", "container": "mesh", "to": f"{REGISTRY}/mesh:2.0.0"}


def target_of(*apps: App, extra: tuple[Row, ...] = (), **target: Any) -> Target:  # noqa: ANN401
    rows = [*(row for app in apps for row in app.rows()), *extra]
    return read_target(request(target=target), read_fleet(fold_rows(rows)))


def options_of(app: App, extra: tuple[Row, ...] = (), **target: Any) -> list[Option]:  # noqa: ANN401
    fleet = read_fleet(fold_rows([*app.rows(), *extra]))
    wanted = read_target(request(target=target), fleet)
    pod = fleet.pods[0]
    return list(pod_options(pod, wanted.changes[pod], fleet.workload_of(pod), wanted))


@pytest.mark.parametrize(
    "image",
    ["host:5000/a/cart", "host:5000/a/cart:1.0", "host:5000/a/cart:1.0@sha256:ab"],
)
def test_a_port_is_no_tag(image: str) -> None:
    assert repository_of(image) == "host:5000/a/cart"


def test_an_image_rule_leaves_other_repositories_alone() -> None:
    carts = replace(IN_PLACE, name="cart"), replace(IN_PLACE, name="cart-api")
    changes = target_of(*carts, images=upgrade(carts[0])).changes
    assert {pod.name for pod in changes} == {"cart-00000"}


def test_a_workload_rule_names_one_workload() -> None:
    elsewhere = replace(IN_PLACE, namespace="shop")
    rule = {
        "workload": {"kind": "CloneSet", "namespace": "trade", "name": "cart"},
        "container": "main",
        "to": IN_PLACE.wanted,
    }
    changes = target_of(IN_PLACE, elsewhere, images=[rule]).changes
    assert {pod.namespace for pod in changes} == {"trade"}


def test_the_last_rule_that_names_a_container_counts() -> None:
    rule = {"workload": {"name": "cart"}, "to": "registry.example.com/cart:3.0.0"}
    changes = target_of(IN_PLACE, images=[*upgrade(IN_PLACE), rule]).changes
    assert [change.images for change in changes.values()] == [{"main": rule["to"]}]


def test_a_pod_that_no_known_workload_owns_differs_by_its_repository() -> None:
    _workload, _revision, pod = IN_PLACE.rows()
    for owner in (None, "batch|Job|import|401598b1-3f34-4eee-afe2-d156af76f001"):
        fleet = read_fleet(fold_rows([{**pod, "owner": owner}]))
        changes = read_target(request(target={"images": upgrade(IN_PLACE)}), fleet).changes
        assert [change.images for change in changes.values()] == [{"main": IN_PLACE.wanted}]
        named = {"workload": {"name": "cart"}, "container": "main", "to": IN_PLACE.wanted}
        assert read_target(request(target={"images": [named]}), fleet).changes == {}


def test_a_workload_that_the_request_does_not_name_stays_as_it_is() -> None:
    half_way = replace(IN_PLACE, name="half-way")
    rows = [{**row, "spec": '{"containers": []}'} for row in half_way.rows()]
    changes = target_of(IN_PLACE, extra=tuple(rows), images=upgrade(IN_PLACE)).changes
    assert {pod.name for pod in changes} == {"cart-00000"}


def test_image_and_metadata_go_in_place_and_nothing_else() -> None:
    containers = [{"image": "a:1"}]
    old = {"metadata": {"labels": {"a": "1"}}, "spec": {"containers": containers}}
    new_image = {"metadata": {"labels": {"b": "2"}}, "spec": {"containers": [{"image": "a:2"}]}}
    assert in_place(old, new_image)
    assert not in_place(old, {**old, "spec": {"containers": containers, "initContainers": []}})
    assert not in_place(old, {**old, "spec": {"containers": [{"image": "a:1", "env": []}]}})
    assert not in_place(old, {**old, "spec": {"containers": containers * 2}})


def test_what_controllers_add_is_no_difference() -> None:
    spec = {"containers": [{"image": "a:1"}]}
    own = {"$patch": "replace", "metadata": {"creationTimestamp": None}, "spec": spec}
    assert in_place(own, {"metadata": {}, "spec": spec})


def test_differences_are_by_index() -> None:
    assert list(differences({"a": [1, 2]}, {"a": [1, 3, 4]})) == [("a", 1), ("a", 2)]


def test_a_manifest_keeps_defaults_and_drops_containers_that_it_leaves_out() -> None:
    observed = {
        "dns": "ClusterFirst",
        "containers": [{"name": "a", "image": "a:1", "pull": "Always"}, {"name": "b"}],
        "ports": [{"port": 1, "protocol": "TCP"}],
    }
    desired = {"containers": [{"name": "a", "image": "a:2"}], "ports": [{"port": 2}]}
    assert overlay(observed, desired) == {
        "dns": "ClusterFirst",
        "containers": [{"name": "a", "image": "a:2", "pull": "Always"}],
        "ports": [{"port": 2, "protocol": "TCP"}],
    }


def test_a_revision_that_differs_in_more_than_images_is_recreated() -> None:
    template = IN_PLACE.template
    older = {**template, "spec": {**template["spec"], "hostNetwork": True}}
    app = replace(IN_PLACE, own_template=older)
    assert [each.kind for each in options_of(app, images=upgrade(app))] == ["recreate"]
    only = replace(app, spec={"updateStrategy": {"type": "InPlaceOnly"}})
    assert options_of(only, images=upgrade(only)) == []


@pytest.mark.parametrize(("observed", "kind"), [(3, "in-place"), (2, "recreate")])
def test_a_status_tells_the_template_of_a_revision_that_was_not_observed(
    observed: int, kind: str
) -> None:
    workload, _revision, pod = IN_PLACE.rows()
    document = json.loads(workload["document"])
    document["metadata"]["generation"] = 3
    document["status"] = {"updateRevision": pod["revision"], "observedGeneration": observed}
    fleet = read_fleet(fold_rows([{**workload, "document": json.dumps(document)}, pod]))
    wanted = read_target(request(target={"images": upgrade(IN_PLACE)}), fleet)
    (only,) = fleet.pods
    options = pod_options(only, wanted.changes[only], fleet.workload_of(only), wanted)
    assert [each.kind for each in options] == [kind]


def test_a_manifest_moves_every_pod_whose_template_differs() -> None:
    manifest = {
        "apiVersion": "apps.kruise.io/v1beta1",
        "kind": "CloneSet",
        "metadata": {"name": "cart", "namespace": "trade"},
        "spec": {"template": {"spec": {"hostNetwork": True}}},
    }
    assert options_of(IN_PLACE, manifests=[manifest]) == [Option(kind="recreate", containers={})]
    same = {**manifest, "spec": {"template": {"spec": {}}}}
    assert target_of(IN_PLACE, manifests=[same]).changes == {}
    native = {**manifest, "apiVersion": "apps/v1", "kind": "StatefulSet"}
    assert target_of(IN_PLACE, manifests=[native]).changes == {}


def test_application_and_sidecar_are_one_move() -> None:
    found = options_of(MESHED, (sidecar_set("mesh"),), images=upgrade(MESHED), sidecars=[MESH_RULE])
    both = {"main": MESHED.wanted, "mesh": MESH_RULE["to"]}
    assert found == [Option(kind="in-place", containers=both)]


def test_a_sidecar_alone_goes_in_place() -> None:
    found = options_of(MESHED, (sidecar_set("mesh"),), sidecars=[MESH_RULE])
    assert found == [Option(kind="in-place", containers={"mesh": MESH_RULE["to"]})]


@pytest.mark.parametrize(
    "update",
    [{"paused": True}, {"type": "NotUpdate"}, {"selector": {"matchLabels": {"canary": "yes"}}}],
)
def test_a_sidecar_set_at_rest_updates_nothing(update: dict[str, Any]) -> None:
    assert options_of(MESHED, (sidecar_set("mesh", **update),), sidecars=[MESH_RULE]) == []


def test_a_sidecar_of_another_shape_comes_only_with_a_new_pod() -> None:
    stuck = replace(MESHED, sidecar_hash="other")
    extra = (sidecar_set("mesh"),)
    assert options_of(stuck, extra, sidecars=[MESH_RULE]) == []
    recreated = replace(stuck, spec={})
    found = options_of(recreated, extra, images=upgrade(stuck), sidecars=[MESH_RULE])
    both = {"main": stuck.wanted, "mesh": MESH_RULE["to"]}
    assert found == [Option(kind="recreate", containers=both)]


def test_a_pod_that_was_never_injected_is_not_the_sidecar_sets() -> None:
    bare = replace(MESHED, sidecars={})
    assert target_of(bare, extra=(sidecar_set("mesh"),), sidecars=[MESH_RULE]).changes == {}


def test_a_native_sidecar_is_never_updated_in_place() -> None:
    spec = {
        "containers": [{"name": "main", "image": MESHED.image}],
        "initContainers": [{"name": "mesh", "image": "mesh:1"}],
    }
    native = replace(MESHED, columns={0: {"spec": json.dumps(spec)}})
    assert options_of(native, (sidecar_set("mesh"),), sidecars=[MESH_RULE]) == []


def test_an_advanced_daemon_set_goes_in_place_only_with_its_readiness_gate() -> None:
    update = {"rollingUpdate": {"rollingUpdateType": "InPlaceIfPossible"}}
    app = App(kind="AdvancedDaemonSet", pods=1, spec={"updateStrategy": update})
    containers = app.template["spec"]["containers"]
    gate = json.dumps({"containers": containers, "readinessGates": ["InPlaceUpdateReady"]})
    gated = replace(app, columns={0: {"spec": gate}})
    kinds = [options_of(each, images=upgrade(each))[0].kind for each in (app, gated)]
    assert kinds == ["recreate", "in-place"]
