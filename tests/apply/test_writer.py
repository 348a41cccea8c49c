"""A write is said again for as long as nobody knows whether it was done, and no longer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from planner.apply.levers.held import spec_with
from planner.apply.tries import ATTEMPTS, SILENT_S
from planner.errors import ClusterError, DriftError, RunError
from planner.kube.cluster import Answer
from planner.kube.paths import object_paths, pod_path
from tests.apply import test_answers as said
from tests.apply.objects import CLONE_SET
from tests.apply.shelf import Server, Shelf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.apply.writer import Writer
    from planner.kube.cluster import Call

POD = {"metadata": {"name": "web-1", "uid": "u", "resourceVersion": "1"}}
POD_PATH = pod_path("trade", "web-1")


class Door(Server):
    """An API server that answers writes as it is told, and then as it should."""

    def __init__(self, errors: Sequence[ClusterError], warnings: Sequence[str] = ()) -> None:
        super().__init__()
        self.errors = list(errors)
        self.warnings = tuple(warnings)
        self.writes = 0

    def send(self, call: Call) -> Answer:
        if call.method == "GET":
            return Answer(body=json.dumps(POD if "/pods/" in call.path else CLONE_SET).encode())
        self.writes += 1
        if self.errors:
            raise self.errors.pop(0)
        return Answer(body=b"{}", warnings=self.warnings)

    def get(self, path: str, query: Mapping[str, str]) -> bytes:
        raise AssertionError(path, query)


def pull(door: Door) -> None:
    door.writer().pull("CloneSet", "trade", "cart", lambda live: spec_with(live, replicas=3))


@pytest.mark.parametrize("error", [said.WEBHOOK, said.SILENCE, said.BUSY])
def test_an_unknown_outcome_is_no_conflict(error: ClusterError) -> None:
    door = Door([error] * 3 * ATTEMPTS)
    pull(door)
    assert door.writes == 3 * ATTEMPTS + 1
    assert door.seconds > 60


def test_who_fails_for_too_long_is_told_as_it_said() -> None:
    door = Door([said.WEBHOOK] * 1000)
    with pytest.raises(ClusterError, match=r"hz/trade/CloneSet/cart: .*failed calling webhook"):
        pull(door)
    assert SILENT_S - 5 <= door.seconds <= SILENT_S


def test_what_is_changed_again_and_again_is_drift() -> None:
    door = Door([said.CONFLICT] * 1000)
    with pytest.raises(DriftError, match="again and again"):
        pull(door)
    assert (door.writes, door.seconds > 1) == (ATTEMPTS, False)


@pytest.mark.parametrize(
    "error",
    [said.TWO_BUDGETS, said.NO_ROOM, said.BEHIND, said.CONTENDED, said.FULL,
     said.UNAVAILABLE_BUDGET],
)  # fmt: skip
def test_a_pod_that_is_refused_holds_up_no_other(error: ClusterError) -> None:
    door = Door([error] * 1000)
    written = door.writer().remove("trade", "web-1", "u", evict=True)
    assert (written.outcome, written.why) == ("refused", error.message)
    assert (door.writes, door.seconds > 1) == (1, False)


def test_without_the_right_the_run_stops() -> None:
    with pytest.raises(RunError, match="cannot create resource"):
        Door([said.RIGHT]).writer().remove("trade", "web-1", "u", evict=True)


def test_a_guarded_pod_is_not_named_for_now() -> None:
    writer = Door([said.UNAVAILABLE_BUDGET]).writer()
    written = writer.merge_pod("trade", "web-1", "u", "1", {"labels": {"a": "b"}})
    assert (written.outcome, written.why) == ("refused", said.UNAVAILABLE_BUDGET.message)


def test_a_pod_that_never_keeps_still_is_refused_with_what_was_said() -> None:
    door = Door([said.CONFLICT] * 1000)
    written = door.writer().merge_pod("trade", "web-1", "u", "1", {"labels": {"a": "b"}})
    assert (written.outcome, door.writes) == ("refused", ATTEMPTS)
    assert said.CONFLICT.message in written.why


@pytest.mark.parametrize(
    "error", [said.NO_ROOM, said.BEHIND, said.CONTENDED, said.FULL, said.UNAVAILABLE_BUDGET]
)
def test_a_dry_run_takes_a_budget_without_room_for_what_it_is(error: ClusterError) -> None:
    written = Door([error]).writer(dry_run=True).remove("trade", "web-1", "u", evict=True)
    assert (written.outcome, written.why) == ("refused", error.message)


@pytest.mark.parametrize("error", [said.TWO_BUDGETS, said.DENIED])
def test_a_dry_run_that_is_refused_by_more_than_that_fails(error: ClusterError) -> None:
    with pytest.raises(RunError, match=rf"hz/trade/web-1: {error.message} \(HTTP {error.status}\)"):
        Door([error]).writer(dry_run=True).remove("trade", "web-1", "u", evict=True)


@pytest.mark.parametrize("error", [said.DENIED, said.INVALID])
def test_a_dry_run_in_which_a_pod_gets_no_name_fails(error: ClusterError) -> None:
    writer = Door([error] * 1000).writer(dry_run=True)
    with pytest.raises(RunError, match=rf"hz/trade/web-1: {error.message}"):
        writer.merge_pod("trade", "web-1", "u", "1", {"labels": {"a": "b"}})


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_tried_waits_for_its_turn_as_what_is_kept(*, dry_run: bool) -> None:
    door = Door([])
    writer = door.writer(dry_run=dry_run, writes_per_s=4)
    for _ in range(3):
        writer.read_pod("trade", "web-1")
        writer.remove("trade", "web-1", "u", evict=True)
        writer.merge_pod("trade", "web-1", "u", "1", {"labels": {"a": "b"}})
    assert (door.writes, door.seconds) == (6, 5 / 4)
    assert writer.writes == (0 if dry_run else 6)
    writer.ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {})
    assert door.seconds == 6 / 4


class Typed(Shelf):
    """An API server that has a CloneSet and does not know its field `tier`.

    As a real one it drops it, keeps the rest and warns, unless it is told to be strict.
    """

    PATH = object_paths("CloneSet", "trade", "cart")[0]
    UNKNOWN = 'unknown field "spec.tier"'

    def __init__(self) -> None:
        super().__init__({self.PATH: CLONE_SET})

    def send(self, call: Call) -> Answer:
        if call.method == "GET":
            return super().send(call)
        if call.query.get("fieldValidation") == "Strict":
            raise ClusterError(422, f"strict decoding error: {self.UNKNOWN}", reason="Invalid")
        answer = super().send(call)
        return Answer(body=answer.body, warnings=(self.UNKNOWN,))


def test_a_field_that_a_server_does_not_know_is_refused_and_nothing_is_kept() -> None:
    to = Typed()
    with pytest.raises(RunError, match="hz/trade/CloneSet/cart: strict decoding error"):
        to.writer().pull("CloneSet", "trade", "cart", lambda live: spec_with(live, tier=3))
    assert to.objects[Typed.PATH] == CLONE_SET


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_a_server_warns_of_stops_the_run_whatever_was_written(*, dry_run: bool) -> None:
    def removed(writer: Writer) -> None:
        writer.remove("trade", "web-1", "u", evict=False)

    def evicted(writer: Writer) -> None:
        writer.remove("trade", "web-1", "u", evict=True)

    def named(writer: Writer) -> None:
        writer.merge_pod("trade", "web-1", "u", "1", {"labels": {"a": "b"}})

    def scaled(writer: Writer) -> None:
        writer.pull("CloneSet", "trade", "cart", lambda live: spec_with(live, replicas=3))

    for write, at in (
        (removed, POD_PATH), (evicted, f"{POD_PATH}/eviction"), (named, POD_PATH),
        (scaled, Typed.PATH),
    ):  # fmt: skip
        door = Door([], warnings=("deprecated since v1.14", "and so on"))
        with pytest.raises(RunError, match=f"hz{at}: the server warns: deprecated since v1.14; "):
            write(door.writer(dry_run=dry_run))
