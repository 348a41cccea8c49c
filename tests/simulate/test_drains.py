"""Plans that drain nodes on simulated clusters: who is left where, and with which images."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO
from itertools import count
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import pytest
from rich.console import Console

import planner
from planner.model.request import load_request
from planner.show.simulation import tell_simulation
from planner.simulate import Faults, simulate
from planner.simulate.observed import contents_of
from planner.simulate.pace import drawn_around_expected
from planner.simulate.report import report
from planner.simulate.rules.pods import images_of, name_of, node_of
from planner.simulate.run import run
from planner.verify.observed import fold_rows
from tests.shop import REQUEST, SHOP, empty_log, header_of, moves_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.model.simulation import Simulation
    from planner.simulate.course import Course
    from planner.verify.observed import Observed

SEEN = "2026-11-23T09:00:00Z"
OLD, NEW = "registry.example.com/cart:1.0.0", "registry.example.com/cart:2.0.0"
DRAINED, OTHER = "node-0", "node-1"
TO_NEW = [{"from": "registry.example.com/cart", "to": NEW}]
IN_PLACE = {"podUpdatePolicy": "InPlaceIfPossible", "maxUnavailable": "100%"}
NOTHING = Faults()

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan with what it was made of."""

    header: Json
    moves: list[Json]
    observed: Observed

    def simulated(self, moves: list[Json] | None = None) -> tuple[Course, Simulation]:
        moves = self.moves if moves is None else moves
        contents = [contents_of(self.observed, each) for each in sorted(self.observed.clusters)]
        pace = drawn_around_expected(0, NOTHING)
        course = run(self.header, moves, contents, begin_ms=self.observed.time_ms, pace=pace)
        return course, report(self.header, course, seed=0, faults=NOTHING)


def named(kind: str, name: str, **more: Any) -> Json:  # noqa: ANN401
    uid = str(uuid5(NAMESPACE_URL, f"{kind}/{name}"))
    times = {"resourceVersion": "10", "creationTimestamp": SEEN, "generation": 1}
    return {"name": name, "namespace": "trade", "uid": uid, **times, **more}


def workload(kind: str, group: str, replicas: int, **spec: Any) -> Json:  # noqa: ANN401
    template = {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [main(OLD)]}}
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": named(kind, "cart"),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "cart"}},
            "template": template,
            **spec,
        },
        "status": {
            "observedGeneration": 1,
            "currentRevision": "cart-1",
            "updateRevision": "cart-1",
        },
    }


def clone_set(replicas: int, **rolling: Any) -> Json:  # noqa: ANN401
    update = {"type": "RollingUpdate", "rollingUpdate": {**IN_PLACE, **rolling}}
    return workload("CloneSet", "apps.kruise.io/v1beta1", replicas, updateStrategy=update)


def ordered_set(replicas: int, **rolling: Any) -> Json:  # noqa: ANN401
    update = {"type": "RollingUpdate", "rollingUpdate": {**IN_PLACE, "partition": 0, **rolling}}
    group, policy = "apps.kruise.io/v1beta1", "Parallel"
    return workload(
        "StatefulSet", group, replicas, updateStrategy=update, podManagementPolicy=policy
    )


def main(image: str) -> Json:
    return {"name": "main", "image": image}


def node(number: int) -> Json:
    about = named("Node", f"node-{number}", labels={"pool": "old" if number == 0 else "new"})
    del about["namespace"]
    return {"apiVersion": "v1", "kind": "Node", "metadata": about, "spec": {}, "status": {}}


