"""Shows what would have to change as text."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from planner.show.table import counts, plain_table, plural, warning, workload_name
from planner.show.unmovable import tell_unmovable


def tell_diff(diff: Mapping[str, Any], console: Console) -> None:
    """Print a line for each workload that differs, then what cannot be moved and why."""
    totals = diff["totals"]
    if not totals["differ"]:
        console.print("Nothing to do: every pod is at the target.")
    else:
        table = plain_table(
            "CLUSTER", "WORKLOAD", "KIND", "PODS", "DIFFER", "MOVES", "CONTAINERS",
            right=("PODS", "DIFFER"),
        )  # fmt: skip
        for workload in diff["workloads"]:
            table.add_row(
                workload["cluster"],
                workload_name(workload),
                workload["kind"],
                f"{workload['pods']:,}",
                f"{workload['differ']:,}",
                counts(workload["kinds"]),
                _containers(workload["containers"]),
            )
        console.print(table)
        console.print(_summary(totals))
    for workload in diff["workloads"]:
        for why in workload["why_recreate"]:
            console.print(
                f"  {workload['cluster']} {workload_name(workload)} cannot move in place: {why}"
            )
    if diff["unmovable"]:
        console.print(f"\nCannot be moved ({len(diff['unmovable']):,}):")
        tell_unmovable(diff["unmovable"], console)
    for text in diff["warnings"]:
        console.print(warning(text))


def _containers(containers: Mapping[str, str]) -> Text:
    short = (f"{name} → {image.rsplit('/', 1)[-1]}" for name, image in containers.items())
    return Text(", ".join(short))


def _summary(totals: Mapping[str, Any]) -> str:
    saved = totals["disruptions_saved"]
    also = f"; {plural(saved, 'disruption')} saved by moving sidecars along" if saved else ""
    return (
        f"\n{plural(totals['differ'], 'pod')} differ: {counts(totals['kinds'])}, "
        f"{totals['unmovable']:,} cannot be moved{also}."
    )
