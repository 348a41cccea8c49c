"""Pods that two controllers change go a few at a time, all others at once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from planner.apply.checkpoint import PodStanding, Standing
from planner.apply.course import Place, place_of
from planner.apply.portions import TOGETHER, in_hand, next_portion
from planner.apply.steps import Going, Target, steps
from planner.model.plan import Move, Workload

if TYPE_CHECKING:
    from collections.abc import Iterable

TARGET = Target({"mesh": {"proxy": "proxy:2"}})
BOTH = {"main": "cart:2", "proxy": "proxy:2"}
CART = Place("hz", "trade", "CloneSet", "cart")
HALF = TOGETHER // 2


def going(
    numbers: Iterable[int], images: dict[str, str], cluster: str = "hz", *, old: bool = True
) -> list[Going]:
    return [
        Going(
            number=number,
            move=Move(
                wave=1, stage=None, cluster=cluster, namespace="trade", pod=f"cart-{number}",
                uid=f"u{number}", node="n", workload=Workload(kind="CloneSet", name="cart"),
                kind="in-place", containers=images, because=(),
            ),
            uid=f"u{number}",
            pod=PodStanding(
                state="here", old=old, serves=True, namespace="trade", name=f"cart-{number}",
                node="n", version="1",
            ),
        )
        for number in numbers
    ]  # fmt: skip


def test_what_one_controller_changes_goes_at_once() -> None:
    one = [*going(range(500), {"main": "cart:2"}), *going(range(500, 900), {"proxy": "proxy:2"})]
    assert next_portion(one, TARGET, {}) == one
    assert in_hand(one, TARGET) == {}


def test_the_next_few_go_when_half_of_those_before_are_through() -> None:
    waiting = going(range(100), BOTH)
    assert next_portion(waiting, TARGET, {}) == waiting[:TOGETHER]
    assert next_portion(waiting, TARGET, {"hz": TOGETHER}) == []
    assert next_portion(waiting, TARGET, {"hz": HALF + 1}) == [], "no lever for every single pod"
    assert next_portion(waiting, TARGET, {"hz": HALF}) == waiting[:HALF]
    assert next_portion(waiting[:2], TARGET, {"hz": TOGETHER - 2}) == waiting[:2], "the last ones"


def test_clusters_do_not_wait_for_each_other() -> None:
    here, there = going(range(50), BOTH), going(range(50, 100), BOTH, "sh")
    assert next_portion([*here, *there], TARGET, {"hz": TOGETHER}) == there[:TOGETHER]


@given(st.lists(st.sampled_from(["hz", "sh"]), max_size=120), st.data())
def test_all_go_in_their_order_and_never_too_many_at_once(
    clusters: list[str], data: st.DataObject
) -> None:
    waiting = [going([number], BOTH, its)[0] for number, its in enumerate(clusters)]
    taken: list[Going] = []
    went: list[Going] = []
    while waiting or taken:
        portion = next_portion(waiting, TARGET, in_hand(taken, TARGET))
        taken += portion
        went += portion
        waiting = [each for each in waiting if each not in portion]
        assert max(in_hand(taken, TARGET).values(), default=0) <= TOGETHER
        assert taken or not waiting, "somebody has to go"
        through = data.draw(st.integers(min(1, len(taken)), len(taken)))
        taken = taken[through:]
    for cluster in ("hz", "sh"):
        numbers = [each.number for each in went if each.move.cluster == cluster]
        assert numbers == [number for number, its in enumerate(clusters) if its == cluster]


def test_of_a_pod_that_has_its_new_application_no_other_goes() -> None:
    """Its controller counts it as new: a partition one lower would let another pod go."""
    not_taken = [*going([0], BOTH), *going([1], BOTH, old=False)]
    standing = Standing(
        place=CART, unordered=False, replicas=10, pods=10, movable=10, behind=10, old=9,
        at_target=0, unsettled=0, examples=(),
    )  # fmt: skip
    promised = Counter(place_of(each.move) for each in not_taken if each.pod.old)
    (step,) = steps(going([2, 3], BOTH), {CART: standing}, promised, TARGET)
    assert step.value == 9 - 1 - 2
    (again,) = steps(not_taken, {CART: standing}, {}, TARGET)
    assert again.value == 9 - 1
