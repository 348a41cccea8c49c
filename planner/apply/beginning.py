"""The beginning of a run: of several people who begin one at the same time only one does.

Whether another run is open is read from all of their streams, and a run begins in one of its own,
which no append checks at once. So who begins one holds the lease from before the one until after
the other; the next one waits, and finds the run.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from planner.apply.events import Ended, Started, Stopped
from planner.apply.journal import Journal
from planner.apply.lease import BEGINNING, Holder, Lease
from planner.apply.lease import STREAM as LEASE
from planner.errors import LeaseLostError, UsageError
from planner.log import EventLog, Stream
from planner.model.clock import Clock

RUN_ID_CHARS: Final = 12


def run_ids(log: EventLog) -> list[str]:
    """Every run of a log."""
    return [stream.name for stream in log.streams("run") if stream != LEASE]


def journal_of(log: EventLog, run_id: str) -> Journal:
    """Read a run."""
    journal = Journal(log, run_id)
    journal.read()
    return journal


def begin(
    log: EventLog, started: Started, clock: Clock, wait: Callable[[float], object]
) -> Journal:
    """Begin the run of a plan, or find the one that was begun; a plan is carried out once.

    `wait` lets seconds go by while somebody else begins one.

    Raises:
        UsageError: another run is not over, or the log has not the plan.
        LeaseLostError: another run was begun at the same time.
    """
    if found := _begun(log, started.plan):
        return found
    if log.version(Stream("plan", started.plan)) == 0:
        raise UsageError(
            f"plan {started.plan} was made from another log; give the log that it was made from "
            "(--db)"
        )
    lease = Lease(log, BEGINNING, Holder.this(), clock)
    lease.take(wait)
    try:
        return _begun(log, started.plan) or _begin(log, started, lease)
    finally:
        lease.give_back()


def _begin(log: EventLog, started: Started, lease: Lease) -> Journal:
    digest = hashlib.sha256(log.head().digest + started.plan.encode())
    journal = Journal(log, digest.hexdigest()[:RUN_ID_CHARS])
    journal.append(started)
    try:
        lease.check()
    except LeaseLostError as error:
        # This process stood still for longer than a lease lasts, and somebody may have begun a run.
        journal.append(Stopped(reason="refused", text=str(error)), Ended(outcome="aborted"))
        raise
    return journal


def _begun(log: EventLog, plan: str) -> Journal | None:
    """Find the run of a plan that is done or goes on; None when there is none, and no other.

    Raises:
        UsageError: another run is not over.
    """
    for each in (journal_of(log, name) for name in run_ids(log)):
        if each.run.plan == plan and each.run.outcome == "done":
            return each
        if each.run.is_over:
            continue
        if plan in each.run.plans:
            return each
        raise UsageError(
            f"run {each.run_id} is not over; one run at a time: go on with `planner apply "
            f"{each.run_id}`, or end it with `planner abort {each.run_id}`"
        )
    return None
