"""How an executor carries out a leg of the shop, on recordings that nobody has touched since."""

from __future__ import annotations

import dataclasses
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, TypeVar

import planner
from planner.apply import moving, recovery
from planner.apply.checkpoint import Question
from planner.apply.course import Course, Place, place_of
from planner.apply.events import (
    AnyEvent,
    Back,
    Failed,
    LetGo,
    Relapsed,
    Stopped,
    WaveBegun,
    Written,
    from_payload,
)
from planner.apply.levers.held import HELD, annotations_of
from planner.apply.moveset import MoveSet
from planner.apply.pace import left_s
from planner.apply.steps import Step
from planner.apply.wave import bases
from planner.log import Stream
from planner.model import progress
from planner.show.run import event_text
from tests.apply.shelf import Keeping
from tests.apply.test_executor import Desk
from tests.apply.test_streaming import SOAK_MS, course, of, streaming, text
from tests.shop import shop_log
from tests.test_windows import TIMES, timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.apply.events import Base
    from planner.model.progress import Progress

E = TypeVar("E", bound=AnyEvent)
AUTH = Place("hangzhou", "platform", "Deployment", "auth")


def begun(*others: Base) -> WaveBegun:
    """The leg begins, with workloads as they are, or as others say."""
    standings = Desk().site.ask(Question()).workloads
    mine = {it[0]: it for it in bases(course().index_of, standings)}
    mine |= {it[0]: it for it in others}
    moves = str(MoveSet(course().numbers(1)))
    return WaveBegun(wave=1, moves=moves, streams=True, base=tuple(mine.values()))


def one_more_back(place: Place) -> Base:
    """How a workload was if one of its moves is back now."""
    standing = Desk().site.ask(Question()).by_place()[place]
    (base,) = bases(course().index_of, [standing])
    index, old, slow, missing, new = base
    return index, old + 1, slow, missing, new - 1


def said(desk: Desk, kind: type[E]) -> list[E]:
    commits = desk.log.read(after=0, stream=Stream("run", "r"))
    events = (event for commit in commits for event in from_payload(commit.payload))
    return [event for event in events if isinstance(event, kind)]


def told(desk: Desk) -> Sequence[Progress]:
    heard: list[Progress] = []
    desk.site.outside = dataclasses.replace(desk.site.outside, tell=heard.append)
    return heard


def test_a_leg_begins_and_says_so() -> None:
    desk = Desk(plan=streaming())
    heard = told(desk)
    desk.step()
    desk.step()
    (wave,) = said(desk, WaveBegun)
    assert (wave.streams, wave.moves) == (True, str(MoveSet(range(course().total))))
    lines = [event_text(it) for it in heard]
    assert any(line.startswith(f"Streaming: {course().total:,} pods of ") for line in lines)
    assert any(line.startswith("letting ") for line in lines)


def test_moves_of_a_later_wave_go_while_others_of_an_earlier_one_are_away() -> None:
    first = set(range(course().waves[0].moves))
    canary = set(of(AUTH, "canary"))
    away = set(sorted(first - canary)[-3:])
    desk = Desk(
        begun(),
        LetGo(wave=1, moves=text(first)),
        Back(wave=1, moves=text(first - away)),
        plan=streaming(),
    )
    moving.go_on(desk.site)
    assert desk.journal.run.wave.let_go == MoveSet(first), "its canary soaks"
    desk.clock.advance(SOAK_MS)
    desk.site.read()
    moving.go_on(desk.site)
    (_, let_go) = said(desk, LetGo)
    later = [course().move(number) for number in MoveSet.parse(let_go.moves)]
    assert {it.wave for it in later} == {2}
    waits = {place_of(course().move(number)) for number in away}
    assert waits.isdisjoint(map(place_of, later)), "those wait for their canaries"


def test_a_step_in_which_something_came_back_goes_on_to_let_others_go() -> None:
    (canary,) = of(AUTH, "canary")
    desk = Desk(begun(one_more_back(AUTH)), LetGo(wave=1, moves=str(canary)), plan=streaming())
    moving.go_on(desk.site)
    assert said(desk, Back)
    assert len(said(desk, LetGo)) == 2


