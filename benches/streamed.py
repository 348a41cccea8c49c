"""The whole way from lists to plans for fleets that are too large for files.

    python -m benches.streamed --pods 100k --rounds 5

Pages of lists are generated, taken in and forgotten one after the other, so that ten million pods
take no more of a disk than their log does. Prints a line of JSON a stage, in the
shape of pytest-benchmark's. Lists are taken in once, and generating them is not timed; every other
stage is repeated. `peak_mib` is what the process has held so far, all stages before included.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final, TypeVar

from benches import stages
from benches.fleet import Fleet
from benches.measure import SEED, canonical
from benches.request import Regime
from benches.yardsticks import number
from planner import core

REGIMES: Final = (Regime.LOOSE, Regime.TIGHT)
Json = Mapping[str, Any]
Result = TypeVar("Result")


def measure(size: str, rounds: int, tell: Callable[[Json], object]) -> None:
    """Tell of every stage of a fleet of that size, such as `10m`, as soon as it is over."""
    timer = Timer(size=size, rounds=rounds, tell=tell)
    fleet = Fleet(pods=number(size), seed=SEED)
    state = timer.folded(fleet)
    timer.kept(state)
    for regime in REGIMES:
        timer("schedule", partial(stages.plan, state, canonical(fleet.request(regime))), regime)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Times stages, and tells of each."""

    size: str
    rounds: int
    tell: Callable[[Json], object]

    def __call__(
        self, stage: str, run: Callable[[], Result], regime: Regime | None = None, rounds: int = 0
    ) -> Result:
        """What came of the last round."""
        took: list[float] = []
        for each in range(rounds := rounds or self.rounds):
            began = perf_counter()
            result = run()
            took.append(perf_counter() - began)
            if each + 1 < rounds:
                del result  # Two fleets need not be held at once.
        self.took(stage, took, regime)
        return result

    def took(self, stage: str, took: Sequence[float], regime: Regime | None = None) -> None:
        """Tell of the seconds of a stage."""
        self.tell(
            {
                "group": f"{stage} {self.size}",
                "params": {"regime": regime.value} if regime else None,
                "stats": {"median": median(took), "min": min(took), "max": max(took)},
                "extra_info": {"peak_mib": round(stages.peak_bytes() / 2**20)},
            }
        )

    def folded(self, fleet: Fleet) -> core.Fleet:
        """The fleet in memory, by way of a log."""
        with TemporaryDirectory() as folder:
            events = self._replayed(fleet, Path(folder, "log.db"))
        return self("fold", partial(stages.fold, events))

    def _replayed(self, fleet: Fleet, log: Path) -> list[stages.Observed]:
        batches, seconds = taken_in(fleet)
        self.took("parse", [seconds])
        self("append", partial(stages.append, log, batches), rounds=1)
        batches.clear()
        return self("replay", partial(stages.replay, log))

    def kept(self, state: core.Fleet) -> None:
        """Write a fleet as a snapshot, and open it again."""
        snapshot = self("snapshot", state.to_bytes)
        self("open", partial(core.Fleet.from_bytes, snapshot))


def taken_in(fleet: Fleet) -> tuple[list[core.Batch], float]:
    """The fleet as batches, and the seconds that it took to read its lists."""
    intake, seconds = core.Intake(salt=stages.SALT), 0.0
    for name, pieces in fleet.lists():
        page = b"".join(pieces)
        began = perf_counter()
        intake.add(name, page)
        seconds += perf_counter() - began
    began = perf_counter()
    batches = intake.finish()
    return batches, seconds + perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.streamed", description=__doc__)
    parser.add_argument("--pods", default="100k", help="a size, such as 100k, 1m or 10m")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    assert core.BUILD_PROFILE == "release", "a debug build says nothing about time"
    measure(options.pods, options.rounds, lambda told: print(json.dumps(told), flush=True))  # noqa: T201 lines of a program
    return 0


if __name__ == "__main__":
    sys.exit(main())
