"""What quick commands take as a whole, by the clock and of all cores, each in a process of its own.

    python -m benches.commands --db sqlite:///planner.db --rounds 7

The first status of a log folds it and leaves a snapshot behind; it is not counted. The least of the
rounds is printed, because other work on the machine only adds to it.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

_ROOT: Final = Path(__file__).parents[1]
_MADE: Final = 2
"""Exit code of `plan` when there is something to do."""


@dataclass(frozen=True, slots=True)
class Took:
    """What a process took from its start to its end: seconds, seconds of cores, bytes at most."""

    wall: float
    cpu: float
    peak: int


def environment() -> dict[str, str]:
    """For programs of the project that run in another folder."""
    return {**os.environ, "PYTHONPATH": str(_ROOT)}


def run_once(arguments: Sequence[str], folder: Path | None = None) -> Took:
    """Run a command of the planner in a folder, with what it prints thrown away.

    Raises:
        CalledProcessError: it failed.
    """
    command = [sys.executable, "-m", "planner", *arguments]
    began = perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL)  # noqa: S603 our own program
    _, status, usage = os.wait4(process.pid, 0)
    wall = perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, _MADE):
        raise subprocess.CalledProcessError(process.returncode, command)
    return Took(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def least(arguments: Sequence[str], rounds: int) -> tuple[float, float]:
    """Run a command once uncounted, then so many times: the least seconds, and those of cores."""
    run_once(arguments)
    took = [run_once(arguments) for _ in range(rounds)]
    return min(each.wall for each in took), min(each.cpu for each in took)


def main() -> None:
    """Print a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", required=True, help="a log with a fleet in it, as planner has it")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    at = ["--db", asked.db]
    sys.stdout.write(f"{'command':24} {'seconds':>8} {'of cores':>8}\n")
    for command in (["--help"], ["status", *at], ["status", "--format", "json", *at]):
        wall, cpu = least(command, asked.rounds)
        name = " ".join(word for word in command if word not in at)
        sys.stdout.write(f"{name:24} {wall:8.2f} {cpu:8.2f}\n")


if __name__ == "__main__":
    main()
