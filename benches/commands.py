"""What quick commands take as a whole, by the clock and of all cores, each in a process of its own.

    python -m benches.commands --db sqlite:///planner.db --rounds 7

The first status of a log folds it and leaves a snapshot behind; it is not counted. The least of the
rounds is printed, because other work on the machine only adds to it.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter


@dataclass(frozen=True, slots=True, order=True)
class Took:
    """Seconds that a process took, from its start to its end."""

    wall: float
    cpu: float


def run_once(arguments: Sequence[str]) -> Took:
    """Run a command of the planner with what it prints thrown away.

    Raises:
        CalledProcessError: it failed.
    """
    before, began = getrusage(RUSAGE_CHILDREN), perf_counter()
    command = [sys.executable, "-m", "planner", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 our own program
    wall, after = perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Took(wall, cpu)


def least(arguments: Sequence[str], rounds: int) -> Took:
    """Run a command once uncounted, then so many times: the least of each."""
    run_once(arguments)
    took = [run_once(arguments) for _ in range(rounds)]
    return Took(min(each.wall for each in took), min(each.cpu for each in took))


def main() -> None:
    """Print a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", required=True, help="a log with a fleet in it, as planner has it")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    at = ["--db", asked.db]
    sys.stdout.write(f"{'command':24} {'seconds':>8} {'of cores':>8}\n")
    for command in (["--help"], ["status", *at], ["status", "--format", "json", *at]):
        took = least(command, asked.rounds)
        name = " ".join(word for word in command if word not in at)
        sys.stdout.write(f"{name:24} {took.wall:8.2f} {took.cpu:8.2f}\n")


if __name__ == "__main__":
    main()
