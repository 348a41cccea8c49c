"""Shows what one unit more of each limit would save as text."""

import shlex
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from planner.model.bottlenecks import Bottlenecks, Saving, Untried
from planner.show.table import duration, plural, tell_table

SAVINGS_SHOWN = 20
NAMES_SHOWN = 4
TAKEN_OUT = "taken out"
FREE = "it holds nothing up"


def tell_bottlenecks(found: Bottlenecks, console: Console, *, everything: bool = False) -> None:
    """Print the units that save something, those that save most first, and what saves nothing."""
    without = found.without
    console.print(
        Text.assemble(
            ("Plan ", "bold"), (found.plan, "bold cyan"), f": {plural(without.waves, 'wave')}, "
            f"about {duration(without.seconds)}",
        )
    )  # fmt: skip
    useful = [each for each in found.savings if _is_useful(each)]
    units = [each for each in useful if each.unit != TAKEN_OUT]
    if units:
        console.print("\nWith one unit more, each by itself:")
        _tell_savings(units, console, everything=everything)
        asked = next((each.ask for each in units if each.ask), None)
        if asked:
            console.print(
                Text(f"what moves then: planner whatif {found.plan} --set {asked}", "dim")
            )
    elif found.savings:
        console.print("  no single unit more of anything saves a wave or a second")
    elif not found.left:
        console.print("  nothing holds anything up")
    for kind in ("dependency", "sequence"):
        whole = [each for each in useful if each.unit == TAKEN_OUT and each.kind == kind]
        if whole:
            console.print(f"\nWithout a {kind} at all, each by itself:")
            _tell_savings(whole, console, everything=everything)
            if kind == "sequence" and whole[0].ask:
                path = shlex.quote(whole[0].ask)
                console.print(
                    Text(f"what moves then: planner whatif {found.plan} --unset {path}", "dim")
                )
    _tell_rest(found, console, everything=everything)


def _is_useful(saving: Saving) -> bool:
    saves = saving.saves_waves > 0 or round(saving.saves_seconds) > 0
    return saves or saving.more_moves > 0


def _tell_savings(savings: Sequence[Saving], console: Console, *, everything: bool) -> None:
    shown = savings if everything else savings[:SAVINGS_SHOWN]
    rows = [
        {
            "WAVES": _signed(-each.saves_waves, f"{abs(each.saves_waves):,}"),
            "TIME": _signed(-round(each.saves_seconds), duration(abs(each.saves_seconds))),
            "PODS THAT CAN MOVE": _signed(each.more_moves, f"{each.more_moves:,}"),
            "UNIT": each.unit,
            "OF": _name(each),
        }
        for each in shown
    ]
    columns = [name for name in rows[0] if any(row[name] for row in rows)]
    cells = [tuple(row[name] for name in columns) for row in rows]
    tell_table(console, columns, cells, right=("WAVES", "TIME", "PODS THAT CAN MOVE"))
    if len(savings) > len(shown):
        console.print(f"... and {len(savings) - len(shown):,} more: planner bottlenecks -v")


def _signed(number: float, text: str) -> str:
    return "" if not number else f"{'+' if number > 0 else '-'}{text}"


def _name(of: Saving | Untried) -> str:
    name = f"{of.kind} {of.name}" if of.kind in ("stage", "sequence") else of.name
    return f"{of.cluster} {name}" if of.cluster else name


def _tell_rest(found: Bottlenecks, console: Console, *, everything: bool) -> None:
    console.print()
    useless = [each for each in found.savings if not _is_useful(each)]
    if useless:
        console.print(f"Tried, saves nothing: {_some(useless, everything=everything)}")
    if found.left:
        console.print(f"Not tried because of --limit: {plural(found.left, 'unit')} more")
    free = [each for each in found.untried if each.why == FREE]
    if free:
        console.print(f"Not tried, never hold anything up: {_some(free, everything=everything)}")
    both = [each for each in found.untried if each.why != FREE]
    if both:
        _tell_together(both, console, everything=everything)
    for moves, what in (
        (found.windowed, "wait for a window or the end of a freeze."),
        (found.ordered, "wait for their turn in the order of their controller: no unit of that."),
    ):
        if moves:
            console.print(f"{plural(moves, 'move')} {what}")


def _tell_together(both: Sequence[Untried], console: Console, *, everything: bool) -> None:
    """Name budgets that are full only when another one is too."""
    if not everything:
        console.print(
            "Not tried, never hold anything up alone (another budget is full whenever they are): "
            + _some(both, everything=False)
        )
        return
    console.print("Not tried, never hold anything up alone:")
    for why, units in groupby(sorted(both, key=lambda it: it.why), key=lambda it: it.why):
        console.print(f"  {why}: {_some(list(units), everything=True)}")


def _some(units: Sequence[Saving] | Sequence[Untried], *, everything: bool) -> str:
    names = list(Counter(_name(each) for each in units))
    shown = names if everything else names[:NAMES_SHOWN]
    left = len(names) - len(shown)
    return ", ".join(shown) + (f" and {left:,} more" if left else "")
