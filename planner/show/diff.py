"""Shows what would have to change as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from planner.show.table import counts, plural, tell_table, tell_warnings, workload_name
from planner.show.unmovable import tell_unmovable

WORKLOADS_SHOWN = 100


def tell_diff(diff: Mapping[str, Any], console: Console, *, everything: bool = False) -> None:
    """Print a line for each workload that differs, then what cannot be moved and why.

    Of many workloads only those with the most pods to move, unless `everything`.
    """
    totals = diff["totals"]
    workloads = diff["workloads"]
    if not everything and len(workloads) > WORKLOADS_SHOWN:
        workloads = sorted(workloads, key=lambda each: -each["differ"])[:WORKLOADS_SHOWN]
    if not totals["differ"]:
        console.print("Nothing to do: every pod is at the target.")
    else:
        _tell_workloads(workloads, console)
        left = len(diff["workloads"]) - len(workloads)
        if left:
            console.print(f"... and {left:,} more workloads: planner diff -v, or --format json")
        console.print(_summary(totals))
    for workload in workloads:
        for why in workload["why_recreate"]:
            console.print(
                f"  {workload['cluster']} {workload_name(workload)} cannot move in place: {why}"
            )
    if diff["unmovable"]:
        console.print(f"\nCannot be moved ({len(diff['unmovable']):,}):")
        tell_unmovable(diff["unmovable"], console, everything=everything)
    tell_warnings(diff["warnings"], console, everything=everything)


def _tell_workloads(workloads: Sequence[Mapping[str, Any]], console: Console) -> None:
    rows = [
        (
            workload["cluster"],
            workload_name(workload),
            workload["kind"],
            f"{workload['pods']:,}",
            f"{workload['differ']:,}",
            counts(workload["kinds"]),
            _containers(workload["containers"]),
        )
        for workload in workloads
    ]
    columns = ("CLUSTER", "WORKLOAD", "KIND", "PODS", "DIFFER", "MOVES", "CONTAINERS")
    tell_table(console, columns, rows, right=("PODS", "DIFFER"))


def _containers(containers: Mapping[str, str]) -> str:
    return ", ".join(f"{name} → {image.rsplit('/', 1)[-1]}" for name, image in containers.items())


def _summary(totals: Mapping[str, Any]) -> str:
    saved = totals["disruptions_saved"]
    also = f"; {plural(saved, 'disruption')} saved by moving each pod once" if saved else ""
    return (
        f"\n{plural(totals['differ'], 'pod')} differ: {counts(totals['kinds'])}, "
        f"{totals['unmovable']:,} cannot be moved{also}."
    )
