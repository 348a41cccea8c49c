"""Shows pods that differ from the target and cannot move, a line for each workload and reason."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from planner.show.table import plural

NAMES_SHOWN = 3


def tell_unmovable(unmovable: Iterable[Mapping[str, Any]], console: Console) -> None:
    """Print unmovable pods, grouped by workload, with the reason and the remedy."""
    for (cluster, namespace, name, reason), group in groupby(
        sorted(unmovable, key=_group), key=_group
    ):
        pods = list(group)
        names = ", ".join(pod["pod"] for pod in pods[:NAMES_SHOWN])
        more = f" and {len(pods) - NAMES_SHOWN:,} more" if len(pods) > NAMES_SHOWN else ""
        head = Text.assemble(
            "  ", (f"{cluster} {namespace}/{name}", "bold"), f"  {plural(len(pods), 'pod')}: "
        )
        console.print(head + Text(reason))
        console.print(Text(f"    remedy: {pods[0]['remedy']}", style="dim"))
        console.print(Text(f"    {names}{more}", style="dim"))


def _group(pod: Mapping[str, Any]) -> tuple[str, str, str, str]:
    workload = pod["workload"] or {"name": pod["pod"]}
    return pod["cluster"], pod["namespace"], workload["name"], pod["reason"]
