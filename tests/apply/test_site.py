"""What an executor may still say of its run."""

import time
from collections.abc import Callable
from typing import Never

import pytest

from planner import core
from planner.apply.events import Back, Ended, LetGo, Started, WaveBegun, WaveEnded
from planner.apply.journal import Journal
from planner.apply.lease import RENEWED_AFTER_MS, Holder, Lease
from planner.apply.lease import STREAM as LEASE
from planner.apply.outside import Outside
from planner.apply.policy import Policy
from planner.apply.site import Site
from planner.errors import LeaseLostError
from planner.log.memory import MemoryEventLog
from planner.model.clock import ManualClock
from tests.shop import IDENTITY, shop_plan
from tests.test_rates import plan as paced_plan

NIGHT_MS = 12 * 3_600_000


def unasked(*_: object) -> Never:
    pytest.fail("nobody has to be asked")


class Place:
    """A run that has begun, and two who may carry it out."""

    def __init__(self) -> None:
        self.clock = ManualClock(0)
        self.log = MemoryEventLog(clock=self.clock, identity=IDENTITY)
        self.journal = Journal(self.log, "r")
        self.journal.append(Started(plan="p", by="me", policy=Policy().as_texts()))
        self.first, self.second = (
            Lease(self.log, "r", Holder(host, 1, ""), self.clock) for host in ("a", "b")
        )
        self.first.take(unasked)
        self.journal.take(self.first.epoch, "a")

    def site(
        self,
        replan: Callable[..., core.Plan | None] = unasked,
        plan: Callable[[], core.Plan] = shop_plan,
    ) -> Site:
        outside = Outside(
            log=self.log,
            doors={},
            clock=self.clock,
            look=unasked,
            load=lambda _: plan(),
            replan=replan,
            wait=unasked,
            tell=unasked,
        )
        return Site(self.journal, self.first, outside)


def test_a_run_writes_no_faster_than_its_request_and_who_started_it_say() -> None:
    site = Place().site(plan=paced_plan)
    rates = {"hangzhou": 1, "shanghai": 20}
    assert {it: site._writes_per_s(it) for it in rates} == rates
    site.policy = Policy(writes_per_s=10)
    assert {it: site._writes_per_s(it) for it in rates} == {"hangzhou": 1, "shanghai": 10}
    assert Place().site()._writes_per_s("hangzhou") == Policy().writes_per_s


def test_who_lost_the_lease_ends_nobodys_run() -> None:
    place = Place()
    site = place.site()
    place.clock.advance(31_000)
    # It has the lease, and has not said so to the run yet.
    place.second.take(unasked)
    with pytest.raises(LeaseLostError, match="another executor"):
        site.append(Ended(outcome="aborted"))
    place.journal.read()
    assert not place.journal.run.is_over


def test_who_slept_says_so_before_anything_else_and_goes_on() -> None:
    place = Place()
    site = place.site()
    assert site.append(WaveBegun(wave=1, moves="0"))
    assert site.append(LetGo(wave=1, moves="0"))
    place.clock.advance(12_000)
    site.read()
    place.clock.advance(NIGHT_MS)
    assert not site.append(Back(wave=1, moves="0")), "it has to look again"
    assert site.run.wave.gaps[-1] == (12_000, NIGHT_MS + 12_000)
    assert site.append(Back(wave=1, moves="0"))
    place.clock.advance(1_000)
    site.read()
    assert site.append(WaveEnded(wave=1))
    assert site.run.took == (("p", 1, 13_000),)
    assert site.run.epoch == place.first.epoch


def test_the_lease_is_renewed_while_the_rest_is_planned_anew() -> None:
    """A plan of a million pods may take longer than the lease lasts."""
    place = Place()

    def replan(*_: object) -> None:
        taken = place.log.version(LEASE)
        place.clock.advance(RENEWED_AFTER_MS)
        until = time.monotonic() + 10
        while place.log.version(LEASE) == taken:
            assert time.monotonic() < until, "nobody looks after it"

    assert place.site(replan=replan).replan(core.Fleet.empty(), {}) is None
