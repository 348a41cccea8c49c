"""What an executor may still say of its run."""

from typing import Never

import pytest

from planner.apply.events import Ended, Started
from planner.apply.journal import Journal
from planner.apply.lease import Holder, Lease
from planner.apply.outside import Outside
from planner.apply.policy import Policy
from planner.apply.site import Site
from planner.errors import LeaseLostError
from planner.log.memory import MemoryEventLog
from planner.model.clock import ManualClock
from tests.shop import IDENTITY, shop_plan


def unasked(*_: object) -> Never:
    pytest.fail("nobody has to be asked")


def test_who_lost_the_lease_ends_nobodys_run() -> None:
    clock = ManualClock(0)
    log = MemoryEventLog(clock=clock, identity=IDENTITY)
    journal = Journal(log, "r")
    journal.append(Started(plan="p", by="me", policy=Policy().as_texts()))
    first, second = (Lease(log, "r", Holder(host, 1, ""), clock) for host in ("a", "b"))
    first.take(unasked)
    outside = Outside(
        log=log,
        doors={},
        clock=clock,
        look=unasked,
        load=lambda _: shop_plan(),
        replan=unasked,
        wait=unasked,
        tell=unasked,
    )
    site = Site(journal, first, outside)
    clock.advance(31_000)
    # It has the lease, and has not said so to the run yet.
    second.take(unasked)
    with pytest.raises(LeaseLostError, match="another executor"):
        site.append(Ended(outcome="aborted"))
    journal.read()
    assert not journal.run.is_over
