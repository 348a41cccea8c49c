"""Shows how long the way back from a plan would take as text."""

import msgspec
from rich.console import Console
from rich.text import Text

from planner.model.way_back import WayBack, WayBackFrom
from planner.show.table import counts, duration, plural, tell_table
from planner.show.unmovable import tell_unmovable

GROUPS_SHOWN = 8
FULL_SHOWN = 5


def tell_way_back(found: WayBack, console: Console, *, everything: bool = False) -> None:
    """Print the way back from each wave, then what holds it up and what cannot go back."""
    console.print(
        Text.assemble(
            ("Plan ", "bold"), (found.plan, "bold cyan"),
            f": given up after a wave of {found.waves:,}, the way back",
        )
    )  # fmt: skip
    rows = [
        (
            f"{each.wave:,}",
            ", ".join(each.at),
            f"{each.moved:,}",
            f"{each.moves:,}",
            f"{each.waves:,}",
            f"{each.waves_bound:,}",
            duration(each.seconds),
            "" if each.takes is None else duration(each.takes.p90_s or 0),
            "all" if each.reason else f"{len(each.stays):,}" if each.stays else "",
        )
        for each in found.after
    ]
    columns = (
        "AFTER WAVE", "WHERE", "MOVED", "BACK", "WAVES", "AT LEAST", "ABOUT", "9 OF 10 WITHIN",
        "STAY",
    )  # fmt: skip
    console.print()
    right = tuple(column for column in columns if column != "WHERE")
    tell_table(console, columns, rows, right=right)
    for each in found.after if everything else found.after[-1:]:
        _tell_one(each, console, everything=everything)
    if not everything and len(found.after) > 1:
        console.print(Text("\nthe same of the others: planner way-back -v", "dim"))


def _tell_one(back: WayBackFrom, console: Console, *, everything: bool) -> None:
    console.print(f"\nAfter wave {back.wave:,}: {plural(back.moves, 'move')} back", end="")
    console.print(f", {counts(back.kinds)}" if back.kinds else "")
    if back.reason:
        console.print(Text(f"  nothing can go back: {back.reason}"))
        for rule in back.conflict:
            console.print(Text(f"    {rule}", "dim"))
        console.print(Text(f"    remedy: {back.remedy}", "dim"))
    full = back.full if everything else back.full[:FULL_SHOWN]
    if full:
        console.print("  budgets that are full, those that are full longest first:")
    for budget in full:
        where = f"{budget.cluster} " if budget.cluster else ""
        console.print(
            Text(
                f"    {where}{budget.name}, limit {budget.limit:,}: full in "
                f"{budget.waves:,} of {plural(back.waves, 'wave')}"
            )
        )
    if back.stays:
        console.print(f"  cannot go back ({len(back.stays):,}):")
        stays = [msgspec.to_builtins(each) for each in back.stays]
        tell_unmovable(stays, console, everything=everything, groups_shown=GROUPS_SHOWN)