def at_rest(door: Keeping) -> bool:
    (live,) = (it for path, it in door.objects.items() if path.endswith("/deployments/auth"))
    assert HELD in annotations_of(live)
    return live["spec"].get("paused") is True


def let_go_of_auth(*numbers: int, pods: int = 0) -> LetGo:
    return LetGo(wave=1, moves=text(numbers), levers=((course().index_of[AUTH], "go", pods, 0),))


def test_a_deployment_stands_still_once_its_last_pod_is_back() -> None:
    (canary,), (tenth, *_) = of(AUTH, "canary"), of(AUTH, "tenth")
    door = Keeping()
    events = begun(one_more_back(AUTH)), let_go_of_auth(canary)
    desk = Desk(*events, plan=streaming(), door=door)
    desk.site.carry_out([Step(place=AUTH, kind="go", value=1)])
    assert not at_rest(door)
    moving.go_on(desk.site)
    assert said(desk, Back)
    assert at_rest(door)
    desk = Desk(begun(), let_go_of_auth(canary, tenth), plan=streaming(), door=door)
    desk.site.carry_out([Step(place=AUTH, kind="go", value=1)])
    desk.site.append(Back(wave=1, moves=str(canary)))
    moving._rest(desk.site, MoveSet([canary]))
    assert not at_rest(door), "another one is under way"


def test_who_takes_a_leg_over_lets_nothing_go_again_that_is_back() -> None:
    (canary,), (tenth, *_) = of(AUTH, "canary"), of(AUTH, "tenth")
    back = Back(wave=1, moves=str(canary))
    for let_go, stays in ((let_go_of_auth(canary), True), (let_go_of_auth(canary, tenth), False)):
        door = Keeping()
        desk = Desk(begun(), let_go, back, plan=streaming(), door=door)
        desk.site.carry_out([Step(place=AUTH, kind="go", value=1)])
        recovery.recover(desk.site)
        assert at_rest(door) is stays
    desk = Desk(begun(), let_go_of_auth(canary), back, plan=streaming(), door=door)
    desk.site.rest([AUTH])
    door.writes.clear()
    recovery.recover(desk.site)
    assert not any("maxUnavailable" in str(write.body) for write in door.writes)


def test_the_failures_of_a_wave_are_those_of_a_wave_of_the_plan() -> None:
    first, second, *_ = course().waves
    lost = text(range(first.moves, first.moves + second.moves))
    policy = {"failures_run": "99%", "failures_workload": "100%", "failures_wave": "50%"}
    desk = Desk(begun(), Failed(wave=1, moves=lost, why=""), plan=streaming())
    desk.site.policy = type(desk.site.policy).of_texts(policy)
    why = moving.go_on(desk.site)
    assert why == f"{second.moves} pods failed in wave 2, 50% may"


