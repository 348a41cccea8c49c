"""What the events of a run add up to, and who may append them."""

import pytest

from planner.apply.events import (
    AbortAsked,
    AnyEvent,
    ApprovalAsked,
    Approved,
    Back,
    Failed,
    LetGo,
    Paused,
    Relapsed,
    Replanned,
    Resumed,
    RetryAsked,
    Started,
    WaveBegun,
    WaveEnded,
    Written,
    from_payload,
    some_of,
    to_payload,
)
from planner.apply.journal import Journal
from planner.apply.lease import BEGINNING, Holder, Lease
from planner.apply.moveset import MoveSet
from planner.apply.state import Run, fold
from planner.errors import LeaseLostError, UsageError
from planner.log.memory import MemoryEventLog
from planner.model.clock import ManualClock
from tests.shop import IDENTITY

BEGUN = WaveBegun(wave=1, moves="0-4", dropped="4", bound=((3, "uid"),), base=((0, 5, 0, 0, 0),))
LET_GO = LetGo(wave=1, moves="0-3", levers=((0, "go", 4, 0),))


def after(*events: AnyEvent) -> Run:
    return fold(Run(), [Started(plan="p", by="me", policy={}), *events], 1000)


def test_a_wave_goes_from_begun_to_ended() -> None:
    run = after(BEGUN)
    assert run.is_moving
    assert run.wave.moves == MoveSet(range(4)), "what was dropped nobody has to make"
    run = after(BEGUN, LET_GO, Back(wave=1, moves="0-1"), Failed(wave=1, moves="2", why="late"))
    assert (run.moved, run.failed, len(run.wave.let_go)) == (2, 1, 4)
    run = after(BEGUN, LET_GO, Back(wave=1, moves="0-1"), WaveEnded(wave=1))
    assert not run.is_moving
    assert run.unfinished == MoveSet([2, 3])


def test_a_move_that_was_refused_waits_again() -> None:
    run = after(BEGUN, LET_GO, Written(wave=1, writes=5, refused="2"))
    assert run.wave.let_go == MoveSet([0, 1, 3])
    assert run.wave.refused == MoveSet([2])
    assert run.writes == 5
    run = after(BEGUN, LET_GO, Written(wave=1, writes=5, refused="2"), LetGo(wave=1, moves="2"))
    assert (run.wave.let_go, run.wave.refused) == (MoveSet(range(4)), MoveSet())


def test_what_is_refused_again_and_again_makes_no_progress() -> None:
    run = fold(after(BEGUN), [LET_GO, Written(wave=1, writes=4, refused="2")], 5000)
    assert (run.wave.progress_ms, run.wave.refused_ms) == (5000, 5000)
    again: list[AnyEvent] = [LetGo(wave=1, moves="2"), Written(wave=1, writes=0, refused="2")]
    run = fold(run, again, 10_000)
    assert (run.wave.progress_ms, run.wave.refused_ms) == (5000, 10_000)


def test_a_pod_that_failed_and_came_back_has_not_failed() -> None:
    run = after(BEGUN, LET_GO, Failed(wave=1, moves="2", why=""), Back(wave=1, moves="2"))
    assert (run.failed, run.moved) == (0, 1)
    run = after(BEGUN, LET_GO, Failed(wave=1, moves="2", why=""), RetryAsked(by="me"))
    assert (run.failed, len(run.wave.failed)) == (0, 0)


def test_failures_are_kept_by_plan_until_somebody_tries_again() -> None:
    failed = Failed(wave=1, moves="2-3", why="")
    first = (BEGUN, LET_GO, failed, WaveEnded(wave=1))
    run = after(*first, Replanned(plan="q", why=("x",)), BEGUN, LET_GO, failed, WaveEnded(wave=1))
    assert (run.failed, dict(run.lost)) == (4, {"p": MoveSet([2, 3]), "q": MoveSet([2, 3])})
    assert run.unfinished == MoveSet(range(4))
    run = fold(run, [RetryAsked(by="me")], 2000)
    assert (run.failed, run.unfinished) == (0, MoveSet()), "they have to move again"


