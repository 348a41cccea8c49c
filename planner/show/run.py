"""Runs as a person reads them: a table of them, and what happens to one in a line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from planner.model.runs import ListedRun
from planner.show.table import duration, tell_table

_PASSING: Final = frozenset(
    {"moving", "letting-go", "soaking", "paused", "recovering", "preflight"}
)
_NAMED: Final = 3


def is_passing(what: str) -> bool:
    """Whether an event only says how things are just now."""
    return what in _PASSING


def event_line(what: str, numbers: Mapping[str, Any]) -> str:
    """Give an event of a run in a line."""
    return _LINES[what](numbers)


def ended_lines(numbers: Mapping[str, Any]) -> Iterator[str]:
    """Say how a run ended."""
    run, went = numbers["run"], numbers["fidelity"]
    endings = {
        "done": f"Run {run} is done",
        "aborted": f"Run {run} was aborted",
        "stopped": f"Run {run} stopped: {numbers['why']}",
        "interrupted": f"Run {run} is interrupted; `planner apply {run}` goes on",
    }
    yield endings[numbers["ending"]]
    failed = f", {numbers['failed']:,} failed" if numbers["failed"] else ""
    yield f"  {numbers['moved']:,} pods moved{failed}, by {numbers['writes']:,} writes"
    if went["moves"]:
        share = 100 * went["as_planned"] / went["moves"]
        yield (
            f"  {went['as_planned']:,} of {went['moves']:,} planned moves ({share:.1f} %) went in "
            "the wave and in the way that the plan said"
        )
    if went["expected_s"]:
        took, expected = duration(went["took_s"]), duration(went["expected_s"])
        yield f"  its waves took {took}, expected were {expected}"
    for each in numbers["held"]:
        yield f"  held: {each}"


def tell_runs(runs: Sequence[ListedRun], console: Console, *, everything: bool) -> None:
    """Print a table of runs, then why some stopped; what they left held, when `everything`."""
    if not runs:
        console.print("No run has begun; `planner apply PLAN` begins one.")
        return
    rows = [
        (
            it.run, it.plans[-1], it.began, it.state,
            f"{it.wave:,}", f"{it.moved:,}", f"{it.failed:,}",
        )
        for it in runs
    ]  # fmt: skip
    columns = ("RUN", "PLAN", "BEGAN", "STATE", "WAVE", "MOVED", "FAILED")
    tell_table(console, columns, rows, right=columns[-3:])
    for it in runs:
        held = it.held if everything else ()
        for text in (*([it.why] if it.why else []), *(f"held: {each}" for each in held)):
            console.print(Text(f"  {it.run}  {text}"))


def _wave(numbers: Mapping[str, Any]) -> str:
    left = duration(numbers["left_s"])
    return (
        f"Wave {numbers['wave']} of {numbers['of']}: {numbers['moves']:,} pods of "
        f"{_some(numbers['workloads'])}; about {left} to go"
    )


def _moving(numbers: Mapping[str, Any]) -> str:
    parts = [
        f"wave {numbers['wave']}/{numbers['of']}",
        f"{numbers['back']:,}/{numbers['moves']:,} back",
        f"{numbers['moving']:,} moving",
        *([f"{numbers['failed']:,} failed"] if numbers["failed"] else []),
        f"{numbers['moved']:,}/{numbers['total']:,} in all",
        *([f"tightest {numbers['tightest']}"] if numbers["tightest"] else []),
        *([numbers["why"]] if numbers["why"] else []),
    ]
    return " · ".join(parts)


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown


def _approval(numbers: Mapping[str, Any]) -> str:
    return f"An approval is asked for after {_some(numbers['asked'])}: `planner approve`"


def _replanned(numbers: Mapping[str, Any]) -> str:
    why = "; ".join(numbers["why"])
    return f"The fleet has moved on: {why}. What is left follows plan {numbers['plan']}"


_LINES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "run": lambda it: f"Run {it['run']} of plan {it['plan']}",
    "preflight": lambda it: f"trying {it['moves']:,} moves without keeping anything",
    "tried": lambda _: "Every cluster would take every write of the plan",
    "wave": _wave,
    "letting-go": lambda it: f"wave {it['wave']}: letting {it['moves']:,} pods go",
    "moving": _moving,
    "soaking": lambda it: f"soaking for {duration(it['seconds'])} after wave {it['after']}",
    "paused": lambda _: "paused; `planner resume` goes on",
    "recovering": lambda it: f"taking over wave {it['wave']}, {it['moves']:,} pods were let go",
    "approval": _approval,
    "replanned": _replanned,
}
