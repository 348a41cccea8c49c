"""Projects in the format of Patterson, as PSPLIB and others hand them out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Activities, numbered from 0, over resources.

    Attributes:
        durations: of each activity, in units of time.
        demands: of each activity, from each resource.
        capacities: of each resource.
        successors: of each activity.
    """

    durations: tuple[int, ...]
    demands: tuple[tuple[int, ...], ...]
    capacities: tuple[int, ...]
    successors: tuple[tuple[int, ...], ...]


def read(text: str) -> Project:
    """The project of a file.

    The number of activities and of resources; the capacities; and for each activity its duration,
    its demands, how many successors it has, and these, numbered from 1. Lines may end anywhere.

    Raises:
        ValueError: the text ends too early, goes on too long, or says something else than numbers.
    """
    numbers = iter([int(word) for word in text.split()])
    try:
        activities, resources = next(numbers), next(numbers)
        capacities = tuple(next(numbers) for _ in range(resources))
        rows = []
        for _ in range(activities):
            duration = next(numbers)
            demands = tuple(next(numbers) for _ in range(resources))
            successors = tuple(next(numbers) - 1 for _ in range(next(numbers)))
            rows.append((duration, demands, successors))
    except (StopIteration, RuntimeError) as error:
        raise ValueError("the file ends before the last activity") from error
    if next(numbers, None) is not None:
        raise ValueError("the file goes on after the last activity")
    return Project(
        durations=tuple(row[0] for row in rows),
        demands=tuple(row[1] for row in rows),
        capacities=capacities,
        successors=tuple(row[2] for row in rows),
    )


def written(project: Project) -> str:
    """The text of a file that `read` reads."""
    lines = [f"{len(project.durations)} {len(project.capacities)}"]
    lines.append(" ".join(map(str, project.capacities)))
    for duration, demands, successors in zip(
        project.durations, project.demands, project.successors, strict=True
    ):
        after = [each + 1 for each in successors]
        lines.append(" ".join(map(str, [duration, *demands, len(after), *after])))
    return "\n".join(lines) + "\n"
