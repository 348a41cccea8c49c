"""What a simulated run of a plan came to."""

from typing import Literal

import msgspec

from planner.model.plan import ApiVersion
from planner.model.shape import Shape


class Faults(Shape, frozen=True, kw_only=True):
    """What was made to go wrong: shares of starts and restarts, and a number of nodes."""

    slow: float
    fail: float
    node_loss: int


class LostNode(Shape, frozen=True, kw_only=True):
    """A node that was lost, so many seconds after the beginning."""

    cluster: str
    node: str
    at_s: float


class NotAsPlanned(Shape, frozen=True, kw_only=True):
    """A pod that did not move as the plan says, or did not come back.

    `wave` and `way` are what happened to it, null when it was not moved; `planned_wave` is null
    when the plan does not name it. Of a plan that streams `wave` is that of its move, and null
    also when it was moved before that was let go.
    """

    cluster: str
    namespace: str
    pod: str
    planned_wave: int | None
    planned_kind: str | None
    wave: int | None
    way: str | None
    reason: str


class Exceeded(Shape, frozen=True, kw_only=True):
    """A moment at which a move took a budget over its limit.

    Of a plan that streams `wave` is that of the move, and 0 when it was not let go yet.
    """

    budget: str
    cluster: str | None
    limit: int
    down: int
    wave: int
    at_s: float


class SimulatedDrain(Shape, frozen=True, kw_only=True):
    """A drained node in the end.

    The pods in `left` (namespace/name) should not be on it any more; of `stays` the plan says that
    they have no move.
    """

    cluster: str
    name: str
    stays: int
    left: tuple[str, ...]


class BudgetPeak(Shape, frozen=True, kw_only=True):
    """The most places of a budget that were down while a move took from it."""

    name: str
    cluster: str | None
    limit: int
    peak: int


class SimulatedWave(Shape, frozen=True, kw_only=True):
    """How a wave went; `planned_s` and `seconds` without the rest before it.

    Of a plan that streams both are from when the first of its moves is let go until the last one
    is back, and `planned_start_s` is when the first one begins by the plan.
    """

    wave: int
    start_s: float
    planned_s: float
    seconds: float
    moves: int
    not_back: int
    planned_start_s: float | msgspec.UnsetType = msgspec.UNSET


class Simulation(Shape, frozen=True, kw_only=True):
    """A plan carried out on simulated clusters.

    Of the `moves`, `moved` pods moved at all; `in_wave` of them in the planned wave, `in_kind` in
    the planned way, `as_planned` in both and came back. `gone` were leaving already and needed
    nothing. The moves of a plan that `streams` go without barriers: `in_wave` are those that were
    let go before they moved, `planned_s` is its time without barriers, in which nobody waits for
    approvals, and `gates` says how often all of them waited for one. `disrupted_twice` went down
    more than once for the plan. `faithful` is the share of the moves, less those gone, that
    went as planned. `drains` is there when the plan drains nodes.
    """

    apiVersion: ApiVersion = msgspec.field(default="planner/v1")  # noqa: N815 -- Kubernetes' spelling
    kind: Literal["Simulation"] = "Simulation"
    plan: str
    seed: int
    faults: Faults
    moves: int
    moved: int
    in_wave: int
    in_kind: int
    as_planned: int
    gone: int
    faithful: float
    disrupted_twice: int
    waves: int
    planned_s: float
    seconds: float
    lost_nodes: tuple[LostNode, ...]
    exceeded: tuple[Exceeded, ...]
    budgets: tuple[BudgetPeak, ...]
    not_as_planned: tuple[NotAsPlanned, ...]
    per_wave: tuple[SimulatedWave, ...]
    drains: tuple[SimulatedDrain, ...] | msgspec.UnsetType = msgspec.UNSET
    streams: bool | msgspec.UnsetType = msgspec.UNSET
    gates: int | msgspec.UnsetType = msgspec.UNSET
