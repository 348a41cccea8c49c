"""The wave that is under way: what the events since its beginning add up to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from planner.apply.attended import Gap, seen_ms
from planner.apply.events import Base, Lever
from planner.apply.moveset import MoveSet

NONE: Final = MoveSet()

Bound = Mapping[int, str]
"""Uid by move, where the pod is another one than the plan named."""
At = tuple[int, str]
"""Milliseconds UTC, and the moves to which something happened then, as they are written: of a plan
of a million moves every set that is read takes 125 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """The wave that is under way, or the last one when it has ended.

    Attributes:
        number: from 1; 0 before the first.
        began_ms: when it began.
        ended_ms: when it ended; 0 while it is under way.
        moves: all of its moves that somebody has to make.
        bound: see `Bound`.
        dropped: moves that nobody has to make any more.
        base: how the workloads were before it, by index.
        levers: the last lever of each workload, by index.
        let_go: moves that were let go.
        refused: moves that were let go and refused for now.
        refused_ms: when something was last refused.
        back: moves whose pods are back.
        strays: those of them that did not go as the plan said.
        failed: moves whose pods are not back in time.
        lost_ms: when somebody last waited no longer for one.
        skipped: whether a person said to wait no longer.
        streams: whether it is a leg of a plan that streams: its moves do not go together.
        ends_ms: when each before it of its plan ended, by number.
        given_up: moves of a leg that streams for which a person said to wait no longer.
        retried_ms: when a person said to wait once more; 0 when nobody did.
        progress_ms: when something last came back, was let go or written.
        let_go_at: when which moves were let go.
        back_at: when which moves were back.
        gaps: when nobody was there, or a person had paused the run.
    """

    number: int = 0
    began_ms: int = 0
    ended_ms: int = 0
    moves: MoveSet = NONE
    bound: Bound = field(default_factory=dict)
    dropped: MoveSet = NONE
    base: Mapping[int, Base] = field(default_factory=dict)
    levers: Mapping[int, Lever] = field(default_factory=dict)
    let_go: MoveSet = NONE
    refused: MoveSet = NONE
    refused_ms: int = 0
    back: MoveSet = NONE
    strays: MoveSet = NONE
    failed: MoveSet = NONE
    lost_ms: int = 0
    skipped: bool = False
    streams: bool = False
    ends_ms: Mapping[int, int] = field(default_factory=dict)
    given_up: MoveSet = NONE
    retried_ms: int = 0
    progress_ms: int = 0
    let_go_at: tuple[At, ...] = ()
    back_at: tuple[At, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def under_way(self) -> MoveSet:
        """Moves that were let go and are not back, and for which somebody waits still."""
        return self.let_go - self.back - self.failed - self.given_up

    @property
    def over(self) -> MoveSet:
        """Moves for which nobody waits any more."""
        return self.back | self.dropped | self.failed | self.given_up

    def took_ms(self, now_ms: int) -> int:
        """How much of its time until now somebody saw go by."""
        return seen_ms(self.gaps, self.began_ms, now_ms)
