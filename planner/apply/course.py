"""A plan as an executor reads it: its waves one after the other, and its workloads."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain, pairwise
from math import ceil
from typing import Any, NamedTuple

import msgspec

from planner import core
from planner.apply.calendars import Calendars
from planner.model.plan import DrainedNode, Move, PhaseSpan, Precedence, RateUse
from planner.model.scalars import duration_ms


class Place(NamedTuple):
    """Names a workload of the fleet."""

    cluster: str
    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        return "/".join(self)


class WaveOf(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan's header says of a wave."""

    wave: int
    seconds: float
    waits_s: float
    soaks_s: float | None = None
    moves: int
    workloads: tuple[tuple[int, int], ...] = ()
    approvals: tuple[str, ...] = ()


class _Stage(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    last_wave: int | None = None


class _Workload(msgspec.Struct, frozen=True, kw_only=True):
    cluster: str
    namespace: str
    kind: str
    name: str
    moves: int
    partial: int = 0
    held: tuple[tuple[int, int, str | None], ...]
    stages: tuple[_Stage, ...] = ()


class _Streaming(msgspec.Struct, frozen=True, kw_only=True):
    seconds: float


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    request: dict[str, Any]
    log: dict[str, Any]
    seconds: float
    streaming: _Streaming | None = None
    workloads: tuple[_Workload, ...]
    per_wave: tuple[WaveOf, ...]
    unmovable: tuple[dict[str, Any], ...] = ()
    drains: tuple[DrainedNode, ...] = ()
    rates: tuple[RateUse, ...] = ()
    dependencies: tuple[Precedence, ...] = ()
    sequences: tuple[PhaseSpan, ...] = ()


class SharedBudget(msgspec.Struct, frozen=True, kw_only=True):
    """A budget of several workloads, by their indices, as the plan's header has it."""

    name: str
    cluster: str | None
    source: str
    limit: int
    instances: int = 1
    workloads: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, str | None]:
        """What no other has: clusters share names."""
        return self.name, self.cluster


class _Budgets(msgspec.Struct, frozen=True, kw_only=True):
    budgets: tuple[SharedBudget, ...]


