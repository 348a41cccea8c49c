"""How fast observations are appended to a log, beside rows of the same content in SQLite.

    python -m benches.appending --pods 100000 --rounds 5

Both write to a new file each round, in one transaction that is durable when it is over, and take
turns. The rows are what somebody writes who has no log: a table with a row for each observation,
its JSON in a column, filled by `executemany`. Opening, parsing and rendering are not timed.
"""

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from benches import stages
from benches.fleet import Fleet
from planner import core

LOG: Final = "planner: the log"
ROWS: Final = "sqlite3: executemany of rows"
Rows = Sequence[tuple[int, str, str]]
"""Position, uid and JSON of each observation."""


def rows_of(batches: Sequence[core.Batch]) -> Rows:
    """What the batches hold, row by row."""
    rows = (row for batch in batches for row in batch.rows())
    return [
        (position, row.get("uid") or "", json.dumps(row)) for position, row in enumerate(rows, 1)
    ]


def append_rows(path: Path, rows: Rows) -> float:
    """Fill a table; gives the seconds until it is durable."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE seen (position INTEGER PRIMARY KEY, uid, document)")
        began = perf_counter()
        with connection:
            connection.executemany("INSERT INTO seen VALUES (?, ?, ?)", rows)
        return perf_counter() - began


def append_batches(path: Path, batches: Sequence[core.Batch]) -> float:
    """Append to a new log; gives the seconds until it is durable."""
    with stages.sqlite(path) as log:
        began = perf_counter()
        stages.append_to(log, batches)
        return perf_counter() - began


def measure(pods: int, rounds: int) -> tuple[int, Mapping[str, Sequence[float]]]:
    """Let both take turns; gives how many observations there are and the seconds of each."""
    with TemporaryDirectory() as folder:
        lists = Path(folder, "lists")
        lists.mkdir()
        Fleet(pods=pods, seed=1, ballast=False).write(lists)
        batches = stages.parse(lists)
        rows = rows_of(batches)
        turns: Mapping[str, Callable[[Path], float]] = {
            LOG: lambda path: append_batches(path, batches),
            ROWS: lambda path: append_rows(path, rows),
        }
        took: dict[str, list[float]] = {name: [] for name in turns}
        for number in range(rounds):
            for name, turn in turns.items():
                path = Path(folder, f"{len(took[name])}-{name[0]}-{number}.db")
                took[name].append(turn(path))
                path.unlink()
        return len(rows), took


def table(observations: int, took: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """A line for each, the planner's first."""
    yield "| appended by | observations | seconds | min | max | a second | times the planner's |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    ours = median(took[LOG])
    for name, times in took.items():
        middle = median(times)
        seconds = [f"{it:.3f}" for it in (middle, min(times), max(times))]
        cells = [name, f"{observations:,}", *seconds, f"{observations / middle:,.0f}"]
        yield f"| {' | '.join(cells)} | {middle / ours:.2f} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.appending", description=__doc__)
    parser.add_argument("--pods", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    for line in table(*measure(options.pods, options.rounds)):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
