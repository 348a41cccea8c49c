"""What an observer knows of a real control plane is what lists of it say, whatever happened."""

from __future__ import annotations

import signal
from dataclasses import replace
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import pytest

from planner.errors import ConflictError
from planner.log import Stream
from planner.log.memory import MemoryEventLog
from planner.model.clock import ManualClock, SystemClock
from planner.observe.kinds import KINDS
from planner.observe.resume import reached_versions
from tests.controlplane import fleet
from tests.controlplane.api import RefusedError
from tests.controlplane.churn import churning, wait_changes
from tests.controlplane.conftest import is_served
from tests.controlplane.definitions import definitions
from tests.controlplane.observing import (
    PACE,
    door,
    empty_log,
    events,
    observing,
    rows,
    wait_same,
    wait_told,
)
from tests.controlplane.proxy import Proxy
from tests.controlplane.wait import until
from tests.shop import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from planner.kube.cluster import Answer, Call, Cluster
    from planner.log import Head, NewCommit
    from tests.controlplane.plane import ControlPlane

DAY_MS = 24 * 3600 * 1000


def test_import_and_observe_give_the_same_fleet(plane: ControlPlane) -> None:
    log = empty_log()
    with observing(log, {plane.name: door(plane)}):
        wait_same(log, plane)
    kinds = {kind.name for kind in KINDS}
    assert {row["resource"] for row in rows(log) if "name" in row} == {*kinds, "versions"}
    assert reached_versions(log, Stream("cluster", plane.name)).keys() == kinds


