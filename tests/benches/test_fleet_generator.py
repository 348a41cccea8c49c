import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benches.fleet import Fleet
from benches.layout import lay_out
from benches.request import Regime
from benches.template import Template

SMALL = Fleet(pods=1000, seed=5, pods_per_page=300)
Objects = Mapping[str, list[dict[str, Any]]]


def text(fleet: Fleet) -> dict[str, bytes]:
    return {name: b"".join(pieces) for name, pieces in fleet.lists()}


def digest(fleet: Fleet) -> str:
    return hashlib.sha256(b"\0".join(text(fleet).values())).hexdigest()


def controller(item: Mapping[str, Any]) -> tuple[str, str, str, str]:
    (owner,) = item["metadata"]["ownerReferences"]
    return item["metadata"].get("namespace", ""), owner["kind"], owner["name"], owner["uid"]


def is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod["status"]["conditions"]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@pytest.fixture(scope="module")
def objects() -> Objects:
    """Every object of the small fleet by its resource, pages joined."""
    items: dict[str, list[dict[str, Any]]] = {}
    for name, content in text(SMALL).items():
        resource = name.removesuffix(".json").split("-0")[0]
        items.setdefault(resource, []).extend(json.loads(content).get("items", []))
    return items


def owners(objects: Objects) -> Iterator[tuple[str, str, str, str]]:
    kinds = {
        "clonesets.apps.kruise.io": "CloneSet",
        "deployments": "Deployment",
        "replicasets": "ReplicaSet",
        "statefulsets": "StatefulSet",
        "statefulsets.apps.kruise.io": "StatefulSet",
        "daemonsets": "DaemonSet",
        "sidecarsets.apps.kruise.io": "SidecarSet",
    }
    for resource, kind in kinds.items():
        for item in objects[resource]:
            metadata = item["metadata"]
            yield metadata.get("namespace", ""), kind, metadata["name"], metadata["uid"]


def test_same_seed_gives_the_same_bytes() -> None:
    assert digest(SMALL) == digest(Fleet(pods=1000, seed=5, pods_per_page=300))


def test_another_seed_gives_another_fleet() -> None:
    assert digest(SMALL) != digest(Fleet(pods=1000, seed=8, pods_per_page=300))


@pytest.mark.parametrize("pods", [100, 333, 1000, 20_011])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sizes_add_up_to_the_pods_asked_for(pods: int, seed: int) -> None:
    assert sum(each.replicas for each in lay_out(pods, seed).workloads) == pods


@pytest.mark.parametrize("seed", range(5))
def test_no_node_holds_more_pods_than_it_can(seed: int) -> None:
    layout = lay_out(20_000, seed)
    held = Counter(node for each in layout.workloads for node in layout.nodes_of(each))
    assert max(held.values()) <= 110
    assert set(held) <= set(range(layout.nodes))


def test_every_pod_has_an_owner_that_exists(objects: Objects) -> None:
    known = set(owners(objects))
    assert len(objects["pods"]) == 1000
    assert {controller(pod) for pod in objects["pods"]} <= known


def test_every_revision_and_replica_set_has_an_owner_that_exists(objects: Objects) -> None:
    known = set(owners(objects))
    sidecar_sets = {(name, uid) for _, kind, name, uid in known if kind == "SidecarSet"}
    for item in objects["replicasets"] + objects["controllerrevisions"]:
        owner = controller(item)
        assert owner in known or owner[2:] in sidecar_sets


def test_every_pod_is_at_a_revision_that_exists(objects: Objects) -> None:
    names = {
        (item["metadata"]["namespace"], item["metadata"]["name"])
        for item in objects["controllerrevisions"] + objects["replicasets"]
    }
    for pod in objects["pods"]:
        labels = pod["metadata"]["labels"]
        revision = labels.get("controller-revision-hash") or labels["pod-template-hash"]
        name = f"{labels['app']}-{revision.rpartition('-')[2]}"
        assert (pod["metadata"]["namespace"], name) in names


def test_replicas_are_the_pods_there_are(objects: Objects) -> None:
    counted = Counter(controller(pod) for pod in objects["pods"])
    resources = ("clonesets.apps.kruise.io", "replicasets", "statefulsets")
    replicas = {
        item["metadata"]["uid"]: item["spec"]["replicas"]
        for resource in (*resources, "statefulsets.apps.kruise.io")
        for item in objects[resource]
    }
    daemons = {
        item["metadata"]["uid"]: item["status"]["desiredNumberScheduled"]
        for item in objects["daemonsets"]
    }
    assert {owner[3]: count for owner, count in counted.items()} == replicas | daemons


def test_ready_replicas_are_the_pods_that_are_ready(objects: Objects) -> None:
    ready = Counter(controller(pod)[3] for pod in objects["pods"] if is_ready(pod))
    for item in objects["clonesets.apps.kruise.io"] + objects["replicasets"]:
        assert ready[item["metadata"]["uid"]] == item["status"]["readyReplicas"]


def test_a_rollout_on_its_way_has_pods_at_both_revisions(objects: Objects) -> None:
    at = Counter(
        (controller(pod)[3], pod["metadata"]["labels"].get("controller-revision-hash"))
        for pod in objects["pods"]
    )
    clone_sets = objects["clonesets.apps.kruise.io"]
    for item in clone_sets:
        uid, status = item["metadata"]["uid"], item["status"]
        old = status["replicas"] - status["updatedReplicas"]
        assert at[uid, status["updateRevision"]] == status["updatedReplicas"]
        assert not old or at[uid, status["currentRevision"]] == old
    assert any(item["status"]["updatedReplicas"] < item["spec"]["replicas"] for item in clone_sets)


