"""The recorded cluster once more, with simulated controllers instead of the real ones.

From what was observed when an upgrade began, people do the same as then; what follows is by the
rules. The result reads like a recording, so that both are measured by the same code.
"""

from collections.abc import Iterator
from functools import cached_property, partial
from io import BytesIO
from typing import Final

from planner import loop
from planner.log.identity import LogIdentity
from planner.log.memory import MemoryEventLog
from planner.model.clock import ManualClock
from planner.observe.files import find_sources
from planner.observe.source import Source
from planner.simulate.cluster import Cluster
from planner.simulate.controllers import Controllers
from planner.simulate.observed import contents_of
from planner.simulate.pace import Drawn, Faults, Span
from planner.simulate.rules.pods import Object
from planner.simulate.timeline import Timeline
from planner.verify.observed import Observed, fold_rows
from tests.agreement.operations import RESOURCES, Operation
from tests.agreement.recording import SHOP, Change, Pod, Recording, Written, pod_of
from tests.agreement.taken import taken_by

CLUSTER: Final = "hangzhou"
KINDS: Final = {resource: kind for kind, resource in RESOURCES.items()}
# How long things took in the recorded cluster (examples/shop/README.md); the controllers of
# OpenKruise made about ten writes a second.
PACE: Final = Drawn(
    seed=0,
    faults=Faults(),
    start=Span(least=1500, most=5500),
    restart=Span(least=1000, most=3000),
    termination=Span(least=1000, most=3000),
    write=70,
)


class Simulated(Recording):
    """What the simulated controllers did, in the shape of a recording."""

    def __init__(self, before: list[Pod], changes: list[Change]) -> None:
        self.listed_before = before
        self.followed = tuple(changes)

    @cached_property
    def listed(self) -> dict[str, Pod]:
        """The pods before anything happens, by uid."""
        return {pod.uid: pod for pod in self.listed_before}

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Every change of a pod in the order in which it happened."""
        return self.followed


def simulations(
    recording: Recording, operations: tuple[Operation, ...]
) -> Iterator[tuple[Operation, Simulated]]:
    """Simulate every operation, each from what had really been observed when it began."""
    log = MemoryEventLog(
        clock=ManualClock(0), identity=LogIdentity(log_id=bytes(16), salt=bytes(32))
    )
    sources = list(find_sources([SHOP / CLUSTER], BytesIO()))
    done = 0
    for operation in operations:
        until = recording.line_at(operation.observed_until)
        if until > done:
            text = b"\n".join(recording.lines[done:until])
            sources.append(Source(name=f"until line {until}", text=text, form="watch"))
            done = until
        if sources:
            loop.import_recorded(log, CLUSTER, sources, partial=False, progress=lambda _: None)
            sources = []
        observed = fold_rows(loop.observed_rows(log, until=log.head().position))
        yield operation, simulate(operation, observed, recording)


def simulate(operation: Operation, observed: Observed, recording: Recording) -> Simulated:
    """Simulate one operation."""
    timeline = Timeline(round(operation.begin * 1000))
    cluster = Cluster(contents_of(observed, CLUSTER), timeline, PACE)
    before = list(map(pod_of, cluster.pods.values()))
    changes: list[Change] = []

    def watch(pod: Object | None, after: Object | None) -> None:
        its = pod_of(pod) if pod else None
        now = pod_of(after) if after else None
        uid = (pod or after or {})["metadata"]["uid"]
        changes.append(Change(t=timeline.now_ms / 1000, uid=uid, before=its, after=now))

    cluster.watchers.append(watch)
    for written in _done_by_people(operation, recording):
        wait = round(written.t * 1000) - timeline.now_ms
        kind = KINDS[written.resource]
        timeline.after(wait, partial(cluster.write, kind, written.document))
    controllers = Controllers(cluster)
    end = _end(operation, recording) * 1000
    while (due := timeline.next_ms()) is not None and due < end:
        timeline.step()
        controllers.settle()
    return Simulated(before, changes)


def _done_by_people(operation: Operation, recording: Recording) -> Iterator[Written]:
    """Every change of a spec while the operation lasts."""
    generations: dict[tuple[str, str, str], int] = {}
    for written in recording.written:
        if written.resource not in KINDS:
            continue
        key = (written.resource, written.namespace, written.name)
        generation = written.document["metadata"]["generation"]
        if generations.get(key) != generation and operation.begin <= written.t < operation.end:
            yield written
        generations[key] = generation


def _end(operation: Operation, recording: Recording) -> float:
    """The end of the operation, or long after its last pod was taken; in seconds."""
    last = taken_by(operation, recording)[-1].t
    return min(operation.end, last + 20 + (last - operation.begin))
