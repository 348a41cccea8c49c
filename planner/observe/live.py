"""Observes live clusters: one thread a kind and cluster receives, the calling thread appends."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Final

from planner.kube.cluster import Cluster
from planner.log import EventLog, Stream
from planner.observe.append import CLUSTER, Appender
from planner.observe.follow import Follower, Outside, follow_version
from planner.observe.inbox import Closed
from planner.observe.kinds import KINDS
from planner.observe.pace import Line
from planner.observe.resume import reached_versions

TICK_S: Final = 0.5
"""How often the appending thread looks up when nothing comes."""

CONNECTIONS: Final = len(KINDS) + 1
"""Requests of one cluster that are under way at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What an observer appended from its start to its stop."""

    events: dict[str, int]
    position: int


def observe_clusters(
    log: EventLog,
    clusters: Mapping[str, Cluster],
    outside: Outside,
    *,
    afresh: bool = False,
    appended: Callable[[int, int], None] = lambda _events, _position: None,
) -> Observed:
    """List and watch clusters into the log until `outside.stop` is set.

    Everything that was received before the stop is appended.

    Args:
        log: where to; nobody else appends to the streams of these clusters meanwhile.
        clusters: by the name that the log gives them.
        outside: what the observer works with.
        afresh: list every kind first, even where the log says where to go on: whoever waits for the
            lists knows that nothing older is missing.
        appended: told after each append how many events there were so far, and the position.

    Raises:
        ConflictError: somebody else observes or imports one of the clusters.
        InputError: a cluster sent what is no Kubernetes object.
        LogError: the log cannot be used.
    """
    appender = Appender(log, clusters, outside)
    with _receiving(log, clusters, outside, afresh=afresh) as threads:
        deadline = _Deadline(outside.pace.stop_s)
        stopping = False
        while True:
            if outside.stop.is_set() and not stopping:
                stopping = True
                outside.tell(Line(about="observer", text="stopping, appends what was received"))
            if stopping:
                _interrupt(clusters)
            # Looked at first: what a thread puts in before it ends is taken below.
            ended = not any(thread.is_alive() for thread in threads)
            received = outside.inbox.take(
                bytes_wanted=outside.pace.append_bytes,
                wait_s=TICK_S,
                linger_s=0.0 if stopping else outside.pace.linger_s,
            )
            appender.append(received)
            if received:
                appended(appender.events.total(), appender.position)
            elif stopping and (ended or deadline.is_over()):
                break
    return Observed(
        events={name: appender.events[name] for name in clusters}, position=appender.position
    )


@contextmanager
def _receiving(
    log: EventLog, clusters: Mapping[str, Cluster], outside: Outside, *, afresh: bool
) -> Iterator[Sequence[Thread]]:
    """Run the threads that receive; when they are not needed any more, they come to their end."""
    threads = [
        _thread(run, outside)
        for name, cluster in clusters.items()
        for run in _runs(log, name, cluster, outside, afresh=afresh)
    ]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        outside.stop.set()
        outside.inbox.close()
        _interrupt(clusters)
        # Those that hang in a connection have had their time.
        for thread in threads:
            thread.join(timeout=TICK_S / len(threads))


def _runs(
    log: EventLog, name: str, cluster: Cluster, outside: Outside, *, afresh: bool
) -> Iterator[Callable[[], None]]:
    reached = {} if afresh else reached_versions(log, Stream(CLUSTER, name))
    yield lambda: follow_version(name, cluster, outside)
    for kind in KINDS:
        follower = Follower(name, cluster, kind, outside, reached=reached.get(kind.name, ""))
        yield follower.run


def _thread(run: Callable[[], None], outside: Outside) -> Thread:
    def guarded() -> None:
        with suppress(Closed):
            try:
                run()
            except Closed:
                raise
            except BaseException as failure:  # noqa: BLE001 the appending thread raises it
                outside.inbox.fail(failure)

    # A thread that hangs in a connection must not keep the program from ending.
    return Thread(target=guarded, daemon=True)


def _interrupt(clusters: Mapping[str, Cluster]) -> None:
    for cluster in clusters.values():
        cluster.interrupt()


class _Deadline:
    """Counts the looks at the inbox that found nothing after the stop: no clock is needed."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds / TICK_S

    def is_over(self) -> bool:
        self._left -= 1
        return self._left < 0
