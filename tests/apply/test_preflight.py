"""What is tried before anything is done: every lever, and nothing is kept."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from planner.apply import preflight
from planner.apply.events import Started
from planner.apply.journal import Journal
from planner.apply.lease import Holder, Lease
from planner.apply.outside import Outside
from planner.apply.policy import Policy
from planner.apply.site import Site
from planner.errors import ClusterError, RunError
from planner.kube.cluster import Answer, Call
from planner.log.memory import MemoryEventLog
from planner.loop import observe_fleet
from planner.model import progress
from planner.model.clock import ManualClock
from planner.model.progress import Progress
from tests.apply import test_answers as said
from tests.apply.shelf import Agreeing
from tests.shop import IDENTITY, SALE_MS, shop_log, shop_plan


def shop_site(
    *,
    wait: Callable[[float], bool] = lambda _: False,
    tell: Callable[[Progress], None] = lambda _: None,
) -> tuple[Site, Mapping[str, Agreeing]]:
    """The shop's release before its first wave, and the doors of its clusters."""
    clock = ManualClock(SALE_MS)
    log = MemoryEventLog(clock=clock, identity=IDENTITY)
    journal = Journal(log, "r")
    plan = shop_plan()
    header = json.loads(plan.header())
    journal.append(Started(plan=header["id"], by="me", policy=Policy().as_texts()))
    fleet = observe_fleet(shop_log().events, header["log"]["position"], None)
    doors = {each["cluster"]: Agreeing() for each in header["workloads"]}
    outside = Outside(
        log=log,
        doors=doors,
        clock=clock,
        look=lambda: fleet,
        load=lambda _: plan,
        replan=lambda *_: None,
        wait=wait,
        tell=tell,
    )
    return Site(journal, Lease(log, "r", Holder("a", 1, ""), clock), outside), doors


def tried(doors: Mapping[str, Agreeing]) -> set[tuple[str, str, str]]:
    """What servers were asked to write: cluster, method and path."""
    return {(name, it.method, it.path) for name, door in doors.items() for it in door.writes}


