"""How good schedules of projects are, measured on instances that the literature uses.

    python -m benches.psplib --instances DIR --set J60 --schedules 5000

Every schedule is checked here, in plain Python that shares nothing with what made it.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import fmean
from time import perf_counter

from benches.instances import Instance, Name, best_known, instances
from benches.patterson import Project
from planner import core

# Solved between two looks at the keyboard.
_BATCH = 64
# Sets whose best makespans are not proven: published figures are distances to the critical path.
_BY_CRITICAL_PATH = frozenset({"J60", "J90", "J120"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An instance and its schedule.

    Attributes:
        critical_path: the longest chain of precedences.
        best: the best known makespan, None when no table says it.
    """

    instance: Instance
    makespan: int
    bound: int
    schedules: int
    critical_path: int
    best: int | None


def violations(project: Project, starts: Sequence[int]) -> Iterator[str]:
    """What is wrong with start times; nothing if the schedule holds."""
    finishes = [start + took for start, took in zip(starts, project.durations, strict=True)]
    if min(starts, default=0) < 0:
        yield "an activity starts before the project"
    for activity, successors in enumerate(project.successors):
        for after in successors:
            if starts[after] < finishes[activity]:
                yield f"activity {after + 1} starts before activity {activity + 1} is finished"
    # Between two starts nothing more is held.
    for time in sorted(set(starts)):
        under_way = [a for a, start in enumerate(starts) if start <= time < finishes[a]]
        for resource, capacity in enumerate(project.capacities):
            held = sum(project.demands[activity][resource] for activity in under_way)
            if held > capacity:
                yield f"{held} of {capacity} of resource {resource + 1} are held at {time}"


def critical_path(project: Project) -> int:
    """The longest chain of precedences, whatever the order in which activities are listed."""
    starts = [0] * len(project.durations)
    changed = True
    while changed:
        changed = False
        for activity, successors in enumerate(project.successors):
            finish = starts[activity] + project.durations[activity]
            for after in successors:
                if starts[after] < finish:
                    starts[after] = finish
                    changed = True
    return max(map(sum, zip(starts, project.durations, strict=True)), default=0)


def posed(project: Project) -> core.Project:
    """The project as the core takes it."""
    pairs = [(a, after) for a, row in enumerate(project.successors) for after in row]
    return core.Project(
        durations=project.durations,
        demands=list(chain.from_iterable(project.demands)),
        capacities=project.capacities,
        before=[before for before, _ in pairs],
        after=[after for _, after in pairs],
    )


def measure(
    found: Sequence[Instance], best: Mapping[Name, int], *, schedules: int, seed: int
) -> Iterator[Row]:
    """Solve instances and check what comes out.

    Raises:
        AssertionError: a schedule does not hold.
    """
    for begin in range(0, len(found), _BATCH):
        batch = found[begin : begin + _BATCH]
        posing = [posed(each.project) for each in batch]
        solved = core.solve(posing, schedules=schedules, seed=seed)
        for instance, schedule in zip(batch, solved, strict=True):
            project, starts = instance.project, schedule.starts
            wrong = next(violations(project, starts), None)
            assert wrong is None, f"{instance.name}: {wrong}"
            last = max(map(sum, zip(starts, project.durations, strict=True)), default=0)
            assert last == schedule.makespan, f"{instance.name}: finishes at {last}"
            yield Row(
                instance=instance,
                makespan=schedule.makespan,
                bound=schedule.bound,
                schedules=schedule.schedules,
                critical_path=critical_path(project),
                best=best.get(instance.name),
            )


def over(makespan: int, least: int) -> float:
    """Percent."""
    return 100 * (makespan - least) / least if least else 0.0


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line an instance."""
    yield "INSTANCE    MAKESPAN  BOUND  CRITICAL PATH   OVER IT  BEST KNOWN   OVER IT  SCHEDULES"
    for row in rows:
        far = f"{over(row.makespan, row.critical_path):.2f} %"
        known, near = "-", "-"
        if row.best is not None:
            known, near = str(row.best), f"{over(row.makespan, row.best):.2f} %"
        yield (
            f"{row.instance.name!s:<12}{row.makespan:>8}{row.bound:>7}{row.critical_path:>15}{far:>10}"
            f"{known:>12}{near:>10}{row.schedules:>11}"
        )


def summary(wanted: str, rows: Sequence[Row]) -> Iterator[str]:
    """What is said of a set in the end; last the mean distance by which it is published."""
    proven = sum(row.makespan == row.bound for row in rows)
    yield f"{len(rows)} instances, {proven} proven shortest by the bound; every schedule holds"
    path = fmean(over(row.makespan, row.critical_path) for row in rows)
    lines = [f"mean over the critical path: {path:.3f} %"]
    known = [(row.makespan, row.best) for row in rows if row.best is not None]
    if len(known) == len(rows):
        reached = sum(makespan <= best for makespan, best in known)
        near = fmean(over(makespan, best) for makespan, best in known)
        lines.append(f"mean over the best known: {near:.3f} % ({reached} of {len(rows)} reached)")
    yield from reversed(lines) if wanted.upper() in _BY_CRITICAL_PATH else lines


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.psplib", description=__doc__)
    parser.add_argument("--instances", type=Path, required=True, metavar="DIR")
    parser.add_argument("--set", required=True, metavar="SET", help="such as J30, J120, RG300")
    parser.add_argument("--schedules", type=int, required=True, help="of each instance, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if not options.instances.exists():
        sys.stdout.write(f"Skipped: there are no instances at {options.instances}.\n")
        return 0
    found = instances(options.instances, options.set)
    if not found:
        sys.stdout.write(f"Nothing of {options.set} is in {options.instances}; see --set.\n")
        return 1
    assert core.BUILD_PROFILE == "release", "a debug build says nothing about time"
    began = perf_counter()
    best = best_known(options.instances, options.set)
    rows = list(measure(found, best, schedules=options.schedules, seed=options.seed))
    took = perf_counter() - began
    for line in chain(table(rows), summary(options.set, rows)):
        sys.stdout.write(line + "\n")
    sys.stderr.write(f"{took:.0f} s, checks and all\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
