"""The upgrade of a whole generated fleet, under limits that bind in different places."""

from enum import StrEnum
from itertools import pairwise
from random import Random

from benches.layout import Layout
from benches.pod import REGISTRY
from benches.workload import SIDECARS, Kind, Workload

TAG = "1.1.0"
_TEAM_PODS_MIN = 10


class Regime(StrEnum):
    """What binds a plan: hardly anything, dependencies, the cap of the fleet, or its nodes."""

    LOOSE = "loose"
    CHAIN = "chain"
    TIGHT = "tight"
    NODE = "node"


# Layers of dependencies, cap of the fleet, cap of each node.
_REGIMES = {
    Regime.LOOSE: (3, "25%", 20),
    Regime.CHAIN: (12, "25%", 20),
    Regime.TIGHT: (3, "2%", 20),
    Regime.NODE: (3, "25%", 1),
}


def upgrade_request(
    layout: Layout, seed: int, regime: Regime, depth: int | None
) -> dict[str, object]:
    """New images for every workload and sidecar, with dependencies, budgets and stages."""
    layers, fleet_cap, node_cap = _REGIMES[regime]
    target = {
        "images": [
            {"from": f"{REGISTRY}/{each.name}", "to": f"{REGISTRY}/{each.name}:{TAG}"}
            for each in layout.workloads
        ],
        "sidecars": [
            {"sidecarSet": name, "container": name, "to": f"{REGISTRY}/{name}:{TAG}"}
            for name in SIDECARS
        ],
    }
    spec = {
        "target": target,
        "dependencies": _dependencies(layout, seed, layers if depth is None else depth),
        "budgets": [
            *_team_budgets(layout),
            {"name": "per-node", "scope": "node", "maxUnavailable": node_cap},
            {"name": "per-zone", "scope": "zone", "maxUnavailable": "30%"},
            {"name": "fleet", "scope": "fleet", "maxUnavailable": fleet_cap},
        ],
        "stages": [
            {"name": "canary", "perWorkload": 1, "soak": "10m", "approval": "required"},
            {"name": "tenth", "perWorkload": "10%", "soak": "5m"},
            {"name": "rest", "perWorkload": "100%"},
        ],
    }
    return {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": f"{regime}-{seed}"},
        "spec": spec,
    }


def _dependencies(layout: Layout, seed: int, depth: int) -> list[dict[str, object]]:
    """Layers of about equal size; each workload waits for one or two of the layer before."""
    random = Random(f"{seed}/dependencies")
    linked = [
        each
        for each in layout.workloads
        if not each.independent and each.kind is not Kind.DAEMON_SET
    ]
    random.shuffle(linked)
    layers = [linked[number::depth] for number in range(depth)]
    return [
        {
            "workload": _reference(workload),
            "after": [_reference(each) for each in _some(random, before)],
            "ready": random.choice(("50%", "100%", "100%")),
        }
        for before, layer in pairwise(layers)
        for workload in layer
        if before
    ]


def _some(random: Random, layer: list[Workload]) -> list[Workload]:
    return random.sample(layer, k=random.randint(1, min(2, len(layer))))


def _reference(workload: Workload) -> dict[str, str]:
    return {"namespace": workload.namespace, "name": workload.name}


def _team_budgets(layout: Layout) -> list[dict[str, object]]:
    """A fifth of each team; percentages of a request round down, so no very small team."""
    pods: dict[str, int] = {}
    for workload in layout.workloads:
        pods[workload.team] = pods.get(workload.team, 0) + workload.replicas
    return [
        {"name": team, "selector": {"matchLabels": {"team": team}}, "maxUnavailable": "20%"}
        for team, count in sorted(pods.items())
        if count >= _TEAM_PODS_MIN
    ]
