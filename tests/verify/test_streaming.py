"""A streaming plan that keeps every rule passes; broken in one way, just that is named."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from planner.verify import verify
from tests import test_rates, test_windows
from tests.shop import header_of, moves_of
from tests.test_verify_shop import observed
from tests.verify.builders import READY_KNOWN, RUNNING
from tests.verify.shop import CART, KAFKA, MYSQL, PAYMENT, WEB, staged_plan, valid_plan
from tests.verify.streams import names, streamed, streaming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.verify.plans import Written

Json = dict[str, Any]


def timed(pod: str, *, by: float = 0, **fields: float) -> Callable[[Written], Written]:
    """Begin a move `by` seconds later; the header says when the last is over."""

    def change(plan: Written) -> Written:
        moves = [
            {**move, "start_s": move["start_s"] + by, **fields} if move["pod"] == pod else move
            for move in plan.moves
        ]
        end_s = max(move["start_s"] + move["seconds"] for move in moves)
        return said(seconds=end_s)(replace(plan, moves=moves))

    return change


def both(*changes: Callable[[Written], Written]) -> Callable[[Written], Written]:
    def change(plan: Written) -> Written:
        for each in changes:
            plan = each(plan)
        return plan

    return change


def said(**fields: Any) -> Callable[[Written], Written]:  # noqa: ANN401
    """Other words in the header's part."""
    return lambda plan: plan.with_header(streaming={**plan.header["streaming"], **fields})


def without_times(plan: Written) -> Written:
    keys = ("start_s", "seconds")
    moves = [{key: each for key, each in move.items() if key not in keys} for move in plan.moves]
    return replace(plan, moves=moves)


def without_header(plan: Written) -> Written:
    return replace(plan, header={key: it for key, it in plan.header.items() if key != "streaming"})


def longer(plan: Written) -> Written:
    """Both pods of the last workload take a second more than their waves."""
    own = {MYSQL.pod_name(index): index for index in range(2)}
    last = MYSQL.pod_name(1)
    for pod in own:
        plan = timed(pod, seconds=46.0, by=-1 if pod == last else -2)(plan)
    return plan


DEADLINE = "2026-11-23T09:58:30Z"
"""Before the last of 33 moves of 45 seconds is over."""


