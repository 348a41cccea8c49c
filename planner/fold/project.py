"""Folds the log into the state of the fleet."""

from collections.abc import Iterator

from planner import core
from planner.fold.snapshots import Snapshots
from planner.log import History
from planner.log.codec import NO_UPCASTS

SNAPSHOT_EVENTS_MIN = 50_000


def fleet_at(log: History, *, until: int, snapshots: Snapshots | None) -> core.Fleet:
    """Fold the log up to and including a position, from the newest snapshot before it.

    A fold of many events leaves a snapshot behind.

    Raises:
        ChainBrokenError: a commit is not what was appended.
        CodecError: a commit was written by a newer planner.
    """
    fleet = _newest(log, until, snapshots) if snapshots else core.Fleet.empty()
    begin = fleet.position
    fleet = core.fold(fleet, _events(log, after=begin, until=until))
    if snapshots and fleet.position - begin >= SNAPSHOT_EVENTS_MIN:
        snapshots.store(fleet, log.digest_at(fleet.position))
    return fleet


def _newest(log: History, until: int, snapshots: Snapshots) -> core.Fleet:
    for position in snapshots.positions(until):
        if fleet := snapshots.load(position, log.digest_at(position)):
            return fleet
    return core.Fleet.empty()


def _events(log: History, *, after: int, until: int) -> Iterator[tuple[str, int, core.Batch]]:
    for commit in log.read(after=after, until=until, kind="cluster"):
        # A commit is read whole; a snapshot or `until` may lie inside it.
        first = max(after + 1, commit.position_first)
        last = min(until, commit.position_last)
        batch = core.Batch.from_bytes(NO_UPCASTS.upcast(commit).payload)
        rows = batch.slice(first - commit.position_first, last - first + 1)
        yield commit.stream.name, first, rows
