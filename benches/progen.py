"""Projects like those of PSPLIB, from a seed, for sizes whose instances are not at hand.

After the generator ProGen of Kolisch, Sprecher and Drexl (Management Science 41, 1995), in short:
the same parameters, drawn more simply. Figures for such projects compare versions of the planner
with each other; they say nothing about published ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

from benches.patterson import Project

_MOST_NEIGHBOURS = 3
_AT_THE_ENDS = 3
_RESOURCES = 4
_LONGEST = 10
_LARGEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an instance is drawn from.

    Attributes:
        activities: without the first and the last, which take no time.
        complexity: precedences an activity, those of the first and last counted.
        factor: which part of the resources an activity demands, from 0 to 1.
        strength: how scarce the resources are: 1 for as much as the earliest schedule needs.
    """

    activities: int
    complexity: float
    factor: float
    strength: float


# The parameters of the set J120: 60 shapes.
J120 = tuple(
    Shape(activities=120, complexity=complexity, factor=factor, strength=strength)
    for complexity, factor, strength in product(
        (1.5, 1.8, 2.1), (0.25, 0.5, 0.75, 1.0), (0.1, 0.2, 0.3, 0.4, 0.5)
    )
)


def generate(shape: Shape, seed: int) -> Project:
    """An instance; the same shape and seed give the same one."""
    random = Random(f"{shape} {seed}")
    successors = _network(shape, random)
    inner = range(1, shape.activities + 1)
    durations = [0, *(random.randint(1, _LONGEST) for _ in inner), 0]
    demands = [[0] * _RESOURCES for _ in durations]
    places = [(activity, resource) for activity in inner for resource in range(_RESOURCES)]
    # Every activity demands something; beyond that, whatever is drawn.
    wanted = {(activity, random.randrange(_RESOURCES)) for activity in inner}
    others = [place for place in places if place not in wanted]
    random.shuffle(others)
    more = round(shape.factor * len(places)) - len(wanted)
    for activity, resource in sorted(wanted) + others[: max(0, more)]:
        demands[activity][resource] = random.randint(1, _LARGEST)
    capacities = tuple(
        _capacity(shape.strength, durations, [row[resource] for row in demands], successors)
        for resource in range(_RESOURCES)
    )
    return Project(
        durations=tuple(durations),
        demands=tuple(tuple(row) for row in demands),
        capacities=capacities,
        successors=tuple(tuple(sorted(each)) for each in successors),
    )


def _network(shape: Shape, random: Random) -> list[set[int]]:
    """Successors: one predecessor and one successor each, then more that say something new."""
    n, last = shape.activities, shape.activities + 1
    successors: list[set[int]] = [set() for _ in range(n + 2)]
    before = [0] * (n + 2)

    def link(first: int, then: int) -> None:
        successors[first].add(then)
        before[then] += 1

    for activity in range(1, n + 1):
        free = [a for a in range(1, activity) if len(successors[a]) < _MOST_NEIGHBOURS]
        free = [a for a in free if a <= n - _AT_THE_ENDS]
        link(random.choice(free) if free and activity > _AT_THE_ENDS else 0, activity)
    for activity in (a for a in range(1, n + 1) if not successors[a]):
        later = range(max(activity, _AT_THE_ENDS) + 1, n + 1)
        free = [a for a in later if before[a] < _MOST_NEIGHBOURS and activity <= n - _AT_THE_ENDS]
        random.shuffle(free)
        new = (a for a in free if not _is_redundant(successors, activity, a))
        link(activity, next(new, last))
    for first, then in _in_random_order(n, random):
        if sum(map(len, successors)) >= round(shape.complexity * (n + 2)):
            break
        if max(len(successors[first]), before[then]) >= _MOST_NEIGHBOURS:
            continue
        if successors[first] != {last} and not _is_redundant(successors, first, then):
            link(first, then)
    return successors


def _in_random_order(activities: int, random: Random) -> Iterator[tuple[int, int]]:
    for _ in range(200 * activities):
        first, then = sorted(random.sample(range(1, activities + 1), 2))
        if then > _AT_THE_ENDS and first <= activities - _AT_THE_ENDS:
            yield first, then


def _reach(successors: Sequence[set[int]]) -> list[int]:
    """For each activity those after it, as bits."""
    reach = [0] * len(successors)
    for activity in reversed(range(len(successors))):
        for then in successors[activity]:
            reach[activity] |= reach[then] | 1 << then
    return reach


def _is_redundant(successors: Sequence[set[int]], first: int, then: int) -> bool:
    """Whether the precedence follows from others, or would make another one follow."""
    reach = _reach(successors)
    after = reach[then] | 1 << then
    if reach[first] >> then & 1 or any(after >> a & 1 for a in successors[first]):
        return True
    above = [a for a in range(len(reach)) if a == first or reach[a] >> first & 1]
    return any(after >> b & 1 for a in above for b in successors[a])


def _capacity(
    strength: float,
    durations: Sequence[int],
    demands: Sequence[int],
    successors: Sequence[set[int]],
) -> int:
    """Between the largest demand and the peak of the schedule without limits."""
    starts = [0] * len(durations)
    for activity, after in enumerate(successors):
        for then in after:
            starts[then] = max(starts[then], starts[activity] + durations[activity])
    held = [0] * (max(starts) + max(durations) + 1)
    for start, duration, demand in zip(starts, durations, demands, strict=True):
        for time in range(start, start + duration):
            held[time] += demand
    least = max(demands)
    return least + round(strength * (max(held) - least))
