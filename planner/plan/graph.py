"""The order that a request asks for between workloads, as a graph."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
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


_Parts = dict[tuple[str, str], tuple[set[str], set[str]]]
"""Clusters and kinds by which references tell workloads apart, by namespace and name."""


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
    named = _parts(ref for each in dependencies for ref in (each.workload, *each.after))
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


def _parts(refs: Iterable[WorkloadRef]) -> _Parts:
    parts: _Parts = {}
    for ref in refs:
        clusters, kinds = parts.setdefault((ref.namespace, ref.name), ({""}, {""}))
        clusters.add(ref.cluster or "")
        kinds.add(ref.kind or "")
    return parts


def _nodes(ref: WorkloadRef, named: _Parts) -> Iterable[_Node]:
    """Split what a reference means into the parts that some reference tells apart."""
    clusters, kinds = named[ref.namespace, ref.name]
    pairs = product(
        [ref.cluster] if ref.cluster else sorted(clusters),
        [ref.kind] if ref.kind else sorted(kinds),
    )
    return [_Node(ref.namespace, ref.name, cluster, kind) for cluster, kind in pairs]


def _shortest_cycle(graph: "nx.DiGraph[_Node]") -> list[_Node]:
    """Return a shortest cycle, the first by name among those; empty if there is none."""
    cycles: list[list[_Node]] = []
    for part in nx.strongly_connected_components(graph):
        if len(part) > 1:
            # A graph of its own: networkx walks a subgraph in the order of a set.
            inside: nx.DiGraph[_Node] = nx.DiGraph(sorted(graph.subgraph(part).edges))
            for node in sorted(part):
                if node in inside:
                    cycles += _cycles_through(inside, node)
                    _take_out(inside, node)
    return min(cycles, key=lambda cycle: (len(cycle), cycle), default=[])


def _cycles_through(graph: "nx.DiGraph[_Node]", node: _Node) -> Iterator[list[_Node]]:
    """Give a shortest cycle for each edge to a node; it begins at the node."""
    for before in graph.predecessors(node):
        with suppress(nx.NetworkXNoPath):
            yield nx.shortest_path(graph, node, before)


def _take_out(graph: "nx.DiGraph[_Node]", node: _Node) -> None:
    """Take out a node, and with it all that can be on no cycle any more."""
    idle = [node]
    while idle:
        each = idle.pop()
        if each in graph:
            beside = [*graph.predecessors(each), *graph.successors(each)]
            graph.remove_node(each)
            idle += [n for n in beside if not (graph.in_degree(n) and graph.out_degree(n))]


def _implied(graph: "nx.DiGraph[_Node]", edges: Sequence[tuple[_Node, _Node]]) -> Iterator[str]:
    """Name the dependencies that follow from others.

    If c waits for b and b for a, then c waits for a: some of b has moved, so enough of a was
    done for b, which is enough for c when b asks for no less. Where b has nothing to move
    this does not hold, so it is a warning and the edge stays.
    """
    number = {node: index for index, node in enumerate(nx.topological_sort(graph))}
    through: dict[tuple[_Node, _Node], _Node] = {}
    for after, waited_for in _waited_for(graph, number):
        for before in graph.predecessors(after):
            ready = graph.edges[before, after]["ready"]
            for middle in graph.successors(before):
                enough = graph.edges[before, middle]["ready"] >= ready
                if enough and waited_for >> number[middle] & 1:
                    known = through.setdefault((before, after), middle)
                    through[before, after] = min(known, middle)
    for before, after in edges:
        by = through.get((before, after))
        if by is not None:
            yield (
                f"{after} after {before} does nothing as long as {by} moves too: "
                f"{after} waits for {by}, which waits for {before}"
            )


def _waited_for(
    graph: "nx.DiGraph[_Node]", number: Mapping[_Node, int]
) -> Iterator[tuple[_Node, int]]:
    """Give each node with all that it waits for, directly or not, as bits at their numbers.

    Bits and not sets, because in a fleet each of thousands may wait for thousands.

    Args:
        graph: without cycles.
        number: of each node from 0, those before first.
    """
    open_ends = {node: graph.out_degree(node) for node in number}
    known: dict[_Node, int] = {}
    for node in number:
        bits = 0
        for before in graph.predecessors(node):
            bits |= known[before] | 1 << number[before]
            open_ends[before] -= 1
            if not open_ends[before]:
                del known[before]
        known[node] = bits
        yield node, bits


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