def pod(name: str, on: str, owner: Json | None = None, **annotations: str) -> Json:
    labels = {"app": "cart", "controller-revision-hash": "cart-1"}
    about = named("Pod", name, labels=labels, annotations=annotations)
    if owner is not None:
        keys = {key: owner["metadata"][key] for key in ("name", "uid")}
        kinds = {key: owner[key] for key in ("apiVersion", "kind")}
        about["ownerReferences"] = [{**kinds, **keys, "controller": True}]
    conditions = [
        {"type": each, "status": "True", "lastTransitionTime": SEEN}
        for each in ("Ready", "InPlaceUpdateReady")
    ]
    statuses = [{**main(OLD), "ready": True, "restartCount": 0, "imageID": "old"}]
    gates = [{"conditionType": "InPlaceUpdateReady"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": about,
        "spec": {"nodeName": on, "containers": [main(OLD)], "readinessGates": gates},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": statuses},
    }


def pods(owner: Json, *on: str) -> list[Json]:
    """Pods of a workload on these nodes, numbered from 0."""
    return [pod(f"cart-{at}", each, owner) for at, each in zip(count(), on, strict=False)]


def plan_of(*items: Json, images: Iterable[Json] = (), **spec: Any) -> Planned:  # noqa: ANN401
    """The plan that drains the old node of a cluster of three and changes these images."""
    written = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "drain"},
        "spec": {
            "target": {
                "images": list(images),
                "drain": [{"selector": {"matchLabels": {"pool": "old"}}}],
            },
            **spec,
        },
    }
    log = empty_log()
    listed = {"apiVersion": "v1", "kind": "List", "items": [*map(node, range(3)), *items]}
    with TemporaryDirectory() as folder:
        path = f"{folder}/list.json"
        with open(path, "w") as file:  # noqa: PTH123 as fleets do
            json.dump(listed, file)
        log.import_recorded("hangzhou", path)
    return planned(log, json.dumps(written).encode())


def planned(log: planner.Log, request: bytes) -> Planned:
    wanted = load_request(request, "request.json", lambda _: ())
    plan = planner.plan(log, wanted, keep=False)
    observed = fold_rows(rows_of(log.events))
    return Planned(header=header_of(plan), moves=moves_of(plan), observed=observed)


def ends(course: Course) -> dict[str, tuple[str, str]]:
    """By pod of the beginning: node and image of who stands in its place in the end."""
    return {
        name_of(slot.pod): (node_of(slot.occupant), images_of(slot.occupant)["main"])
        for slot in course.slots
        if slot.occupant is not None
    }


def images(course: Course) -> dict[str, str]:
    return {name: image for name, (_, image) in ends(course).items()}


def assert_emptied(course: Course, simulation: Simulation) -> None:
    assert simulation.not_as_planned == ()
    assert simulation.exceeded == ()
    assert simulation.disrupted_twice == 0
    assert [each.left for each in simulation.drains or ()] == [()]
    assert DRAINED not in {on for on, _ in ends(course).values()}


@pytest.mark.parametrize(
    ("kind", "group", "spec"),
    [
        ("CloneSet", "apps.kruise.io/v1beta1", {}),
        ("StatefulSet", "apps/v1", {}),
        ("StatefulSet", "apps.kruise.io/v1beta1", {}),
        ("StatefulSet", "apps/v1", {"updateStrategy": {"type": "OnDelete"}}),
        ("CloneSet", "apps.kruise.io/v1beta1", {"updateStrategy": {"type": "OnDelete"}}),
    ],
)
def test_pods_leave_a_drained_node_and_their_workload_stays_as_it_was(
    kind: str, group: str, spec: Json
) -> None:
    owner = workload(kind, group, 4, **spec)
    made = plan_of(owner, *pods(owner, DRAINED, OTHER, DRAINED, OTHER))
    assert {each["kind"] for each in made.moves} == {"evict"}
    course, simulation = made.simulated()
    assert simulation.as_planned == 2
    assert_emptied(course, simulation)
    assert set(images(course).values()) == {OLD}


def test_a_deployment_of_which_none_may_be_down_has_its_pods_evicted_one_by_one() -> None:
    rolling = {"maxUnavailable": 0, "maxSurge": 1}
    owner = workload(
        "Deployment", "apps/v1", 3, strategy={"type": "RollingUpdate", "rollingUpdate": rolling}
    )
    labels = {"app": "cart", "pod-template-hash": "1"}
    replica_set = workload("ReplicaSet", "apps/v1", 3)
    replica_set["metadata"] = named(
        "ReplicaSet",
        "cart-1",
        labels=labels,
        ownerReferences=pod("x", OTHER, owner)["metadata"]["ownerReferences"],
    )
    made = plan_of(owner, replica_set, *pods(replica_set, DRAINED, DRAINED, OTHER))
    assert [each["wave"] for each in made.moves] == [1, 2]
    course, simulation = made.simulated()
    assert_emptied(course, simulation)
    own = next(each for each in simulation.budgets if each.name == "workload/trade/Deployment/cart")
    assert (own.peak, own.limit) == (1, 1)


