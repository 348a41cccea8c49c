"""What is tried before anything is done: every lever, and nothing is kept."""

import json

from planner.apply.events import Started
from planner.apply.journal import Journal
from planner.apply.lease import Holder, Lease
from planner.apply.outside import Outside
from planner.apply.policy import Policy
from planner.apply.preflight import preflight
from planner.apply.site import Site
from planner.log.memory import MemoryEventLog
from planner.loop import observe_fleet
from planner.model.clock import ManualClock
from tests.apply.shelf import Agreeing
from tests.shop import IDENTITY, SALE_MS, shop_log, shop_plan


def test_every_lever_is_tried_and_nothing_is_kept() -> None:
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
        wait=lambda _: False,
        tell=lambda _: None,
    )
    preflight(Site(journal, Lease(log, "r", Holder("a", 1, ""), clock), outside))
    writes = [call for door in doors.values() for call in door.writes]
    assert writes
    for call in writes:
        told = call.body if call.method == "DELETE" else call.query
        assert told["dryRun"] in ("All", ["All"])
    moved = {each["name"] for each in header["workloads"] if each["kind"] == "Deployment"}
    assert moved
    for name in moved:
        its = [call for call in writes if call.path.endswith(f"/deployments/{name}")]
        paused = [{"op": "add", "path": "/spec/paused", "value": True} in it.body for it in its]
        # Let go, and then standing still, in each cluster.
        assert paused == [False, True] * (len(its) // 2)
