"""What an executor does next, on the recorded shop that nobody has touched since its plan."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from functools import cache

from msgspec.structs import replace

import planner
from planner import core
from planner.apply import moving
from planner.apply.checkpoint import Question
from planner.apply.course import Course, place_of
from planner.apply.events import (
    WHYS_MAX,
    AbortAsked,
    AnyEvent,
    Approved,
    Ended,
    Failed,
    LetGo,
    Paused,
    Replanned,
    RetryAsked,
    SkipAsked,
    Started,
    Stopped,
    WaveBegun,
    WaveEnded,
    Written,
    from_payload,
)
from planner.apply.executor import TICK_S, execute
from planner.apply.journal import Journal
from planner.apply.lease import Holder, Lease
from planner.apply.levers.held import HELD, RUN, annotations_of
from planner.apply.moveset import MoveSet
from planner.apply.outside import Outside
from planner.apply.policy import Policy
from planner.apply.site import Site
from planner.apply.tail import images_of, tail_request
from planner.apply.wave import bases, bound_moves
from planner.errors import ClusterError
from planner.kube.paths import pod_path
from planner.log import Stream
from planner.log.memory import MemoryEventLog
from planner.loop import observe_fleet
from planner.model.clock import ManualClock
from planner.model.progress import Ending
from tests.apply.shelf import Agreeing, Keeping, Manifest
from tests.shop import IDENTITY, SALE_MS, shop_log, shop_plan
from tests.shop import request as shop_request

Replan = Callable[..., core.Plan | None]


@cache
def course() -> Course:
    return Course(shop_plan())


@cache
def fleet() -> core.Fleet:
    return observe_fleet(shop_log().events, course().position, None)


UNPACED = 10**9
"""Writes a second of which none has to wait for its turn."""


class Desk:
    """An executor with a log of its own, and no cluster to write to.

    Attributes:
        door: what it takes for hangzhou, and where none is given for every cluster.
    """

    def __init__(
        self,
        *events: AnyEvent,
        plan: core.Plan | None = None,
        replan: Replan = lambda *_: None,
        door: Agreeing | None = None,
        writes_per_s: int = UNPACED,
    ) -> None:
        plan = shop_plan() if plan is None else plan
        self.door = door or Agreeing()
        self.clock = ManualClock(SALE_MS)
        self.log = MemoryEventLog(clock=self.clock, identity=IDENTITY)
        self.journal = Journal(self.log, "r")
        policy = Policy(writes_per_s=writes_per_s).as_texts()
        began = Started(plan=Course(plan).id, by="me", policy=policy)
        self.journal.append(began, *events)
        self.rests: list[float] = []
        lease = Lease(self.log, "r", Holder.this(), self.clock)
        lease.take(lambda _: None)
        self.journal.take(lease.epoch, "me")
        outside = Outside(
            log=self.log,
            doors={"hangzhou": self.door, "shanghai": self.door if door is None else Agreeing()},
            clock=self.clock,
            look=fleet,
            load=lambda _: plan,
            replan=replan,
            wait=self.rest,
            tell=lambda _: None,
        )
        self.site = Site(self.journal, lease, outside)

    def rest(self, seconds: float) -> bool:
        """The executor has to end as soon as it would rest."""
        self.rests.append(seconds)
        return True

    def step(self) -> Ending:
        """Go on until something would have to be waited for."""
        return execute(self.site, waits_at_gates=False)

    @property
    def last(self) -> AnyEvent:
        """What was appended last."""
        *_, last = self.log.read(after=0, stream=Stream("run", "r"))
        return from_payload(last.payload)[-1]


def all_waves_over(moves: str) -> tuple[AnyEvent, ...]:
    """The last wave ended, and these moves with it did not come back."""
    number = len(course().waves)
    return WaveBegun(wave=number, moves=moves), WaveEnded(wave=number)


def test_after_the_last_wave_what_is_left_is_planned_anew() -> None:
    desk = Desk(*all_waves_over(""), replan=lambda *_: shop_plan())
    assert desk.step() == "interrupted"
    assert isinstance(desk.last, Replanned)
    assert "pods have to move, planned were 0" in desk.last.why[0]


def test_a_run_without_a_plan_for_what_is_left_is_not_done() -> None:
    desk = Desk(*all_waves_over(""))
    assert desk.step() == "stopped"
    assert isinstance(desk.last, Stopped)
    assert (desk.last.reason, desk.journal.run.is_over) == ("drift", False)


def test_a_run_whose_planned_pods_stay_behind_is_incomplete() -> None:
    desk = Desk(*all_waves_over(str(MoveSet(range(course().total)))))
    assert desk.step() == "interrupted"
    assert isinstance(desk.last, Ended)
    assert desk.last.outcome == "incomplete"
    assert any(text.startswith("hangzhou/trade/CloneSet/cart: 110 pods") for text in desk.last.held)


def test_a_plan_of_the_rest_goes_no_further_than_stages_that_end_early() -> None:
    course = Course(half_plan())
    assert course.stops_early
    rest = tail_request(course, images_of(course), len(course.waves))
    assert [each["perWorkload"] for each in rest["spec"]["stages"]] == ["50%"]
    assert not Course(shop_plan()).stops_early
    whole = tail_request(Course(shop_plan()), {}, len(Course(shop_plan()).waves))
    assert "stages" not in whole["spec"]
    lost = (WaveBegun(wave=len(course.waves), moves=""), WaveEnded(wave=len(course.waves)))
    desk = Desk(*lost, plan=half_plan(), replan=lambda *_: shop_plan())
    desk.step()
    assert isinstance(desk.last, Ended), "it is not planned anew"
    assert desk.last.outcome == "incomplete"


@cache
def half_plan() -> core.Plan:
    """A plan of the shop whose stages end at half of each workload."""
    half = replace(shop_request().spec.stages[-1], name="half", per_workload="50%")
    spec = replace(shop_request().spec, stages=(half,))
    return planner.plan(shop_log(), replace(shop_request(), spec=spec), keep=False)


HOUR_MS = 3_600_000


def first_wave(*events: AnyEvent) -> tuple[AnyEvent, ...]:
    """The first wave, in which nothing was let go."""
    return WaveBegun(wave=1, moves=str(MoveSet(course().numbers(1)))), *events


def test_what_is_skipped_is_not_waited_for_and_lets_nothing_go() -> None:
    desk = Desk(*first_wave(SkipAsked(by="me")))
    assert desk.step() == "interrupted"
    assert desk.last == WaveEnded(wave=1)
    assert desk.journal.run.unfinished == MoveSet(course().numbers(1))


def test_an_executor_rests_only_when_it_did_nothing() -> None:
    busy, idle = Desk(*first_wave(SkipAsked(by="me"))), Desk(*first_wave(Paused(by="me")))
    assert (busy.step(), busy.rests) == ("interrupted", [0]), "it has ended the wave"
    assert (idle.step(), idle.rests) == ("interrupted", [TICK_S])


def test_who_stops_a_run_that_waits_for_its_turn_interrupts_it_before_it_has_begun() -> None:
    desk = Desk(writes_per_s=1)
    assert desk.step() == "interrupted"
    assert not desk.journal.run.is_over
    assert not isinstance(desk.last, Stopped | WaveBegun)


def test_a_wave_that_failed_within_the_budget_is_left_behind_until_somebody_tries_again() -> None:
    numbers = str(MoveSet(course().numbers(1)))
    failed = first_wave(Failed(wave=1, moves=numbers, why=""), WaveEnded(wave=1), Approved(by="me"))
    desk = Desk(*failed, replan=lambda *_: shop_plan())
    desk.clock.advance(HOUR_MS)
    assert desk.step() == "interrupted"
    assert isinstance(desk.last, WaveBegun), "it goes on without them"
    desk = Desk(*failed, RetryAsked(by="me"), replan=lambda *_: shop_plan())
    desk.clock.advance(HOUR_MS)
    assert desk.step() == "interrupted"
    assert isinstance(desk.last, Replanned)
    assert desk.journal.run.failed == 0


def test_what_has_failed_stops_a_run_that_could_let_others_go() -> None:
    first, *_ = course().numbers(1)
    numbers = str(MoveSet(course().numbers(1)))
    standings = Desk().site.ask(Question()).workloads
    begun = WaveBegun(wave=1, moves=numbers, base=bases(course().index_of, standings))
    lost = LetGo(wave=1, moves=str(first)), Failed(wave=1, moves=str(first), why="late")
    desk = Desk(begun, *lost)
    assert desk.step() == "stopped"
    assert isinstance(desk.last, Stopped)
    assert desk.last.reason == "failures"
    assert desk.journal.run.wave.let_go == MoveSet([first])


def deployments(door: Keeping) -> list[Manifest]:
    return [each for path, each in door.objects.items() if "/deployments/" in path]


def test_what_stops_a_run_in_the_middle_of_a_wave_leaves_no_deployment_let_go() -> None:
    door = Keeping("inventory")
    desk = Desk(*first_wave(), door=door)
    assert desk.step() == "stopped"
    assert isinstance(desk.last, Stopped)
    assert desk.last.text.startswith("Workload trade/inventory is paused by its owner")
    held = [each for each in deployments(door) if HELD in annotations_of(each)]
    assert held, "that was let go before"
    assert all(each["spec"]["paused"] for each in held)


def intent_of_first_wave() -> LetGo:
    levers = tuple((index, "go", 1, 0) for index in course().moves_of(1))
    return LetGo(wave=1, moves=str(MoveSet(course().numbers(1))), levers=levers)


def test_a_run_that_is_aborted_lets_nothing_go_and_ends_whatever_its_owners_did() -> None:
    door = Keeping("inventory")
    desk = Desk(*first_wave(intent_of_first_wave(), AbortAsked(by="me")), door=door)
    desk.step()
    assert desk.journal.run.outcome == "aborted"
    assert len(deployments(door)) > 5
    assert all(RUN in annotations_of(each) for each in door.objects.values()), "it was touched"
    assert not any(HELD in annotations_of(each) for each in door.objects.values())


def test_what_is_refused_is_told_by_some_reasons_however_many_there_are() -> None:
    desk = Desk(*first_wave())
    pods = [move for _, move in course().moves(1)]
    desk.door.refusals = {
        pod_path(it.namespace, it.pod): ClusterError(403, f"{it.pod} is guarded") for it in pods
    }
    desk.step()
    assert isinstance(desk.last, Written)
    *told, more = desk.last.why.split("; ")
    assert all(it.endswith(" is guarded") for it in told)
    assert len(set(told)) == WHYS_MAX
    assert more == f"and {len(MoveSet.parse(desk.last.refused)) - WHYS_MAX} more"


def test_every_write_is_counted_also_those_at_the_end() -> None:
    desk = Desk(*first_wave(intent_of_first_wave(), AbortAsked(by="me")))
    desk.step()
    assert desk.journal.run.outcome == "aborted"
    kept = [each for each in desk.door.writes if "dryRun" not in each.query]
    assert desk.journal.run.writes == len(kept) > 0


def test_a_wave_that_is_over_is_looked_at_now_and_then() -> None:
    desk = Desk(*first_wave(WaveEnded(wave=1)))
    looks: list[None] = []

    def look() -> core.Fleet:
        looks.append(None)
        return fleet()

    desk.site.outside = dataclasses.replace(desk.site.outside, look=look)
    assert not moving.look_back(desk.site)
    assert not moving.look_back(desk.site)
    assert len(looks) == 1
    desk.clock.advance(moving.LOOK_BACK_MS)
    assert not moving.look_back(desk.site)
    assert len(looks) == 2


def test_old_pods_of_a_surge_stay_until_all_of_its_new_ones_serve() -> None:
    """Two that surge in one wave are let go one after the other, as a budget has room for one."""
    named = list(course().moves(2))
    (place, _), *_ = Counter(place_of(it) for _, it in named if it.kind == "surge").most_common()
    first, second, *_ = (n for n, it in named if it.kind == "surge" and place_of(it) == place)
    index = course().index_of[place]
    standing = Desk().site.ask(Question()).by_place()[place]
    before, another = standing.at_target - 1, (index + 1) % len(course().places)
    base = (index, standing.movable + 1, standing.unsettled, standing.missing, before)

    def swapped(*moves: int) -> bool:
        desk = Desk(
            WaveBegun(wave=2, moves=str(MoveSet([first, second])), base=(base,)),
            LetGo(wave=2, moves=str(first), levers=((index, "surge", 1, 1), (another, "go", 1, 0))),
            *(LetGo(wave=2, moves=str(it), levers=((index, "surge", 1, 1),)) for it in moves),
        )
        due = bound_moves(desk.site.moves, desk.journal.run.wave)
        return moving._swap(desk.site, due, desk.site.ask(Question()))

    assert swapped(), "one new pod more is there than before"
    assert not swapped(second), "and the second is not"


def test_moves_that_go_count_from_what_others_left_of_their_workload() -> None:
    """Somebody has removed pods since the wave began, old ones and new ones."""
    moves = str(MoveSet(course().numbers(1)))
    now = bases(course().index_of, Desk().site.ask(Question()).workloads)
    then = tuple((at, old + 5, slow, missing, new + 3) for at, old, slow, missing, new in now)
    desk = Desk(WaveBegun(wave=1, moves=moves, base=then))
    desk.step()
    wave = desk.journal.run.wave
    assert wave.let_go
    assert wave.base == {base[0]: base for base in now}
