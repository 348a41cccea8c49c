"""Says in a line what becomes of the nodes that a plan drains."""

from collections.abc import Mapping, Sequence
from typing import Any

from planner.show.table import plural

NODES_SHOWN = 5


def drains_line(drains: Sequence[Mapping[str, Any]]) -> str:
    """Give for example `2 nodes drained: 1 is empty after wave 8; pods stay on 1: node-0003 (3)`.

    Args:
        drains: the `drains` of a plan's header, at least one.
    """
    kept = sorted((it for it in drains if it["stays"]), key=lambda it: (-it["stays"], it["name"]))
    waves = [it["wave"] for it in drains if not it["stays"]]
    parts = []
    if waves:
        when = f"after wave {max(waves)}" if max(waves) else "already"
        parts.append(f"{len(waves):,} {'is' if len(waves) == 1 else 'are'} empty {when}")
    if kept:
        named = ", ".join(f"{it['name']} ({it['stays']:,})" for it in kept[:NODES_SHOWN])
        more = f" and {len(kept) - NODES_SHOWN:,} more" if len(kept) > NODES_SHOWN else ""
        parts.append(f"pods stay on {len(kept):,}: {named}{more}")
    return f"{plural(len(drains), 'node')} drained: {'; '.join(parts)}"
