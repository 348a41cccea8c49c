"""The plan as it is shown, kept and checked: a header and its moves.

The shapes only ever grow: a reader passes over keys that it does not know, so that an older
planner can read the plan of a newer one.
"""

from typing import Annotated, Any, Literal

import msgspec

from planner.model.proof import Proof, Streaming
from planner.model.shape import Shape

MoveKind = Literal["in-place", "recreate", "surge", "evict", "delete"]
ApiVersion = Literal["planner/v1"]


class Workload(Shape, frozen=True, kw_only=True):
    """The workload of a pod, within the pod's cluster and namespace."""

    kind: str
    name: str


class Move(Shape, frozen=True, kw_only=True):
    """One planned disruption of one pod.

    `wave` counts from 1. `because` names what held it back from the wave before: a budget,
    dependency, sequence, gang, stage or order. `containers` has the images that the pod gets. In a
    streaming plan it begins `start_s` after the plan's start and takes `seconds`.
    """

    wave: Annotated[int, msgspec.Meta(ge=1)]
    stage: str | None
    cluster: str
    namespace: str
    pod: str
    uid: str
    node: str
    workload: Workload
    kind: MoveKind
    containers: dict[str, str]
    because: tuple[str, ...]
    start_s: float | None = None
    seconds: float | None = None


class LogPoint(Shape, frozen=True, kw_only=True):
    """How much of the log the plan knows: the last event's position and the chain's digest."""

    position: int
    digest: str


class Bottleneck(Shape, frozen=True, kw_only=True):
    """What keeps the plan from being shorter; `name` is null when nothing holds a move back."""

    name: str | None
    text: str


class Totals(Shape, frozen=True, kw_only=True):
    """The plan in numbers.

    `differ` pods are not at the target; `disruptions_saved` are disruptions that moves for two
    reasons save: application, sidecar, a node that is drained.
    """

    moves: int
    pods: int
    differ: int = 0
    unmovable: int
    kinds: dict[str, int]
    disruptions_saved: int


class StageSpan(Shape, frozen=True, kw_only=True):
    """The waves of a workload's stage; null when no move is left for it."""

    name: str
    moves: int
    first_wave: int | None
    last_wave: int | None


class WorkloadSpan(Shape, frozen=True, kw_only=True):
    """The waves of a workload; null when none of its pods moves.

    `held` tells, for each wave in which it moves, how many pods move and what held the first of
    them back from the wave before. `calendars` are indices of the header's calendars that say when
    it may move. After `partial` of its moves the pod, or who comes in its place, still differs.
    """

    cluster: str
    namespace: str
    kind: str
    name: str
    pods: int
    moves: int
    partial: int = 0
    first_wave: int | None
    last_wave: int | None
    stages: tuple[StageSpan, ...] = ()
    held: tuple[tuple[int, int, str | None], ...] = ()
    calendars: tuple[int, ...] = ()


class Precedence(Shape, frozen=True, kw_only=True):
    """A dependency between two of the header's workloads, by their indices.

    `after` begins when `moves` pods of `before` are done.
    """

    name: str
    before: int
    after: int
    moves: int


class Wave(Shape, frozen=True, kw_only=True):
    """A barrier: its pods are down together, and back before the next.

    Times are in seconds from the plan's start; `waits_s` is what lies between the wave before and
    this one, and `soaks_s` the part of it that is soak: all of it when nothing is said.
    `workloads` pairs an index into the header's workloads with a number of moves.
    """

    wave: Annotated[int, msgspec.Meta(ge=1)]
    start_s: float
    seconds: float
    waits_s: float
    soaks_s: float | None = None
    moves: int
    kinds: dict[str, int]
    workloads: tuple[tuple[int, int], ...]
    approvals: tuple[str, ...] = ()


class BudgetUse(Shape, frozen=True, kw_only=True):
    """A budget and what is left of it in each wave.

    `resolved` says how the limit was rounded. `down` pods are down before the first wave. With
    several `instances` (nodes, zones ...) `limit` and `headroom` are the smallest. `cluster` is
    null for budgets over several clusters. `workloads` are indices of the header's workloads whose
    moves take from it.
    """

    name: str
    cluster: str | None
    source: str
    limit: int
    resolved: str
    down: int
    headroom: tuple[int, ...]
    instances: int = 1
    workloads: tuple[int, ...] = ()


