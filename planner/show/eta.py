"""Shows how long a plan takes as text."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import sqrt

from rich.console import Console
from rich.text import Text

from planner.model.eta import DrawnLeg, DrawnWave, Eta, ForetoldRun, Quantiles
from planner.show.table import duration, plural, tell_table

WAVES_SHOWN = 10
NEVER = "never"
ROUGH = 1_000
"""With fewer draws it is said how rough they are."""


def tell_eta(found: Eta, console: Console, *, everything: bool = False) -> None:
    """Print when a plan ends, what may go wrong in time, and how good such forecasts were."""
    console.print(
        Text.assemble(
            ("Plan ", "bold"), (found.plan, "bold cyan"),
            f": {plural(len(found.per_wave), 'wave')}, {plural(found.moves, 'move')}, "
            f"planned about {duration(found.planned_s)}",
        )
    )  # fmt: skip
    if not found.per_wave:
        console.print("  nothing to do")
        return
    if legs := found.per_leg or ():
        console.print(_streams(legs))
    console.print(f"\nIn {_draws(found)}:")
    _tell_end(found, console)
    _tell_risks(found, console)
    _tell_waves(found.per_wave, console, everything=everything)
    console.print(f"\nHow long moves take: {_known(found)}.")
    console.print(
        "Not drawn: approvals, failures, what others do to the fleet, and moves that are slow "
        "together."
    )
    _tell_past(found, console)


def _draws(found: Eta) -> str:
    """Write how many draws, and of few how far off they may be by chance: two standard errors."""
    draws = plural(found.samples, "draw")
    if found.streams is not True or found.samples >= ROUGH:
        return draws
    off = 2 * sqrt(0.9 * 0.1 / found.samples)
    low, high = max(0.0, 0.9 - off), min(1.0, 0.9 + off)
    return f"{draws} (so few that 9 OF 10 may be from {low:.0%} to {high:.0%}; --samples for more)"


def _streams(legs: Sequence[DrawnLeg]) -> str:
    if len(legs) == 1:
        return "  without barriers: every move is drawn, and goes as soon as its own rules let it"
    return (
        "  every move is drawn, and goes as soon as its own rules let it; but before approvals and "
        f"phases a run waits for all that goes on: in {plural(len(legs), 'part')}"
    )


def _tell_end(found: Eta, console: Console) -> None:
    rows = [("ends within", *map(_seconds, _all(found.end)))]
    if found.start:
        start = datetime.fromisoformat(found.start)
        rows.append((f"from {found.start}", *(_time(start, it) for it in _all(found.end))))
    if found.streams is not True:
        rows.append(("of that its waves", *map(_seconds, _all(found.moving))))
    elif len(found.per_leg or ()) > 1:
        rows.append(("of that its parts", *map(_seconds, _all(found.moving))))
    tell_table(console, ("", "HALF", "9 OF 10", "99 OF 100"), rows)


def _tell_risks(found: Eta, console: Console) -> None:
    if found.late is not None:
        console.print(f"The deadline {found.deadline} is missed in {_share(found.late)}.")
    if found.past_window is not None:
        what = "move" if found.streams is True else "wave"
        console.print(f"A {what} runs past its window in {_share(found.past_window)}.")
    if found.unfinished:
        console.print(
            f"Windows and freezes leave no time for the rest in {_share(found.unfinished)}."
        )


def _tell_waves(waves: Sequence[DrawnWave], console: Console, *, everything: bool) -> None:
    """Print waves that may run past a window, those at most risk first; or every wave."""
    risky = sorted((it for it in waves if it.past_window), key=lambda it: -(it.past_window or 0))
    shown = waves if everything else risky[:WAVES_SHOWN]
    if not shown:
        return
    rows = [
        (
            f"{it.wave:,}",
            duration(it.planned_s),
            _seconds(it.takes.p50_s),
            _seconds(it.takes.p90_s),
            _seconds(it.end.p50_s),
            _seconds(it.end.p90_s),
            "" if it.past_window is None else f"{it.past_window:.1%}",
        )
        for it in shown
    ]
    columns = ("WAVE", "PLANNED", "HALF", "9 OF 10", "ENDS: HALF", "9 OF 10", "PAST WINDOW")
    console.print()
    tell_table(console, columns, rows, right=columns)
    if len(risky) > len(shown):
        console.print(f"... and {len(risky) - len(shown):,} more: planner eta -v")


def _known(found: Eta) -> str:
    seen, moves = found.seen_moves, found.moves
    rule = (
        "what the plan expects by the pods that are there, and it is supposed that 2 of 3 starts "
        "take between 0.8 and 1.25 of it"
    )
    if not seen:
        return f"no run of this log has shown it, so {rule}"
    known = f"for {seen:,} of {plural(moves, 'move')} as runs before them took"
    return known if seen == moves else f"{known}; for the others {rule}"


def _tell_past(found: Eta, console: Console) -> None:
    """Print how well the same draws would have foretold runs that are over."""
    runs = found.runs
    if not runs:
        console.print(
            "How good such a forecast is nobody knows: no run of this log has carried one plan "
            "through."
        )
    else:
        p50 = sum(it.took_s <= it.p50_s for it in runs)
        p90 = sum(it.took_s <= it.p90_s for it in runs)
        waves = sum(it.waves for it in runs)
        waves_p50 = sum(it.waves_within_p50 for it in runs)
        waves_p90 = sum(it.waves_within_p90 for it in runs)
        error = "" if found.error is None else f"; mean error {found.error:.0%}"
        console.print(
            f"\nForetold from what was known before: of {plural(len(runs), 'finished run')} "
            f"{p50:,} took no longer than HALF and {p90:,} no longer than 9 OF 10{error}. Of "
            f"{_waves(runs)} {waves_p50 / waves:.0%} and {waves_p90 / waves:.0%}."
        )
        rows = [
            (
                it.run,
                duration(it.took_s),
                duration(it.p50_s),
                duration(it.p90_s),
                f"{it.took_s / it.p50_s:.2f}" if it.p50_s else "",
            )
            for it in runs
        ]
        columns = ("RUN", "ITS WAVES TOOK", "HALF", "9 OF 10", "TOOK OF HALF")
        tell_table(console, columns, rows, right=columns[1:])
    for each in found.left_out:
        console.print(Text(f"Run {each.run} does not count: {each.why}", "dim"))


def _waves(runs: Sequence[ForetoldRun]) -> str:
    """By what runs are compared: those that stream by their parts between barriers."""
    waves = sum(it.waves for it in runs)
    units = {"part" if it.streams is True else "wave" for it in runs}
    return plural(waves, units.pop()) if len(units) == 1 else f"{waves:,} waves and parts"


def _all(quantiles: Quantiles) -> tuple[float | None, float | None, float | None]:
    return quantiles.p50_s, quantiles.p90_s, quantiles.p99_s


def _seconds(seconds: float | None) -> str:
    return NEVER if seconds is None else duration(seconds)


def _time(start: datetime, seconds: float | None) -> str:
    if seconds is None:
        return NEVER
    return f"{start + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def _share(share: float) -> str:
    """Write a share of draws; a few of a thousand are told from none."""
    percent = f"{share:.0%}" if share >= 0.01 or not share else f"{share:.1%}"  # noqa: PLR2004
    return f"{percent} of the draws"