@dataclass(frozen=True)
class Course:
    """A plan; moves are numbered from 0 in its order.

    An executor carries it out leg by leg, each a barrier. A leg is a wave; of a plan that streams
    it is all waves up to one after which somebody has to approve, or a phase of a sequence begins.
    """

    plan: core.Plan

    @cached_property
    def _header(self) -> _Header:
        return msgspec.json.decode(self.plan.header(), type=_Header)

    @cached_property
    def calendars(self) -> Calendars:
        """When it may move what."""
        return Calendars.of(self.plan.header())

    @property
    def id(self) -> str:
        """The plan's id."""
        return self._header.id

    @property
    def request(self) -> dict[str, Any]:
        """The request, its manifests redacted."""
        return self._header.request

    @property
    def position(self) -> int:
        """The position of the log that the plan was made at."""
        return int(self._header.log["position"])

    @property
    def waves(self) -> Sequence[WaveOf]:
        """The waves, the first one at 0."""
        return self._header.per_wave

    @property
    def streams(self) -> bool:
        """Whether moves go without waiting for their wave."""
        return bool(self.request["spec"].get("streaming"))

    @cached_property
    def _spans(self) -> tuple[range, ...]:
        """The waves of each leg, from 1."""
        if not self.streams:
            return tuple(range(it.wave, it.wave + 1) for it in self.waves)
        last, begun = len(self.waves), self._phases_begin
        ends = [
            it.wave for it in self.waves if it.approvals or it.wave == last or it.wave + 1 in begun
        ]
        begins = [1, *(end + 1 for end in ends)]
        return tuple(range(begin, end + 1) for begin, end in zip(begins[:-1], ends, strict=True))

    @property
    def _phases_begin(self) -> frozenset[int]:
        """Waves in which a phase of a sequence begins that comes after another."""
        begun: set[int] = set()
        for before, phase in pairwise(self._header.sequences):
            follows = (before.sequence, before.place) == (phase.sequence, phase.place)
            if follows and phase.first_wave is not None:
                begun.add(phase.first_wave)
        return frozenset(begun)

    @cached_property
    def legs(self) -> Sequence[WaveOf]:
        """The legs, the first one at 0; `wave` is the leg's number."""
        if not self.streams:
            return self.waves
        return [self._leg(number, span) for number, span in enumerate(self._spans, 1)]

    def _leg(self, number: int, span: range) -> WaveOf:
        waves = self.waves[span.start - 1 : span.stop - 1]
        moves: Counter[int] = Counter()
        for workload, count in chain.from_iterable(it.workloads for it in waves):
            moves[workload] += count
        in_waves = sum(it.seconds for it in waves) + sum(it.waits_s for it in waves[1:])
        streaming, whole = self._header.streaming, self._header.seconds
        return WaveOf(
            wave=number,
            seconds=in_waves * (streaming.seconds / whole if streaming and whole else 1.0),
            waits_s=waves[0].waits_s,
            soaks_s=waves[0].soaks_s,
            moves=sum(it.moves for it in waves),
            workloads=tuple(sorted(moves.items())),
            approvals=waves[-1].approvals,
        )

    def last_wave(self, leg: int) -> int:
        """The last wave of a leg (from 1); 0 before the first leg."""
        return self._spans[leg - 1].stop - 1 if leg else 0

    def seconds_of(self, move: Move) -> float:
        """How long a move is expected to take at most: as long as its wave."""
        return self.waves[move.wave - 1].seconds

    def length_ms(self, move: Move) -> int:
        """What a window has to leave a move of a plan that streams, in milliseconds."""
        return int((self.seconds_of(move) if move.seconds is None else move.seconds) * 1000)

    def lengths_ms(self, leg: int) -> Mapping[int, int]:
        """How long at least a move of each workload of a leg (from 1) has to have, by index."""
        if not self.calendars.names:
            return dict.fromkeys((workload for workload, _ in self.legs[leg - 1].workloads), 0)
        lengths: dict[int, int] = {}
        for _, move in self.moves(leg):
            workload, ms = self.index_of[place_of(move)], self.length_ms(move)
            lengths[workload] = min(ms, lengths.get(workload, ms))
        return lengths

    @cached_property
    def shared_budgets(self) -> Sequence[SharedBudget]:
        """Budgets of the request and of SidecarSets that are the same wherever a pod is."""
        budgets = msgspec.json.decode(self.plan.header(), type=_Budgets).budgets
        shared = (it for it in budgets if it.source in ("request", "SidecarSet"))
        return [it for it in shared if it.instances == 1 and it.limit > 0]

    @cached_property
    def most_at_once(self) -> Sequence[int]:
        """The most moves of each workload that are in one wave, by index."""
        return [max((moves for _, moves, _ in it.held), default=0) for it in self._header.workloads]

    @property
    def dependencies(self) -> Sequence[Precedence]:
        """Which workloads wait for how many moves of which others, by index."""
        return self._header.dependencies

    @cached_property
    def soaks_ms(self) -> Sequence[int]:
        """How long each stage of the request soaks."""
        stages = self.request["spec"].get("stages") or ()
        return [duration_ms(it.get("soak") or "0s") for it in stages]

    @cached_property
    def stage_index(self) -> Mapping[str, int]:
        """The place of each stage of the request in their order."""
        stages = self.request["spec"].get("stages") or ()
        return {stage["name"]: index for index, stage in enumerate(stages)}

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The workloads, by index."""
        return tuple(
            Place(it.cluster, it.namespace, it.kind, it.name) for it in self._header.workloads
        )

    @cached_property
    def index_of(self) -> Mapping[Place, int]:
        """The index of each workload."""
        return {place: index for index, place in enumerate(self.places)}

    @property
    def drains(self) -> Sequence[DrainedNode]:
        """The nodes that are to be empty."""
        return self._header.drains

    @cached_property
    def moving(self) -> frozenset[str]:
        """Clusters that have a move."""
        return frozenset(it.cluster for it in self._header.workloads if it.moves)

    @cached_property
    def clusters(self) -> tuple[str, ...]:
        """Clusters that are written to, by name: they have a move, or a node to drain."""
        return tuple(sorted(self.moving.union(it.cluster for it in self.drains)))

    @cached_property
    def _begins(self) -> tuple[int, ...]:
        begins = [0]
        for wave in self.waves:
            begins.append(begins[-1] + wave.moves)
        return tuple(begins)

    @property
    def total(self) -> int:
        """How many moves there are."""
        return self._begins[-1]

    def moves_of(self, leg: int) -> Mapping[int, int]:
        """How many moves of each workload a wave of a leg (from 1) has, by index; the mean."""
        span = self._spans[leg - 1]
        found: dict[int, list[int]] = {}
        for wave in self.waves[span.start - 1 : span.stop - 1]:
            for workload, moves in wave.workloads:
                found.setdefault(workload, []).append(moves)
        return {workload: ceil(sum(its) / len(its)) for workload, its in found.items()}

    def numbers(self, leg: int) -> range:
        """The moves of a leg (from 1)."""
        span = self._spans[leg - 1]
        return range(self._begins[span.start - 1], self._begins[span.stop - 1])

    def moves(self, leg: int) -> Iterator[tuple[int, Move]]:
        """Give the moves of a leg (from 1) with their numbers."""
        numbers = self.numbers(leg)
        lines = self.plan.jsonl(numbers.start, len(numbers)).splitlines()
        for number, line in zip(numbers, lines, strict=True):
            yield number, msgspec.json.decode(line, type=Move)

    def move(self, number: int) -> Move:
        """Give one move."""
        return msgspec.json.decode(self.plan.jsonl(number, 1), type=Move)

    def left(self, leg: int) -> list[int]:
        """How many moves of each workload come after a leg (0: before the first), by index."""
        wave = self.last_wave(leg)
        return [
            sum(moves for at, moves, _ in it.held if at > wave) for it in self._header.workloads
        ]

    def writes_per_s(self, cluster: str) -> int | None:
        """How fast the plan lets a cluster be written to; None where its request says nothing."""
        mine = (it for it in self._header.rates if it.cluster == cluster)
        return next((it.writes_per_second for it in mine if it.writes_per_second), None)

    @cached_property
    def pulls(self) -> Sequence[RateUse]:
        """The rates at which the plan lets images be pulled from registries."""
        return [it for it in self._header.rates if it.pulls_per_second]

    @cached_property
    def pull_ms(self) -> Mapping[Place, Mapping[int, Fraction]]:
        """How long a move of each workload keeps each of these rates, by index, busy."""
        found: dict[Place, dict[int, Fraction]] = {}
        for index, rate in enumerate(self.pulls):
            for workload, pulls in rate.pulls_a_move:
                ms = Fraction(pulls * 1000, rate.pulls_per_second or 1)
                found.setdefault(self.places[workload], {})[index] = ms
        return found

    def stages_passed(self, leg: int) -> frozenset[str]:
        """Stages of which no workload has a move after a leg."""
        wave = self.last_wave(leg)
        stages = [stage for it in self._header.workloads for stage in it.stages]
        ahead = {stage.name for stage in stages if (stage.last_wave or 0) > wave}
        return frozenset({stage.name for stage in stages} - ahead)

    def ended_stages(self, workload: int, leg: int) -> Mapping[str, int]:
        """Stages of a workload (by index) that have moves, and the leg that has the last of them.

        It is 0 when that is not before the one asked about.
        """
        ends = [span.stop - 1 for span in self._spans]
        stages = self._header.workloads[workload].stages
        legs = {it.name: bisect_left(ends, it.last_wave) + 1 for it in stages if it.last_wave}
        return {name: its if its < leg else 0 for name, its in legs.items()}

    def stage_ends(self) -> Mapping[str, int]:
        """The last wave of each stage that has a move, over all workloads."""
        ends: dict[str, int] = {}
        for stage in (stage for it in self._header.workloads for stage in it.stages):
            if stage.last_wave:
                ends[stage.name] = max(stage.last_wave, ends.get(stage.name, 0))
        return ends

    @property
    def stops_early(self) -> bool:
        """Whether the stages of the request end before all pods have moved."""
        stages = self.request["spec"].get("stages")
        return bool(stages) and stages[-1]["perWorkload"] != "100%"

    def behind(self) -> Mapping[Place, int]:
        """How many pods of each workload still differ when the plan is done.

        It leaves them where they are, or moves them for a part of what they need.
        """
        named = zip(self.places, self._header.workloads, strict=True)
        counts = {place: workload.partial for place, workload in named if workload.partial}
        for pod in self._header.unmovable:
            workload = pod.get("workload") or {}
            kind, name = workload.get("kind", ""), workload.get("name", "")
            place = Place(pod["cluster"], pod["namespace"], kind, name)
            counts[place] = counts.get(place, 0) + 1
        return counts


def manifest_key(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    """Namespace, kind and name of a manifest's workload, as `Place` has them."""
    kind, metadata = manifest["kind"], manifest["metadata"]
    if manifest["apiVersion"].startswith("apps.kruise.io/") and kind != "CloneSet":
        kind = f"Advanced{kind}"
    return metadata.get("namespace", "default"), kind, metadata["name"]


def place_of(move: Move) -> Place:
    """The workload of a move."""
    return Place(move.cluster, move.namespace, move.workload.kind, move.workload.name)