@pytest.mark.parametrize("kind", ["CloneSet", "StatefulSet", "unordered"])
def test_pods_that_would_change_in_place_are_made_anew_elsewhere(kind: str) -> None:
    more: Json = {"unorderedUpdate": {}} if kind == "unordered" else {}
    owner = clone_set(4) if kind == "CloneSet" else ordered_set(4, **more)
    made = plan_of(owner, *pods(owner, DRAINED, OTHER, DRAINED, OTHER), images=TO_NEW)
    kinds = {each["pod"]: each["kind"] for each in made.moves}
    assert kinds == {
        "cart-0": "evict",
        "cart-1": "in-place",
        "cart-2": "evict",
        "cart-3": "in-place",
    }
    course, simulation = made.simulated()
    assert simulation.as_planned == 4
    assert_emptied(course, simulation)
    assert set(images(course).values()) == {NEW}


@pytest.mark.parametrize("policy", ["InPlaceIfPossible", "ReCreate"])
def test_pods_behind_a_partition_leave_and_come_back_as_they_were(policy: str) -> None:
    owner = clone_set(6, partition=3, podUpdatePolicy=policy)
    nodes = (DRAINED, OTHER, DRAINED, OTHER, DRAINED, DRAINED)
    made = plan_of(owner, *pods(owner, *nodes), images=TO_NEW)
    moved = {each["pod"] for each in made.moves if "main" in each["containers"]}
    assert len(moved) == 3
    course, simulation = made.simulated()
    assert simulation.as_planned == len(made.moves)
    assert_emptied(course, simulation)
    # A partition counts: whoever is evicted must not come back new for another that stays old.
    assert {name for name, image in images(course).items() if image == NEW} == moved


def test_pods_of_daemon_sets_stay_and_come_back_on_a_drained_node() -> None:
    owner = workload("DaemonSet", "apps/v1", 2)
    del owner["spec"]["replicas"]
    made = plan_of(owner, *pods(owner, DRAINED, OTHER), images=TO_NEW)
    assert {each["kind"] for each in made.moves} == {"recreate"}
    course, simulation = made.simulated()
    assert simulation.not_as_planned == ()
    assert ends(course) == {"cart-0": (DRAINED, NEW), "cart-1": (OTHER, NEW)}
    assert [each.left for each in simulation.drains or ()] == [()]


def test_new_pods_of_a_release_come_to_other_nodes_though_the_drained_one_has_room() -> None:
    owner = clone_set(3, podUpdatePolicy="ReCreate")
    made = plan_of(owner, *pods(owner, OTHER, OTHER, "node-2"), images=TO_NEW)
    course, simulation = made.simulated()
    assert_emptied(course, simulation)


def test_pods_that_nobody_moves_are_left_and_told_but_those_of_the_kubelet_are_not() -> None:
    owner = clone_set(2)
    mirror = pod("kube-proxy", DRAINED, None, **{"kubernetes.io/config.mirror": "1"})
    ended = pod("migration", DRAINED)
    ended["status"]["phase"] = "Succeeded"
    bare = pod("debug", DRAINED)
    made = plan_of(owner, mirror, ended, bare, *pods(owner, DRAINED, OTHER))
    _, simulation = made.simulated()
    assert simulation.drains is not msgspec.UNSET
    (drained,) = simulation.drains
    assert (drained.name, drained.stays, drained.left) == (DRAINED, 1, ("trade/debug",))
    assert "hangzhou node-0 is not empty: trade/debug, 1 as planned" in told(simulation)


def test_a_node_that_a_plan_does_not_empty_is_found_out() -> None:
    owner = clone_set(2)
    made = plan_of(owner, *pods(owner, DRAINED, OTHER), images=TO_NEW)
    _, simulation = made.simulated([{**each, "kind": "in-place"} for each in made.moves])
    assert simulation.drains is not msgspec.UNSET
    (drained,) = simulation.drains
    assert (drained.stays, drained.left) == (0, ("trade/cart-0",))


