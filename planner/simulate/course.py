"""What happened when a plan was carried out."""

from collections.abc import Sequence
from dataclasses import dataclass

from planner.simulate.budgets import Budget
from planner.simulate.drains import Drained
from planner.simulate.planned import Planned
from planner.simulate.slots import Slots
from planner.simulate.wanted import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveRun:
    """How a wave went. Times in milliseconds from the beginning of the run.

    Of a plan that streams `planned_begin_ms` is when its first move begins by the plan.
    """

    wave: int
    begin_ms: int
    end_ms: int
    planned_s: float
    moves: int
    not_back: int
    planned_begin_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Everything that happened. `gates`: how often all waited for an approval, where moves stream.

    Times in milliseconds: `begin_ms` UTC, `end_ms` from there.
    """

    planned: Sequence[Planned]
    gone: Sequence[Move]
    slots: Slots
    budgets: Sequence[Budget]
    waves: Sequence[WaveRun]
    lost: Sequence[tuple[int, str]]
    begin_ms: int
    end_ms: int
    drained: Sequence[Drained]
    gates: int | None = None
