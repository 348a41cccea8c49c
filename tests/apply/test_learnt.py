"""What runs teach of how long moves take, and that plans are made of it."""

from __future__ import annotations

import json
import random
from math import exp
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import planner
from planner.apply import learnt
from planner.apply.course import Course, Place
from planner.apply.events import (
    AnyEvent,
    Back,
    Ended,
    Leased,
    LetGo,
    Paused,
    Resumed,
    Started,
    WaveBegun,
    WaveEnded,
)
from planner.apply.journal import Journal
from planner.apply.learnt import SlowestOf
from planner.apply.reached import took
from planner.apply.state import Run, fold
from planner.apply.wave import bound_moves
from planner.loop import load_plan
from planner.model.plan import Move, Workload
from planner.model.request import UpgradeRequest
from tests.shop import SHOP, empty_log

if TYPE_CHECKING:
    from planner.log import EventLog

CART = Place("hz", "trade", "CloneSet", "cart")


def taught(log: EventLog, until: int) -> bytes:
    return learnt.durations(log, until, lambda plan: load_plan(lambda: log, plan))


def at_once(_cluster: str) -> None:
    """No request has a rate."""


def moves(count: int, kind: Any = "in-place") -> list[tuple[int, Move]]:  # noqa: ANN401
    return [
        (
            number,
            Move(
                wave=1, stage=None, cluster="hz", namespace="trade", pod=f"cart-{number}",
                uid=f"u{number}", node="n", workload=Workload(kind="CloneSet", name="cart"),
                kind=kind, containers={}, because=(),
            ),
        )
        for number in range(count)
    ]  # fmt: skip


def test_a_wave_teaches_the_longest_of_what_went_as_planned() -> None:
    run = fold(Run(), [Started(plan="p", by="me", policy={}), WaveBegun(wave=1, moves="0-4")], 0)
    run = fold(run, [LetGo(wave=1, moves="0-3")], 1_000)
    run = fold(run, [Back(wave=1, moves="0-1")], 3_000)
    # The third is another pod than planned, and the last one was refused and let go once more.
    run = fold(run, [LetGo(wave=1, moves="3")], 4_000)
    run = fold(run, [Back(wave=1, moves="2-3", strays="2")], 8_000)
    due = bound_moves(moves(5), run.wave)
    assert took(due, run.wave, {CART: 7}, at_once) == ((7, "in-place", 4_000),)
    # Four pods were named before the first of them went, and the last one by itself.
    assert took(due, run.wave, {CART: 7}, {"hz": 2}.get) == ((7, "in-place", 3_500),)


HOUR_MS = 3_600_000
DIED = Leased(epoch=2, holder="another", seen_ms=2_500)
LATE = 12 * HOUR_MS


@pytest.mark.parametrize(
    ("later", "teaches"),
    [
        ([(3_000, Back(wave=1, moves="0-1"))], 2_000),
        ([(3_000, Back(wave=1, moves="0-1")), (LATE, DIED)], 2_000),
        ([(LATE, DIED), (LATE, Back(wave=1, moves="0-1"))], None),
        # The slower one was out of sight, so that of the other one nothing follows.
        ([(2_000, Back(wave=1, moves="0")), (LATE, DIED), (LATE, Back(wave=1, moves="1"))], None),
        ([(2_000, Paused(by="me")), (3_000, Back(wave=1, moves="0-1"))], None),
        (
            [
                (2_000, Paused(by="me")),
                (LATE, Resumed(by="me")),
                (LATE + 1_000, Back(wave=1, moves="0-1")),
            ],
            None,
        ),
        (
            [
                (LATE, DIED),
                (LATE, LetGo(wave=1, moves="0-1")),
                (LATE + 1_000, Back(wave=1, moves="0-1")),
            ],
            1_000,
        ),
    ],
)
def test_moves_teach_only_what_somebody_saw_from_let_go_to_back(
    later: list[tuple[int, AnyEvent]], teaches: int | None
) -> None:
    run = fold(Run(), [Started(plan="p", by="me", policy={}), WaveBegun(wave=1, moves="0-1")], 0)
    run = fold(run, [Paused(by="me"), Resumed(by="me")], 500)
    run = fold(run, [LetGo(wave=1, moves="0-1")], 1_000)
    for time_ms, event in later:
        run = fold(run, [event], time_ms)
    expected = () if teaches is None else ((7, "in-place", teaches),)
    assert took(bound_moves(moves(2), run.wave), run.wave, {CART: 7}, at_once) == expected