def test_a_wave_is_under_way_again_when_what_was_back_is_not() -> None:
    over = (BEGUN, LET_GO, Back(wave=1, moves="0-3", strays="1"), WaveEnded(wave=1))
    run = fold(after(*over), [Relapsed(wave=1, moves="0-1", why="not back")], 5000)
    assert run.is_moving
    assert (run.moved, run.strays, run.as_planned) == (2, 0, 1)
    again = fold(run, [Back(wave=1, moves="0-1", strays="1")], 6000)
    assert (again.moved, again.strays, again.as_planned) == (4, 1, 2)
    run = fold(again, [WaveEnded(wave=1)], 9000)
    assert run.took == (("p", 1, 4000),), "one wave, however often it ended, without its soak"
    assert not run.wave.let_go_at, "how long its moves took is not told again"
    lost = fold(again, [Relapsed(wave=1, moves="2", why=""), WaveEnded(wave=1)], 9000)
    assert lost.unfinished == MoveSet([2])


def test_a_pod_comes_back_once() -> None:
    run = after(BEGUN, Back(wave=1, moves="0", strays="0"), Back(wave=1, moves="0-1", strays="0"))
    assert (run.moved, run.strays, run.as_planned) == (2, 1, 1)


def test_only_what_went_as_the_first_plan_said_counts_as_planned() -> None:
    back = Back(wave=1, moves="0-3", strays="1")
    assert after(BEGUN, LET_GO, back).as_planned == 2, "one strayed and one is another pod"
    replanned = Replanned(plan="q", why=("x",))
    assert after(replanned, BEGUN, LET_GO, back).as_planned == 0


def test_another_plan_begins_at_its_first_wave() -> None:
    run = after(BEGUN, LET_GO, WaveEnded(wave=1), Replanned(plan="q", why=("x",)))
    assert (run.plan, run.plans, run.wave.number) == ("q", ("p", "q"), 0)
    assert not run.unfinished


def test_people_pause_resume_approve_and_abort() -> None:
    assert after(Paused(by="me")).paused
    assert not after(Paused(by="me"), Resumed(by="me")).paused
    asked = (BEGUN, WaveEnded(wave=1), ApprovalAsked(wave=1, what=("canary",)))
    assert after(*asked).asked
    run = after(*asked, Approved(by="me"))
    assert (run.asked, run.approved) == (False, 1)
    assert after(AbortAsked(by="me")).abort_asked


def test_events_come_back_as_they_were_written() -> None:
    events: list[AnyEvent] = [BEGUN, LET_GO, Back(wave=1, moves="0"), AbortAsked(by="me")]
    assert list(from_payload(to_payload(events))) == events


@pytest.fixture
def log() -> MemoryEventLog:
    return MemoryEventLog(clock=ManualClock(0), identity=IDENTITY)


def test_who_decided_on_what_is_old_appends_nothing(log: MemoryEventLog) -> None:
    executor, person = Journal(log, "r"), Journal(log, "r")
    assert executor.append(Started(plan="p", by="me", policy={}))
    person.tell(Paused(by="me"))
    assert not executor.append(BEGUN)
    executor.read()
    assert executor.run.paused
    assert executor.append(BEGUN)


def test_an_executor_that_was_replaced_appends_nothing_and_ends(log: MemoryEventLog) -> None:
    old, new = Journal(log, "r"), Journal(log, "r")
    old.append(Started(plan="p", by="me", policy={}))
    old.take(1, "old")
    new.read()
    new.take(2, "new")
    assert not old.append(BEGUN)
    with pytest.raises(LeaseLostError, match="taken over by new"):
        old.read()
    assert new.run.wave.number == 0


def test_two_executors_that_say_the_same_are_told_apart(log: MemoryEventLog) -> None:
    one, other = Journal(log, "r"), Journal(log, "r")
    one.append(Started(plan="p", by="me", policy={}))
    one.take(1, "one")
    other.read()
    other.take(2, "other")
    assert other.append(BEGUN)
    assert not one.append(BEGUN)


