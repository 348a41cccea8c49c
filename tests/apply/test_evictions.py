"""Pods that leave their nodes: evicted, and nothing else let go for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from planner.apply.carry import Wanted, carry_out
from planner.apply.checkpoint import Checkpoint, PodStanding, PodState, Standing
from planner.apply.course import Place
from planner.apply.drift import drift
from planner.apply.events import (
    AnyEvent,
    LetGo,
    WaveBegun,
)
from planner.apply.levers.held import SIDECARS_LABEL, WAVE_LABEL
from planner.apply.moveset import MoveSet
from planner.apply.naming import Run as Who
from planner.apply.reached import how_far
from planner.apply.state import Run, fold
from planner.apply.steps import (
    Going,
    Step,
    Target,
    as_appended,
    steps,
    without_evictions_that_wait,
    without_those_that_stay,
)
from planner.apply.wave import bind, bound_moves
from planner.errors import DriftError
from planner.kube.paths import object_paths, pod_path
from planner.model.plan import Move, Workload
from tests.apply.objects import CLONE_SET, workload
from tests.apply.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


CART = Place("hz", "trade", "CloneSet", "cart")
WHO = Who(id="r", wave=1, step="1.1")
MESH = Target({"mesh": {"proxy": "proxy:2"}})


def going(
    number: int,
    containers: Mapping[str, str],
    *,
    old: bool = False,
    kind: Any = "evict",  # noqa: ANN401 one of the kinds
    place: Place = CART,
) -> Going:
    return Going(
        number=number,
        move=Move(
            wave=1, stage=None, cluster="hz", namespace="trade", pod=f"cart-{number}",
            uid=f"u{number}", node="n", workload=Workload(kind=place.kind, name="cart"), kind=kind,
            containers=dict(containers), because=(),
        ),
        uid=f"u{number}",
        pod=PodStanding(
            state="here", old=old, serves=True, namespace="trade", name=f"cart-{number}",
            revision="cart-1", node="n", version="1",
        ),
    )  # fmt: skip


def standing(place: Place = CART, **more: Any) -> Standing:  # noqa: ANN401
    of = {"pods": 10, "movable": 2, "behind": 2, "old": 0, "at_target": 8, "unsettled": 0, **more}
    return Standing(place=place, unordered=False, replicas=10, examples=("cart-x",), **of)


class Told(Shelf):
    """An API server with a CloneSet of pods that remembers what it was told to write."""

    def __init__(self, *pods: int) -> None:
        super().__init__({object_paths("CloneSet", "trade", "cart")[0]: CLONE_SET})
        for number in pods:
            metadata = {"name": f"cart-{number}", "uid": f"u{number}", "resourceVersion": "1"}
            at = pod_path("trade", f"cart-{number}")
            self.objects |= {at: {"metadata": metadata}, f"{at}/eviction": {}}
        sidecars = [{"name": "proxy", "image": "proxy:1"}]
        mesh = workload("SidecarSet", containers=sidecars)
        self.objects[object_paths("SidecarSet", "", "mesh")[0]] = mesh

    @property
    def written(self) -> list[str]:
        """The last words of the paths that were written to."""
        return [call.path.rpartition("/")[2] for call in self.writes]


def carried(to: Told, moves: Iterable[Going], **more: Any) -> list[Step]:  # noqa: ANN401
    made = steps(moves, {CART: standing(**more)}, (), MESH)
    wanted = Wanted(images={CART: {"main": "cart:2"}}, sidecars=MESH.sidecars)
    assert carry_out(made, to.writer(), wanted, WHO) == {}
    return made


def test_a_pod_that_only_leaves_its_node_is_evicted_and_nothing_else_is_written() -> None:
    to = Told(0, 1)
    (step,) = carried(to, [going(0, {}), going(1, {})])
    assert (step.application, step.sidecar_sets, step.new_sidecars) == (False, (), ())
    assert to.written == ["eviction", "eviction"]
    guards = [call.body["deleteOptions"]["preconditions"]["uid"] for call in to.writes]
    assert guards == ["u0", "u1"]


def test_an_eviction_in_the_place_of_a_change_is_named_let_go_and_evicted() -> None:
    to = Told(0)
    (step,) = carried(to, [going(0, {"main": "cart:2"}, old=True)], old=5)
    assert (step.application, step.value) == (True, 4)
    assert to.written == ["cart-0", "cart", "eviction"]
    labels = to.objects[pod_path("trade", "cart-0")]["metadata"]["labels"]
    assert labels == {WAVE_LABEL: WHO.label}


@pytest.mark.parametrize("old", [True, False])
def test_the_pod_that_comes_for_an_evicted_one_gets_its_new_sidecar(*, old: bool) -> None:
    to = Told(0)
    (step,) = carried(to, [going(0, {"proxy": "proxy:2"}, old=old)], old=int(old))
    assert (step.sidecar_sets, step.new_sidecars) == ((), ("mesh",))
    assert to.written.index("mesh") < to.written.index("eviction")
    mesh = to.objects[object_paths("SidecarSet", "", "mesh")[0]]["spec"]
    assert mesh["containers"] == [{"name": "proxy", "image": "proxy:2"}]
    assert mesh["updateStrategy"]["selector"], "and changes none in place by itself"
    labels = to.objects[pod_path("trade", "cart-0")]["metadata"].get("labels", {})
    assert SIDECARS_LABEL not in labels


def test_sidecars_of_others_wait_while_an_eviction_brings_the_new_one() -> None:
    both = {"main": "cart:2", "proxy": "proxy:2"}
    taken = [going(1, both, old=True, kind="in-place")]
    (step,) = steps([going(0, {"proxy": "proxy:2"})], {CART: standing()}, taken, MESH)
    assert step.leaving == ("cart-1",)
    evicted = [going(0, {"proxy": "proxy:2"})]
    assert without_those_that_stay(evicted, taken, MESH) == evicted, "no selector is asked"


def test_who_only_leaves_waits_while_its_workload_takes_others_to_a_new_version() -> None:
    leaves = going(0, {})
    changes = going(1, {"main": "cart:2"}, old=True, kind="in-place")
    assert without_evictions_that_wait([leaves, changes], (), MESH) == [changes]
    assert without_evictions_that_wait([leaves], [changes], MESH) == []
    assert without_evictions_that_wait([leaves], [going(2, {})], MESH) == [leaves]
    anew = replace(leaves, pod=msgspec.structs.replace(leaves.pod, old=True))
    assert without_evictions_that_wait([anew, changes], (), MESH) == [anew, changes]


def test_a_sidecar_set_that_is_paused_gives_new_pods_its_image_and_changes_none() -> None:
    to = Told(0)
    mesh = to.objects[object_paths("SidecarSet", "", "mesh")[0]]
    mesh["spec"]["updateStrategy"] = {"paused": True}
    carried(to, [going(0, {"proxy": "proxy:2"})])
    mesh = to.objects[object_paths("SidecarSet", "", "mesh")[0]]
    assert mesh["spec"]["containers"] == [{"name": "proxy", "image": "proxy:2"}]
    assert mesh["spec"]["updateStrategy"]["paused"]
    to = Told(0)
    to.objects[object_paths("SidecarSet", "", "mesh")[0]] = mesh
    with pytest.raises(DriftError, match="paused by its owner"):
        carried(to, [going(0, {"proxy": "proxy:2"}, kind="in-place")])


def test_pods_are_evicted_before_the_levers_of_other_workloads_are_pulled() -> None:
    to = Told(0)
    other = Place("hz", "trade", "CloneSet", "other")
    to.objects[object_paths("CloneSet", "trade", "other")[0]] = CLONE_SET
    both = {"main": "cart:2"}
    first = going(0, both, old=True)
    (step,) = steps([first], {CART: standing(old=5)}, (), MESH)
    again = replace(step, place=other, moves=())
    wanted = Wanted(images={CART: {"main": "cart:2"}, other: {"main": "cart:2"}})
    carry_out([step, again], to.writer(), wanted, WHO)
    assert to.written == ["cart-0", "cart", "eviction", "other"]


def test_pods_that_leave_at_the_new_version_are_new_to_their_controller() -> None:
    web = Place("hz", "trade", "Deployment", "web")
    move = going(0, {"main": "cart:2"}, old=True, kind="recreate", place=web)
    named = msgspec.structs.replace(move.move, workload=Workload(kind="Deployment", name="web"))
    stand = standing(web, movable=5, behind=5, old=3, at_target=5)
    (step,) = steps([replace(move, move=named)], {web: stand}, (), Target())
    assert (step.new, step.value) == (7, 8), "five, two that leave their nodes, and this one"


def test_a_step_that_is_made_again_differs_in_its_numbers_alone() -> None:
    step = Step(
        place=CART, kind="go", value=9, new=3, replicas=10, pods=9, ordinal=True,
        moves=(going(0, {}),), sidecar_sets=("a",), new_sidecars=("b",), leaving=("c",),
    )  # fmt: skip
    alone = replace(step, application=False)
    other = Place("hz", "trade", "Deployment", "web")
    levers = {CART: (0, "surge", 4, 2), other: (1, "swap", 7, 0)}
    again, as_it_was, rest = as_appended([step, alone], levers)
    assert again == replace(step, kind="surge", value=4, surge=2)
    assert as_it_was == alone, "it has no lever"
    assert rest == Step(place=other, kind="swap", value=7)


def test_a_deployment_has_its_new_pods_also_while_some_of_them_leave_their_nodes() -> None:
    """Scaled up meanwhile, it took none of those that were let go, and two others are to leave."""
    web = Place("hz", "trade", "Deployment", "web")
    events: list[AnyEvent] = [
        WaveBegun(wave=1, moves="0-1", base=((0, 10, 0, 0, 2),)),
        LetGo(wave=1, moves="0-1", levers=((0, "go", 6, 0),)),
    ]
    wave = fold(Run(plan="p"), events, 0).wave
    its = Workload(kind="Deployment", name="web")
    moves = [msgspec.structs.replace(going(number, {}).move, workload=its) for number in range(2)]
    due = bound_moves(enumerate(moves), wave)
    here = going(0, {}, old=True).pod
    for new, back in ((3, MoveSet()), (4, MoveSet([0, 1]))):
        stand = standing(web, movable=16 - new, behind=16 - new, old=14 - new, at_target=new)
        looked = Checkpoint(
            position=1, workloads=(stand,), tightest=None, let_go=(here, here), due=()
        )
        assert how_far(due, wave, {web: 0}, looked).back == back


def reached(stand: Standing, *states: PodState) -> Any:  # noqa: ANN401 Reached
    begun = WaveBegun(wave=1, moves="0-1", base=((0, 2, 0, 0, 8),))
    wave = fold(Run(plan="p"), [begun, LetGo(wave=1, moves="0-1")], 0).wave
    moves = [going(number, {}) for number in range(2)]
    due = bound_moves([(it.number, it.move) for it in moves], wave)
    let_go = tuple(
        msgspec.structs.replace(it.pod, state=state)
        for it, state in zip(moves, states, strict=True)
    )
    checkpoint = Checkpoint(position=1, workloads=(stand,), tightest=None, let_go=let_go, due=())
    return how_far(due, wave, {CART: 0}, checkpoint)


def test_an_evicted_pod_is_back_when_as_many_serve_as_before() -> None:
    looks: Sequence[tuple[Standing, tuple[PodState, PodState], MoveSet]] = (
        (standing(), ("here", "here"), MoveSet()),
        (standing(movable=0, behind=0, pods=8, unsettled=2), ("leaving", "leaving"), MoveSet()),
        (standing(movable=0, behind=0, pods=8), ("gone", "gone"), MoveSet()),
        (standing(movable=1, behind=1, pods=9), ("gone", "here"), MoveSet()),
        (standing(movable=1, behind=1, at_target=9), ("gone", "here"), MoveSet([0])),
        (standing(movable=0, behind=0, at_target=10, unsettled=1), ("gone", "gone"), MoveSet([0])),
        (standing(movable=0, behind=0, at_target=10), ("gone", "gone"), MoveSet([0, 1])),
    )
    for stand, states, back in looks:
        found = reached(stand, *states)
        assert (found.back, found.strays) == (back, MoveSet()), states
        assert found.back | MoveSet(found.waiting) == MoveSet([0, 1])


def test_nodes_that_get_pods_again_are_drift_and_empty_ones_are_none() -> None:
    done = standing(movable=0, behind=0, at_target=10)
    assert drift({CART: 0}, {}, {CART: done}) == ()
    assert drift({}, {}, {CART: done}) == (), "every workload is told where nodes are drained"
    (why,) = drift({CART: 0}, {}, {CART: standing(movable=1, behind=1, at_target=9)})
    assert why.endswith("1 pods have to move, planned were 0")
    stays = standing(movable=0, behind=2)
    assert drift({CART: 0}, {CART: 2}, {CART: stays}) == (), "their data would be lost"


@pytest.mark.parametrize(
    ("kind", "from_old", "bound"),
    [("evict", True, "old"), ("evict", False, "new"), ("in-place", False, "new"),
     ("recreate", True, "new"), ("recreate", False, "new")],
)  # fmt: skip
def test_a_move_takes_no_pod_of_which_it_would_not_make_what_is_wanted(
    kind: Any,  # noqa: ANN401 one of the kinds
    from_old: bool,  # noqa: FBT001
    bound: str,
) -> None:
    """What changes in place would stay on its node, and evictions only empty nodes."""
    (it,) = [going(0, {}, kind=kind)]
    move = msgspec.structs.replace(it.move, node="old" if from_old else "new")
    gone = {("hz", it.uid): msgspec.structs.replace(it.pod, state="gone")}
    nodes = {"new": "new", "old": "old"}
    known = frozenset({it.uid})
    listed = {CART: [it.uid, "new", "old"]}
    drained = {("hz", "old")}
    binding = bind([(0, move)], gone, listed, known, nodes=nodes, drained=drained)
    assert binding.bound == {0: bound}
    other = {CART: [each for each in listed[CART] if each != bound]}
    binding = bind([(0, move)], gone, other, known, nodes=nodes, drained=drained)
    assert binding.dropped == (MoveSet() if kind == "recreate" else MoveSet([0]))
