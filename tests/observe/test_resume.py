"""A watch goes on where the log ends, and a list is never taken for more than it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from planner import core
from planner.log import NewCommit, Stream
from planner.log.memory import MemoryEventLog
from planner.model.clock import ManualClock
from planner.observe.resume import AUTHOR, SPAN_MS, reached_versions
from tests.objects import pod
from tests.shop import IDENTITY, SALE_MS

if TYPE_CHECKING:
    from planner.log import EventLog

STREAM = Stream("cluster", "hangzhou")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SALE_MS)


@pytest.fixture
def log(clock: ManualClock) -> EventLog:
    return MemoryEventLog(clock=clock, identity=IDENTITY)


def page(version: int, *pods: dict[str, Any], more: str = "") -> bytes:
    metadata = {"resourceVersion": str(version), "continue": more}
    head = {"kind": "PodList", "apiVersion": "v1", "metadata": metadata}
    return json.dumps({**head, "items": pods}).encode()


def event(kind: str, number: int, version: int) -> bytes:
    seen = {"apiVersion": "v1", "kind": "Pod", **pod(number, resourceVersion=str(version))}
    return json.dumps({"type": kind, "object": seen}).encode() + b"\n"


def bookmark(version: int) -> bytes:
    mark = {"apiVersion": "v1", "kind": "Pod", "metadata": {"resourceVersion": str(version)}}
    return json.dumps({"type": "BOOKMARK", "object": mark}).encode() + b"\n"


def append(log: EventLog, *texts: bytes, begins: bool = True, author: str = AUTHOR) -> None:
    """One commit; the first page begins its list."""
    feed = core.Feed(salt=IDENTITY.salt)
    for text in texts:
        feed.add("pods", text, time_ms=SALE_MS, begins=begins)
    commits = [
        NewCommit(codec=core.CODEC, payload=each.to_bytes(), events=len(each), author=author)
        for each in feed.finish()
    ]
    log.append(STREAM, commits, expected_version=None)


def reached(log: EventLog) -> str | None:
    return reached_versions(log, STREAM).get("pods")


def test_an_empty_log_has_to_be_filled(log: EventLog) -> None:
    assert reached_versions(log, STREAM) == {}


def test_after_a_list_comes_what_its_version_did_not_hold(log: EventLog) -> None:
    append(log, page(20, pod(1, resourceVersion="3")))
    assert reached(log) == "20"


def test_events_and_bookmarks_move_on(log: EventLog) -> None:
    append(log, page(20, pod(1)))
    append(log, event("ADDED", 2, 23))
    append(log, event("MODIFIED", 1, 24))
    assert reached(log) == "24"
    append(log, bookmark(30))
    assert reached(log) == "30"
    append(log, event("DELETED", 1, 31))
    assert reached(log) == "31"


def test_a_list_that_was_cut_off_is_no_beginning(log: EventLog) -> None:
    append(log, page(20, pod(1)))
    append(log, page(40, pod(1), more="x"))
    assert reached(log) is None
    append(log, page(40, pod(2, resourceVersion="39"), more="y"), begins=False)
    assert reached(log) is None
    append(log, page(40, pod(3)), begins=False)
    assert reached(log) == "40"


def test_other_clusters_and_imports_say_nothing(log: EventLog) -> None:
    append(log, page(20, pod(1)))
    append(log, event("MODIFIED", 1, 99), author="planner")
    assert reached(log) == "20"
    assert reached_versions(log, Stream("cluster", "shanghai")) == {}


def test_what_was_last_seen_long_before_the_end_is_listed_again(
    log: EventLog, clock: ManualClock
) -> None:
    append(log, page(20, pod(1)))
    clock.advance(SPAN_MS + 1)
    mark = {"apiVersion": "v1", "kind": "Node", "metadata": {"resourceVersion": "50"}}
    append(log, json.dumps({"type": "BOOKMARK", "object": mark}).encode())
    assert reached_versions(log, STREAM) == {"nodes": "50"}


def test_a_long_stop_between_two_observations_is_none(log: EventLog, clock: ManualClock) -> None:
    append(log, page(20, pod(1)))
    clock.advance(100 * SPAN_MS)
    assert reached(log) == "20"