HERE = Holder("here", 1, "then")
THERE = Holder("there", 2, "then")


def never(_seconds: float) -> None:
    pytest.fail("nobody has to wait")


def test_one_run_at_a_time_holds_the_lease(log: MemoryEventLog) -> None:
    clock = ManualClock(0)
    assert Lease(log, "r", HERE, clock).take(never) == 1
    with pytest.raises(UsageError, match="one run at a time"):
        Lease(log, "another", THERE, clock).take(never)
    clock.advance(30_001)
    late = Lease(log, "another", THERE, clock)
    assert late.take(never) == 2, "it was not renewed"


def test_a_lease_is_renewed_and_given_back(log: MemoryEventLog) -> None:
    clock = ManualClock(0)
    lease = Lease(log, "r", HERE, clock)
    lease.take(never)
    clock.advance(20_000)
    lease.renew()
    clock.advance(20_000)
    with pytest.raises(UsageError):
        Lease(log, "another", THERE, clock).take(never)
    lease.give_back()
    assert Lease(log, "another", THERE, clock).take(never) == 2


def test_who_takes_a_lease_knows_when_one_of_its_run_was_last_there() -> None:
    clock = ManualClock(1_000)
    log = MemoryEventLog(clock=clock, identity=IDENTITY)
    first = Lease(log, "r", HERE, clock)
    first.take(never)
    assert first.seen_ms == 0, "nobody was"
    clock.advance(20_000)
    first.renew()
    clock.advance(3_600_000)
    beginner = Lease(log, BEGINNING, THERE, clock)
    beginner.take(never)
    beginner.give_back()
    second = Lease(log, "r", THERE, clock)
    second.take(never)
    assert second.seen_ms == 21_000


def test_a_holder_that_was_away_is_told_once(log: MemoryEventLog) -> None:
    clock = ManualClock(0)
    lease = Lease(log, "r", HERE, clock)
    lease.take(never)
    for _ in range(3):
        clock.advance(30_000)
        lease.renew()
        assert not lease.was_away()
    clock.advance(30_001)
    lease.renew()
    assert lease.seen_ms == 90_000
    assert [lease.was_away(), lease.was_away()] == [True, False]


def test_a_lease_that_was_taken_is_not_renewed(log: MemoryEventLog) -> None:
    clock = ManualClock(0)
    lost = Lease(log, "r", HERE, clock)
    lost.take(never)
    clock.advance(31_000)
    Lease(log, "r", THERE, clock).take(never)
    with pytest.raises(LeaseLostError, match="another executor"):
        lost.renew()


def test_who_may_write_is_asked_of_the_log_and_not_of_a_clock(log: MemoryEventLog) -> None:
    clock = ManualClock(0)
    first = Lease(log, "r", HERE, clock)
    first.take(never)
    first.check()
    clock.advance(31_000)
    first.check()  # nobody took it: what is late is still alone
    second = Lease(log, "r", THERE, clock)
    second.take(never)
    with pytest.raises(LeaseLostError, match="another executor"):
        first.check()
    second.renew()
    second.check()


def test_an_executor_elsewhere_is_waited_for(log: MemoryEventLog) -> None:
    clock = ManualClock(0)
    Lease(log, "r", THERE, clock).take(never)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(int(seconds * 1000))

    assert Lease(log, "r", HERE, clock).take(wait) == 2
    assert len(waits) == 30


def test_a_process_of_this_machine_that_is_gone_holds_nothing() -> None:
    this = Holder.this()
    assert not this.is_gone()
    assert Holder(this.host, this.pid, "another time").is_gone()
    assert not Holder("another machine", this.pid, "then").is_gone()


def test_of_many_reasons_some_are_told_and_how_many_more_there_are() -> None:
    assert some_of(["a", "b", "a"]) == "a; b"
    assert some_of(str(number) for number in range(1_007)) == "0; 1; 2; 3; 4; and 1,002 more"
