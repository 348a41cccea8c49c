"""Runs an observer beside a test, and compares what it knows with fresh lists."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from threading import Event, Thread
from typing import Any

from planner import core
from planner.fold.project import fleet_at
from planner.kube.cluster import Cluster
from planner.kube.live import connect
from planner.log import EventLog, LogIdentity
from planner.log.memory import MemoryEventLog
from planner.loop import import_recorded, observed_rows
from planner.model.clock import Clock, SystemClock
from planner.observe.backoff import Backoff
from planner.observe.follow import Outside
from planner.observe.inbox import Inbox
from planner.observe.kinds import KINDS
from planner.observe.live import CONNECTIONS, Observed, observe_clusters
from planner.observe.pace import Pace
from planner.observe.source import Source
from planner.verify.observed import fold_rows
from tests.controlplane.conftest import is_served
from tests.controlplane.plane import ADMIN, ControlPlane
from tests.controlplane.wait import DEADLINE_S, until
from tests.shop import IDENTITY

# Tests have less patience than clusters deserve.
PACE = Pace(
    page_items=40,
    linger_s=0.1,
    silence_s=5.0,
    look_again_s=1.0,
    backoff=Backoff(first_s=0.1, longest_s=1.0),
)


def empty_log(clock: Clock | None = None) -> MemoryEventLog:
    """A log whose digests can be compared with those of others."""
    return MemoryEventLog(clock=clock or SystemClock(), identity=IDENTITY)


def door(plane: ControlPlane, user: str = ADMIN, *, port: int | None = None) -> Cluster:
    """The planner's own door to a control plane."""
    kubeconfig = plane.kubeconfig(user, port=port)
    return connect(plane.name, kubeconfig=kubeconfig, connections=CONNECTIONS)


@dataclass(slots=True, kw_only=True)
class Observing:
    """An observer that runs."""

    outside: Outside
    told: list[str]
    thread: Thread
    done: list[Observed | BaseException] = field(default_factory=list)

    def finish(self) -> None:
        """Let it come to its end."""
        self.outside.stop.set()
        self.thread.join()

    def stop(self) -> Observed:
        """Stop it and give what it says at the end, once."""
        self.outside.stop.set()
        self.thread.join(timeout=60)
        assert not self.thread.is_alive(), "the observer does not stop"
        done = self.done.pop()
        if isinstance(done, BaseException):
            raise done
        return done


@contextmanager
def observing(
    log: EventLog,
    clusters: Mapping[str, Cluster],
    *,
    pace: Pace = PACE,
    clock: Clock | None = None,
) -> Iterator[Observing]:
    """Observe while the body runs; whatever ends the observer before fails the test."""
    told: list[str] = []
    outside = Outside(
        inbox=Inbox(bytes_max=pace.inbox_bytes),
        pace=pace,
        clock=clock or SystemClock(),
        random=Random(7).random,
        stop=Event(),
        tell=lambda line: told.append(str(line)),
    )

    def run() -> None:
        try:
            running.done.append(observe_clusters(log, clusters, outside))
        except BaseException as error:  # noqa: BLE001 the test raises it
            running.done.append(error)

    running = Observing(outside=outside, told=told, thread=Thread(target=run))
    running.thread.start()
    try:
        yield running
    except BaseException as error:
        # Why the body failed is most likely what the observer says.
        running.finish()
        error.add_note(f"The observer said last: {told[-20:]}; it ended with {running.done}")
        raise
    running.finish()
    for failure in running.done:
        if isinstance(failure, BaseException):
            raise failure


def fresh_log(plane: ControlPlane, identity: LogIdentity = IDENTITY) -> EventLog:
    """A log with nothing but a list of everything, by the path of `planner import`."""
    log = MemoryEventLog(clock=SystemClock(), identity=identity)
    sources = [Source(name=path, text=plane.admin.raw(path), form="list") for path in paths(plane)]
    import_recorded(log, plane.name, sources, partial=False, progress=lambda _: None)
    return log


def paths(plane: ControlPlane) -> list[str]:
    """Everything that the planner reads, in the version that it would rather read."""
    found = ["/version"]
    for kind in KINDS:
        served = (f"{kind.root(version)}/{kind.plural}" for version in kind.versions)
        found += [path for path in served if is_served(plane, f"{path}/x")][:1]
    return found


def fleet_of(log: EventLog) -> core.Fleet:
    """What a log says."""
    return fleet_at(log, until=log.head().position, snapshots=None)


def wait_same(log: EventLog, plane: ControlPlane, *, deadline_s: float = DEADLINE_S) -> None:
    """Wait until the folded fleet equals a fresh list, in every column of every object."""

    def same() -> bool:
        fresh = fresh_log(plane, log.identity)
        return fleet_of(log).cluster_digest(plane.name) == fleet_of(fresh).cluster_digest(
            plane.name
        )

    try:
        until("the folded fleet equals a fresh list", same, deadline_s=deadline_s)
    except TimeoutError as error:
        found = "\n".join(differences(log, fresh_log(plane, log.identity)))
        raise AssertionError(f"the folded fleet differs from a fresh list:\n{found}") from error


def differences(log: EventLog, fresh: EventLog) -> Iterator[str]:
    """Name what differs, by the verifier's own fold."""
    cluster = fresh.streams("cluster")[0].name
    mine, theirs = (fold_rows(rows(each)) for each in (log, fresh))
    pods = [
        {str(pod): repr(pod) for pod in each.pods.values() if pod.cluster == cluster}
        for each in (mine, theirs)
    ]
    yield from _differences("pod", *pods)
    for key in mine.objects.keys() | theirs.objects.keys():
        if key[0] == cluster:
            documents = [
                {uid: repr(it) for uid, it in each.objects.get(key, {}).items()}
                for each in (mine, theirs)
            ]
            yield from _differences(key[1], *documents)


def _differences(what: str, mine: dict[str, str], theirs: dict[str, str]) -> Iterator[str]:
    for name in sorted(mine.keys() | theirs.keys()):
        if mine.get(name) != theirs.get(name):
            yield f"{what} {name}:\n  log  {mine.get(name)}\n  list {theirs.get(name)}"


def rows(log: EventLog) -> list[dict[str, Any]]:
    """Everything in a log."""
    return list(observed_rows(log, until=log.head().position))


def events(log: EventLog, cluster: str, resource: str) -> list[str]:
    """What happened to a kind, in the order of the log."""
    return [
        row["event"]
        for row in rows(log)
        if (row["cluster"], row["resource"]) == (cluster, resource)
    ]


def wait_told(running: Observing, text: str, *, after: int = 0) -> None:
    """Wait until the observer has said something."""

    def said() -> bool:
        return any(text in line for line in running.told[after:])

    until(f"the observer says {text!r}", said)
