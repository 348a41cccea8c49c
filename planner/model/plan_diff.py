"""What became different from one plan to another, as `planner plan-diff` prints it."""

from typing import Any, Literal

import msgspec

from planner.model.plan import ApiVersion, Unmovable, Workload
from planner.model.shape import Shape

Fate = Literal["came", "went", "earlier", "later", "stays"]
Span = tuple[int, int]


class Figures(Shape, frozen=True, kw_only=True):
    """One plan in numbers; `name` is that of its request, `position` that of the log."""

    id: str
    planner: str
    name: str
    position: int
    time: str
    clusters: tuple[str, ...]
    waves: int
    waves_bound: int
    seconds: float
    seconds_bound: float
    moves: int
    kinds: dict[str, int]
    differ: int
    unmovable: int
    disruptions_saved: int
    bottleneck: str


class AskedOtherwise(Shape, frozen=True, kw_only=True):
    """A place in the spec of the request where the plans differ; null: nothing is there."""

    path: str
    before: Any
    after: Any


class MovesByFate(Shape, frozen=True, kw_only=True):
    """How many moves became what: `stays` are in their wave, but not as they were."""

    came: int
    went: int
    earlier: int
    later: int
    stays: int
    same: int


class Counts(Shape, frozen=True, kw_only=True):
    """A number in each plan; null where there is no such thing."""

    before: int | None
    after: int | None


class Spans(Shape, frozen=True, kw_only=True):
    """The first and the last wave in each plan; null where nothing moves."""

    before: Span | None
    after: Span | None


class Texts(Shape, frozen=True, kw_only=True):
    """A text in each plan; null where there is none."""

    before: str | None
    after: str | None


class ChangedMoves(Shape, frozen=True, kw_only=True):
    """Moves of a workload of which the same became.

    `because` is what holds them in their wave, null when nothing does; where a plan has no such
    move it is why their pods cannot be moved there (`unmovable:...`), if they differ at all.
    `images`: the pods get other images.
    """

    change: Fate
    moves: int
    waves: Spans
    kind: Texts
    stage: Texts
    because: Texts
    images: bool


class ChangedWorkload(Shape, frozen=True, kw_only=True):
    """A workload with moves that are not the same; `waves` are those of all its moves."""

    cluster: str
    namespace: str
    kind: str
    name: str
    moves: Counts
    waves: Spans
    changes: tuple[ChangedMoves, ...]


class ChangedBudget(Shape, frozen=True, kw_only=True):
    """A budget that came, went or has another limit; `full_waves` counts those that fill it."""

    name: str
    cluster: str | None
    limit: Counts
    resolved: Texts
    full_waves: Counts


class WorkloadName(Shape, frozen=True, kw_only=True):
    """A workload of the fleet."""

    cluster: str
    namespace: str
    kind: str
    name: str


class ChangedDependency(Shape, frozen=True, kw_only=True):
    """A dependency that came, went or waits for another number of moves of `first`."""

    name: str
    first: WorkloadName
    waits: WorkloadName
    moves: Counts


class ChangedReason(Shape, frozen=True, kw_only=True):
    """A pod that neither plan can move, for another reason."""

    cluster: str
    namespace: str
    pod: str
    workload: Workload | None
    reason: str
    remedy: str
    reason_before: str


class ChangedUnmovable(Shape, frozen=True, kw_only=True):
    """Pods that differ from the target and cannot be moved, in one of the plans only."""

    came: tuple[Unmovable, ...]
    went: tuple[Unmovable, ...]
    changed: tuple[ChangedReason, ...]


class ChangedWarnings(Shape, frozen=True, kw_only=True):
    """Warnings of one of the plans only."""

    came: tuple[str, ...]
    went: tuple[str, ...]


class PlanDiff(Shape, frozen=True, kw_only=True):
    """What became different from one plan to another.

    `same`: nothing but what names the plans (id, planner, position and time of the log).
    """

    apiVersion: ApiVersion = "planner/v1"  # noqa: N815 -- Kubernetes' own spelling
    kind: Literal["PlanDiff"] = "PlanDiff"
    same: bool = False
    before: Figures
    after: Figures
    request: tuple[AskedOtherwise, ...] = ()
    moves: MovesByFate
    workloads: tuple[ChangedWorkload, ...]
    budgets: tuple[ChangedBudget, ...]
    dependencies: tuple[ChangedDependency, ...]
    unmovable: ChangedUnmovable
    warnings: ChangedWarnings


def is_same(diff: PlanDiff) -> bool:
    """Whether the plans differ in nothing but their names."""
    moves = diff.moves
    changed = moves.came + moves.went + moves.earlier + moves.later + moves.stays
    lists = (
        diff.request,
        diff.workloads,
        diff.budgets,
        diff.dependencies,
        diff.unmovable.came,
        diff.unmovable.went,
        diff.unmovable.changed,
        diff.warnings.came,
        diff.warnings.went,
    )
    return not changed and not any(lists) and _figures(diff.before) == _figures(diff.after)


def _figures(figures: Figures) -> Figures:
    """The figures without what names the plan."""
    return msgspec.structs.replace(figures, id="", planner="", name="", position=0, time="")