def test_every_lever_is_tried_and_nothing_is_kept() -> None:
    site, doors = shop_site()
    preflight.preflight(site)
    writes = [call for door in doors.values() for call in door.writes]
    assert writes
    for call in writes:
        told = call.body if call.method == "DELETE" else call.query
        assert told["dryRun"] in ("All", ["All"])
        assert call.method == "DELETE" or call.query["fieldValidation"] == "Strict"
    header = json.loads(shop_plan().header())
    moved = {each["name"] for each in header["workloads"] if each["kind"] == "Deployment"}
    assert moved
    for name in moved:
        its = [call for call in writes if call.path.endswith(f"/deployments/{name}")]
        paused = [{"op": "add", "path": "/spec/paused", "value": True} in it.body for it in its]
        # Let go, and then standing still, in each cluster.
        assert paused == [False, True] * (len(its) // 2)


def test_a_large_plan_is_tried_in_parts_and_whole_when_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site, at_once = shop_site()
    preflight.preflight(site, every=True)
    monkeypatch.setattr(preflight, "MOVES_AT_ONCE", 50)
    told: list[Progress] = []
    site, in_parts = shop_site(tell=told.append)
    preflight.preflight(site, every=True)
    assert tried(in_parts) == tried(at_once)
    moves = json.loads(shop_plan().header())["totals"]["moves"]
    counts = [it.tried for it in told if isinstance(it, progress.Preflight)]
    assert (counts[0], counts[-1]) == (0, moves)
    assert len(counts) > moves // 100
    assert counts == sorted(set(counts))


def test_a_run_of_a_large_plan_tries_every_workload_but_not_every_pod(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def workloads(doors: Mapping[str, Agreeing]) -> set[tuple[str, str, str]]:
        return {it for it in tried(doors) if "/pods/" not in it[2]}

    site, whole = shop_site()
    preflight.preflight(site)
    monkeypatch.setattr(preflight, "MOVES_AT_ONCE", 50)
    site, doors = shop_site()
    preflight.preflight(site)
    assert workloads(doors) == workloads(whole)
    assert tried(doors) < tried(whole)


def test_trying_everything_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "MOVES_AT_ONCE", 50)
    # Between two writes, and while it waits for others, nothing waits for 0 seconds.
    site, doors = shop_site(wait=lambda seconds: seconds == 0)
    with pytest.raises(RunError, match=r"stopped when \d+ of [\d,]+ moves had been tried"):
        preflight.preflight(site, every=True)
    assert tried(doors)


def test_trying_everything_can_be_stopped_while_it_waits_for_its_turn() -> None:
    site, _ = shop_site(wait=lambda _: True)
    site.policy = Policy(writes_per_s=1)
    with pytest.raises(RunError, match="stopped before every move was tried"):
        preflight.preflight(site, every=True)


def test_a_run_tries_all_that_it_tries_before_it_looks_whether_to_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Who stops it interrupts a run, and does not have it refused.
    monkeypatch.setattr(preflight, "MOVES_AT_ONCE", 10)
    told: list[Progress] = []
    site, _ = shop_site(wait=lambda seconds: seconds == 0, tell=told.append)
    preflight.preflight(site)
    last = told[-1]
    assert isinstance(last, progress.Preflight)
    assert last.tried == last.moves > preflight.MOVES_AT_ONCE


def a_pod(doors: Mapping[str, Agreeing]) -> tuple[Agreeing, str]:
    """A pod that was tried to be named, and the door of its cluster."""
    return next(
        (door, call.path)
        for door in doors.values()
        for call in door.writes
        if call.method == "PATCH" and "/pods/" in call.path
    )


@pytest.mark.parametrize("every", [True, False])
def test_a_webhook_that_denies_a_pod_is_told_with_what_it_said(*, every: bool) -> None:
    site, doors = shop_site()
    preflight.preflight(site, every=every)
    door, path = a_pod(doors)
    door.refusals[path] = said.DENIED
    pod = path.rpartition("/")[2]
    with pytest.raises(RunError, match=rf"/{pod}: {said.DENIED.message} \(HTTP 403\)"):
        preflight.preflight(site, every=every)


def test_a_budget_without_room_is_counted_and_everything_else_is_tried() -> None:
    site, doors = shop_site()
    assert preflight.preflight(site, every=True) == 0
    all_tried = tried(doors)
    door, path = a_pod(doors)
    door.refusals[path] = said.UNAVAILABLE_BUDGET
    for each in doors.values():
        each.writes.clear()
    assert preflight.preflight(site, every=True) == 1
    assert tried(doors) == all_tried


class Busy(Agreeing):
    """An API server that first answers a review of rights in another way."""

    def __init__(self, errors: Sequence[ClusterError]) -> None:
        super().__init__()
        self.errors = list(errors)
        self.reviews: list[object] = []

    def send(self, call: Call) -> Answer:
        if call.path.startswith("/apis/authorization"):
            self.reviews.append(call.body)
            if self.errors:
                raise self.errors.pop(0)
        return super().send(call)


@pytest.mark.parametrize("error", [said.BUSY, said.WEBHOOK, said.SILENCE])
def test_a_review_of_rights_is_asked_for_again_as_a_write_is(error: ClusterError) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return False

    site, doors = shop_site(wait=wait)
    busy = Busy([error] * 3)
    site.outside = replace(site.outside, doors={**doors, "hangzhou": busy})
    preflight.preflight(site)
    first, *others = busy.reviews
    assert [it == first for it in others[:4]] == [True, True, True, False]
    rests = [max(it, error.retry_after_s) for it in (0.2, 0.4, 0.8)]
    assert [it for it in waited if it in rests] == rests
    assert tried({"hangzhou": busy})