def test_the_last_waves_of_a_workload_count() -> None:
    seen = {
        (CART, "in-place"): [SlowestOf(90_000, 8)] * 9 + [SlowestOf(2_000, 8)] * 5,
        (CART, "recreate"): [SlowestOf(7_000, 1)],
    }
    assert learnt.medians(seen) == {
        "hz/trade/CloneSet/cart": {"in-place": 2_000, "recreate": 7_000}
    }


def cart(**others: object) -> UpgradeRequest:
    """Moves one workload; its spec says these things, too."""
    image = {"from": "registry.example.com/cart", "to": "registry.example.com/cart:9"}
    request = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "cart"},
        "spec": {"target": {"images": [image]}, **others},
    }
    return msgspec.convert(request, UpgradeRequest)


def test_a_plan_is_made_of_what_runs_before_it_took() -> None:
    log = empty_log()
    events = log.events
    log.import_recorded("hangzhou", SHOP / "hangzhou")
    first = Course(planner.plan(log, cart()))
    assert taught(events, events.head().position) == b"{}"
    journal = Journal(events, "run")
    journal.append(Started(plan=first.id, by="me", policy={}))
    kinds = {move.kind for _, move in first.moves(1)}
    its = tuple((0, kind, 1_234) for kind in sorted(kinds))
    journal.append(WaveEnded(wave=1, took=its), Ended(outcome="done"))
    seen = json.loads(taught(events, events.head().position))
    assert seen == {str(first.places[0]): dict.fromkeys(kinds, 1_234)}
    # The position that a plan names holds all that it was made of.
    assert planner.plan(log, cart()).id == first.id
    log.import_recorded("shanghai", SHOP / "shanghai")
    second = Course(planner.plan(log, cart()))
    assert second.waves[0].seconds == 1.234 < first.waves[0].seconds
    assert [it.moves for it in second.waves] == [it.moves for it in first.waves]


def test_the_last_wave_of_a_log_is_the_last_whatever_its_run_is_called() -> None:
    log = empty_log()
    log.import_recorded("hangzhou", SHOP / "hangzhou")
    plan = planner.plan(log, cart())
    for run, took_ms in (("b", 90_000), *(("a", 1_000 + wave) for wave in range(5))):
        journal = Journal(log.events, f"{run}{took_ms}")
        journal.append(Started(plan=plan.id, by="me", policy={}))
        journal.append(WaveEnded(wave=1, took=((0, "in-place", took_ms),)))
    (seen,) = json.loads(taught(log.events, 1 << 40)).values()
    assert seen == {"in-place": 1_002}


def drawn(moves: int, waves: int, spread: float) -> list[SlowestOf]:
    """Waves of so many log-normal moves around a second."""
    chance = random.Random(moves)
    slowest = (max(chance.gauss(0, spread) for _ in range(moves)) for _ in range(waves))
    return [SlowestOf(round(1000 * exp(each)), moves) for each in slowest]


@pytest.mark.parametrize("moves", [1, 10, 200])
def test_single_moves_are_found_again_in_the_slowest_of_waves(moves: int) -> None:
    found = learnt.fitted(drawn(moves, 2_000, 0.4))
    assert found["spread"] == pytest.approx(0.4, rel=0.05)
    assert found["median_ms"] == pytest.approx(1000, rel=0.06)
    assert found["off"] < 0.02


def test_one_wave_tells_nothing_of_the_spread() -> None:
    found = learnt.fitted([SlowestOf(8_000, 1)])
    assert found == {
        "median_ms": pytest.approx(8_000),
        "spread": pytest.approx(learnt.SPREAD),
        "off": pytest.approx(learnt.SPREAD, rel=1e-4),
    }


def test_waves_that_agree_narrow_the_spread_and_waves_that_differ_widen_it() -> None:
    alike = learnt.fitted([SlowestOf(8_000, 4)] * 5)["spread"]
    apart = learnt.fitted([SlowestOf(ms, 4) for ms in (2_000, 4_000, 8_000, 16_000, 32_000)])
    assert alike < learnt.SPREAD < apart["spread"]


def test_a_wave_of_no_time_at_all_can_be_fitted() -> None:
    assert learnt.fitted([SlowestOf(0, 3)])["median_ms"] > 0
