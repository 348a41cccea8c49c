"""Shows the fleet and its trouble as text."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from planner.show.table import counts, plain_table


def tell_status(status: Mapping[str, Any], console: Console) -> None:
    """Print a table of the clusters, then each trouble with its remedy."""
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
    by_reason = sorted(status["trouble"], key=_reason)
    for (reason, remedy), troubles in groupby(by_reason, key=_reason):
        head = Text.assemble(
            "\n", (reason.replace("-", " "), "bold"), (f"  remedy: {remedy}", "dim")
        )
        console.print(head)
        for trouble in troubles:
            place = f"  {trouble['cluster']} {trouble['object']}"
            console.print(Text(f"{place}: {trouble['text']}"))


def _reason(trouble: Mapping[str, Any]) -> tuple[str, str]:
    return trouble["reason"], trouble["remedy"]
