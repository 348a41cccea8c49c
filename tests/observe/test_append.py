"""What was received is appended once, however often that has to be tried."""

from __future__ import annotations

from random import Random
from threading import Event
from typing import TYPE_CHECKING

import pytest

from planner.errors import ConflictError, InputError, LogError
from planner.log import Stream
from planner.log.memory import MemoryEventLog
from planner.model.clock import ManualClock
from planner.observe.append import Appender
from planner.observe.backoff import Backoff
from planner.observe.follow import Outside
from planner.observe.inbox import Inbox, Received
from planner.observe.pace import Pace
from tests.objects import pod, pod_list
from tests.shop import IDENTITY, SALE_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.log import Head, NewCommit


class UnreliableLog(MemoryEventLog):
    """A log that loses its connection: before it appends, and after."""

    def __init__(self, failures: Sequence[str]) -> None:
        super().__init__(clock=ManualClock(SALE_MS), identity=IDENTITY)
        self.failures = list(failures)

    def append(
        self, stream: Stream, batches: Sequence[NewCommit], *, expected_version: int | None
    ) -> Head:
        failure = self.failures.pop(0) if self.failures else ""
        if failure != "before":
            head = super().append(stream, batches, expected_version=expected_version)
        if failure:
            raise LogError("the connection is lost")
        return head


def outside(told: list[str]) -> Outside:
    return Outside(
        inbox=Inbox(bytes_max=1000),
        pace=Pace(backoff=Backoff(first_s=0.0)),
        clock=ManualClock(SALE_MS),
        random=Random(1).random,
        stop=Event(),
        tell=lambda line: told.append(str(line)),
    )


def page(cluster: str, *numbers: int) -> Received:
    text = pod_list(*(pod(number) for number in numbers)).encode()
    source = f"{cluster} pods"
    return Received(cluster=cluster, source=source, text=text, time_ms=SALE_MS, begins=True)


@pytest.mark.parametrize("failures", [[], ["before"], ["after"], ["before", "after", "after"]])
def test_a_log_that_is_out_of_reach_is_tried_again(failures: list[str]) -> None:
    log = UnreliableLog(failures)
    told: list[str] = []
    appender = Appender(log, ["a", "b"], outside(told))
    appender.append([page("a", 1, 2), page("b", 3), page("a", 4)])
    appender.append([page("b", 5)])
    # A list of n pods is n + 2 events.
    assert dict(appender.events) == {"a": 7, "b": 6}
    assert log.version(Stream("cluster", "a")) == 7
    assert appender.position == log.head().position == 13
    assert len(told) == len(failures)
    log.verify()


def test_a_log_that_is_out_of_reach_does_not_keep_the_observer_from_stopping() -> None:
    told: list[str] = []
    stopping = outside(told)
    stopping.stop.set()
    with pytest.raises(LogError, match="connection is lost"):
        Appender(UnreliableLog(["before"]), ["a"], stopping).append([page("a", 1)])


def test_another_writer_is_an_error_at_once() -> None:
    log = UnreliableLog([])
    mine, theirs = (Appender(log, ["a"], outside([])) for _ in range(2))
    theirs.append([page("a", 1)])
    with pytest.raises(ConflictError, match="another observer or an import"):
        mine.append([page("a", 2)])


def test_what_is_no_object_is_an_error_that_names_the_cluster() -> None:
    broken = Received(cluster="a", source="a pods", text=b"{", time_ms=SALE_MS)
    log = UnreliableLog([])
    with pytest.raises(InputError, match="a pods: byte 1"):
        Appender(log, ["a"], outside([])).append([broken])
    assert log.head().position == 0