def test_of_two_served_versions_the_named_one_is_read(plane: ControlPlane) -> None:
    log = empty_log()
    with observing(log, {plane.name: door(plane)}):
        wait_same(log, plane)
    (cloneset,) = [row for row in rows(log) if row["resource"] == "clonesets" and "name" in row]
    assert '"apiVersion":"apps.kruise.io/v1beta1"' in cloneset["document"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_missed_when_the_api_server_restarts(
    plane: ControlPlane, number: signal.Signals
) -> None:
    log = empty_log()
    with observing(log, {plane.name: door(plane)}):
        wait_same(log, plane)
        with churning(plane.admin, seed=number) as churn:
            plane.restart_api_server(number)
            wait_changes(churn, 20)
        wait_same(log, plane)


def test_nothing_is_missed_when_the_network_is_cut(plane: ControlPlane) -> None:
    log = empty_log()
    with (
        Proxy(plane.port) as proxy,
        observing(log, {plane.name: door(plane, port=proxy.port)}) as running,
    ):
        wait_same(log, plane)
        with churning(plane.admin, seed=1) as churn:
            for _ in range(3):
                said = len(running.told)
                proxy.cut()
                wait_told(running, "trying again", after=said)
                wait_changes(churn, 10)
                proxy.mend()
                wait_told(running, "watching from", after=said)
        wait_same(log, plane)
    # It went on where it was: what an API server still knows is not listed again.
    assert events(log, plane.name, "pods").count("list_begun") == 1


def test_nothing_is_missed_when_the_network_falls_silent(plane: ControlPlane) -> None:
    log = empty_log()
    with (
        Proxy(plane.port) as proxy,
        observing(log, {plane.name: door(plane, port=proxy.port)}) as running,
    ):
        wait_same(log, plane)
        with churning(plane.admin, seed=2) as churn:
            said = len(running.told)
            proxy.silence()
            wait_told(running, f"{plane.name} pods", after=said)
            wait_changes(churn, 10)
            proxy.mend()
        wait_same(log, plane)


def test_slow_answers_are_waited_for(plane: ControlPlane) -> None:
    log = empty_log()
    with Proxy(plane.port) as proxy:
        proxy.delay(0.2)
        with (
            observing(log, {plane.name: door(plane, port=proxy.port)}),
            churning(plane.admin, seed=3) as churn,
        ):
            wait_changes(churn, 10)
            churn.stop.set()
            wait_same(log, plane)


def test_a_version_that_is_forgotten_makes_it_list_again(plane: ControlPlane) -> None:
    log = empty_log()
    with observing(log, {plane.name: door(plane)}):
        wait_same(log, plane)
    with churning(plane.admin, seed=4) as churn:
        wait_changes(churn, 30)
        plane.forget_history()
        with observing(log, {plane.name: door(plane)}) as running:
            wait_told(running, "listing again")
            wait_changes(churn, 10)
            churn.stop.set()
            wait_same(log, plane)
    assert events(log, plane.name, "pods").count("list_begun") >= 2


class Interposed:
    """A cluster before which something happens when the second page of pods is asked for."""

    def __init__(self, cluster: Cluster, plane: ControlPlane) -> None:
        self._cluster = cluster
        self._plane = plane
        self.happened = False

    def get(self, path: str, query: Mapping[str, str]) -> bytes:
        if path == "/api/v1/pods" and "continue" in query and not self.happened:
            self.happened = True
            self._plane.forget_history()
        return self._cluster.get(path, query)

    def send(self, call: Call) -> Answer:
        return self._cluster.send(call)

    def stream(
        self, path: str, query: Mapping[str, str], *, silence_s: float
    ) -> AbstractContextManager[Iterator[bytes]]:
        return self._cluster.stream(path, query, silence_s=silence_s)

    def interrupt(self) -> None:
        self._cluster.interrupt()


def test_a_page_that_is_forgotten_makes_the_list_begin_again(plane: ControlPlane) -> None:
    log = empty_log()
    cluster = Interposed(door(plane), plane)
    with churning(plane.admin, seed=5), observing(log, {plane.name: cluster}) as running:
        until("the list was broken", lambda: cluster.happened)
        wait_told(running, "listing again")
    with observing(log, {plane.name: door(plane)}):
        wait_same(log, plane)


def test_a_clock_that_jumps_changes_nothing_but_times(plane: ControlPlane) -> None:
    clock = ManualClock(SystemClock().now_ms())
    log = empty_log(clock)
    with observing(log, {plane.name: door(plane)}, clock=clock):
        wait_same(log, plane)
        with churning(plane.admin, seed=6) as churn:
            for step_ms in (DAY_MS, -3 * DAY_MS, DAY_MS):
                wait_changes(churn, 10)
                clock.advance(step_ms)
        wait_same(log, plane)
    times = [row["time_ms"] for row in rows(log)]
    assert times != sorted(times)


def test_a_restart_goes_on_where_the_log_ends(plane: ControlPlane) -> None:
    log = empty_log()
    with observing(log, {plane.name: door(plane)}):
        wait_same(log, plane)
    with churning(plane.admin, seed=7) as churn:
        wait_changes(churn, 20)
    with observing(log, {plane.name: door(plane)}):
        wait_same(log, plane)
    assert [row["event"] for row in rows(log)].count("list_begun") == len(KINDS)


class HeldLog(MemoryEventLog):
    """A log that appends nothing before it may."""

    def __init__(self) -> None:
        super().__init__(clock=SystemClock(), identity=IDENTITY)
        self.may_append = Event()

    def append(
        self, stream: Stream, batches: Sequence[NewCommit], *, expected_version: int | None
    ) -> Head:
        self.may_append.wait()
        return super().append(stream, batches, expected_version=expected_version)


def test_a_slow_log_makes_the_watches_wait_in_bounded_memory(plane: ControlPlane) -> None:
    log = HeldLog()
    pace = replace(PACE, page_items=10, inbox_bytes=250_000, append_bytes=50_000)
    assert len(plane.admin.raw("/api/v1/pods")) > 2 * pace.inbox_bytes
    with observing(log, {plane.name: door(plane)}, pace=pace) as running:
        inbox = running.outside.inbox
        try:
            until("the inbox is full", lambda: inbox.bytes_peak > 200_000)
            with churning(plane.admin, seed=8) as churn:
                wait_changes(churn, 60)
        finally:
            log.may_append.set()
        wait_same(log, plane)
    assert inbox.bytes_peak <= pace.inbox_bytes


def test_clusters_are_observed_side_by_side(plane: ControlPlane, other_plane: ControlPlane) -> None:
    log = empty_log()
    both = {each.name: door(each) for each in (plane, other_plane)}
    with observing(log, both) as running:
        with churning(plane.admin, seed=9) as churn:
            wait_changes(churn, 10)
        wait_same(log, plane)
        wait_same(log, other_plane)
        done = running.stop()
    assert done.events.keys() == both.keys()
    assert sum(done.events.values()) == done.position == log.head().position


@pytest.fixture
def define(other_plane: ControlPlane) -> Iterator[Callable[[], None]]:
    """Defines the kinds of OpenKruise, in the older version; they go after the test."""
    admin = other_plane.admin

    def define() -> None:
        for each in definitions("v1alpha1"):
            admin.apply(*each)

    yield define
    remove_definitions(other_plane)


def remove_definitions(plane: ControlPlane) -> None:
    for path, _ in definitions("v1alpha1"):
        if not is_gone(plane, path):
            plane.admin.delete(path)
            until("it is gone", partial(is_gone, plane, path))


def is_gone(plane: ControlPlane, path: str) -> bool:
    try:
        plane.admin.get(path)
    except RefusedError as refused:
        return refused.status == 404
    return False


def cloneset() -> tuple[str, fleet.Manifest]:
    return fleet.custom("apps.kruise.io", "v1alpha1", "clonesets", "web", {"x": 1})


def test_a_kind_that_is_not_served_is_skipped_until_it_is(
    other_plane: ControlPlane, define: Callable[[], None]
) -> None:
    log = empty_log()
    with observing(log, {other_plane.name: door(other_plane)}) as running:
        wait_told(running, "clonesets: not served by this cluster, skipped")
        wait_same(log, other_plane)
        define()
        wait_told(running, "clonesets: watching from")
        other_plane.admin.apply(*cloneset())
        until("it is seen", lambda: "observed" in events(log, other_plane.name, "clonesets"))
        wait_same(log, other_plane)
        said = len(running.told)
        remove_definitions(other_plane)
        wait_told(running, "clonesets: not served by this cluster, skipped", after=said)
        wait_same(log, other_plane)


def test_a_kind_that_went_while_nobody_watched_is_gone(
    other_plane: ControlPlane, define: Callable[[], None]
) -> None:
    log = empty_log()
    define()
    path, manifest = cloneset()
    until("it is served", partial(is_served, other_plane, path))
    other_plane.admin.apply(path, manifest)
    with observing(log, {other_plane.name: door(other_plane)}):
        wait_same(log, other_plane)
    assert "observed" in events(log, other_plane.name, "clonesets")
    remove_definitions(other_plane)
    with observing(log, {other_plane.name: door(other_plane)}):
        wait_same(log, other_plane)


def test_only_one_observer_may_write_to_a_cluster(other_plane: ControlPlane) -> None:
    log = empty_log()
    with observing(log, {other_plane.name: door(other_plane)}) as first:
        wait_same(log, other_plane)
        with observing(log, {other_plane.name: door(other_plane)}) as second:
            # Who began after the change was appended would go on from there.
            watches = f"{other_plane.name} namespaces: watching from"
            until("it watches", lambda: second.done or any(watches in it for it in second.told))
            path = f"/api/v1/namespaces/{fleet.NAMESPACE}"
            value = {"metadata": {"labels": {"tests/label": "x"}}}
            other_plane.admin.patch(path, value)
            until("one gives way", lambda: first.done or second.done)
            other_plane.admin.patch(path, {"metadata": {"labels": {"tests/label": None}}})
            (loser,) = [each for each in (first, second) if each.done]
            with pytest.raises(ConflictError, match="another observer"):
                loser.stop()
            wait_same(log, other_plane)
