"""How long an executor has waited in vain, as far as it was there to see it."""

from dataclasses import dataclass
from typing import Final, Self

from planner.apply.policy import Policy
from planner.apply.state import Run

LOOK_MS: Final = 60_000
"""What counts at most between two looks. More goes by when a clock is set forward or a machine
sleeps, and nobody has seen pods not come back in that time; a checkpoint of a million pods is
faster."""


def waits_from(run: Run) -> int:
    """Since when a wave is waited for, in milliseconds UTC.

    Since something last came back, was let go or written, and since an executor took the run over
    or a person let it go on: what was not attended to has not failed.
    """
    return max(run.wave.progress_ms, run.wave.retried_ms, run.attended_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """What an executor has seen go by.

    Attributes:
        from_ms: see `waits_from`.
        seen_ms: when it looked last.
        waited_ms: time since, without the gaps between looks that are too long to be waiting.
    """

    from_ms: int = 0
    seen_ms: int = 0
    waited_ms: int = 0

    def look(self, from_ms: int, now_ms: int) -> Self:
        """Look again, at a time in milliseconds UTC."""
        before = self.seen_ms if from_ms == self.from_ms else from_ms
        waited_ms = self.waited_ms if from_ms == self.from_ms else 0
        gap_ms = min(max(0, now_ms - before), LOOK_MS)
        return type(self)(from_ms=from_ms, seen_ms=now_ms, waited_ms=waited_ms + gap_ms)

    def is_over(self, policy: Policy, expected_s: float) -> bool:
        """Whether a wave of which the plan expects so many seconds is waited for no longer."""
        return self.waited_ms >= (policy.patience_s + expected_s) * 1000
