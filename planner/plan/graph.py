"""The order that a request asks for between workloads, as a graph."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import networkx as nx

from planner.errors import InfeasibleError
from planner.model.request import UpgradeRequest
from planner.model.scalars import percent
from planner.model.target import WorkloadRef


class _Node(NamedTuple):
    """Workloads that the request does not tell apart; an empty text stands for all others."""

    namespace: str
    name: str
    cluster: str
    kind: str

    def __str__(self) -> str:
        parts = (self.cluster, self.namespace, self.kind, self.name)
        return "/".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`after` waits until `ready` percent of `before` are done."""

    before: str
    after: str
    ready: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Workloads in an order that keeps every dependency, those before first.

    `warnings` name dependencies that do nothing. Names are as in the request: `trade/cart`, with
    cluster and kind (`hangzhou/trade/CloneSet/cart`) where the request tells them apart.
    """

    order: tuple[str, ...]
    edges: tuple[Edge, ...]
    warnings: tuple[str, ...]

    def dot(self) -> str:
        """Write the graph in the language of Graphviz."""
        nodes = [f"  {_quoted(name)};" for name in self.order]
        edges = [
            f'  {_quoted(edge.before)} -> {_quoted(edge.after)} [label="{edge.ready}%"];'
            for edge in self.edges
        ]
        return "\n".join(["digraph dependencies {", "  rankdir=LR;", *nodes, *edges, "}", ""])


def order_dependencies(request: UpgradeRequest) -> Dependencies:
    """Put the workloads that depend on each other in order.

    Raises:
        InfeasibleError: workloads wait for each other; `conflict` is a shortest such cycle.
    """
    graph, idle = _graph(request)
    cycle = _shortest_cycle(graph)
    if cycle:
        names = [str(node) for node in cycle]
        path = " -> ".join([*names, names[0]])
        message = f"workloads wait for each other: {path}; take one of these dependencies out"
        raise InfeasibleError(message, names)
    edges = sorted((before, after) for before, after in graph.edges)
    return Dependencies(
        order=tuple(str(node) for node in nx.lexicographical_topological_sort(graph)),
        edges=tuple(
            Edge(before=str(before), after=str(after), ready=graph.edges[before, after]["ready"])
            for before, after in edges
        ),
        warnings=(*idle, *_implied(graph, edges)),
    )


def _graph(request: UpgradeRequest) -> tuple["nx.DiGraph[_Node]", list[str]]:
    """Build the graph; dependencies with nothing to wait for come back as warnings."""
    graph: nx.DiGraph[_Node] = nx.DiGraph()
    idle: list[str] = []
    dependencies = request.spec.dependencies
    named = [ref for each in dependencies for ref in (each.workload, *each.after)]
    for dependency in dependencies:
        ready = percent(dependency.ready)
        for before in dependency.after:
            if ready == 0:
                idle.append(f"{dependency.workload} after {before} does nothing: ready is 0%")
                continue
            pairs = product(_nodes(before, named), _nodes(dependency.workload, named))
            for one, other in pairs:
                known = graph.get_edge_data(one, other, {"ready": 0})["ready"]
                graph.add_edge(one, other, ready=max(ready, known))
    return graph, idle


def _nodes(ref: WorkloadRef, named: Sequence[WorkloadRef]) -> Iterable[_Node]:
    """Split what a reference means into the parts that some reference tells apart."""
    same = [each for each in named if (each.namespace, each.name) == (ref.namespace, ref.name)]
    clusters = {ref.cluster} if ref.cluster else {each.cluster or "" for each in same} | {""}
    kinds = {ref.kind} if ref.kind else {each.kind or "" for each in same} | {""}
    pairs = product(sorted(clusters), sorted(kinds))
    return [_Node(ref.namespace, ref.name, cluster, kind) for cluster, kind in pairs]


def _shortest_cycle(graph: "nx.DiGraph[_Node]") -> list[_Node]:
    """Return a shortest cycle, the first by name among those; empty if there is none."""
    cycles = []
    for part in nx.strongly_connected_components(graph):
        if len(part) > 1:
            # A graph of its own: networkx walks a subgraph in the order of a set.
            edges = sorted(graph.subgraph(part).edges)
            inside: nx.DiGraph[_Node] = nx.DiGraph(edges)
            cycles += [nx.shortest_path(inside, after, before) for before, after in edges]
    rotated = [_smallest_first(cycle) for cycle in cycles]
    return min(rotated, key=lambda cycle: (len(cycle), cycle), default=[])


def _smallest_first(cycle: list[_Node]) -> list[_Node]:
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start]


def _implied(graph: "nx.DiGraph[_Node]", edges: Sequence[tuple[_Node, _Node]]) -> Iterable[str]:
    """Name the dependencies that follow from others.

    If c waits for b and b for a, then c waits for a: some of b has moved, so enough of a was
    done for b, which is enough for c when b asks for no less. Where b has nothing to move
    this does not hold, so it is a warning and the edge stays.
    """
    needed = nx.transitive_reduction(graph).edges
    for before, after in edges:
        if (before, after) in needed:
            continue
        ready = graph.edges[before, after]["ready"]
        by = next((each for each in _between(graph, before, after, ready)), None)
        if by is not None:
            yield (
                f"{after} after {before} does nothing as long as {by} moves too: "
                f"{after} waits for {by}, which waits for {before}"
            )


def _between(
    graph: "nx.DiGraph[_Node]", before: _Node, after: _Node, ready: int
) -> Iterable[_Node]:
    for middle in sorted(graph.successors(before)):
        enough = graph.edges[before, middle]["ready"] >= ready
        if middle != after and enough and nx.has_path(graph, middle, after):
            yield middle


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
