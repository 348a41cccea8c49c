"""Shows the fleet and its trouble as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from planner.show.table import counts, plain_table

TROUBLES_SHOWN = 5


def tell_status(status: Mapping[str, Any], console: Console, *, everything: bool = False) -> None:
    """Print a table of the clusters, then the trouble by kind with its remedy.

    Of each kind those with the most pods come first, and only some unless `everything`.
    """
    console.print(f"Fleet at position {status['position']:,}, observed until {status['time']}\n")
    table = plain_table(
        "CLUSTER", "VERSION", "NODES", "PODS", "DOWN", "WORKLOADS", "BUDGETS",
        right=("NODES", "PODS", "DOWN"),
    )  # fmt: skip
    for cluster in status["clusters"]:
        cordoned = cluster["nodes_unschedulable"]
        table.add_row(
            cluster["name"],
            cluster["version"] or "unknown",
            f"{cluster['nodes']:,}" + (f" ({cordoned:,} cordoned)" if cordoned else ""),
            f"{cluster['pods']:,}",
            Text(f"{cluster['down']:,}", style="red" if cluster["down"] else ""),
            counts(cluster["workloads"]),
            counts(cluster["budgets"]),
        )
    console.print(table)
    if not status["trouble"]:
        console.print("\nNothing is wrong with it.")
        return
    console.print(f"\nAlready wrong ({len(status['trouble']):,}):")
    left = [
        _tell_kind(reason, remedy, troubles, console, everything=everything)
        for (reason, remedy), troubles in _by_reason(status["trouble"]).items()
    ]
    if any(left):
        console.print(Text("\nAll of it: planner status -v, or --format json", style="dim"))


def _tell_kind(
    reason: str,
    remedy: str,
    troubles: Sequence[Mapping[str, Any]],
    console: Console,
    *,
    everything: bool,
) -> int:
    """Print trouble of one kind; returns how much of it is left out."""
    console.print(
        Text.assemble(
            ("\n" + reason.replace("-", " "), "bold"),
            f" ({len(troubles):,})",
            (f"  remedy: {remedy}", "dim"),
        )
    )
    worst = sorted(troubles, key=lambda each: -each["pods"])
    # One that is left out takes a line too.
    whole = everything or len(worst) <= TROUBLES_SHOWN + 1
    shown = worst if whole else worst[:TROUBLES_SHOWN]
    for trouble in shown:
        place = f"  {trouble['cluster']} {trouble['object']}"
        console.print(Text(f"{place}: {trouble['text']}"))
    left = len(troubles) - len(shown)
    if left:
        console.print(Text(f"  and {left:,} more", style="dim"))
    return left


def _by_reason(
    troubles: Sequence[Mapping[str, Any]],
) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for trouble in sorted(troubles, key=lambda each: (each["reason"], each["remedy"])):
        groups.setdefault((trouble["reason"], trouble["remedy"]), []).append(trouble)
    return groups
