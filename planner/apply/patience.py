"""How long an executor has waited in vain, as far as it was there to see it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from planner.apply.course import Place
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


@dataclass(frozen=True, slots=True)
class _Age:
    """Of one move: its workload, and when it was let go and waited for anew, in time seen."""

    place: Place
    let_go_ms: int
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How long each move of a leg that streams is waited for in vain.

    Something comes back all the time there, so that each is waited for by itself. Its patience
    begins anew whenever one comes back that its workload had to take before it: controllers may
    take what was let go together one by one.

    Attributes:
        from_ms: since when an executor attends to the leg, in milliseconds UTC.
        seen_ms: when it looked last.
        clock_ms: time that it has seen go by.
    """

    from_ms: int = 0
    seen_ms: int = 0
    clock_ms: int = 0
    _of: Mapping[int, _Age] = field(default_factory=dict)

    def look(
        self,
        from_ms: int,
        now_ms: int,
        under_way: Mapping[int, Place],
        back: Container[int],
    ) -> Self:
        """Look again.

        Args:
            from_ms: everything is waited for anew when that changes.
            now_ms: milliseconds UTC.
            under_way: moves that are waited for, with their workloads.
            back: moves that are back.
        """
        gap_ms = min(max(0, now_ms - self.seen_ms), LOOK_MS) if self.seen_ms else 0
        clock_ms = self.clock_ms + gap_ms
        before = self._of if from_ms == self.from_ms else {}
        oldest: dict[Place, int] = {}
        for number, age in before.items():
            if number not in under_way and number in back:
                oldest[age.place] = min(age.let_go_ms, oldest.get(age.place, age.let_go_ms))
        ages: dict[int, _Age] = {}
        for number, place in under_way.items():
            age = before.get(number, _Age(place, clock_ms, clock_ms))
            if oldest.get(place, age.let_go_ms + 1) <= age.let_go_ms:
                age = _Age(place, age.let_go_ms, clock_ms)
            ages[number] = age
        return type(self)(from_ms=from_ms, seen_ms=now_ms, clock_ms=clock_ms, _of=ages)

    def is_over(self, number: int, policy: Policy, expected_s: float) -> bool:
        """Whether a move of which the plan expects so many seconds is waited for no longer."""
        waited_ms = self.clock_ms - self._of[number].since_ms
        return waited_ms >= (policy.patience_s + expected_s) * 1000
