"""Everything that is measured of speed, in one run, as docs/benchmarks.md shows it.

    python -m benches.report --pods 10k,100k,1m --into docs/benchmarks.md

Stages of the planner at several sizes, by pytest-benchmark; the whole way of fleets that fit into
no files (`benches.streamed`); then what else would do the same, in turns with it. Without --into
the text is printed. Whatever else runs meanwhile is in the figures.
"""

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benches import logs, parsing, whole
from benches.yardsticks import number

_ROOT: Final = Path(__file__).parents[1]
BEGIN: Final = "<!-- made by benches.report -->\n"
END: Final = "<!-- until here -->\n"
STAGES: Final = (
    *("parse", "append", "replay", "fold", "snapshot", "open", "diff", "schedule", "plan"),
)
Json = Mapping[str, Any]


def benchmarks(pods: str, rounds: int, file: Path) -> Sequence[Json]:
    """Run the benches of all stages at these sizes.

    Raises:
        subprocess.CalledProcessError: one of them failed; why is on standard error.
    """
    command = [
        *(sys.executable, "-m", "pytest", "benches", "-o", "python_files=bench_*.py"),
        *("-q", "-p", "no:randomly", "-p", "no:xdist", "--timeout", "7200"),
        *("--benchmark-only", f"--benchmark-json={file}", f"--pods={pods}", f"--rounds={rounds}"),
    ]
    subprocess.run(command, cwd=_ROOT, stdout=sys.stderr, check=True)  # noqa: S603 our own program
    found: Sequence[Json] = json.loads(file.read_text())["benchmarks"]
    return found


def streamed(size: str, rounds: int) -> Iterator[Json]:
    """The whole way of a fleet of this size, in a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed; why is on standard error.
    """
    command = [sys.executable, "-m", "benches.streamed", f"--pods={size}", f"--rounds={rounds}"]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603 our own program
    return map(json.loads, done.stdout.splitlines())


def stages_table(measured: Sequence[Json]) -> Iterator[str]:
    """A line for each stage and size: that a pod costs as much at each is seen in one column."""
    yield "| stage | pods | seconds | min | max | µs a pod | peak MiB |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for _, cells in sorted(map(_line, measured)):
        yield f"| {' | '.join(cells)} |"


def _line(measured: Json) -> tuple[tuple[int, str, int], Sequence[str]]:
    stage, size = measured["group"].split()
    pods, stats, more = number(size), measured["stats"], measured["extra_info"]
    regime = (measured["params"] or {}).get("regime", "")
    name = f"{stage}, {regime}" if regime else stage
    seconds = [f"{stats[it]:.3f}" for it in ("median", "min", "max")]
    micros = f"{1e6 * stats['median'] / pods:.2f}"
    cells = [name, f"{pods:,}", *seconds, micros, f"{more['peak_mib']:,}"]
    return (STAGES.index(stage), regime, pods), cells


def machine() -> str:
    """On what, and with what."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    libraries = ", ".join(f"{it} {version(it)}" for it in ("msgspec", "pytest-benchmark"))
    return (
        f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}, SQLite"
        f" {sqlite3.sqlite_version}, planner {version('fleet-upgrade-planner')}, {libraries}."
    )


def report(
    pods: str, curve: Sequence[str], commands: Sequence[str], rounds: int, url: str | None
) -> Iterator[str]:
    """Measure, and give the text."""
    with TemporaryDirectory() as folder:
        measured = benchmarks(pods, rounds, Path(folder, "stages.json"))
    yield f"{machine()} Medians of {rounds} rounds."
    yield ""
    yield from stages_table(measured)
    yield ""
    yield "The same in one process a size, of lists that are made page by page and never files."
    yield ""
    yield from stages_table([line for size in curve for line in streamed(size, rounds)])
    yield ""
    yield "Commands as a whole, each a process of its own."
    yield ""
    took = [whole.measure(number(size), rounds) for size in commands]
    yield from whole.table({key: its for each in took for key, its in each.items()})
    yield ""
    yield from parsing.table(list(parsing.measure(list(parsing.READERS), 10_000, max(rounds, 5))))
    yield ""
    yield from logs.table(*logs.measure(100_000, max(rounds, 5), url))


def put(text: str, into: str) -> str:
    """Put a text where the last one was.

    Raises:
        ValueError: there is no such place.
    """
    before, begin, rest = into.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        message = f"there is no {BEGIN.strip()} with {END.strip()} after it"
        raise ValueError(message)
    return f"{before}{begin}{text}{end}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.report", description=__doc__)
    parser.add_argument("--pods", default="10k,100k,1m")
    parser.add_argument("--curve", default="10k,100k,1m,10m", help="sizes without files, or none")
    parser.add_argument("--commands", default="100k,1m", help="sizes for whole commands, or none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--url", help="of an empty database of PostgreSQL that may be filled")
    parser.add_argument("--into", type=Path, help="a file in which the last report is replaced")
    options = parser.parse_args(arguments)
    if options.into:
        put("", options.into.read_text())  # Before an hour is spent.
    sizes = (options.curve, options.commands)
    curve, commands = (tuple(filter(None, each.split(","))) for each in sizes)
    lines = report(options.pods, curve, commands, options.rounds, options.url)
    text = "".join(f"{line}\n" for line in lines)
    if options.into:
        options.into.write_text(put(text, options.into.read_text()))
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