@pytest.mark.parametrize("kind", ["CloneSet", "StatefulSet"])
def test_an_eviction_that_is_refused_lets_nothing_else_of_its_workload_go(kind: str) -> None:
    owner = clone_set(4) if kind == "CloneSet" else ordered_set(4)
    items = pods(owner, DRAINED, DRAINED, OTHER, DRAINED)
    items[3]["metadata"]["labels"]["guarded"] = "yes"
    made = plan_of(owner, *items, images=TO_NEW)
    assert {each["wave"] for each in made.moves} == {1}
    # Of two budgets that came after the plan: the API server evicts nobody under both.
    budgets = {
        name: {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": named("PodDisruptionBudget", name),
            "spec": {"minAvailable": 0, "selector": {"matchLabels": {"guarded": "yes"}}},
        }
        for name in ("one", "two")
    }
    objects = {**made.observed.objects, ("hangzhou", "poddisruptionbudgets"): budgets}
    first = sorted(made.moves, key=lambda each: each["pod"] != "cart-3")
    course, simulation = replace(made, observed=replace(made.observed, objects=objects)).simulated(
        first
    )
    assert {each.reason for each in simulation.not_as_planned} == {"held: eviction refused"}
    assert set(images(course).values()) == {OLD}
    assert [each.left for each in simulation.drains or ()] == [
        ("trade/cart-0", "trade/cart-1", "trade/cart-3")
    ]


def test_a_pod_that_left_before_its_turn_is_not_evicted_where_it_came_to() -> None:
    owner = clone_set(4, maxUnavailable=1)
    items = pods(owner, DRAINED, DRAINED, DRAINED, OTHER)
    items[0]["metadata"]["deletionTimestamp"] = SEEN
    made = plan_of(owner, *items)
    for move, wave in zip(made.moves, (2, 1, 3), strict=True):
        move["wave"] = wave
    assert [each["pod"] for each in made.moves] == ["cart-0", "cart-1", "cart-2"]
    per_wave = [{**made.header["per_wave"][0], "wave": wave} for wave in (1, 2, 3)]
    late = replace(made, header={**made.header, "per_wave": per_wave})
    course, simulation = late.simulated(sorted(made.moves, key=lambda each: each["wave"]))
    assert_emptied(course, simulation)
    assert {name_of(slot.pod): slot.disruptions for slot in course.slots} == {
        "cart-0": 0,
        "cart-1": 1,
        "cart-2": 1,
        "cart-3": 0,
    }


@cache
def of_shanghai(*, release: bool) -> Planned:
    """The release of the shop's smaller cluster with its first node drained, or that alone."""
    log = empty_log()
    log.import_recorded("shanghai", SHOP / "shanghai")
    request = planner.load_request(REQUEST)
    written: Json = msgspec.to_builtins(request)
    target = written["spec"]["target"] if release else {}
    drain = {"name": "node-0001", "deleteEmptyDirData": True}
    written["spec"]["target"] = {**target, "drain": [drain]}
    return planned(log, msgspec.json.encode(written))


@pytest.mark.parametrize("release", [False, True])
def test_a_node_of_the_shop_is_empty_in_the_end(release: bool) -> None:  # noqa: FBT001
    made = of_shanghai(release=release)
    (told_of,) = made.header["drains"]
    assert told_of["moves"] > 0
    _, simulation = made.simulated()
    assert simulation.faithful == 1
    assert simulation.exceeded == ()
    assert simulation.disrupted_twice == 0
    assert simulation.drains is not msgspec.UNSET
    (drained,) = simulation.drains
    assert len(drained.left) == drained.stays == told_of["stays"]


def told(simulation: Simulation) -> str:
    text = StringIO()
    tell_simulation(simulation, Console(file=text, width=120))
    return text.getvalue()


def test_nothing_is_told_of_drains_where_none_is_wanted() -> None:
    owner = clone_set(2)
    made = plan_of(owner, *pods(owner, DRAINED, OTHER), images=TO_NEW)
    header = {key: value for key, value in made.header.items() if key != "drains"}
    simulation = simulate(header, made.moves, made.observed, seed=0, faults=NOTHING)
    assert "drains" not in msgspec.json.decode(msgspec.json.encode(simulation))
    assert "drained" not in told(simulation)
