"""How fast a run is against what its plan expected."""

from planner.apply.course import Course
from planner.apply.state import Run
from planner.model.progress import Fidelity


def fidelity(run: Run, first: Course) -> Fidelity:
    """Compare a run with the plan that it began with."""
    took = {wave: ms for plan, wave, ms in run.took if plan == first.id}
    expected = sum(it.seconds for it in first.waves if it.wave in took)
    return Fidelity(
        moves=sum(it.moves for it in first.waves),
        as_planned=run.as_planned,
        expected_s=round(expected, 1),
        took_s=round(sum(took.values()) / 1000, 1),
    )


def left_s(run: Run, course: Course) -> float:
    """Expect how long the waves to come take, by how long those before took."""
    took = {wave: ms / 1000 for plan, wave, ms in run.took if plan == course.id}
    expected = sum(it.seconds for it in course.waves if it.wave in took)
    learned = sum(took.values()) / expected if expected else 1.0
    ahead = [it for it in course.waves if it.wave > len(took)]
    return sum(it.seconds * learned + it.waits_s for it in ahead)
