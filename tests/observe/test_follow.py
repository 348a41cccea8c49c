"""A kind that the role of an observer, printed by an older version, does not let it read."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, NoReturn

import msgspec

from planner.errors import ClusterError
from planner.model.clock import ManualClock
from planner.observe.follow import ROLE_REMEDY, Follower, Outside
from planner.observe.inbox import Inbox
from planner.observe.kinds import KINDS
from planner.observe.pace import Line, Pace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.kube.cluster import Call

QUOTAS = next(each for each in KINDS if each.name == "resourcequotas")
LIST = b'{"kind":"ResourceQuotaList","apiVersion":"v1","metadata":{"resourceVersion":"7"}}'


class Refusing:
    """An API server that refuses a list some times, and then ends with the watch after it."""

    def __init__(self, refusals: int, stop: Event) -> None:
        self.refusals = refusals
        self._stop = stop

    def get(self, path: str, _query: Mapping[str, str]) -> bytes:
        """Refuse it, or give an empty list."""
        assert path == "/api/v1/resourcequotas"
        self.refusals -= 1
        if self.refusals >= 0:
            raise ClusterError(403, "resourcequotas is forbidden", reason="Forbidden")
        return LIST

    def stream(self, _path: str, _query: Mapping[str, str], *, silence_s: float) -> NoReturn:
        """End."""
        self._stop.set()
        raise ClusterError(0, f"over, {silence_s} s or not")

    def send(self, call: Call) -> NoReturn:
        """Nobody writes."""
        raise AssertionError(call)

    def interrupt(self) -> None:
        """Nothing hangs."""


def followed(refusals: int) -> tuple[list[Line], list[bytes]]:
    """What an observer tells, and what it receives."""
    stop, told = Event(), list[Line]()
    inbox = Inbox(bytes_max=1 << 20)
    outside = Outside(
        inbox=inbox,
        pace=Pace(look_again_s=0.0),
        clock=ManualClock(0),
        random=lambda: 0.0,
        stop=stop,
        tell=told.append,
    )
    Follower("hangzhou", Refusing(refusals, stop), QUOTAS, outside, reached="").run()
    taken = inbox.take(bytes_wanted=1 << 20, wait_s=0.0, linger_s=0.0)
    return told, [each.text for each in taken]


def test_what_may_not_be_read_is_done_without_and_told_of_once() -> None:
    told, received = followed(refusals=3)
    [warning] = [each for each in told if each.warns]
    assert str(warning).startswith("hangzhou resourcequotas: ")
    assert warning.text.endswith(f"; {ROLE_REMEDY}; until then plans do without it")
    assert warning.sees, "a run that waits for every kind is not held up"
    nothing, listed = received
    assert msgspec.json.decode(nothing) == {
        "kind": "ResourceQuotaList",
        "apiVersion": "v1",
        "metadata": {},
        "items": [],
    }
    assert listed == LIST


def test_what_may_be_read_is_listed() -> None:
    told, received = followed(refusals=0)
    assert received == [LIST]
    assert not any(each.warns for each in told)
