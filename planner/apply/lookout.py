"""The fleet as an executor sees it: what is observed while it acts, folded as it comes."""

from collections.abc import Callable, Mapping
from threading import Event, Lock
from typing import Final

from planner import core
from planner.errors import ClusterError, PlannerError
from planner.log import EventLog
from planner.log.codec import NO_UPCASTS
from planner.model.clock import Clock

WAIT_S: Final = 0.1
BLIND_S: Final = 300.0
"""How long nothing may be seen of a cluster before the run stops."""
SILENT_MS: Final = 150_000
"""How long another observer may append nothing of a cluster: bookmarks come about every minute."""


class Lookout:
    """Folds what others append; tells a fleet that is up to date from one that is not.

    Attributes:
        failure: what ended the observer, once it has ended.
    """

    def __init__(
        self,
        log: EventLog,
        fleet: core.Fleet,
        kinds: Mapping[str, int],
        clock: Clock,
        wait: Callable[[float], bool],
    ) -> None:
        """Make a lookout.

        Args:
            log: to read from.
            fleet: as folded so far.
            kinds: how many kinds of each cluster are to be listed before anything is decided; 0
                where another observer is at work: then something has to come of it now and then.
            clock: tells for how long nothing came.
            wait: lets seconds go by; True when the executor has to end.
        """
        self.failure: BaseException | None = None
        self.ended = Event()
        self._log = log
        self._fleet = fleet
        self._position = fleet.position
        self._kinds = kinds
        self._listed: dict[str, set[str]] = {name: set() for name in kinds}
        self._clock = clock
        self._newest_ms = dict.fromkeys(kinds, 0)
        self._wait = wait
        self._lost: dict[str, str] = {}
        self._lock = Lock()

    def lose(self, source: str, why: str) -> None:
        """A kind of a cluster is not seen any more."""
        with self._lock:
            self._lost[source] = why

    def find(self, source: str) -> None:
        """A kind of a cluster is seen again."""
        with self._lock:
            self._lost.pop(source, None)

    def look(self, meanwhile: Callable[[], None]) -> core.Fleet:
        """Give the fleet as it is now; waits while it is not seen.

        Args:
            meanwhile: is called again and again, for a lease lasts less than the wait may.

        Raises:
            ClusterError: it is not seen for too long, or the executor has to end.
            PlannerError: the observer ended.
        """
        waited_s = 0.0
        while True:
            self._fold()
            why = self._blind()
            if not why:
                return self._fleet
            meanwhile()
            if self.ended.is_set():
                raise self.failure or PlannerError("the observer ended; start the run again")
            if self._wait(WAIT_S) or waited_s > BLIND_S:
                raise ClusterError(0, f"the fleet is not seen: {why}")
            waited_s += WAIT_S

    def _blind(self) -> str:
        if self.ended.is_set():
            return "the observer ended"
        for cluster, count in self._kinds.items():
            if len(self._listed[cluster]) < count:
                return f"{cluster} is being listed"
            silent_ms = self._clock.now_ms() - self._newest_ms[cluster]
            if not count and silent_ms > SILENT_MS:
                return f"nothing comes of {cluster}; is its observer at work?"
        with self._lock:
            return next((f"{source}: {why}" for source, why in self._lost.items()), "")

    def _fold(self) -> None:
        after, head = self._position, self._log.head().position
        if head == after:
            return
        self._position = head
        events = []
        for commit in self._log.read(after=after, until=head, kind="cluster"):
            batch = core.Batch.from_bytes(NO_UPCASTS.upcast(commit).payload)
            # A snapshot may lie inside a commit.
            begin = max(after + 1, commit.position_first)
            rows = batch.slice(begin - commit.position_first, len(batch))
            events.append((commit.stream.name, begin, rows))
            if commit.stream.name in self._listed:
                self._newest_ms[commit.stream.name] = commit.time_ms
                self._listed[commit.stream.name].update(rows.listed())
        if events:
            self._fleet = core.fold(self._fleet, events)