BROKEN = {
    "two of maxUnavailable 1": (
        timed(PAYMENT.pod_name(1), by=-0.001),
        {("workload-budget", "hangzhou/workload/trade/CloneSet/payment")},
    ),
    "two of a PodDisruptionBudget": (
        timed(CART.pod_name(1), by=-1),
        {("budget", "hangzhou/pdb/trade/cart"), ("sidecarset-budget", "hangzhou/sidecarset/mesh")},
    ),
    "two of a zone": (
        timed(WEB.pod_name(1), by=-1),
        {("request-budget", "per-zone[hangzhou/zone-a]"), ("request-budget", "storefront")},
    ),
    "two of maxSurge 1": (
        timed("ledger-00001", by=-1),
        {("surge", "hangzhou/surge/trade/Deployment/ledger")},
    ),
    "a StatefulSet from below": (
        timed("kafka-2", by=-90),
        {("order", KAFKA.pod_subject(2))},
    ),
    "a workload before the one that it waits for": (
        timed(PAYMENT.pod_name(0), by=-45.001),
        {("dependency", PAYMENT.subject())},
    ),
    "a time of its own": (
        timed(PAYMENT.pod_name(1), seconds=44.0),
        {("streaming", PAYMENT.subject())},
    ),
    "moves that are longer than their waves": (
        longer,
        {("streaming", "per_wave 32"), ("streaming", "per_wave 33")},
    ),
    "an end that is none": (
        said(seconds=1484.0, seconds_bound=0),
        {("streaming", "streaming.seconds")},
    ),
    "an end after the last wave": (
        timed(MYSQL.pod_name(1), by=1),
        {("streaming", "seconds")},
    ),
    "a bound above the plan": (
        said(seconds_bound=1486.0),
        {("bound", "streaming.seconds_bound")},
    ),
    "a bound below nothing": (
        said(seconds_bound=-1),
        {("bound", "streaming.seconds_bound")},
    ),
    "a request that does not stream": (
        lambda plan: plan.with_request(streaming=False),
        {("streaming", "plan")},
    ),
    "a request that streams and a header that does not": (
        both(without_header, without_times),
        {("streaming", "plan")},
    ),
    "moves that say when they begin, and a header that does not": (
        both(without_header, lambda plan: plan.with_request(streaming=False)),
        {("streaming", "moves")},
    ),
    "a move that says nothing of it": (
        lambda plan: replace(plan, moves=[without_times(plan).moves[0], *plan.moves[1:]]),
        {("header", "moves[0].start_s"), ("header", "moves[0].seconds")},
    ),
    "a move without a start": (
        lambda plan: replace(
            plan,
            moves=[
                {key: it for key, it in plan.moves[0].items() if key != "start_s"},
                *plan.moves[1:],
            ],
        ),
        {("header", "moves[0].start_s")},
    ),
    "a start that is no number": (
        lambda plan: replace(plan, moves=[{**plan.moves[0], "start_s": "now"}, *plan.moves[1:]]),
        {("header", "moves[0].start_s")},
    ),
    "a start before the plan": (
        timed(CART.pod_name(0), by=-0.001),
        {("streaming", CART.pod_subject(0))},
    ),
    "a start that is never": (
        timed(CART.pod_name(0), by=float("inf")),
        {("streaming", CART.pod_subject(0))},
    ),
    "a move that takes no time": (
        timed(CART.pod_name(0), seconds=0.0),
        {("streaming", CART.pod_subject(0))},
    ),
    "a header without a proof": (
        lambda plan: plan.with_header(streaming={"seconds": 1, "seconds_bound": 1}),
        {("header", "header.streaming.proof")},
    ),
    "a header that is no object": (
        lambda plan: plan.with_header(streaming=12),
        {("header", "header.streaming")},
    ),
    "an end that is too late": (
        lambda plan: plan.with_request(deadline=DEADLINE).with_header(
            deadline={"time": DEADLINE, "spare_s": -15.0, "late": []}
        ),
        {("calendar", "deadline")},
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_streaming_plan_that_is_broken_in_one_way_is_named_by_it(name: str) -> None:
    break_, expected = BROKEN[name]
    found = break_(streaming(valid_plan())).check()
    assert {(each.rule, each.subject) for each in found} == expected
    assert all(each.message for each in found)


LEGAL = {
    "a workload as soon as enough of the other are done": timed(PAYMENT.pod_name(0), by=-45),
    "a Deployment's pod together with another's": timed("ledger-00000", by=-45),
    "a StatefulSet's pod together with another's": timed("etcd-2", by=-45),
    "a shorter time of all of a kind": both(
        timed(MYSQL.pod_name(0), seconds=40.0),
        timed(MYSQL.pod_name(1), seconds=40.0, by=-5),
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_nobody_waits_for_the_wave_of_others(name: str) -> None:
    assert LEGAL[name](streaming(valid_plan())).check() == []


def test_a_broken_budget_is_told_with_its_moment_wave_and_numbers() -> None:
    plan = timed(PAYMENT.pod_name(1), by=-0.5)(streaming(valid_plan()))
    (violation,) = plan.check()
    assert violation.wave == plan.wave(PAYMENT.pod_name(1))
    assert violation.message == (
        "224.5 s after the start 2 pods that moves take are under way and 0 are down besides:"
        " 2 where 1 may be down"
    )


def down_first() -> Written:
    """The plan of the shop where a pod of payment is down, and goes before the others."""
    plan = valid_plan()
    rows = [
        {**row, "flags": RUNNING | READY_KNOWN} if row["name"] == PAYMENT.pod_name(0) else row
        for row in plan.rows
    ]
    return streaming(replace(plan, rows=rows))


def test_a_pod_that_is_down_uses_its_budget_until_its_own_move_has_ended() -> None:
    assert down_first().check() == []
    early = timed(PAYMENT.pod_name(1), by=-0.001)(down_first())
    assert names(early) == {("workload-budget", "hangzhou/workload/trade/CloneSet/payment")}
    other = timed(PAYMENT.pod_name(0), by=-1)(timed(PAYMENT.pod_name(1), by=-1)(down_first()))
    assert other.check() == [], "its own move takes nothing, and makes room when it ends"


STAGES_BROKEN = {
    "before the stage before has ended": (
        timed(PAYMENT.pod_name(0), by=700),
        {("stage", PAYMENT.subject())},
    ),
    "before the stage before has soaked": (
        timed(PAYMENT.pod_name(1), by=-0.001),
        {("soak", PAYMENT.subject())},
    ),
    "before a later stage has soaked": (
        timed(PAYMENT.pod_name(2), by=-0.001),
        {("soak", PAYMENT.subject())},
    ),
}


@pytest.mark.parametrize("name", STAGES_BROKEN)
def test_a_stage_waits_for_those_before_it_and_for_their_soak(name: str) -> None:
    assert streaming(staged_plan()).check() == []
    break_, expected = STAGES_BROKEN[name]
    assert names(break_(streaming(staged_plan()))) == expected


def found_of(header: Json, moves: Iterable[Json]) -> set[tuple[str, str]]:
    return {(each.rule, each.subject) for each in verify(header, list(moves), observed())}


@cache
def nights() -> tuple[Json, list[Json]]:
    plan = test_windows.plan()
    header, moves = streamed(header_of(plan), moves_of(plan))
    end_s = header["streaming"]["seconds"]
    # The deadline of a plan in waves is judged by these.
    spare_s = header["deadline"]["spare_s"] + header["seconds"] - end_s
    return {**header, "deadline": {**header["deadline"], "spare_s": round(spare_s, 3)}}, moves


def test_a_move_lies_inside_the_windows_of_its_workload() -> None:
    header, moves = nights()
    assert found_of(header, moves) == set()
    at = next(at for at, move in enumerate(moves) if move["cluster"] == "hangzhou")
    first = moves[at]
    workload = first["workload"]
    subject = f"hangzhou/{first['namespace']}/{workload['kind']}/{workload['name']}"
    early = {**first, "start_s": first["start_s"] - 0.001}
    found = found_of(header, [*moves[:at], early, *moves[at + 1 :]])
    assert ("calendar", subject) in found
    assert {rule for rule, _ in found} == {"calendar"}


def test_a_deadline_is_judged_by_when_moves_end() -> None:
    header, moves = nights()
    deadline = header["deadline"]
    wrong = {**header, "deadline": {**deadline, "spare_s": deadline["spare_s"] - 1}}
    assert found_of(wrong, moves) == {("calendar", "deadline")}
    plan = streaming(valid_plan()).with_request(deadline=DEADLINE)
    last = [at for at, each in enumerate(plan.header["workloads"]) if each["name"] == "mysql"]
    told = {"time": DEADLINE, "spare_s": -15.0, "late": last}
    assert names(plan.with_header(deadline=told)) == set()
    # In its wave as before, and over sooner than that.
    sooner = both(timed(MYSQL.pod_name(0), seconds=30.0), timed(MYSQL.pod_name(1), seconds=30.0))
    told |= {"spare_s": 0.0, "late": []}
    assert names(sooner(plan).with_header(deadline=told)) == set()


@cache
def paced() -> tuple[Json, list[Json]]:
    plan = test_rates.at_once()
    return streamed(header_of(plan), moves_of(plan))


def test_moves_begin_no_faster_than_their_rate() -> None:
    header, moves = paced()
    assert found_of(header, moves) == set()
    own = [move for move in moves if move["cluster"] == "hangzhou" and move["wave"] == 1]
    first, second = sorted(own, key=lambda move: move["start_s"])[:2]
    assert (first["start_s"], second["start_s"]) == (1, 2)
    for pod, start_s in ((first, 0), (second, 1), (second, 1.998)):
        other = [{**move, "start_s": start_s} if move is pod else move for move in moves]
        assert ("rate", "hangzhou") in found_of(header, other)
    rounded = [{**move, "start_s": 1.999} if move is second else move for move in moves]
    assert found_of(header, rounded) == set(), "starts are rounded up to milliseconds"
