"""How fast raw lists of pods are read, beside what else reads them, all on one core.

    python -m benches.parsing --pods 10000 --rounds 7

Readers take turns, each in a process and an environment of its own, so that what else the machine
does is done to all. The same list, from memory, is read by all but the official client, which gets
a short one.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benches.fleet import Fleet

_ROOT = Path(__file__).parents[1]
_REQUIREMENTS = _ROOT / "benches" / "readers" / "requirements.txt"
PLANNER = "planner"
READERS = {
    PLANNER: "planner: columns, digests, checks",
    "typed": "msgspec: structs of the same fields",
    "client": "kubernetes client: its models",
}
_SHORT = 200
"""Pods that the client gets: it takes about two milliseconds for each."""


@dataclass(slots=True, kw_only=True)
class Runner:
    """A reader that waits for its turn, and the seconds a pod that it took so far."""

    name: str
    pods: int
    process: subprocess.Popen[str]
    took: list[float] = field(default_factory=list)

    def turn(self) -> None:
        """Read once.

        Raises:
            RuntimeError: the reader ended.
        """
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.took.append(float(said(self.process)) / self.pods)


def said(process: subprocess.Popen[str]) -> str:
    """The next line of a reader.

    Raises:
        RuntimeError: it ended instead; why is on standard error.
    """
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        message = f"a reader ended with {process.wait()}"
        raise RuntimeError(message)
    return line


def command(name: str) -> list[str]:
    """The interpreter of a reader's environment."""
    if name == PLANNER:
        return [sys.executable]
    uv = shutil.which("uv", path=Path(sys.executable).parent) or "uv"
    libraries = ["--with-requirements", str(_REQUIREMENTS), "--python", sys.executable]
    return [uv, "run", "--quiet", "--no-project", "--isolated", *libraries, "--", "python"]


def write_list(pods: int, path: Path) -> Path:
    """Write one list of all pods of a generated fleet."""
    fleet = Fleet(pods=max(pods, 100), pods_per_page=max(pods, 100))
    for name, pieces in fleet.lists():
        if name.startswith("pods-"):
            path.write_bytes(b"".join(pieces))
    return path


def started(name: str, path: Path, stack: ExitStack) -> Runner:
    """A reader of one list, in a process of its own that waits for its first turn."""
    process = stack.enter_context(
        subprocess.Popen(  # noqa: S603 our own program
            [*command(name), "-m", "benches.readers", name, str(path)],
            cwd=_ROOT,
            env=os.environ | {"RAYON_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )
    return Runner(name=name, pods=int(said(process)), process=process)


def measure(names: Sequence[str], pods: int, rounds: int) -> Iterator[Runner]:
    """Let readers take turns, then give each with what it took."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        lists = {
            count: write_list(count, Path(folder, f"{count}.json")) for count in (pods, _SHORT)
        }
        of = {name: lists[_SHORT if name == "client" else pods] for name in names}
        runners = [started(name, path, stack) for name, path in of.items()]
        for _ in range(rounds):
            for runner in runners:
                runner.turn()
        yield from runners


def table(runners: Sequence[Runner]) -> Iterator[str]:
    """A line for each reader, the planner's first."""
    yield "| reader | pods | µs a pod | min | max | pods a second | times the planner's |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    ours = median(runners[0].took)
    for each in runners:
        middle = median(each.took)
        micros = [f"{1e6 * seconds:.2f}" for seconds in (middle, min(each.took), max(each.took))]
        cells = [READERS[each.name], f"{each.pods:,}", *micros, f"{1 / middle:,.0f}"]
        yield f"| {' | '.join(cells)} | {middle / ours:.2f} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.parsing", description=__doc__)
    parser.add_argument("--pods", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    every = ",".join(READERS)
    parser.add_argument("--readers", default=every, help=f"of {every}; the planner is always read")
    options = parser.parse_args(arguments)
    names = [PLANNER, *(name for name in options.readers.split(",") if name != PLANNER)]
    unknown = [name for name in names if name not in READERS]
    if unknown:
        sys.stderr.write(f"{unknown[0]}: no such reader; there are {every}\n")
        return 2
    for line in table(list(measure(names, options.pods, options.rounds))):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
