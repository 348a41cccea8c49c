"""An executor that waits for a fleet to be seen is still there."""

import pytest

from planner.apply.lease import LASTING_MS, Holder, Lease
from planner.apply.lookout import Lookout
from planner.errors import ClusterError, UsageError
from planner.fold.project import fleet_at
from planner.log.memory import MemoryEventLog
from planner.model.clock import ManualClock
from tests.shop import IDENTITY


def test_nobody_takes_a_run_over_while_its_executor_waits_for_a_list() -> None:
    clock = ManualClock(0)
    log = MemoryEventLog(clock=clock, identity=IDENTITY)
    lease = Lease(log, "r", Holder("a", 1, ""), clock)
    lease.take(lambda _: None)
    waits = 0

    def wait(_seconds: float) -> bool:
        nonlocal waits
        waits += 1
        clock.advance(1_000)
        return waits > 4 * LASTING_MS // 1_000

    lookout = Lookout(log, fleet_at(log, until=0, snapshots=None), {"hz": 14}, clock, wait)
    with pytest.raises(ClusterError, match="hz is being listed"):
        lookout.look(lease.renew)
    another = Lease(log, "another", Holder("b", 1, ""), clock)
    with pytest.raises(UsageError, match="is being carried out by a process 1"):
        another.take(lambda _: None)
