"""A script as operators write it: one layer of workloads after the other.

Within a layer every workload goes on in every wave by as many pods as the tightest of its budgets
still lets, in the order in which they are listed.
"""

import networkx as nx

from benches.peers.filling import Filling
from benches.peers.problem import Answer, Problem
from benches.peers.tails import graph


def solve(problem: Problem, seconds: float) -> Answer:  # noqa: ARG001 it takes as long as it takes
    """Schedule whole layers; `ready` below 100% is of no use to it."""
    filling = Filling(problem)
    for layer in nx.topological_generations(graph(problem)):
        groups = sorted(layer)
        while groups := [g for g in groups if filling.done[g] < len(problem.groups[g].moves)]:
            filling.fill(groups)
    return Answer(waves=filling.schedule)
