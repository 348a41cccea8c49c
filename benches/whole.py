"""What the commands of a release night take as a whole, from lists to a plan and questions to it.

    python -m benches.whole --pods 1m --rounds 3

Each is a process of its own: seconds by the clock and of all cores, and the most memory that it
held. Lists are generated into a folder before (6 KB a pod); every round begins with a new log.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benches.commands import Took, environment, run_once
from benches.request import Regime
from benches.yardsticks import number

QUESTIONS = (
    "status",
    "diff -f request.json",
    "lint -f request.json",
    "show plan",
    "show plan -o html",
    "explain plan plan",
    "plan-diff plan plan",
    "whatif plan --set budgets.fleet.maxUnavailable=4%",
    "bottlenecks plan --limit 10",
    "eta plan",
    "eta streaming",
    "way-back plan",
)
"""Each has a line of its own, without what does not tell it from others."""


def night(folder: Path) -> Iterator[tuple[str, Took]]:
    """Every command once, from lists that are in the folder."""
    (folder / "planner.db").unlink(missing_ok=True)
    yield "import", run_once(["import", "lists", "--cluster", "bench"], folder)
    yield "plan", run_once(["plan", "-f", "request.json", "-o", "plan"], folder)
    yield "verify", run_once(["verify", "plan"], folder)
    streaming = ["whatif", "plan", "--set", "streaming=true", "-o", "streaming"]
    yield "whatif streaming=true", run_once(streaming, folder)
    for command in QUESTIONS:
        name = command.partition(" --")[0].partition(" -f")[0]
        yield name, run_once(command.split(), folder)


def table(took: Mapping[tuple[str, int], Sequence[Took]]) -> Iterator[str]:
    """A line for each command and size: medians, and the most memory of all rounds."""
    yield "| command | pods | seconds | min | max | seconds of cores | peak MiB |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for (name, pods), rounds in took.items():
        walls = [each.wall for each in rounds]
        seconds = [f"{it:.2f}" for it in (median(walls), min(walls), max(walls))]
        cpu = f"{median(each.cpu for each in rounds):.2f}"
        peak = f"{max(each.peak for each in rounds) / 2**20:,.0f}"
        yield f"| {' | '.join((name, f'{pods:,}', *seconds, cpu, peak))} |"


def measure(pods: int, rounds: int) -> dict[tuple[str, int], list[Took]]:
    """Let the night come so many times."""
    took: dict[tuple[str, int], list[Took]] = {}
    with TemporaryDirectory() as place:
        folder = Path(place)
        make = ["--pods", str(pods), "--request", "request.json", "--regime", Regime.LOOSE, "lists"]
        command = [sys.executable, "-m", "benches.fleet", *make]
        subprocess.run(command, cwd=folder, env=environment(), stdout=sys.stderr, check=True)  # noqa: S603 our own program
        for _ in range(rounds):
            for name, each in night(folder):
                took.setdefault((name, pods), []).append(each)
    return took


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.whole", description=__doc__)
    parser.add_argument("--pods", default="100k", help="a size, such as 100k or 1m")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    for line in table(measure(number(options.pods), options.rounds)):
        sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
