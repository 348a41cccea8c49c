"""What a run of a large plan takes, and what it leaves in the log.

    python -m benches.run --pods 100000

A generated fleet is planned, and the executor carries the plan out: against an API server in memory
that takes every write at once, and a fleet whose pods come back in batches, in random order. What
the fleet takes to follow is not counted. Stages of the request neither soak nor ask for approval.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benches import stages
from benches.agreeing import Agreeing
from benches.fleet import Fleet
from benches.following import Following
from benches.layout import lay_out
from benches.measure import canonical
from benches.request import Regime
from planner import core
from planner.apply.course import Course
from planner.apply.events import Started
from planner.apply.executor import TICK_S, execute
from planner.apply.journal import Journal
from planner.apply.lease import STREAM as LEASE
from planner.apply.lease import Holder, Lease
from planner.apply.lookout import Lookout
from planner.apply.outside import Outside
from planner.apply.policy import Policy
from planner.apply.site import Site
from planner.fold.project import fleet_at
from planner.kube.paths import pod_path
from planner.log import EventLog, Stream
from planner.log.open import open_log

_RUN = Stream("run", "bench")
_CLUSTER = Stream("cluster", stages.CLUSTER)
_SEED = 1
_BEGAN_MS = 1_795_424_400_000


@dataclass(slots=True)
class Passing:
    """A clock that stands still while the fleet follows, and goes forward while nothing happens."""

    began: float = field(default_factory=perf_counter)
    skipped: float = 0.0

    @property
    def seconds(self) -> float:
        """Since it was made, without what was skipped."""
        return perf_counter() - self.began + self.skipped

    def now_ms(self) -> int:
        """Milliseconds UTC since 1970."""
        return _BEGAN_MS + int(self.seconds * 1000)

    def wait(self, seconds: float) -> bool:
        """Let seconds go by: nobody waits for a tick, but for writers that are at work."""
        if seconds >= TICK_S:
            self.skipped += seconds
        else:
            time.sleep(seconds)
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of a run.

    Attributes:
        ending: how it ended.
        waves: of the plan.
        moves: that it made.
        seconds: that it took.
        cpu_s: that processors were at work for it, the core and the server in memory included.
        tick_s: the longest time from one look at the fleet to the next.
        unrenewed_s: the longest time for which its lease was not renewed.
        events: of the run in the log.
        size: bytes of them.
        writes: to the cluster.
    """

    ending: str
    waves: int
    moves: int
    seconds: float
    cpu_s: float
    tick_s: float
    unrenewed_s: float
    events: int
    size: int
    writes: int


def prepare(pods: int, folder: Path) -> None:
    """Keep the log of a fleet and the plan of its upgrade."""
    fleet = Fleet(pods=pods, seed=_SEED, ballast=False)
    intake = core.Intake(salt=stages.SALT)
    for name, pieces in fleet.lists():
        intake.add(name, b"".join(pieces))
    log = folder / "log.db"
    stages.append(log, intake.finish())
    request = fleet.request(Regime.LOOSE)
    plan = stages.plan_from_log(log, canonical(_unattended(request)))
    (folder / "plan").write_bytes(plan.to_bytes())


def _unattended(request: Mapping[str, Any]) -> dict[str, object]:
    """A request whose stages neither soak nor ask for approval."""
    spec = request["spec"]
    alone = [
        {key: value for key, value in stage.items() if key not in ("soak", "approval")}
        for stage in spec["stages"]
    ]
    return {**request, "spec": {**spec, "stages": alone}}


class Watched:
    """The fleet as a run sees it, and how long the run takes from look to look.

    Attributes:
        tick_s: the longest time from one look to the next.
        followed_s: that processors were at work for what is not the run's.
    """

    def __init__(self, following: Following, lookout: Lookout, clock: Passing, batch: int) -> None:
        self._following = following
        self._lookout = lookout
        self._clock = clock
        self._batch = batch
        self._looked = clock.seconds
        self.tick_s = 0.0
        self.followed_s = 0.0

    def look(self, course: Course, lease: Lease) -> core.Fleet:
        """Let the fleet follow, and give it as it is now."""
        now, cpu = self._clock.seconds, time.process_time()
        self.tick_s = max(self.tick_s, now - self._looked)
        self._following.follow(course, self._batch)
        # For the run no time went by.
        self._clock.skipped -= self._clock.seconds - now
        self._looked = now
        self.followed_s += time.process_time() - cpu
        return self._lookout.look(lease.renew)


