"""How long a plan takes, and how many pods msgspec reads meanwhile on one core.

    python -m benches.seconds --pods 1000000 --rounds 5

A second is not the same on every machine, nor from one minute to the next on a shared one. What
msgspec's typed structs read in it is a measure that goes with the machine. A plan is made of a
fleet in memory, on all cores; plans and the reader take turns.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benches import stages
from benches.fleet import Fleet
from benches.measure import canonical
from benches.parsing import Runner, started, write_list
from benches.request import Regime
from planner import core

_READ = 10_000
"""Pods that msgspec reads at each turn."""


def folded(fleet: Fleet, folder: Path) -> core.Fleet:
    """The fleet in memory."""
    lists, log = folder / "lists", folder / "log.db"
    lists.mkdir()
    fleet.write(lists)
    stages.append(log, stages.parse(lists))
    return stages.fold(stages.replay(log))


def measure(
    fleet: core.Fleet, requests: Mapping[Regime, bytes], reader: Runner, rounds: int
) -> Mapping[Regime, Sequence[float]]:
    """Let plans and the reader take turns; gives the seconds of each plan."""
    took: dict[Regime, list[float]] = {regime: [] for regime in requests}
    for _ in range(rounds):
        for regime, request in requests.items():
            begin = perf_counter()
            stages.plan(fleet, request)
            took[regime].append(perf_counter() - begin)
            reader.turn()
    return took


def table(took: Mapping[Regime, Sequence[float]], reader: Runner) -> Iterator[str]:
    """A line for each regime."""
    pod = median(reader.took)
    yield "| regime | seconds | min | max | msgspec, pods a second | pods it reads meanwhile |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for regime, times in took.items():
        seconds = [f"{it:.2f}" for it in (median(times), min(times), max(times))]
        cells = [regime.value, *seconds, f"{1 / pod:,.0f}", f"{median(times) / pod:,.0f}"]
        yield f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.seconds", description=__doc__)
    parser.add_argument("--pods", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    fleet = Fleet(pods=options.pods, seed=1, ballast=False)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        requests = {
            regime: canonical(fleet.request(regime)) for regime in (Regime.LOOSE, Regime.TIGHT)
        }
        state = folded(fleet, Path(folder))
        reader = started("typed", write_list(_READ, Path(folder, "read.json")), stack)
        took = measure(state, requests, reader, options.rounds)
        for line in table(took, reader):
            sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
