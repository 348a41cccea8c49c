"""Runs as a person reads them: a table of them, and what happens to one in a line."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from planner.model import progress
from planner.model.progress import Progress
from planner.model.runs import ListedRun
from planner.show.table import duration, plural, tell_table

_PASSING: Final = (
    progress.Moving,
    progress.LettingGo,
    progress.Soaking,
    progress.Closed,
    progress.Paused,
    progress.Recovering,
    progress.Preflight,
)
_NAMED: Final = 3


def is_passing(event: Progress) -> bool:
    """Whether an event only says how things are just now."""
    return isinstance(event, _PASSING)


def event_text(event: Progress) -> str:  # noqa: C901, PLR0911, PLR0912 a case for each event
    """Say an event of a run: in a line, the last one in some."""
    match event:
        case progress.Named():
            return f"Run {event.run} of plan {event.plan}"
        case progress.Preflight():
            return f"tried {event.tried:,} of {event.moves:,} moves, nothing is kept"
        case progress.Cordoning():
            return f"Cordoning {plural(event.nodes, 'node')}: no new pod comes to those to be empty"
        case progress.Tried():
            return _tried(event)
        case progress.Wave():
            return (
                f"{_begun(event)}: {event.moves:,} pods of "
                f"{_some(event.workloads)}; about {duration(event.left_s)} to go"
            )
        case progress.LettingGo():
            where = "" if event.streaming else f"wave {event.wave}: "
            return f"{where}letting {event.moves:,} pods go"
        case progress.Moving():
            return " · ".join(_moving(event))
        case progress.Soaking():
            return f"soaking for {duration(event.seconds)} after wave {event.after}"
        case progress.Closed():
            names = _some(event.calendars) if event.calendars else "the start of the plan"
            return f"wave {event.wave} waits until {event.opens} for {names}"
        case progress.Paused():
            return "paused; `planner resume` goes on"
        case progress.Recovering():
            return f"taking over wave {event.wave}, {event.moves:,} pods were let go"
        case progress.Approval():
            return f"An approval is asked for after {_some(event.asked)}: `planner approve`"
        case progress.Replanned():
            why = "; ".join(event.why)
            return f"The fleet has moved on: {why}. What is left follows plan {event.plan}"
        case progress.Ended():
            return "\n".join(_ended(event))


def _ended(event: progress.Ended) -> Iterator[str]:
    run, went = event.run, event.fidelity
    yield {
        "done": f"Run {run} is done",
        "incomplete": f"Run {run} is over and incomplete: planned pods stay at another version; "
        f"`planner apply {event.plans[0]}` moves them once they can move",
        "aborted": f"Run {run} was aborted",
        "stopped": f"Run {run} stopped: {event.why}",
        "interrupted": f"Run {run} is interrupted; `planner apply {run}` goes on",
    }[event.ending]
    failed = f", {event.failed:,} failed" if event.failed else ""
    yield f"  {event.moved:,} pods moved{failed}, by {event.writes:,} writes"
    if went.moves:
        share = 100 * went.as_planned / went.moves
        yield (
            f"  {went.as_planned:,} of {went.moves:,} planned moves ({share:.1f} %) went in "
            "the wave and in the way that the plan said"
        )
    if went.expected_s:
        took, expected = duration(went.took_s), duration(went.expected_s)
        yield f"  its waves took {took}, expected were {expected}"
    for each in event.held:
        yield f"  held: {each}"


def tell_runs(runs: Sequence[ListedRun], console: Console, *, everything: bool) -> None:
    """Print a table of runs, then why some stopped; what they left held, when `everything`."""
    if not runs:
        console.print("No run has begun; `planner apply PLAN` begins one.")
        return
    rows = [
        (
            it.run, it.plans[-1], it.began, it.state,
            f"{it.wave:,}", f"{it.moved:,}", f"{it.failed:,}", _as_planned(it.fidelity),
        )
        for it in runs
    ]  # fmt: skip
    columns = ("RUN", "PLAN", "BEGAN", "STATE", "WAVE", "MOVED", "FAILED", "AS PLANNED")
    tell_table(console, columns, rows, right=columns[-4:])
    for it in runs:
        held = it.held if everything else ()
        for text in (*([it.why] if it.why else []), *(f"held: {each}" for each in held)):
            console.print(Text(f"  {it.run}  {text}"))


def _as_planned(went: progress.Fidelity | None) -> str:
    return f"{100 * went.as_planned / went.moves:.1f} %" if went and went.moves else ""


def _tried(event: progress.Tried) -> str:
    waits = f", for {plural(event.refused_for_now, 'pod')} once a budget has room"
    said = "Every cluster would take every write of the plan"
    return said + (waits if event.refused_for_now else "")


def _begun(event: progress.Wave) -> str:
    """Name a wave that begins; of a streaming run a part, where gates make more than one."""
    if not event.streaming:
        return f"Wave {event.wave} of {event.of}"
    return f"Part {event.wave} of {event.of}" if event.of > 1 else "Streaming"


def _moving(event: progress.Moving) -> Iterator[str]:
    is_all = event.streaming and event.of == 1
    if not is_all:
        yield f"{'part' if event.streaming else 'wave'} {event.wave}/{event.of}"
    yield f"{event.back:,}/{event.moves:,} back"
    yield f"{event.moving:,} moving"
    if event.failed:
        yield f"{event.failed:,} failed"
    if not is_all:
        yield f"{event.moved:,}/{event.total:,} in all"
    if event.left_s:
        yield f"about {duration(event.left_s)} to go"
    if budget := event.tightest:
        yield f"tightest {budget.name} {budget.taken} of {budget.limit}"
    if event.why:
        yield event.why


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
