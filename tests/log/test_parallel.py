"""Writers in parallel, while a reader follows and misses nothing."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

import planner
from planner.errors import ConflictError
from planner.log import Commit, EventLog, NewCommit, Stream
from planner.log.open import open_log
from planner.model.clock import ManualClock

WRITERS = 4
APPENDS = 12
SHARED = Stream("run", "shared")

WRITER = """
import sys
from planner.log import NewCommit, Stream
from planner.log.open import open_log
from planner.model.clock import ManualClock
url, name, appends = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open_log(url, clock=ManualClock(0)) as log:
    for number in range(appends):
        batch = NewCommit(codec="observations/1", payload=b"%d" % number, events=3, author=name)
        log.append(Stream("cluster", name), [batch, batch], expected_version=6 * number)
"""


def write(log: EventLog, name: str) -> None:
    """Append to a stream of its own and, taking turns with the others, to a shared one."""
    for number in range(APPENDS):
        own = NewCommit(codec="observations/1", payload=b"%d" % number, events=2, author=name)
        log.append(Stream("cluster", name), [own, own], expected_version=4 * number)
        append_to_shared(log, name)


def append_to_shared(log: EventLog, name: str) -> None:
    batch = NewCommit(codec="observations/1", payload=b"", events=1, author=name)
    # Each conflict means that another writer succeeded, so there are only so many.
    for _ in range(WRITERS * APPENDS):
        try:
            log.append(SHARED, [batch], expected_version=log.version(SHARED))
        except ConflictError:
            continue
        return
    pytest.fail("more conflicts than other writers have appends")


def follow(log: EventLog, is_over: Callable[[], bool]) -> list[Commit]:
    """Read what is new until the writers are done, and once more after that."""
    seen: list[Commit] = []
    over = False
    while not over:
        over = is_over()
        seen.extend(log.read(after=seen[-1].position_last if seen else 0))
    return seen


def check_seen(seen: list[Commit], log: EventLog, events: int) -> None:
    assert [each.position_first for each in seen] == [
        1,
        *(each.position_last + 1 for each in seen[:-1]),
    ]
    assert seen[-1].position_last == events
    assert seen == list(log.read())
    assert log.verify().position == events


def test_reader_that_follows_parallel_writers_misses_nothing(
    open_again: Callable[[], EventLog],
) -> None:
    reader = open_again()
    logs = [open_again() for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        futures: list[Future[None]] = [
            pool.submit(write, log, f"writer-{number}") for number, log in enumerate(logs)
        ]
        seen = follow(reader, lambda: all(future.done() for future in futures))
    for future in futures:
        future.result()
    check_seen(seen, reader, WRITERS * APPENDS * 5)
    assert reader.version(SHARED) == WRITERS * APPENDS


def test_processes_that_meet_at_the_first_use_of_a_database_share_one_log(
    database_url: str,
) -> None:
    root = str(Path(planner.__file__).parents[1])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, database_url, f"writer-{number}", str(APPENDS)],
            env={**os.environ, "PYTHONPATH": root},
        )
        for number in range(WRITERS)
    ]
    with open_log(database_url, clock=ManualClock(0)) as log:
        seen = follow(log, lambda: all(process.poll() is not None for process in processes))
        assert [process.wait() for process in processes] == [0] * WRITERS
        check_seen(seen, log, WRITERS * APPENDS * 6)
