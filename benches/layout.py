"""What runs in a generated fleet: workloads, how large, where; decided before any text is made.

Nothing here depends on a request: the same fleet serves every regime.
"""

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from benches.workload import Kind, Workload, daemon_set, ordinary_workload

PODS_MIN = 100
PODS_PER_NODE = 25
PODS_PER_NODE_MAX = 110
ZONES = ("zone-a", "zone-b", "zone-c")
DAEMONS = ("cni", "log-shipper", "node-agent")
# Kind, share of the pods that no DaemonSet has, median and sigma of the lognormal size, largest.
_KINDS = (
    (Kind.CLONE_SET, 45, 18, 1.6, 1 << 20),
    (Kind.DEPLOYMENT, 31, 9, 1.5, 1 << 20),
    (Kind.STATEFUL_SET, 9, 7, 0.8, 120),
    (Kind.ADVANCED_STATEFUL_SET, 3, 12, 1.0, 400),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A whole fleet before it is text. Workloads are sorted as the API lists them."""

    nodes: int
    namespaces: tuple[tuple[str, str], ...]
    workloads: tuple[Workload, ...]
    places: "array[int]"

    def zone(self, node: int) -> str:
        """The zone of a node, by its number."""
        return ZONES[node % len(ZONES)]

    def nodes_of(self, workload: Workload) -> Iterator[int]:
        """The node of each pod: a DaemonSet's on every node, the others far from each other."""
        if workload.kind is Kind.DAEMON_SET:
            return iter(range(self.nodes))
        stride = _stride(len(self.places))
        places = self.places
        return (
            places[position * stride % len(places)]
            for position in range(workload.first, workload.first + workload.replicas)
        )


def lay_out(pods: int, seed: int) -> Layout:
    """Decide what runs in a fleet of exactly `pods` pods.

    Raises:
        ValueError: fewer than `PODS_MIN` pods, which leaves no room for every kind.
    """
    if pods < PODS_MIN:
        raise ValueError(f"a fleet of {pods} pods is too small; ask for at least {PODS_MIN}")
    nodes = pods // PODS_PER_NODE
    ordinary = pods - len(DAEMONS) * nodes
    sizes = _sizes(Random(f"{seed}/sizes"), ordinary)
    namespaces = _namespaces(len(sizes))
    random = Random(f"{seed}/workloads")
    drawn = [
        ordinary_workload(random, number, kind, replicas, random.choice(namespaces[2:]))
        for number, (kind, replicas) in enumerate(sizes)
    ]
    drawn += [daemon_set(random, name, nodes) for name in DAEMONS]
    return Layout(
        nodes=nodes,
        namespaces=namespaces,
        workloads=tuple(_in_place_order(drawn)),
        places=_places(Random(f"{seed}/places"), nodes, ordinary),
    )


def _sizes(random: Random, pods: int) -> list[tuple[Kind, int]]:
    """Heavy-tailed sizes that add up to `pods`, kind by kind."""
    shares = sum(share for _, share, *_ in _KINDS)
    sizes: list[tuple[Kind, int]] = []
    left = pods
    for kind, share, median, sigma, largest in _KINDS[::-1]:
        # The first kind comes last and takes what rounding left over.
        wanted = left if kind is _KINDS[0][0] else pods * share // shares
        left -= wanted
        cap = min(largest, max(3, pods // 10))
        while wanted:
            size = min(wanted, cap, math.ceil(random.lognormvariate(math.log(median), sigma)))
            sizes.append((kind, size))
            wanted -= size
    return sizes


def _namespaces(workloads: int) -> tuple[tuple[str, str], ...]:
    """Namespaces with their teams; first the platform's own two."""
    teams = max(3, workloads // 160)
    count = max(6, workloads // 40)
    named = (f"team-{number % teams:03}" for number in range(count))
    return (
        ("platform", "platform"),
        ("kruise-system", "platform"),
        *((f"{team}-{number // teams:02}", team) for number, team in enumerate(named)),
    )


def _places(random: Random, nodes: int, pods: int) -> "array[int]":
    """One entry a pod, the number of its node: uneven, but never above what a node can hold."""
    room = PODS_PER_NODE_MAX - len(DAEMONS)
    mean = pods / nodes
    held = [min(room, int(random.lognormvariate(math.log(mean), 0.5))) for _ in range(nodes)]
    excess = sum(held) - pods
    while excess:
        node = random.randrange(nodes)
        if excess > 0 and held[node]:
            held[node] -= 1
            excess -= 1
        elif excess < 0 and held[node] < room:
            held[node] += 1
            excess += 1
    return array("I", (node for node, count in enumerate(held) for _ in range(count)))


def _stride(places: int) -> int:
    """A step that visits every place once and keeps successive visits far apart."""
    stride = int(places * 0.6180339887)
    while math.gcd(stride, places) != 1:
        stride += 1
    return stride


def _in_place_order(workloads: list[Workload]) -> Iterator[Workload]:
    """The workloads as the API lists them, each with its first place."""
    first = 0
    for workload in sorted(workloads, key=lambda each: (each.namespace, each.name)):
        yield replace(workload, first=first)
        first += 0 if workload.kind is Kind.DAEMON_SET else workload.replicas