def run(pods: int, batch: int, folder: Path) -> Ran:
    """Carry the plan of a folder out."""
    clock = Passing()
    plan = core.Plan.from_bytes((folder / "plan").read_bytes())
    course = Course(plan)
    with open_log(f"sqlite:///{folder / 'log.db'}", clock=clock) as log:
        journal = Journal(log, _RUN.name)
        policy = Policy(writes_per_s=1_000_000_000)
        journal.append(Started(plan=plan.id, by="benches", policy=policy.as_texts()))
        lease = Lease(log, _RUN.name, Holder.this(), clock)
        journal.take(lease.take(clock.wait), "benches")
        workloads = {(it.namespace, it.name): it for it in lay_out(pods, _SEED).workloads}
        fleet = fleet_at(log, until=log.head().position, snapshots=None)
        lookout = Lookout(log, fleet, {}, clock, clock.wait)
        following = Following(log, _RUN, _CLUSTER, workloads, clock)
        watched = Watched(following, lookout, clock, batch)
        del fleet
        door = Agreeing({key: it.replicas for key, it in workloads.items()}, _deleted(course))
        outside = Outside(
            log=log,
            doors={stages.CLUSTER: door},
            clock=clock,
            look=lambda: watched.look(course, lease),
            load=lambda _: plan,
            replan=lambda *_: None,
            wait=clock.wait,
            tell=lambda _: None,
        )
        began, cpu = clock.seconds, time.process_time()
        ending = execute(Site(journal, lease, outside), waits_at_gates=False)
        ended = clock.seconds
        events, size = _written(log)
        return Ran(
            ending=journal.run.stopped or ending,
            waves=len(course.waves),
            moves=journal.run.moved,
            seconds=ended - began,
            cpu_s=time.process_time() - cpu - watched.followed_s,
            tick_s=watched.tick_s,
            unrenewed_s=_unrenewed_s(log, ended),
            events=events,
            size=size,
            writes=journal.run.writes,
        )


def _deleted(course: Course) -> dict[str, str]:
    """Uids of the pods of DaemonSets, by path: a run deletes them."""
    waves = range(1, len(course.waves) + 1)
    moves = (move for wave in waves for _, move in course.moves(wave))
    return {
        pod_path(it.namespace, it.pod): it.uid for it in moves if it.workload.kind == "DaemonSet"
    }


def _written(log: EventLog) -> tuple[int, int]:
    """Events of the run, and their bytes."""
    commits = [(commit.events, len(commit.payload)) for commit in log.read(stream=_RUN)]
    return sum(events for events, _ in commits), sum(size for _, size in commits)


def _unrenewed_s(log: EventLog, ended_s: float) -> float:
    times = [commit.time_ms for commit in log.read(stream=LEASE)]
    times.append(_BEGAN_MS + int(ended_s * 1000))
    return max(after - before for before, after in pairwise(times)) / 1000


HEAD = (
    "| pods | waves | moves | writes | seconds | CPU, s | longest tick, s | "
    "lease not renewed for, s | events | bytes | bytes a move | peak, MB |\n"
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
)


def row(pods: int, ran: Ran, peak_bytes: int) -> str:
    """A line of the table."""
    cells = (
        *(f"{it:,}" for it in (pods, ran.waves, ran.moves, ran.writes)),
        *(f"{it:,.1f}" for it in (ran.seconds, ran.cpu_s, ran.tick_s, ran.unrenewed_s)),
        *(f"{it:,}" for it in (ran.events, ran.size)),
        f"{ran.size / max(1, ran.moves):.2f}",
        f"{peak_bytes / 1e6:,.0f}",
    )
    return f"| {' | '.join(cells)} |\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 when the run did not end with every pod moved."""
    parser = argparse.ArgumentParser(prog="python -m benches.run", description=__doc__)
    parser.add_argument("--pods", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=5_000, help="pods that come back at once")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as name:
        folder = Path(name)
        # In a process of its own: its memory is not that of the run.
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
            pool.submit(prepare, options.pods, folder).result()
        ran = run(options.pods, options.batch, folder)
    sys.stdout.write(HEAD + row(options.pods, ran, stages.peak_bytes()))
    if ran.ending != "done" or ran.moves != options.pods:
        sys.stderr.write(f"the run ended as {ran.ending}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
