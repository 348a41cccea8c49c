"""What one unit more would save a plan, as `planner bottlenecks` prints it."""

from typing import Literal

from planner.model.plan import ApiVersion
from planner.model.shape import Shape

UnitOf = Literal["budget", "dependency", "stage", "rate", "sequence"]


class ScheduleFigures(Shape, frozen=True, kw_only=True):
    """A schedule in numbers; no schedule of its moves is below the bounds."""

    waves: int
    waves_bound: int
    seconds: float
    seconds_bound: float
    moves: int


class Saving(Shape, frozen=True, kw_only=True):
    """What came of solving again with one unit more.

    `unit` says what the unit is; `limit` is that of a budget without it, the smallest of its
    places, or of a rate. `holds` counts the moves that it alone holds up, or keeps from moving
    at all. `more_moves` can be made only with the unit. Of the same moves no unit costs
    anything, but a larger stage: moves of two stages never share a wave. `saves_waves_at_most`
    follows from the bound. `ask` is what `planner whatif --set` takes, where the request has a
    word for it; of a sequence what `--unset` takes.
    """

    kind: UnitOf
    name: str
    cluster: str | None
    unit: str
    limit: int | None
    holds: int
    saves_waves: int
    saves_seconds: float
    saves_waves_at_most: int
    more_moves: int
    with_it: ScheduleFigures
    ask: str | None = None


class Untried(Shape, frozen=True, kw_only=True):
    """A unit that was not tried, and why."""

    kind: UnitOf
    name: str
    cluster: str | None
    unit: str
    why: str


class Bottlenecks(Shape, frozen=True, kw_only=True):
    """What one unit more would save a plan, those that save most first.

    `left` units would be tried next: --limit ended it before. `ordered` moves are held up by
    nothing but the order in which the controller of their workload takes its pods, `windowed` by
    windows and freezes.
    """

    apiVersion: ApiVersion = "planner/v1"  # noqa: N815 -- Kubernetes' own spelling
    kind: Literal["Bottlenecks"] = "Bottlenecks"
    plan: str
    without: ScheduleFigures
    savings: tuple[Saving, ...]
    left: int
    ordered: int
    windowed: int
    untried: tuple[Untried, ...]
