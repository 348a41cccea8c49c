"""What is measured: one function a stage, from raw lists to a plan.

    python -m benches.stages STAGE LISTS LOG REQUEST

runs a stage, and what it needs before it, in a process of its own and prints the most memory that
it held, in bytes.
"""

import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from planner import core
from planner.log import EventLog, NewCommit, Stream
from planner.log.open import open_log
from planner.model.clock import ManualClock
from planner.plan.effort import STARTS

SALT = b"benches" * 4 + b"salt"
CLUSTER = "bench"
_STREAM = Stream("cluster", CLUSTER)
_NOW_MS = 1_795_424_400_000
Observed = tuple[str, int, core.Batch]


def sqlite(path: Path) -> EventLog:
    """A log in a file; time stands still, so that every run appends the same bytes."""
    return open_log(f"sqlite:///{path}", clock=ManualClock(time_ms=_NOW_MS))


def parse(lists: Path) -> list[core.Batch]:
    """Read every file of a directory and turn it into batches."""
    intake = core.Intake(salt=SALT)
    for path in sorted(lists.iterdir()):
        intake.add(path.name, path.read_bytes())
    return intake.finish()


def append(path: Path, batches: Sequence[core.Batch]) -> None:
    """Append batches to a new log, all in one transaction."""
    with sqlite(path) as log:
        append_to(log, batches)


def append_to(log: EventLog, batches: Sequence[core.Batch], stream: Stream = _STREAM) -> None:
    """Append batches to a new stream of an open log, all in one transaction."""
    commits = [
        NewCommit(codec=core.CODEC, payload=batch.to_bytes(), events=len(batch), author="benches")
        for batch in batches
    ]
    log.append(stream, commits, expected_version=0)


def replay(path: Path) -> list[Observed]:
    """Read and decode a whole log."""
    with sqlite(path) as log:
        return [
            (commit.stream.name, commit.position_first, core.Batch.from_bytes(commit.payload))
            for commit in log.read(after=0)
        ]


def fold(events: list[Observed]) -> core.Fleet:
    """Fold decoded batches into the state of the fleet."""
    return core.fold(core.Fleet.empty(), events)


def diff(fleet: core.Fleet, request: bytes) -> bytes:
    """Say what a request would change, as JSON."""
    return core.diff(fleet, request)


def plan(fleet: core.Fleet, request: bytes, starts: int = STARTS["balanced"]) -> core.Plan:
    """Diff, schedule and dress, for a fleet that is in memory."""
    return core.plan(
        fleet,
        request,
        log_digest="0" * 64,
        version="bench",
        durations=b"{}",
        calendars=b"{}",
        warnings=[],
        allowances=b"[]",
        strict=False,
        starts=starts,
    )


def plan_from_log(path: Path, request: bytes) -> core.Plan:
    """Everything that `planner plan` does after an import."""
    return plan(fold(replay(path)), request)


def peak_bytes() -> int:
    """The most memory that this process held since it was started.

    `ru_maxrss` would not do on Linux: a child takes it over from the parent that forked it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(stage: str, lists: Path, log: Path, request: Path) -> None:
    """Run one stage by its name; `parse` and `append` begin at the lists, the others at the log."""
    match stage:
        case "parse":
            parse(lists)
        case "append":
            with TemporaryDirectory() as directory:
                append(Path(directory) / "log.db", parse(lists))
        case "replay":
            replay(log)
        case "fold":
            fold(replay(log))
        case "diff":
            diff(fold(replay(log)), request.read_bytes())
        case "schedule" | "plan":
            plan_from_log(log, request.read_bytes())
        case _:
            sys.exit(
                f"{stage}: no such stage; there are parse, append, replay, fold, diff and plan"
            )
    sys.stdout.write(f"{peak_bytes()}\n")


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
