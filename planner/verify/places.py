"""Parts of the fleet: each node, zone, workload, namespace or cluster, and who is in which.

Node and zone are those of a pod before its move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.verify.columns import Coded, alike

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planner.verify.columns import Ints
    from planner.verify.fleet import Fleet
    from planner.verify.pods import Kin


def parts_of(fleet: Fleet, rows: Ints, scope: str) -> tuple[Ints, list[str]]:
    """Of each of these pods the place of its part among all, -1 for none; and their names."""
    if scope in ("node", "zone"):
        codes, places = nodes_or_zones(fleet, rows, scope)
        return codes, [f"{cluster}/{name}" for cluster, name in places]
    names: dict[str, int] = {}
    codes_of_kin = [
        -1 if name is None else names.setdefault(name, len(names))
        for name in (PART_OF_KIN[scope](fleet, kin) for kin in fleet.table.kins)
    ]
    return np.array([*codes_of_kin, -1], np.int64)[fleet.table.kin[rows]], list(names)


def nodes_or_zones(fleet: Fleet, rows: Ints, scope: str) -> tuple[Ints, list[tuple[str, str]]]:
    """Of each of these pods the place of its node or zone among all, -1 for none.

    And cluster and name of each.
    """
    table = fleet.table
    clusters = Coded.of(it.cluster for it in table.kins)
    cluster = clusters.codes[table.kin[rows]] if len(rows) else rows
    firsts, of = alike(
        (cluster, len(clusters.values)), (table.node.codes[rows], len(table.node.values))
    )
    names: dict[tuple[str, str], int] = {}
    codes = []
    for first in firsts.tolist():
        place = clusters.values[cluster[first]], table.node[rows[first]]
        name = place[1] if scope == "node" else fleet.zone_of.get(place)
        codes.append(names.setdefault((place[0], name), len(names)) if name else -1)
    return np.array(codes or [-1], np.int64)[of], list(names)


def _workload(fleet: Fleet, kin: Kin) -> str | None:
    workload = fleet.workload_of_kin.get(kin)
    return None if workload is None else str(workload.key)


PART_OF_KIN: Mapping[str, Callable[[Fleet, Kin], str | None]] = {
    "workload": _workload,
    "namespace": lambda _, kin: f"{kin.cluster}/{kin.namespace}",
    "cluster": lambda _, kin: kin.cluster,
    "fleet": lambda _fleet, _kin: "",
}
"""Scopes of which all pods of a kin are in one part, and what that is called."""
