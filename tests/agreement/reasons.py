"""Why a number is below 100 %, one sentence each, found in the recording."""

from typing import Final

_CROWDED: Final = (
    "the ranking begins with how many pods of the Deployment share a node, and the upgrade's own "
    "new pods change that between one pass and the next, so that nobody can know it beforehand."
)
_NOT_TRANSITIVE: Final = (
    "the controller's comparison is not transitive (pods Ready since the same second go by their "
    "creation, all others of about the same age by uid), so what comes out depends on its "
    "sorting algorithm and the order of its cache"
)
_TIES: Final = (
    "all that differ have a pod with equal keys in their place: the controller took them in the "
    "order of its cache, the planner by name."
)
_ONE_BY_ONE: Final = (
    "the controller changes one pod after the other, about ten a second, and a container of this "
    "cluster is back after 1 to 3 s, so more are never down together, whatever is allowed."
)
_MIXED: Final = (
    "the planner keeps the order within each workload and mixes workloads as it makes the plan "
    "short, the controller takes the pods of all workloads by how long they have been Ready"
)

REASONS: Final[dict[tuple[str, str], str]] = {
    ("catalog", "order"): _CROWDED,
    ("catalog", "by pass"): (
        f"{_NOT_TRANSITIVE}; and when the first pass began the ReplicaSet controller did not yet "
        "know on which node the first new pod had been placed, 20 ms before."
    ),
    ("catalog", "first pass"): f"{_NOT_TRANSITIVE}.",
    ("web", "order"): _CROWDED,
    ("web", "by pass"): f"{_NOT_TRANSITIVE}.",
    ("web", "first pass"): f"{_NOT_TRANSITIVE}.",
    ("inventory", "order"): (
        "the last old pods were not updated but removed in place of the surge pods, in the order "
        "in which a CloneSet scales in and not in that in which it updates."
    ),
    ("inventory", "kind"): (
        "with maxSurge 20 % the controller made 9 new pods first and in the end removed as many "
        "old ones, which the planner moves in place like the others, because it does not use the "
        "maxSurge of CloneSets (docs/RULES.md)."
    ),
    ("log-tail (5)", "pods"): f"{_MIXED}: it began with 55 of cart, the plan with 35.",
    ("log-tail (20%)", "across"): f"{_MIXED}.",
    ("log-tail (20%)", "at once"): _ONE_BY_ONE,
    ("mesh-proxy", "order"): (
        "every pair that differs has a pod of trade/order that was restarted by the upgrade to "
        "order:1.1.0 at the same time, between the observation and the action."
    ),
    ("mesh-proxy", "across"): f"{_MIXED}; and trade/order was upgraded at the same time.",
    ("mesh-proxy", "at once"): _ONE_BY_ONE,
    ("order", "order"): (
        "both pairs have a pod whose sidecar was restarted by the upgrade of mesh-proxy at the "
        "same time, between the observation and the action."
    ),
    ("checkout", "partition 35"): _TIES,
    ("checkout", "partition 0"): _TIES,
}
