"""Puts what was received into the log: one commit after the other, as it came."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from planner import core
from planner.errors import ConflictError, LogError
from planner.log import EventLog, NewCommit, Stream
from planner.observe.follow import Outside
from planner.observe.inbox import Received
from planner.observe.pace import Line
from planner.observe.resume import AUTHOR

CLUSTER: Final = "cluster"


class Appender:
    """Appends to the streams of some clusters; nobody else does at the same time."""

    def __init__(self, log: EventLog, clusters: Iterable[str], outside: Outside) -> None:
        self._log = log
        self._outside = outside
        self._versions = {name: log.version(Stream(CLUSTER, name)) for name in clusters}
        self.events: Counter[str] = Counter()
        """Appended so far, by cluster."""
        self.position = log.head().position
        """Of the log after the last append."""

    def append(self, received: Sequence[Received]) -> None:
        """Append what was received, each cluster to its own stream.

        Raises:
            InputError: something is not what an API server sends.
            ConflictError: somebody else observes or imports one of the clusters.
            LogError: the log cannot be used, and the observer is to stop.
        """
        for cluster in dict.fromkeys(each.cluster for each in received):
            feed = core.Feed(salt=self._log.identity.salt)
            for each in received:
                if each.cluster == cluster:
                    feed.add(each.source, each.text, time_ms=each.time_ms, begins=each.begins)
            commits = [
                NewCommit(
                    codec=core.CODEC, payload=batch.to_bytes(), events=len(batch), author=AUTHOR
                )
                for batch in feed.finish()
            ]
            if commits:
                self._append(cluster, commits)

    def _append(self, cluster: str, commits: Sequence[NewCommit]) -> None:
        stream = Stream(CLUSTER, cluster)
        version = self._versions[cluster]
        self.position = self._patiently(stream, commits, version)
        events = sum(commit.events for commit in commits)
        self._versions[cluster] = version + events
        self.events[cluster] += events

    def _patiently(self, stream: Stream, commits: Sequence[NewCommit], version: int) -> int:
        """Append until it works: meanwhile the inbox fills up and the watches wait.

        A commit that may have happened is known by its content and place, so that it is not
        appended twice.
        """
        failures = 0
        while True:
            try:
                return self._log.append(stream, commits, expected_version=version).position
            except ConflictError as error:
                raise ConflictError(
                    f"{error} (is another observer or an import at work? One at a time)"
                ) from error
            except LogError as error:
                # Those that say more than that the log is out of reach do not go away.
                if type(error) is not LogError or self._outside.stop.is_set():
                    raise
                failures += 1
                wait_s = self._outside.pace.backoff.wait_s(failures, self._outside.random)
                text = f"{error}; trying again in {wait_s:.0f} s"
                self._outside.tell(Line(about="log", text=text))
                self._outside.stop.wait(wait_s)
