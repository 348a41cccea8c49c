"""Of several people who begin a run at the same time only one does."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Event, Thread
from typing import TYPE_CHECKING, Never

import pytest

from planner.apply.beginning import begin, journal_of, run_ids
from planner.apply.events import Ended, Started
from planner.apply.lease import STREAM as LEASE
from planner.errors import LeaseLostError, UsageError
from planner.log import EventLog, NewCommit, Stream
from planner.log.memory import MemoryEventLog
from planner.log.open import open_log
from planner.model.clock import ManualClock
from tests.shop import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from planner.apply.journal import Journal
    from planner.log.commit import Head

WAIT_S = 60


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000)


@pytest.fixture(params=["memory", "sqlite"])
def logs(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> Iterator[tuple[EventLog, EventLog]]:
    """One log, as two people open it, with two plans."""
    with ExitStack() as opened:
        if request.param == "memory":
            log: EventLog = MemoryEventLog(clock=clock, identity=IDENTITY)
            both = (log, log)
        else:
            url = f"sqlite:///{tmp_path}/planner.db"
            one, other = (opened.enter_context(open_log(url, clock=clock)) for _ in range(2))
            both = (one, other)
        for plan in ("p", "q"):
            kept = NewCommit(codec="plan/1", payload=b"", events=1, author="me")
            both[0].append(Stream("plan", plan), [kept], expected_version=0)
        yield both


def started(plan: str, by: str = "me") -> Started:
    return Started(plan=plan, by=by, policy={})


def never(_seconds: float) -> Never:
    pytest.fail("nobody has to wait")


@pytest.fixture
def before_it_begins(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Do something between the look for other runs and the append that begins one."""

    def inject(log: EventLog, do: Callable[[], None]) -> None:
        append = log.append

        def appending(
            stream: Stream, batches: Sequence[NewCommit], *, expected_version: int | None
        ) -> Head:
            if stream.kind == "run" and stream != LEASE:
                monkeypatch.setattr(log, "append", append)
                do()
            return append(stream, batches, expected_version=expected_version)

        monkeypatch.setattr(log, "append", appending)

    return inject


class Second:
    """Somebody else who begins a run at that moment."""

    def __init__(self, log: EventLog, event: Started, clock: ManualClock) -> None:
        self.journal: Journal | None = None
        self.refused = ""
        self._stands, self._goes_on = Event(), Event()
        self._thread = Thread(target=self._begin, args=(log, event, clock), daemon=True)

    def begin(self) -> None:
        """Begin, until that is done or something has to be waited for."""
        self._thread.start()
        assert self._stands.wait(WAIT_S)

    def end(self) -> None:
        """Wait no more."""
        self._goes_on.set()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    def _begin(self, log: EventLog, event: Started, clock: ManualClock) -> None:
        try:
            self.journal = begin(log, event, clock, self._wait)
        except UsageError as error:
            self.refused = str(error)
        finally:
            self._stands.set()

    def _wait(self, _seconds: float) -> None:
        self._stands.set()
        self._goes_on.wait(WAIT_S)


def test_of_two_plans_one_begins_and_the_other_leaves_nothing(
    logs: tuple[EventLog, EventLog],
    clock: ManualClock,
    before_it_begins: Callable[..., None],
) -> None:
    log, again = logs
    second = Second(again, started("q"), clock)
    before_it_begins(log, second.begin)
    journal = begin(log, started("p"), clock, never)
    second.end()
    assert run_ids(log) == [journal.run_id]
    assert f"run {journal.run_id} is not over" in second.refused
    assert (journal.run.plan, journal.run.is_over) == ("p", False)


def test_who_begins_the_same_plan_finds_its_run(
    logs: tuple[EventLog, EventLog],
    clock: ManualClock,
    before_it_begins: Callable[..., None],
) -> None:
    log, again = logs
    second = Second(again, started("p", by="somebody else"), clock)
    before_it_begins(log, second.begin)
    journal = begin(log, started("p"), clock, never)
    second.end()
    assert run_ids(log) == [journal.run_id]
    assert second.journal is not None
    assert (second.journal.run_id, second.journal.run.plan) == (journal.run_id, "p")


def test_who_stood_still_for_longer_than_a_lease_lasts_ends_its_run_at_once(
    logs: tuple[EventLog, EventLog],
    clock: ManualClock,
    before_it_begins: Callable[..., None],
) -> None:
    log, again = logs
    found: list[Journal] = []

    def sleep() -> None:
        clock.advance(31_000)
        found.append(begin(again, started("q"), clock, never))

    before_it_begins(log, sleep)
    with pytest.raises(LeaseLostError, match="begun meanwhile"):
        begin(log, started("p"), clock, never)
    (other,) = found
    is_over = {name: journal_of(log, name).run.is_over for name in run_ids(log)}
    assert is_over.pop(other.run_id) is False
    assert list(is_over.values()) == [True]


def test_a_plan_that_was_aborted_begins_anew_and_one_that_is_done_does_not(
    logs: tuple[EventLog, EventLog], clock: ManualClock
) -> None:
    log, _ = logs
    first = begin(log, started("p"), clock, never)
    first.append(Ended(outcome="aborted"))
    again = begin(log, started("p"), clock, never)
    assert again.run_id != first.run_id
    again.append(Ended(outcome="done"))
    assert begin(log, started("p"), clock, never).run_id == again.run_id
    assert len(run_ids(log)) == 2