class RateUse(Shape, frozen=True, kw_only=True):
    """A rate of the request and its moves: of one API server, or of pulls from a registry.

    `pulls_a_move` has workloads by index, and what each of their moves pulls at most. Without the
    rate the plan's waves were `adds_s` shorter.
    """

    name: str
    cluster: str | None
    moves: int
    adds_s: float
    writes_per_second: int | None = None
    registry: str | None = None
    pulls_per_second: int | None = None
    pulls: int | None = None
    pulls_a_move: tuple[tuple[int, int], ...] = ()


class Unmovable(Shape, frozen=True, kw_only=True):
    """A pod that differs from the target and gets no move."""

    cluster: str
    namespace: str
    pod: str
    workload: Workload | None
    reason: str
    remedy: str


class DrainedNode(Shape, frozen=True, kw_only=True):
    """A node that the request wants drained, and how many pods leave it.

    It is empty after `wave`: 0 when it is already, null when `stays` pods have no move.
    """

    cluster: str
    name: str
    moves: int
    stays: int
    wave: int | None


class PhaseSpan(Shape, frozen=True, kw_only=True):
    """A phase of a sequence of the request, and the waves of its moves; null when none is left.

    Phases of one sequence and `place` (null: the whole fleet) come one after the other.
    """

    sequence: str
    place: str | None
    name: str
    moves: int
    first_wave: int | None
    last_wave: int | None


class Gangs(Shape, frozen=True, kw_only=True):
    """The gangs of an entry of the request that move, each in one wave.

    Those of which several pods move: `gangs` of them with `moves` in all, and the `largest` has so
    many; 0 when there is none.
    """

    name: str
    gangs: int
    moves: int
    largest: int


class Calendar(Shape, frozen=True, kw_only=True):
    """A window or freeze of the request (`window:nights`, `freeze:double-11`).

    A wave that moves one of its workloads lies inside one of `open`: pairs of begin and end, in
    RFC 3339.
    """

    name: str
    open: tuple[tuple[str, str], ...]


class Deadline(Shape, frozen=True, kw_only=True):
    """When everything should be done.

    `spare_s` is what is left then, below 0 when the plan ends too late; `late` are indices of the
    header's workloads of which a move ends after it.
    """

    time: str
    spare_s: float
    late: tuple[int, ...]


class PlanHeader(Shape, frozen=True, kw_only=True):
    """Everything about a plan but its moves.

    `id` follows from the request, the log's position and the planner's version. `time` is that of
    the last event that the plan knows, in RFC 3339. The bounds are what no plan can go below.
    `streaming` is there when the request streams.
    `start` is when the first wave may begin, where the request says something of time. `starts` is
    how often the search for the plan began: 1 but for `--effort` and `--time-limit`.
    """

    apiVersion: ApiVersion  # noqa: N815 -- Kubernetes' own spelling, the only one in camel case
    kind: Literal["Plan"]
    id: str
    planner: str
    starts: int = 1
    request: dict[str, Any]
    log: LogPoint
    time: str
    start: str | None = None
    deadline: Deadline | None = None
    clusters: tuple[str, ...]
    waves: int
    waves_bound: int
    seconds: float
    seconds_bound: float
    proof: Proof
    streaming: Streaming | None = None
    bottleneck: Bottleneck | None
    totals: Totals
    workloads: tuple[WorkloadSpan, ...]
    dependencies: tuple[Precedence, ...] = ()
    per_wave: tuple[Wave, ...]
    budgets: tuple[BudgetUse, ...]
    calendars: tuple[Calendar, ...] = ()
    rates: tuple[RateUse, ...] = ()
    warnings: tuple[str, ...]
    unmovable: tuple[Unmovable, ...]
    drains: tuple[DrainedNode, ...] = ()
    sequences: tuple[PhaseSpan, ...] = ()
    gangs: tuple[Gangs, ...] = ()


class Violation(Shape, frozen=True, kw_only=True):
    """A rule that a plan breaks; `wave` is null when no one wave is to blame."""

    rule: str
    subject: str
    wave: int | None
    message: str


class CheckedBound(Shape, frozen=True, kw_only=True):
    """A bound of the plan, and by what it was proved; null when that could not be checked.

    `streaming` is the bound in seconds of a plan whose moves do not wait for their wave.
    """

    name: Literal["waves", "seconds", "streaming"]
    least: float
    by: str | None


class Report(Shape, frozen=True, kw_only=True):
    """What an independent check of a plan found."""

    apiVersion: ApiVersion  # noqa: N815 -- Kubernetes' own spelling, the only one in camel case
    kind: Literal["Report"]
    plan: str
    holds: bool
    violations: tuple[Violation, ...]
    bounds: tuple[CheckedBound, ...] = ()
