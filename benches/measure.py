"""How a stage is measured, and the files that it is measured on."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pytest_benchmark.fixture import BenchmarkFixture

from benches import stages
from benches.fleet import Fleet
from benches.request import Regime
from planner.model.request import canonical_json, load_request

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
SEED = 1
ROUNDS = {"1k": 10, "10k": 5, "100k": 3, "1m": 1}
_ROOT = Path(__file__).parents[1]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Files of one size: raw lists and requests, which are kept, and a log made from them.

    The log depends on the compiled core, so it is in `scratch` and made anew for each session.
    """

    size: str
    directory: Path
    scratch: Path
    rounds: int

    @property
    def pods(self) -> int:
        """How many pods the fleet has."""
        return SIZES[self.size]

    @property
    def fleet(self) -> Fleet:
        """What the files are made from."""
        return Fleet(pods=self.pods, seed=SEED)

    @property
    def lists(self) -> Path:
        """Directory of raw API lists."""
        return _made(self.directory / "lists", self.fleet.write)

    @property
    def log(self) -> Path:
        """A log that holds the lists."""
        return _made(
            self.scratch / "log.db", lambda path: stages.append(path, stages.parse(self.lists))
        )

    def request(self, regime: Regime = Regime.LOOSE) -> Path:
        """An UpgradeRequest as the core takes it: checked, in canonical JSON."""
        return _made(
            self.scratch / f"{regime}.json",
            lambda path: path.write_bytes(canonical(self.fleet.request(regime))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Times a stage in this process, and takes its peak memory in a fresh one."""

    benchmark: BenchmarkFixture
    inputs: Inputs

    def __call__(
        self,
        stage: str,
        run: Callable[..., Result],
        *arguments: object,
        regime: Regime = Regime.LOOSE,
    ) -> Result:
        """The result of the last round; what is said of it goes into `extra_info`."""
        self.benchmark.group = f"{stage} {self.inputs.size}"
        time: Callable[..., Result] = self.benchmark.pedantic
        result = time(run, args=arguments, rounds=self.inputs.rounds)
        # There are no statistics under --benchmark-disable.
        if self.benchmark.stats:
            self.say(pods_per_s=round(self.inputs.pods / self.benchmark.stats.stats.min))
        self.say(peak_mib=round(self._peak_bytes(stage, regime) / 2**20))
        return result

    def say(self, **facts: float | str) -> None:
        """Add facts about the last measurement."""
        self.benchmark.extra_info.update(facts)

    def _peak_bytes(self, stage: str, regime: Regime) -> int:
        inputs = (self.inputs.lists, self.inputs.log, self.inputs.request(regime))
        done = subprocess.run(  # noqa: S603 our own program
            [sys.executable, "-m", "benches.stages", stage, *map(str, inputs)],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        return int(done.stdout)


def canonical(request: dict[str, object]) -> bytes:
    """A request as the core takes it: checked, in canonical JSON."""
    text = json.dumps(request).encode()
    return canonical_json(load_request(text, "bench", lambda _: ()))


def _made(path: Path, make: Callable[[Path], object]) -> Path:
    """The path; what is there is whole, for it was made beside its place and then moved."""
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.unlink(missing_ok=True)
        make(unfinished)
        unfinished.rename(path)
    return path
