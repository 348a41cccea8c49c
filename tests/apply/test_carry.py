"""What is written, and in which order, when a wave is let go."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from planner.apply.carry import SCALED, Wanted, carry_out, rest, try_out
from planner.apply.checkpoint import PodStanding
from planner.apply.course import Place
from planner.apply.levers.deployment import NEVER_S
from planner.apply.levers.held import WAVE_LABEL, released
from planner.apply.naming import DELETION_COST, FIRST_TO_GO, OWNERS_COST, Run, unname_pod
from planner.apply.steps import Going, Step, held_up, without
from planner.errors import DriftError
from planner.kube.paths import object_paths, pod_path
from planner.model.plan import Move, Workload
from tests.apply.objects import CLONE_SET, DEPLOYMENT, workload
from tests.apply.shelf import Shelf
from tests.apply.test_answers import UNAVAILABLE_BUDGET

if TYPE_CHECKING:
    from collections.abc import Sequence

RUN = Run(id="r", wave=1, step="1.1")
IMAGES = {"main": "cart:2.0.0"}
OBJECTS = {"Deployment": DEPLOYMENT, "CloneSet": CLONE_SET}


def place(kind: str) -> Place:
    return Place("hz", "trade", kind, "cart")


def path(kind: str) -> str:
    return object_paths(kind, "trade", "cart")[0]


def shelf(kind: str, *pods: int, **status: Any) -> Shelf:  # noqa: ANN401 JSON
    live = {**copy.deepcopy(OBJECTS[kind]), "status": {"observedGeneration": 3, **status}}
    objects: dict[str, Any] = {path(kind): live}
    for number in pods:
        metadata = {"name": f"cart-{number}", "uid": f"u{number}", "resourceVersion": "1"}
        objects[pod_path("trade", f"cart-{number}")] = {"metadata": metadata}
    return Shelf(objects)


def going(kind: str, numbers: Sequence[int]) -> tuple[Going, ...]:
    return tuple(
        Going(
            number=number,
            move=Move(
                cluster="hz",
                namespace="trade",
                pod=f"cart-{number}",
                uid=f"u{number}",
                wave=1,
                stage=None,
                node="n",
                kind="recreate",
                workload=Workload(kind=kind, name="cart"),
                containers=IMAGES,
                because=(),
            ),
            uid=f"u{number}",
            pod=PodStanding(
                state="here",
                old=True,
                serves=True,
                namespace="trade",
                name=f"cart-{number}",
                revision="cart-1",
                node="n",
                version="1",
            ),
        )
        for number in numbers
    )


def carried(to: Shelf, step: Step) -> dict[int, str]:
    return carry_out([step], to.writer(), Wanted(images={step.place: IMAGES}), RUN)


def test_a_pod_that_has_no_name_does_not_go_and_neither_does_another() -> None:
    to = shelf("Deployment", 0, 1, 2)
    to.refusals[pod_path("trade", "cart-1")] = UNAVAILABLE_BUDGET
    moves = going("Deployment", [0, 1, 2])
    refused = carried(to, Step(place=place("Deployment"), kind="go", value=3, moves=moves))
    assert refused == {1: UNAVAILABLE_BUDGET.message}
    rolling = to.objects[path("Deployment")]["spec"]["strategy"]["rollingUpdate"]
    assert rolling["maxUnavailable"] == 2
    costs = [
        (to.objects[pod_path("trade", f"cart-{each}")]["metadata"].get("annotations") or {})
        for each in range(3)
    ]
    assert [DELETION_COST in each for each in costs] == [True, False, True]


def test_who_has_no_name_is_missing_in_every_number_of_its_workload() -> None:
    to = shelf("Deployment", 0, 2)
    steps = [
        Step(place=place("Deployment"), kind="go", value=2, moves=going("Deployment", [0, 1])),
        Step(place=place("Deployment"), kind="go", value=3, moves=going("Deployment", [2])),
    ]
    to.objects[path("Deployment")]["status"] = {"observedGeneration": 3, "replicas": 10}
    wanted = Wanted(images={place("Deployment"): IMAGES})
    assert carry_out(steps, to.writer(), wanted, RUN) == {1: "its pod is gone"}
    rolling = to.objects[path("Deployment")]["spec"]["strategy"]["rollingUpdate"]
    assert rolling["maxUnavailable"] == 2


def test_a_pod_that_is_gone_lets_no_other_go_in_its_place() -> None:
    to = shelf("CloneSet", 0, 1)
    moves = going("CloneSet", [0, 1, 2])
    refused = carried(to, Step(place=place("CloneSet"), kind="go", value=7, moves=moves))
    assert refused == {2: "its pod is gone"}
    assert to.objects[path("CloneSet")]["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == 8
    assert to.objects[pod_path("trade", "cart-0")]["metadata"]["labels"] == {WAVE_LABEL: "r-1"}


def test_when_no_pod_has_a_name_no_lever_is_pulled() -> None:
    to = shelf("CloneSet")
    step = Step(place=place("CloneSet"), kind="go", value=9, moves=going("CloneSet", [0]))
    assert carried(to, step) == {0: "its pod is gone"}
    assert to.objects[path("CloneSet")]["spec"] == CLONE_SET["spec"]


def test_ordinals_do_not_go_past_one_that_has_no_name() -> None:
    moves = going("StatefulSet", [4, 5, 6, 7])
    step = Step(place=place("StatefulSet"), kind="go", value=4, moves=moves, ordinal=True)
    held = held_up(step, {5: "refused"})
    assert held == {4: "cart-5 goes before it"}
    left = without(step, {4, 5})
    assert (left.value, [it.number for it in left.moves]) == (6, [6, 7])


@pytest.mark.parametrize("kind", ["Deployment", "CloneSet"])
def test_a_template_that_somebody_changed_lets_nothing_go(kind: str) -> None:
    to = shelf(kind, 8, 9, replicas=10)
    live = to.objects[path(kind)]
    live["spec"]["template"]["spec"]["containers"][0]["image"] = IMAGES["main"]
    moves, old = going(kind, [8, 9]), 0
    value = 10 if kind == "Deployment" else old
    step = Step(place=place(kind), kind="go", value=value, new=8, moves=moves)
    with pytest.raises(DriftError, match="not all of them are of its present template"):
        carried(to, step)
    assert released(to.objects[path(kind)])["spec"] == live["spec"]
    live = to.objects[path(kind)]
    live["status"] = {"observedGeneration": 3, "replicas": 10, "updatedReplicas": 8}
    assert carried(to, step) == {}


def scaled(replicas: int) -> Shelf:
    """A Deployment that has so many pods, six of them of its template."""
    to = shelf("Deployment", 8, 9, replicas=replicas, updatedReplicas=6)
    spec = to.objects[path("Deployment")]["spec"]
    spec["template"]["spec"]["containers"][0]["image"] = IMAGES["main"]
    spec["replicas"] = replicas
    return to


def let_go(to: Shelf) -> object:
    """How many pods of the new version a Deployment is let have."""
    return to.objects[path("Deployment")]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"]


@pytest.mark.parametrize(("replicas", "new"), [(6, 0), (6, 8), (14, 8)])
def test_a_deployment_that_somebody_scaled_lets_nothing_go_for_now(replicas: int, new: int) -> None:
    to, at, moves = scaled(replicas), place("Deployment"), going("Deployment", [8, 9])
    step = Step(place=at, kind="go", value=new + 2, new=new, replicas=10, pods=10, moves=moves)
    assert carried(to, step) == {8: SCALED, 9: SCALED}
    assert let_go(to) != new + 2
    assert carried(to, replace(step, value=6, new=4, replicas=replicas, pods=replicas)) == {}
    assert let_go(to) == 6


def test_a_deployment_that_is_scaled_down_since_it_was_looked_at_has_no_changed_template() -> None:
    to, at, moves = scaled(6), place("Deployment"), going("Deployment", [8, 9])
    step = Step(place=at, kind="go", value=10, new=8, replicas=6, pods=10, moves=moves)
    assert carried(to, step) == {8: SCALED, 9: SCALED}
    with pytest.raises(DriftError, match="not all of them are of its present template"):
        carried(to, replace(step, pods=6))


def test_a_deployment_that_was_let_go_stands_still_after() -> None:
    to, step = shelf("Deployment", 0, 1, 2), Step(place=place("Deployment"), kind="go", value=3)
    rest(step.place, to.writer())
    assert to.objects[path("Deployment")]["spec"] == DEPLOYMENT["spec"], "it is not held"
    carried(to, without(step, ()))
    rest(step.place, to.writer())
    spec = to.objects[path("Deployment")]["spec"]
    assert spec["paused"] is True
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}
    assert spec["minReadySeconds"] == NEVER_S


def test_a_pod_that_did_not_go_has_the_deletion_cost_of_its_owner_and_no_other() -> None:
    to = shelf("Deployment", 0, 1, 2)
    own = {1: "7", 2: "-9"}
    for number, cost in own.items():
        annotated = {DELETION_COST: cost, "a": "b"}
        to.objects[pod_path("trade", f"cart-{number}")]["metadata"]["annotations"] = annotated
    first, second, other = (
        replace(it, pod=msgspec.structs.replace(it.pod, deletion_cost=int(own.get(it.number, 0))))
        for it in going("Deployment", [0, 1, 2])
    )

    def costs() -> list[dict[str, str]]:
        pods = [to.objects[pod_path("trade", f"cart-{number}")] for number in range(3)]
        return [it["metadata"].get("annotations") or {} for it in pods]

    step = Step(place=place("Deployment"), kind="go", value=2, moves=(first, second))
    assert carried(to, step) == {}
    assert [it[DELETION_COST] for it in costs()] == [FIRST_TO_GO, FIRST_TO_GO, "-9"]
    seen = msgspec.structs.replace(second.pod, deletion_cost=int(FIRST_TO_GO))
    assert carried(to, replace(step, moves=(replace(second, pod=seen),))) == {}, "once more"
    assert costs()[1][OWNERS_COST] == "7"
    for each in (first, second, other):
        unname_pod(each.pod, each.uid, to.writer())
    assert costs() == [{}, {DELETION_COST: "7", "a": "b"}, {DELETION_COST: "-9", "a": "b"}]


def test_who_paused_a_workload_is_not_overruled() -> None:
    to = shelf("CloneSet", 0)
    rolling = to.objects[path("CloneSet")]["spec"]["updateStrategy"]["rollingUpdate"]
    rolling["paused"] = True
    step = Step(place=place("CloneSet"), kind="go", value=9, moves=going("CloneSet", [0]))
    with pytest.raises(DriftError, match="CloneSet trade/cart is paused by its owner"):
        carried(to, step)


def test_a_sidecar_set_waits_for_all_that_leave_their_revision() -> None:
    to = shelf("CloneSet", 0, 1)
    at = object_paths("SidecarSet", "", "mesh")[0]
    to.objects[at] = workload("SidecarSet", containers=[{"name": "proxy", "image": "proxy:1"}])
    steps = [
        Step(place=place("CloneSet"), kind="go", value=8, moves=going("CloneSet", [0]),
             sidecar_sets=("mesh",), leaving=("cart-1",)),
        Step(place=place("CloneSet"), kind="go", application=False, moves=going("CloneSet", [1]),
             sidecar_sets=("mesh",), leaving=("cart-0",)),
    ]  # fmt: skip
    carry_out(steps, to.writer(), Wanted(images={}, sidecars={"mesh": {"proxy": "proxy:2"}}), RUN)
    mesh = to.objects[at]["spec"]
    assert mesh["containers"] == [{"name": "proxy", "image": "proxy:2"}]
    labels, revisions = mesh["updateStrategy"]["selector"]["matchExpressions"]
    assert labels["values"] == [RUN.sidecars_label]
    assert (revisions["operator"], revisions["values"]) == ("NotIn", ["cart-0", "cart-1"])


def test_in_a_dry_run_what_is_refused_for_now_keeps_nothing_from_being_tried() -> None:
    to = shelf("Deployment", 0)
    evicted = pod_path("trade", "cart-0")
    to.objects[f"{evicted}/eviction"] = {}
    to.refusals = {evicted: UNAVAILABLE_BUDGET, f"{evicted}/eviction": UNAVAILABLE_BUDGET}
    (gone, still) = going("Deployment", [1, 0])
    still = replace(still, move=msgspec.structs.replace(still.move, kind="evict"))
    # It was scaled since, from 9.
    at, moves = place("Deployment"), (gone, still)
    step = Step(place=at, kind="go", value=2, replicas=9, moves=moves)
    wanted = Wanted(images={at: IMAGES})
    assert try_out([step], to.writer(dry_run=True), wanted, RUN) == {0}
    assert [call.path for call in to.writes] == [
        pod_path("trade", "cart-1"), evicted,
        path("Deployment"), path("Deployment"), f"{evicted}/eviction",
    ]  # fmt: skip
