"""What the barrier of a wave gave for free, where moves do not wait for their waves."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

import planner
from planner.apply.back import back_request
from planner.apply.checkpoint import PodStanding, Standing
from planner.apply.course import Course, Place, place_of
from planner.apply.events import (
    AnyEvent,
    Back,
    Dropped,
    Failed,
    LetGo,
    Relapsed,
    RetryAsked,
    SkipAsked,
    Started,
    WaveBegun,
    WaveEnded,
)
from planner.apply.levers.held import RUN, annotations_of
from planner.apply.levers.selected import LABELS_MAX, by_pods
from planner.apply.moveset import MoveSet
from planner.apply.reached import took
from planner.apply.state import Run, fold
from planner.apply.steps import Going
from planner.apply.streaming import (
    AHEAD,
    Backs,
    By,
    held_by_dependencies,
    held_by_stages,
    in_turn,
    in_vain,
    next_of_each,
)
from planner.apply.tail import tail_request
from planner.apply.wave import Due, bound_moves, split
from planner.model.plan import Move, Workload
from tests.shop import request as shop_request
from tests.shop import shop_log, shop_plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner import core

SOAK_MS = 600_000
CART = Place("hangzhou", "trade", "CloneSet", "cart")


@cache
def streaming(*, approvals: bool = False) -> core.Plan:
    """The plan of the shop, streaming; without approvals nothing in it is a barrier."""
    spec = shop_request().spec
    stages = tuple(it if approvals else replace(it, approval=None) for it in spec.stages)
    spec = replace(spec, streaming=True, stages=stages)
    return planner.plan(shop_log(), replace(shop_request(), spec=spec), keep=False)


@cache
def course() -> Course:
    return Course(streaming())


@cache
def moves() -> tuple[tuple[int, Move], ...]:
    return tuple(course().moves(1))


def leg(*events: AnyEvent, at_ms: int = 0) -> Run:
    """A run in its only leg, in which these events happened, a second apart."""
    begun = WaveBegun(wave=1, moves=str(MoveSet(course().numbers(1))), streams=True)
    run = fold(Run(), [Started(plan=course().id, by="me", policy={}), begun], at_ms)
    for event in events:
        at_ms += 1000
        run = fold(run, [event], at_ms)
    return run


def of(place: Place, stage: str | None = None) -> list[int]:
    named = (place.cluster, place.namespace, place.kind, place.name)
    return [
        number
        for number, it in moves()
        if (it.cluster, it.namespace, it.workload.kind, it.workload.name) == named
        and stage in (None, it.stage)
    ]


def text(numbers: Iterable[int]) -> str:
    return str(MoveSet(numbers))


def test_a_leg_is_all_waves_up_to_a_gate_and_without_streaming_a_wave() -> None:
    by_waves, gated = Course(shop_plan()), Course(streaming(approvals=True))
    assert by_waves.legs == by_waves.waves
    assert len(course().legs) == 1
    assert course().legs[0].moves == course().total == sum(it.moves for it in course().waves)
    gates = [it.wave for it in gated.waves if it.approvals]
    assert [gated.last_wave(it.wave) for it in gated.legs] == [*gates, len(gated.waves)]
    assert [it.approvals for it in gated.legs[:-1]] == [
        gated.waves[wave - 1].approvals for wave in gates
    ]
    numbers = [number for it in gated.legs for number in gated.numbers(it.wave)]
    assert numbers == list(range(gated.total))
    left = gated.left(1)
    assert sum(left) == gated.total - gated.legs[0].moves


def staged(run: Run, now_ms: int) -> dict[str, set[str]]:
    """Why moves of the cart wait for their stages, by stage."""
    due = bound_moves(moves(), run.wave)
    _, waiting = split(due, run.wave)
    backs = Backs().look(run.plan, run.wave, due)
    held = held_by_stages(course(), due, waiting, run.wave, backs, now_ms)
    found: dict[str, set[str]] = {}
    for number in held.keys() & set(of(CART)):
        found.setdefault(moves()[number][1].stage or "", set()).add(held[number].why)
    return found


def test_a_stage_goes_once_those_before_it_are_back_and_have_soaked() -> None:
    canary, tenth = of(CART, "canary"), of(CART, "tenth")
    waits = {"tenth": {"stage canary is not back"}, "rest": {"stage canary is not back"}}
    assert staged(leg(), 0) == waits
    run = leg(LetGo(wave=1, moves=text(canary)))
    assert staged(run, 10 * SOAK_MS) == waits
    run = leg(LetGo(wave=1, moves=text(canary)), Back(wave=1, moves=text(canary)))
    after = {"tenth": {"stage canary soaks"}, "rest": {"stage tenth is not back"}}
    assert staged(run, 2000 + SOAK_MS - 1) == after
    assert staged(run, 2000 + SOAK_MS) == {"rest": {"stage tenth is not back"}}
    run = leg(
        *(Back(wave=1, moves=text(its)) for its in (canary, tenth[1:], tenth[:1])),
    )
    assert staged(run, 3000 + SOAK_MS // 2 - 1) == {"rest": {"stage tenth soaks"}}
    assert staged(run, 3000 + SOAK_MS // 2) == {}, "from the last of them on"


REST = {"rest": {"stage tenth is not back"}}


@pytest.mark.parametrize(
    "over", [(Failed, "why"), (Dropped, "")], ids=["failed", "nobody has to make it"]
)
def test_a_stage_does_not_wait_for_what_nobody_waits_for(over: tuple[Any, str]) -> None:
    event, why = over
    texts = {"moves": text(of(CART, "canary"))} | ({"why": why} if why else {})
    run = leg(event(wave=1, **texts), at_ms=10 * SOAK_MS)
    soaks = {"tenth": {"stage canary soaks"}} if event is Failed else {}
    assert staged(run, run.wave.lost_ms or 10 * SOAK_MS) == {**soaks, **REST}
    assert staged(run, 11 * SOAK_MS + 1000) == REST


def test_a_relapse_begins_the_soak_anew_and_leaves_the_times_of_others() -> None:
    canary, other = of(CART, "canary"), 0
    assert other not in canary
    going = LetGo(wave=1, moves=text([*canary, other]))
    back = Back(wave=1, moves=text([*canary, other]))
    run = leg(going, back, Relapsed(wave=1, moves=text(canary), why="it does not serve"))
    assert staged(run, 10 * SOAK_MS)["tenth"] == {"stage canary is not back"}
    assert run.wave.let_go_at == ((1000, str(MoveSet([other]))),), "of those nothing is told"
    assert (run.is_moving, run.wave.gaps) == (True, ())
    run = fold(run, [Back(wave=1, moves=text(canary))], 9000)
    assert staged(run, 9000 + SOAK_MS - 1)["tenth"] == {"stage canary soaks"}


def test_what_was_back_before_a_gate_soaks_from_the_gate_on() -> None:
    gated = Course(streaming(approvals=True))
    number, move = next(
        (number, it)
        for leg in gated.legs[1:]
        for number, it in gated.moves(leg.wave)
        if it.stage == "tenth" and leg.wave == 2
    )
    begun = WaveBegun(wave=2, moves=text(gated.numbers(2)), streams=True)
    first = WaveBegun(wave=1, moves=text(gated.numbers(1)), streams=True)
    run = fold(fold(Run(plan=gated.id), [first, WaveEnded(wave=1)], 5000), [begun], 7000)
    due = [Due(number, move, move.uid)]

    def held(now_ms: int) -> object:
        return held_by_stages(gated, due, due, run.wave, Backs(), now_ms)

    assert held(5000 + SOAK_MS - 1)
    assert not held(5000 + SOAK_MS)


def test_what_has_soaked_does_not_soak_again_after_each_gate() -> None:
    gated = Course(streaming(approvals=True))
    number, move = next(
        (number, it)
        for number, it in gated.moves(4)
        if gated.ended_stages(gated.index_of[place_of(it)], 4).get("tenth") == 2
    )
    run = Run(plan=gated.id)
    for leg, ended_ms in enumerate((1000, 5000, 9 * SOAK_MS, 0), 1):
        begun = WaveBegun(wave=leg, moves=text(gated.numbers(leg)), streams=True)
        run = fold(run, [begun, WaveEnded(wave=leg)] if ended_ms else [begun], ended_ms)
    due = [Due(number, move, move.uid)]
    assert move.stage == "rest"
    assert held_by_stages(gated, due, due, run.wave, Backs(), 5000 + SOAK_MS // 2 - 1)
    assert not held_by_stages(gated, due, due, run.wave, Backs(), 5000 + SOAK_MS // 2)


def test_a_dependency_waits_for_moves_under_way_until_as_many_are_back_as_planned() -> None:
    it, *_ = (it for it in course().dependencies if "order after trade/payment" in it.name)
    before, after = of(course().places[it.before]), of(course().places[it.after])

    def held(*events: AnyEvent) -> bool:
        run = leg(*events)
        due = bound_moves(moves(), run.wave)
        found = held_by_dependencies(course(), due, due, run.wave)
        assert found.keys() <= set(after)
        return bool(found)

    most, last = text(before[: it.moves - 1]), text(before[it.moves - 1 :])
    assert not held(), "the core knows"
    assert held(LetGo(wave=1, moves=text(before)), Back(wave=1, moves=most))
    assert not held(LetGo(wave=1, moves=text(before)), Back(wave=1, moves=text(before)))
    failed = Failed(wave=1, moves=last, why="")
    assert not held(LetGo(wave=1, moves=text(before)), Back(wave=1, moves=most), failed)


def test_of_each_workload_the_next_moves_are_asked_about_and_none_holds_up_another() -> None:
    run = leg()
    _, waiting = split(bound_moves(moves(), run.wave), run.wave)
    asked = [each.number for each in next_of_each(course(), waiting)]
    assert asked == sorted(asked), "in the order of the plan"
    assert len(asked) < len(waiting)
    for place, most in zip(course().places, course().most_at_once, strict=True):
        its = of(place)
        assert [it for it in asked if it in set(its)] == its[: AHEAD * most]


def test_of_what_is_back_in_a_leg_only_strays_are_asked_about() -> None:
    events = LetGo(wave=1, moves="0-9"), Back(wave=1, moves="0-4", strays="3")
    run = leg(*events)
    let_go, waiting = split(bound_moves(moves(), run.wave), run.wave)
    assert [each.number for each in let_go] == [3, 5, 6, 7, 8, 9]
    assert waiting[0].number == 10


WEB = Place("hz", "trade", "Deployment", "web")
DB = Place("hz", "trade", "StatefulSet", "db")


def move(place: Place, number: int, kind: Any = "recreate", wave: int = 1) -> Move:  # noqa: ANN401
    return Move(
        wave=wave, stage=None, cluster="hz", namespace="trade", pod=f"{place.name}-{number}",
        uid=f"u{number}", node="n", workload=Workload(kind=place.kind, name=place.name), kind=kind,
        containers={"main": "x:2"}, because=(),
    )  # fmt: skip


def due(place: Place, *numbers: int, kind: str = "recreate") -> list[Due]:
    return [Due(number, move(place, number, kind), f"u{number}") for number in numbers]


def going(place: Place, *numbers: int, kind: str = "recreate") -> list[Going]:
    pods = (
        PodStanding(
            state="here", old=True, serves=True, namespace="trade", name=f"{place.name}-{number}",
            revision="1", node="n", version="1",
        )
        for number in numbers
    )  # fmt: skip
    dues = due(place, *numbers, kind=kind)
    return [
        Going(number=it.number, move=it.move, uid=it.uid, pod=pod)
        for it, pod in zip(dues, pods, strict=True)
    ]


def goes(
    moves: list[Going], *, under_way: list[Due], held: list[Due] | None = None, pods: int = 10
) -> list[int]:
    standings = {
        place: Standing(
            place=place, unordered=False, replicas=10, pods=pods, movable=5, behind=5, old=5,
            at_target=5, unsettled=0, examples=(),
        )
        for place in (WEB, DB)
    }  # fmt: skip
    base = {WEB: (0, 10, 0, 1, 0)}
    kept = in_turn(moves, under_way=under_way, held=held or [], standings=standings, base=base)
    return [each.number for each in kept]


def test_no_pod_of_a_stateful_set_goes_past_one_that_cannot() -> None:
    its = going(DB, 7, 6, 4, 3)
    assert goes(its, under_way=due(DB, 9)) == [7, 6, 4, 3]
    assert goes(its, under_way=[], held=due(DB, 5)) == [7, 6], "a partition would take it, too"
    assert goes(its, under_way=[], held=due(WEB, 5)) == [7, 6, 4, 3]
    assert goes(its, under_way=[], held=due(DB, 5, kind="evict")) == [7, 6, 4, 3]


def test_no_pod_of_a_deployment_goes_while_one_that_it_took_is_not_replaced() -> None:
    its = going(WEB, 1, 2)
    assert goes(its, under_way=due(WEB, 0), pods=9) == [1, 2], "as many were missing before"
    assert goes(its, under_way=due(WEB, 0), pods=8) == [], "its new pods would be counted short"
    assert goes(its, under_way=due(DB, 0), pods=8) == [1, 2]


def test_nothing_goes_beside_a_surge_of_its_deployment() -> None:
    surge, other = going(WEB, 1, kind="surge"), going(WEB, 2)
    assert goes([*surge, *other], under_way=[]) == [1]
    assert goes([*other, *surge], under_way=[]) == [2]
    assert goes([*other, *surge], under_way=due(WEB, 0)) == [2]
    assert goes([*surge, *other], under_way=due(WEB, 0)) == [], "in the order of the plan"
    assert goes([*surge, *other], under_way=due(WEB, 0, kind="surge")) == []
    assert goes(going(DB, 2), under_way=due(WEB, 0, kind="surge")) == [2]


def test_nobody_is_impatient_with_what_has_to_wait() -> None:
    waves = {1: 1, 2: 1, 3: 2, 4: 2}
    waits: dict[int, By | None] = {1: "time", 2: None, 3: None, 4: "others"}
    assert in_vain(waits, waves) == {2}, "those of one wave at a time"
    waits[2] = "others"
    assert in_vain(waits, waves) == {3}
    waits[3] = "others"
    assert in_vain(waits, waves) == frozenset(), "what soaks may be what they wait for"
    del waits[1]
    assert in_vain(waits, waves) == {2}


def test_skip_gives_up_what_is_under_way_and_nothing_that_waits() -> None:
    run = leg(LetGo(wave=1, moves="0-3"), Back(wave=1, moves="0"), SkipAsked(by="me"))
    assert (run.wave.skipped, run.wave.given_up) == (False, MoveSet([1, 2, 3]))
    assert run.wave.under_way == MoveSet()
    run = fold(run, [Back(wave=1, moves="1")], 9000)
    assert run.wave.given_up == MoveSet([2, 3]), "it came after all"
    assert fold(run, [RetryAsked(by="me")], 9000).wave.under_way == MoveSet([2, 3])


def test_a_leg_teaches_the_median_of_the_slowest_of_its_waves() -> None:
    its = [Due(number, move(WEB, number, wave=number // 2 + 1), "u") for number in range(6)]
    seconds = (1, 3, 7, 5, 2, 90)
    begun = WaveBegun(wave=1, moves="0-5", streams=True)
    run = fold(Run(plan="p"), [begun, LetGo(wave=1, moves="0-5")], 0)
    for number, took_s in sorted(enumerate(seconds), key=lambda it: it[1]):
        run = fold(run, [Back(wave=1, moves=str(number))], took_s * 1000)
    assert took(its, run.wave, {WEB: 0}, lambda _: None) == ((0, "recreate", 7000),)


def test_a_sidecar_set_remembers_the_labels_of_the_last_steps_alone() -> None:
    live: dict[str, Any] = {"kind": "SidecarSet", "metadata": {"name": "mesh"}, "spec": {}}
    labels = [f"r-1-{epoch}.{step}" for epoch in (9, 10) for step in range(1, LABELS_MAX)]
    for label in labels:
        live = dict(by_pods(live, run="r", wave="r-1", label=label))
        annotations = {**annotations_of(live), RUN: "r/1"}
        live["metadata"] = {**live["metadata"], "annotations": annotations}
    (term,) = live["spec"]["updateStrategy"]["selector"]["matchExpressions"]
    assert term["values"] == sorted(labels[-LABELS_MAX:])


def test_the_rest_and_the_way_back_stream_too() -> None:
    rest = tail_request(course(), {}, 1)
    assert rest["spec"]["streaming"] is True
    back = back_request(course().request, {}, {})
    assert back["spec"]["streaming"] is True
