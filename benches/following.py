"""A fleet that follows a run: pods that were let go come back at their new version, in batches.

It plays controllers and kubelets, and an observer at once: what they would bring about is in the
log as soon as it has happened. Whom it takes next is drawn from all that were let go, which is the
hardest for what a run writes of pods that are back.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Final, NamedTuple

from benches.controller import TAG as FORMER
from benches.controller import workload_values
from benches.layout import ZONES
from benches.pod import REGISTRY, State, pod_template
from benches.request import TAG
from benches.template import Template
from benches.workload import SIDECARS, Kind, Workload, uuid
from planner import core
from planner.apply.course import Course, place_of
from planner.apply.events import LetGo, from_payload
from planner.apply.moveset import MoveSet
from planner.log import EventLog, NewCommit, Stream
from planner.model.clock import Clock
from planner.model.plan import Move

Workloads = Mapping[tuple[str, str], Workload]
_VERSION_FIRST: Final = 100_000_000
_ORDINALS: Final = (Kind.STATEFUL_SET, Kind.ADVANCED_STATEFUL_SET)


class Due(NamedTuple):
    """What happens to the pod of a move: it goes, another or the same one comes, or both."""

    number: int
    goes: bool
    comes: bool


class Following:
    """The pods of one cluster, behind one run."""

    def __init__(
        self, log: EventLog, run: Stream, cluster: Stream, workloads: Workloads, clock: Clock
    ) -> None:
        self._log = log
        self._run = run
        self._cluster = cluster
        self._workloads = workloads
        self._clock = clock
        self._position = 0
        self._version = log.version(cluster)
        self._made = 0
        self._random = Random("following")
        self._due: list[Due] = []
        self._beside: dict[int, list[int]] = {}

    def follow(self, course: Course, pods: int) -> None:
        """Let what was let go since be due, and so many pods of all that are due move."""
        for commit in self._log.read(after=self._position, stream=self._run):
            self._position = commit.position_last
            for event in from_payload(commit.payload):
                if isinstance(event, LetGo):
                    self._due += self._let_go(course, event)
        count = len(self._due)
        # As in a shuffle, but only as far as it is needed.
        for at in range(count - 1, max(0, count - pods) - 1, -1):
            other = self._random.randrange(at + 1)
            self._due[at], self._due[other] = self._due[other], self._due[at]
        batch = self._due[-pods:]
        del self._due[-pods:]
        if batch:
            self._append(course, batch)

    def _let_go(self, course: Course, event: LetGo) -> Iterator[Due]:
        moves = MoveSet.parse(event.moves)
        for number, move in course.moves(event.wave) if moves else ():
            if number not in moves:
                continue
            surges = move.kind == "surge"
            if surges:
                self._beside.setdefault(course.index_of[place_of(move)], []).append(number)
            yield Due(number, goes=not surges, comes=True)
        for index, kind, _, _ in event.levers:
            if kind == "swap":
                yield from (Due(it, goes=True, comes=False) for it in self._beside.pop(index, ()))

    def _append(self, course: Course, batch: Iterable[Due]) -> None:
        now_ms = self._clock.now_ms()
        feed = core.Feed(salt=self._log.identity.salt)
        moved = ((due, course.move(due.number)) for due in batch)
        text = b"".join(it for due, move in moved for it in self._events(due, move, now_ms))
        feed.add("pods", text, time_ms=now_ms)
        commits = [
            NewCommit(codec=core.CODEC, payload=it.to_bytes(), events=len(it), author="benches")
            for it in feed.finish()
        ]
        self._log.append(self._cluster, commits, expected_version=self._version)
        self._version += sum(commit.events for commit in commits)

    def _events(self, due: Due, move: Move, now_ms: int) -> Iterator[bytes]:
        """The events of a watch."""
        stays = move.kind == "in-place"
        if due.goes and not stays:
            yield _GONE.fill(
                {
                    "name": move.pod.encode(),
                    "namespace": move.namespace.encode(),
                    "uid": move.uid.encode(),
                    "version": self._next_version(),
                }
            )
        if due.comes:
            text = self._pod(move, now_ms)
            kind = b"MODIFIED" if stays else b"ADDED"
            yield b'{"type":"%b","object":{"kind":"Pod","apiVersion":"v1",%b}\n' % (kind, text[1:])

    def _pod(self, move: Move, now_ms: int) -> bytes:
        workload = self._workloads[move.namespace, move.workload.name]
        values = workload_values(workload)
        version, stays = self._next_version(), move.kind == "in-place"
        suffix = move.pod.encode().removeprefix(values["prefix"] + b"-")
        if not stays and workload.kind not in _ORDINALS:
            suffix = b"%07d" % self._made
        time = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
        node = int(move.node.removeprefix("node-"))
        own = {
            "suffix": suffix,
            "uid": (move.uid if stays else uuid(self._random)).encode(),
            "version": version,
            "node": move.node.encode(),
            "zone": ZONES[node % len(ZONES)].encode(),
            "ip": b"10.0.0.1",
            "created": time,
            "ready": time,
            "tag": TAG.encode(),
        }
        return _moved(workload.kind, workload.sidecars).fill({**values, **own})

    def _next_version(self) -> bytes:
        self._made += 1
        return b"%d" % (_VERSION_FIRST + self._made)


@cache
def _moved(kind: Kind, sidecars: tuple[str, ...]) -> Template:
    """A pod that serves, its sidecars at the new version."""
    template = pod_template(kind, sidecars, State.READY, ballast=False)
    parts = template.parts
    for name in SIDECARS:
        image = f"{REGISTRY}/{name}:".encode()
        parts = tuple(it.replace(image + FORMER, image + TAG.encode()) for it in parts)
    return Template(parts, template.holes)


_GONE: Final = Template.of(
    {
        "type": "DELETED",
        "object": {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {
                "name": "@name@",
                "namespace": "@namespace@",
                "uid": "@uid@",
                "resourceVersion": "@version@",
            },
        },
    }
)
