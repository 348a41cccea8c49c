"""What goes at once, how far levers are pulled, and which sidecars wait for their application."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from planner.apply.checkpoint import PodStanding, Standing
from planner.apply.course import Place
from planner.apply.steps import Going, Target, steps, without, without_those_that_stay
from planner.model.plan import Move, Workload

if TYPE_CHECKING:
    from collections.abc import Iterable

TARGET = Target({"mesh": {"proxy": "proxy:2"}, "logs": {"tail": "tail:2"}})
APPLICATION = {"main": "cart:2"}
SIDECAR = {"proxy": "proxy:2"}
BOTH = APPLICATION | SIDECAR
CART = Place("hz", "trade", "CloneSet", "cart")
STANDINGS = {
    CART: Standing(
        place=CART, unordered=False, replicas=10, pods=10, movable=10, behind=10, old=9,
        at_target=0, unsettled=0, examples=(),
    )
}  # fmt: skip


def going(
    numbers: Iterable[int], images: dict[str, str], revision: str = "cart-1", *, old: bool = True
) -> list[Going]:
    return [
        Going(
            number=number,
            move=Move(
                wave=1, stage=None, cluster="hz", namespace="trade", pod=f"cart-{number}",
                uid=f"u{number}", node="n", workload=Workload(kind="CloneSet", name="cart"),
                kind="in-place", containers=images, because=(),
            ),
            uid=f"u{number}",
            pod=PodStanding(
                state="here", old=old, serves=True, namespace="trade", name=f"cart-{number}",
                revision=revision, node="n", version="1",
            ),
        )
        for number in numbers
    ]  # fmt: skip


def test_a_pod_that_has_its_new_application_lets_no_other_go() -> None:
    """Its controller counts it as new: a partition one lower would let another pod go."""
    half, whole = going([0], BOTH, "cart-2", old=False), going([1], BOTH)
    (step,) = steps(going([2, 3], BOTH), STANDINGS, [*half, *whole], TARGET)
    assert step.value == 9 - 1 - 2
    (again,) = steps([*half, *whole], STANDINGS, (), TARGET)
    assert again.value == 9 - 1


def test_leaving_out_a_pod_that_has_its_new_application_changes_no_number() -> None:
    (step,) = steps(going([0], BOTH) + going([1], BOTH, old=False), STANDINGS, (), TARGET)
    assert without(step, {1}).value == step.value
    assert without(step, {0}).value == step.value + 1


def test_a_step_knows_what_its_number_was_counted_for() -> None:
    web = Place("hz", "trade", "Deployment", "web")
    standing = Standing(
        place=web, unordered=False, replicas=10, pods=9, movable=2, behind=2, old=2,
        at_target=7, unsettled=0, examples=(),
    )  # fmt: skip
    (each,) = going([0], APPLICATION)
    workload = Workload(kind="Deployment", name="web")
    moved = replace(each, move=msgspec.structs.replace(each.move, workload=workload))
    (step,) = steps([moved], {web: standing}, (), TARGET)
    assert (step.value, step.new, step.replicas, step.pods) == (8, 7, 10, 9)
    (step,) = steps([each], STANDINGS, (), TARGET)
    assert step.replicas is None, "a partition says how many stay"


def test_sidecars_wait_for_the_application_of_their_pods() -> None:
    (step,) = steps(going([0, 1], BOTH), STANDINGS, going([2], BOTH, "cart-0"), TARGET)
    assert (step.sidecar_sets, step.leaving) == (("mesh",), ("cart-0", "cart-1"))


def test_sidecars_alone_wait_for_nothing() -> None:
    for alone in (going([0], SIDECAR, old=False), going([0], APPLICATION)):
        (step,) = steps(alone, STANDINGS, (), TARGET)
        assert step.leaving == ()
    taken = going([1], BOTH, "cart-2", old=False)
    (step,) = steps(going([0], SIDECAR, old=False), STANDINGS, taken, TARGET)
    assert step.leaving == ()


def test_a_pod_that_keeps_its_application_goes_after_those_that_leave_its_revision() -> None:
    """A partition of the owner keeps some pods of a workload at the old application."""
    leave, stay = going([0, 1], BOTH), going([2], SIDECAR, old=False)
    other = going([3], SIDECAR, "cart-0", old=False)
    assert without_those_that_stay([*leave, *stay, *other], (), TARGET) == [*leave, *other]
    assert without_those_that_stay(stay, leave, TARGET) == []
    taken = going([0, 1], BOTH, "cart-2", old=False)
    assert without_those_that_stay(stay, taken, TARGET) == stay
