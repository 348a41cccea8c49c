"""How fast a run is against what its plan expected."""

from typing import Final

from planner.apply.course import Course
from planner.apply.state import Run
from planner.model.progress import Fidelity

MINUTES_S: Final = 600
"""From when on minutes are near enough."""


def fidelity(run: Run, first: Course) -> Fidelity:
    """Compare a run with the plan that it began with."""
    took = {wave: ms for plan, wave, ms in run.took if plan == first.id}
    expected = sum(it.seconds for it in first.legs if it.wave in took)
    return Fidelity(
        moves=sum(it.moves for it in first.legs),
        as_planned=run.as_planned,
        expected_s=round(expected, 1),
        took_s=round(sum(took.values()) / 1000, 1),
    )


def left_s(run: Run, course: Course, now_ms: int) -> int:
    """Expect how long the waves to come take, in seconds, by how long those before took.

    Of the wave that is under way what it has taken is off; only what an executor saw go by counts.
    Rounded, for it is told whenever it changes: to ten seconds, to minutes where there are more
    than ten.
    """
    took = {wave: ms / 1000 for plan, wave, ms in run.took if plan == course.id}
    expected = sum(it.seconds for it in course.legs if it.wave in took)
    learned = sum(took.values()) / expected if expected else 1.0
    ahead = [it for it in course.legs if it.wave > len(took)]
    left = sum(it.seconds * learned + it.waits_s for it in ahead)
    if run.is_moving and ahead:
        now = ahead[0].seconds * learned
        gone = min(now, run.wave.took_ms(now_ms) / 1000)
        if run.wave.streams:
            # Nobody waits for a wave of it: as much of its time is gone as of its moves is over.
            gone = now * len(run.wave.back) / max(1, len(run.wave.moves))
        left -= ahead[0].waits_s + gone
    unit = 60 if left > MINUTES_S else 10
    return round(left / unit) * unit
