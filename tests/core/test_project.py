import pytest

from planner import core
from planner.errors import UsageError


def chain(lengths: list[int], *, demand: int = 1, capacity: int = 1) -> core.Project:
    """Activities one after the other over one resource."""
    inner = range(len(lengths) - 1)
    return core.Project(
        durations=lengths,
        demands=[demand] * len(lengths),
        capacities=[capacity],
        before=list(inner),
        after=[activity + 1 for activity in inner],
    )


def test_a_chain_is_as_long_as_its_parts() -> None:
    project = chain([3, 4, 5])
    (schedule,) = core.solve([project], schedules=10, seed=0)
    assert len(project) == 3
    assert schedule.starts == [0, 3, 7]
    assert (schedule.makespan, schedule.bound, schedule.schedules) == (12, 12, 1)


def test_projects_are_solved_in_the_order_in_which_they_come() -> None:
    projects = [chain([length]) for length in range(1, 40)]
    solved = core.solve(projects, schedules=1, seed=0)
    assert [schedule.makespan for schedule in solved] == list(range(1, 40))


def test_what_cannot_be_scheduled_is_said() -> None:
    with pytest.raises(UsageError, match="raise the capacity to 2 or lower the demand"):
        chain([1], demand=2)
    with pytest.raises(UsageError, match="activities 0, 1 wait for each other in a circle"):
        core.Project(durations=[1, 1], demands=[], capacities=[], before=[0, 1], after=[1, 0])


@pytest.mark.parametrize(
    ("demands", "before", "message"),
    [([1], [], "demands has 1 values instead of 2"), ([1, 1], [0], "after has 0 values instead")],
)
def test_columns_have_to_fit_together(demands: list[int], before: list[int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        core.Project(durations=[1, 1], demands=demands, capacities=[1], before=before, after=[])
