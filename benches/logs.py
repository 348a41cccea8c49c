"""How fast observations are appended to a log and read from it, beside rows of the same content.

    python -m benches.logs --pods 100000 --rounds 5 --url postgresql://USER@HOST/DATABASE

All take turns. Each round appends to a new file, or a new stream of the database, in one
transaction that is durable when it is over, and reads everything of it. The rows are what somebody
writes who has no log: a table of SQLite with a row for each observation, its JSON in a column,
filled by `executemany`. Opening, parsing and rendering are not timed; that the log checks every
digest and decodes columns is.
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
from planner.log import EventLog, Stream
from planner.log.open import open_log
from planner.model.clock import SystemClock

LOG: Final = "planner, SQLite"
SERVER: Final = "planner, PostgreSQL"
ROWS: Final = "sqlite3, rows"
Rows = Sequence[tuple[int, str, str]]
"""Position, uid and JSON of each observation."""
Took = tuple[float, float]
"""Seconds of an append, and of reading all of it."""


def rows_of(batches: Sequence[core.Batch]) -> Rows:
    """What the batches hold, row by row."""
    rows = (row for batch in batches for row in batch.rows())
    return [
        (position, row.get("uid") or "", json.dumps(row)) for position, row in enumerate(rows, 1)
    ]


def in_rows(path: Path, rows: Rows) -> Took:
    """Fill a table, and read it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE seen (position INTEGER PRIMARY KEY, uid, document)")
        began = perf_counter()
        with connection:
            connection.executemany("INSERT INTO seen VALUES (?, ?, ?)", rows)
        appended = perf_counter()
        assert len(connection.execute("SELECT * FROM seen").fetchall()) == len(rows)
        return appended - began, perf_counter() - appended


def in_log(log: EventLog, batches: Sequence[core.Batch]) -> Took:
    """Append to a new stream of a log, and read it."""
    stream = Stream("cluster", f"bench-{log.head().position}")
    began = perf_counter()
    stages.append_to(log, batches, stream)
    appended = perf_counter()
    read = [core.Batch.from_bytes(each.payload) for each in log.read(after=0, stream=stream)]
    assert sum(map(len, read)) == sum(map(len, batches))
    return appended - began, perf_counter() - appended


def measure(
    pods: int, rounds: int, url: str | None = None
) -> tuple[int, Mapping[str, Sequence[Took]]]:
    """Let all take turns; gives how many observations there are and what each took."""
    with TemporaryDirectory() as folder:
        lists = Path(folder, "lists")
        lists.mkdir()
        Fleet(pods=pods, seed=1, ballast=False).write(lists)
        batches = stages.parse(lists)
        rows = rows_of(batches)

        def in_file(path: Path) -> Took:
            with stages.sqlite(path) as log:
                return in_log(log, batches)

        def on_server(_: Path) -> Took:
            with open_log(url or "", clock=SystemClock()) as log:
                return in_log(log, batches)

        turns: dict[str, Callable[[Path], Took]] = {LOG: in_file}
        turns |= {SERVER: on_server} if url else {}
        turns[ROWS] = lambda path: in_rows(path, rows)
        took: dict[str, list[Took]] = {name: [] for name in turns}
        for number in range(rounds):
            for at, (name, turn) in enumerate(turns.items()):
                path = Path(folder, f"{at}-{number}.db")
                took[name].append(turn(path))
                path.unlink(missing_ok=True)
        return len(rows), took


def table(observations: int, took: Mapping[str, Sequence[Took]]) -> Iterator[str]:
    """A line for each and what it did, the planner's first."""
    yield "| what | by | observations | seconds | min | max | a second | times the planner's |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for at, what in enumerate(("append", "read")):
        ours = median(each[at] for each in took[LOG])
        for name, times in took.items():
            its = [each[at] for each in times]
            middle = median(its)
            seconds = [f"{it:.3f}" for it in (middle, min(its), max(its))]
            cells = [what, name, f"{observations:,}", *seconds, f"{observations / middle:,.0f}"]
            yield f"| {' | '.join(cells)} | {middle / ours:.2f} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.logs", description=__doc__)
    parser.add_argument("--pods", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--url", help="of an empty database of PostgreSQL that may be filled")
    options = parser.parse_args(arguments)
    for line in table(*measure(options.pods, options.rounds, options.url)):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