def test_what_is_left_of_a_leg_follows_its_moves() -> None:
    whole, half = begun(), text(range(course().total // 2))
    after = [Desk(*events, plan=streaming()).site for events in
             ([whole], [whole, LetGo(wave=1, moves=half), Back(wave=1, moves=half)])]  # fmt: skip
    left = [left_s(site.run, site.course, site.outside.clock.now_ms()) for site in after]
    assert left[0] == round(course().legs[0].seconds / 60) * 60
    assert abs(left[1] - left[0] / 2) <= 60


@cache
def windowed() -> planner.Plan:
    return planner.plan(shop_log(), timed(**TIMES, streaming=True, stages=()), keep=False)


def test_a_leg_need_not_fit_in_a_window_and_each_of_its_moves_does() -> None:
    its = Course(windowed())
    assert its.legs[0].seconds > 3600 > max(it.seconds for it in its.waves)
    desk = Desk(plan=windowed())
    heard = told(desk)
    desk.step()
    (closed,) = (it for it in heard if isinstance(it, progress.Closed))
    assert closed.opens == "2026-11-23T12:00:00Z", "the start; somewhere no window is needed"
    # 22:30 in Shanghai.
    opens_ms = desk.clock.now_ms() + 4 * 3_600_000 + 1_800_000
    for ms, open_s in ((opens_ms - 1, 0), (opens_ms, 3600), (opens_ms + 3_580_000, 20)):
        desk = Desk(plan=windowed())
        desk.clock.advance(ms - desk.clock.now_ms())
        desk.step()
        desk.step()
        wave = desk.journal.run.wave
        went = [its.move(number) for number in (*wave.let_go, *wave.refused)]
        assert any(move.cluster == "shanghai" for move in went)
        inside = [move for move in went if move.cluster == "hangzhou"]
        assert bool(inside) == bool(open_s), ms
        assert all((move.seconds or 0) <= open_s for move in inside), ms
        # Not by those of its wave.
        assert open_s != 20 or min(map(its.seconds_of, inside)) > open_s


def test_a_run_stops_when_no_window_opens_for_what_is_left() -> None:
    its = Course(windowed())
    numbers = [number for number, move in its.moves(1) if move.cluster == "hangzhou"]
    over = text(number for number in range(its.total) if number not in set(numbers))
    moves = WaveBegun(wave=1, moves=f"0-{its.total - 1}", streams=True)
    desk = Desk(moves, Back(wave=1, moves=over), plan=windowed())
    desk.clock.advance(500 * 24 * 3_600_000)
    assert desk.step() == "stopped"
    assert isinstance(desk.last, Stopped)
    assert (desk.last.reason, "no time for what is left" in desk.last.text) == ("drift", True)


def test_what_is_under_way_fails_and_what_waits_for_it_does_not() -> None:
    first = range(course().waves[0].moves)
    desk = Desk(begun(), LetGo(wave=1, moves=text(first)), plan=streaming())
    expected_s = desk.site.policy.patience_s + course().waves[0].seconds
    for _ in range(int(expected_s // 60) + 1):
        desk.site.read()
        moving.go_on(desk.site)
        assert not said(desk, Failed)
        desk.clock.advance(60_000)
    desk.site.read()
    moving.go_on(desk.site)
    (failed,) = said(desk, Failed)
    under_way = desk.journal.run.wave.let_go - desk.journal.run.wave.back
    assert MoveSet.parse(failed.moves) == under_way
    assert set(under_way) <= set(first)


def test_of_a_leg_a_workload_is_known_by_what_its_waves_have() -> None:
    """So many moves the slowest of one was the slowest of."""
    index = course().index_of[AUTH]
    waves = [dict(it.workloads)[index] for it in course().waves if index in dict(it.workloads)]
    assert len(waves) > 1
    assert course().moves_of(1)[index] == ceil(sum(waves) / len(waves))


def test_while_a_stage_soaks_who_does_not_serve_any_more_is_waited_for_again() -> None:
    """One of the pods that were recorded is leaving."""
    first = text(range(course().waves[0].moves))
    desk = Desk(begun(), LetGo(wave=1, moves=first), Back(wave=1, moves=first), plan=streaming())
    moving.go_on(desk.site)
    (relapsed,) = said(desk, Relapsed)
    (number,) = MoveSet.parse(relapsed.moves)
    move = course().move(number)
    (pod,) = desk.site.ask(Question(due=[(move.cluster, move.uid)])).due
    assert pod.state == "leaving"
    assert desk.journal.run.wave.under_way == MoveSet([number])


def test_pods_of_a_stateful_set_go_in_turn_past_none_that_was_refused() -> None:
    place = Place("hangzhou", "data", "AdvancedStatefulSet", "tair")
    canary, (first, *others) = of(place, "canary"), of(place, "rest")
    over = text(set(range(course().total)) - {first, *others})
    gone: list[AnyEvent] = [LetGo(wave=1, moves=over), Back(wave=1, moves=over)]
    refused: list[AnyEvent] = [
        LetGo(wave=1, moves=str(first)),
        Written(wave=1, writes=0, refused=str(first)),
    ]

    def went(*events: AnyEvent) -> list[MoveSet]:
        desk = Desk(begun(), *gone, *events, plan=streaming())
        desk.clock.advance(SOAK_MS)
        desk.journal.tell(Written(wave=1, writes=0, refused=str(first) if events else ""))
        desk.site.read()
        moving.go_on(desk.site)
        return [MoveSet.parse(it.moves) for it in said(desk, LetGo)[1 + len(events) // 2 :]]

    assert canary
    assert len(*went()) > 1
    assert went(*refused) == [], "it rests, and is the next"