def test_names_and_uids_are_unique_and_pods_come_in_the_order_of_the_api(
    objects: Objects,
) -> None:
    keys = [(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in objects["pods"]]
    assert keys == sorted(set(keys))
    everything = [item for items in objects.values() for item in items]
    assert len({item["metadata"]["uid"] for item in everything}) == len(everything)


def test_every_pod_is_on_a_node_of_its_zone(objects: Objects) -> None:
    label = "topology.kubernetes.io/zone"
    zones = {
        node["metadata"]["name"]: node["metadata"]["labels"][label] for node in objects["nodes"]
    }
    assert len(set(zones.values())) == 3
    for pod in objects["pods"]:
        assert zones[pod["spec"]["nodeName"]] == pod["metadata"]["labels"][label]


def test_every_namespace_that_is_used_exists(objects: Objects) -> None:
    known = {item["metadata"]["name"] for item in objects["namespaces"]}
    used = {
        item["metadata"]["namespace"]
        for items in objects.values()
        for item in items
        if "namespace" in item["metadata"]
    }
    assert used <= known


def test_pages_say_what_is_left() -> None:
    pages = [json.loads(page) for name, page in text(SMALL).items() if name.startswith("pods-")]
    assert [len(page["items"]) for page in pages] == [300, 300, 300, 100]
    left = [page["metadata"].get("remainingItemCount") for page in pages]
    assert left == [700, 400, 100, None]
    assert all(page["metadata"]["continue"] for page in pages[:-1])


def test_written_files_are_the_lists(tmp_path: Path) -> None:
    size = SMALL.write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == text(SMALL)
    assert size == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_a_pod_is_as_large_as_a_real_one() -> None:
    pods = [page for name, page in text(Fleet(pods=10_000)).items() if name.startswith("pods-")]
    assert 5000 < sum(map(len, pods)) / 10_000 < 6500


def test_a_few_percent_of_the_pods_are_down_and_sidecars_are_in_most() -> None:
    workloads = lay_out(50_000, 3).workloads
    assert 0.01 < sum(each.down for each in workloads) / 50_000 < 0.04
    assert sum(each.replicas for each in workloads if each.sidecars) / 50_000 > 0.5
    sizes = Counter[str]()
    for each in workloads:
        sizes[each.kind] += each.replicas
    assert 0.40 < sizes["CloneSet"] / 50_000 < 0.50
    assert 0.25 < sizes["Deployment"] / 50_000 < 0.35
    assert 0.09 < (sizes["StatefulSet"] + sizes["AdvancedStatefulSet"]) / 50_000 < 0.15


@pytest.mark.parametrize("seed", range(5))
def test_no_budget_forbids_every_disruption(seed: int) -> None:
    for name, content in text(Fleet(pods=2000, seed=seed)).items():
        if name.startswith("poddisruptionbudgets"):
            for item in json.loads(content)["items"]:
                assert item["status"]["desiredHealthy"] < item["status"]["expectedPods"]


def test_the_request_names_every_workload_and_only_existing_ones(objects: Objects) -> None:
    spec: Any = SMALL.request(Regime.CHAIN)["spec"]
    apps = {pod["metadata"]["labels"]["app"] for pod in objects["pods"]}
    assert {image["from"].rpartition("/")[2] for image in spec["target"]["images"]} == apps
    known = {(namespace, name) for namespace, _, name, _ in owners(objects)}
    for each in spec["dependencies"]:
        for reference in (each["workload"], *each["after"]):
            assert (reference["namespace"], reference["name"]) in known


@pytest.mark.parametrize("depth", [1, 2, 5, 12])
def test_dependencies_are_layers_as_deep_as_asked_for(depth: int) -> None:
    spec: Any = Fleet(pods=20_000).request(depth=depth)["spec"]
    before = {
        tuple(each["workload"].values()): [tuple(after.values()) for after in each["after"]]
        for each in spec["dependencies"]
    }

    def layer(workload: tuple[str, ...]) -> int:
        return 1 + max((layer(each) for each in before.get(workload, [])), default=0)

    assert max(map(layer, before), default=1) == depth


def test_nobody_waits_for_a_workload_with_pods_that_are_down(objects: Objects) -> None:
    spec: Any = SMALL.request(Regime.CHAIN)["spec"]
    linked = {
        reference["name"]
        for each in spec["dependencies"]
        for reference in (each["workload"], *each["after"])
    }
    down = {pod["metadata"]["labels"]["app"] for pod in objects["pods"] if not is_ready(pod)}
    assert down
    assert not down & linked


def test_regimes_differ_in_what_binds() -> None:
    def caps(regime: Regime) -> dict[str, Any]:
        spec: Any = SMALL.request(regime)["spec"]
        return {each["name"]: each["maxUnavailable"] for each in spec["budgets"]}

    assert caps(Regime.NODE)["per-node"] == 1
    assert caps(Regime.TIGHT)["fleet"] == "2%"
    assert caps(Regime.LOOSE) == caps(Regime.CHAIN)


def test_a_fleet_too_small_for_every_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 100"):
        lay_out(99, 1)


def test_a_template_filled_in_two_steps_equals_one_filled_at_once() -> None:
    template = Template.of({"name": "@a@-@b@", "count": "#n#", "text": '{"n":"#n#"}', "%": "@b@"})
    values = {"a": b"x", "b": b"100%", "n": b"3"}
    whole = template.fill(values)
    assert json.loads(whole) == {"name": "x-100%", "count": 3, "text": '{"n":3}', "%": "100%"}
    assert template.bind({"a": b"x"}).filler(("n", "b"))((b"3", b"100%")) == whole
