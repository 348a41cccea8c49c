"""How long the way back from a plan would take, as `planner way-back` prints it."""

from typing import Literal

import msgspec

from planner.model.eta import Quantiles
from planner.model.plan import ApiVersion, Unmovable
from planner.model.shape import Shape


class FullBudget(Shape, frozen=True, kw_only=True):
    """A budget that leaves no room in so many waves of the way back."""

    name: str
    cluster: str | None
    limit: int
    waves: int


class WayBackFrom(Shape, frozen=True, kw_only=True):
    """The way back once the waves up to `wave` are done.

    `at` says what ends there (`stage canary`, `the middle`, `the end`). `moved` pods have been
    moved until then and `moves` go back, by kind. `seconds` and their bound are those without
    barriers where the plan streams. `takes` are draws of its time; null without a move. `full`
    budgets are those that are full longest, `stays` are pods that cannot go back. `conflict` are
    the rules that keep all of them, and `remedy` what would help.
    """

    wave: int
    at: tuple[str, ...]
    moved: int
    moves: int = 0
    kinds: dict[str, int] = msgspec.field(default_factory=dict)
    waves: int = 0
    waves_bound: int = 0
    seconds: float = 0.0
    seconds_bound: float = 0.0
    takes: Quantiles | None = None
    full: tuple[FullBudget, ...] = ()
    stays: tuple[Unmovable, ...] = ()
    reason: str | None = None
    conflict: tuple[str, ...] = ()
    remedy: str | None = None


class WayBack(Shape, frozen=True, kw_only=True):
    """The way back from several waves of a plan."""

    apiVersion: ApiVersion = "planner/v1"  # noqa: N815 -- Kubernetes' own spelling
    kind: Literal["WayBack"] = "WayBack"
    plan: str
    waves: int
    after: tuple[WayBackFrom, ...]
