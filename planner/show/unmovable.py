"""Shows pods that differ from the target and cannot move, a line for each workload and reason."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from planner.show.table import plural

NAMES_SHOWN = 3
GROUPS_SHOWN = 40


def tell_unmovable(
    unmovable: Iterable[Mapping[str, Any]],
    console: Console,
    *,
    everything: bool,
    groups_shown: int = GROUPS_SHOWN,
) -> None:
    """Print unmovable pods, grouped by workload, with the reason and the remedy.

    Of many groups only the largest, unless `everything`.
    """
    groups = [list(group) for _, group in groupby(sorted(unmovable, key=_group), key=_group)]
    shown = groups
    if not everything and len(groups) > groups_shown:
        shown = sorted(groups, key=len, reverse=True)[:groups_shown]
    for pods in shown:
        cluster, namespace, name, reason = _group(pods[0])
        names = ", ".join(pod["pod"] for pod in pods[:NAMES_SHOWN])
        more = f" and {len(pods) - NAMES_SHOWN:,} more" if len(pods) > NAMES_SHOWN else ""
        head = Text.assemble(
            "  ", (f"{cluster} {namespace}/{name}", "bold"), f"  {plural(len(pods), 'pod')}: "
        )
        console.print(head + Text(reason))
        console.print(Text(f"    remedy: {pods[0]['remedy']}", style="dim"))
        console.print(Text(f"    {names}{more}", style="dim"))
    if len(groups) > len(shown):
        left = sum(map(len, groups)) - sum(map(len, shown))
        workloads = plural(len(groups) - len(shown), "workload")
        console.print(f"  ... and {plural(left, 'pod')} of {workloads} more")


def _group(pod: Mapping[str, Any]) -> tuple[str, str, str, str]:
    workload = pod["workload"] or {"name": pod["pod"]}
    return pod["cluster"], pod["namespace"], workload["name"], pod["reason"]
