"""From where on each kind of a cluster has to be watched, by what the log holds."""

from collections.abc import Iterator
from typing import Final

from planner import core
from planner.log import Commit, EventLog, Stream
from planner.log.codec import NO_UPCASTS

AUTHOR: Final = "planner observe"
"""Of commits that a live cluster gave; imported ones say nothing of what came in between."""

POSITIONS_AT_ONCE: Final = 65_536
# A watched kind has a bookmark about every minute, and the API server forgets what is older than
# some minutes, so nothing is missed that could be of use.
SPAN_MS: Final = 15 * 60 * 1000


def reached_versions(log: EventLog, stream: Stream) -> dict[str, str]:
    """Give for each kind the resourceVersion up to which the log knows it.

    A kind that is not there has to be listed: it never was, its list was cut off, or nothing came
    of it in the last quarter of an hour in which the cluster was observed.
    """
    decided: dict[str, int] = {}
    unsure: dict[str, int] = {}
    newest_ms: int | None = None
    for commit in _backwards(log, stream):
        if commit.author != AUTHOR:
            continue
        newest_ms = commit.time_ms if newest_ms is None else newest_ms
        if commit.time_ms < newest_ms - SPAN_MS:
            break
        batch = core.Batch.from_bytes(NO_UPCASTS.upcast(commit).payload)
        for name, (version, is_certain) in batch.reached().items():
            if name in decided:
                continue
            if not is_certain:
                unsure.setdefault(name, version)
            else:
                # What came after the beginning of a list that is open is part of it.
                decided[name] = unsure.get(name, version) if version else 0
    return {name: str(version) for name, version in decided.items() if version}


def _backwards(log: EventLog, stream: Stream) -> Iterator[Commit]:
    until = log.head().position if log.version(stream) else 0
    while until > 0:
        after = max(0, until - POSITIONS_AT_ONCE)
        commits = list(log.read(after=after, until=until, stream=stream))
        yield from reversed(commits)
        # A commit that begins before the window was given whole.
        until = min([after, *(commit.position_first - 1 for commit in commits[:1])])
