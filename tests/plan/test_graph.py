"""Dependencies are put in order, and what is wrong with them is named."""

import json

import networkx as nx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from planner.errors import InfeasibleError
from planner.model.request import UpgradeRequest, load_request
from planner.plan.graph import order_dependencies


def request(*dependencies: str) -> UpgradeRequest:
    """Each dependency is `after <- before, before @ready`; a name may have a cluster before /."""
    spec = {"target": {}, "dependencies": [parsed(text) for text in dependencies]}
    raw = {
        "apiVersion": "planner/v1",
        "kind": "UpgradeRequest",
        "metadata": {"name": "test"},
        "spec": spec,
    }
    return load_request(json.dumps(raw).encode(), "request", lambda _: ())


def parsed(text: str) -> dict[str, object]:
    text, _, ready = text.partition(" @")
    workload, _, after = text.partition(" <- ")
    return {
        "workload": reference(workload),
        "after": [reference(name) for name in after.split(", ")],
        **({"ready": ready} if ready else {}),
    }


def reference(name: str) -> dict[str, str]:
    cluster, _, plain = name.rpartition("/")
    return {"namespace": "ns", "name": plain, **({"cluster": cluster} if cluster else {})}


def test_what_is_waited_for_comes_first() -> None:
    dependencies = order_dependencies(request("d <- c", "c <- a, b", "b <- a @50%"))

    assert dependencies.order == ("ns/a", "ns/b", "ns/c", "ns/d")
    assert [(each.before, each.after, each.ready) for each in dependencies.edges] == [
        ("ns/a", "ns/b", 50),
        ("ns/a", "ns/c", 100),
        ("ns/b", "ns/c", 100),
        ("ns/c", "ns/d", 100),
    ]


def test_a_shortest_cycle_is_the_conflict() -> None:
    with pytest.raises(InfeasibleError) as caught:
        order_dependencies(request("b <- a", "c <- b", "a <- c", "x <- b", "b <- x"))

    assert caught.value.conflict == ("ns/b", "ns/x")
    assert "ns/b -> ns/x -> ns/b" in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_cycle_in_one_cluster_is_a_cycle() -> None:
    with pytest.raises(InfeasibleError) as caught:
        order_dependencies(request("b <- a", "one/a <- one/b"))

    assert caught.value.conflict == ("one/ns/a", "one/ns/b")


def test_opposite_orders_in_different_clusters_are_no_cycle() -> None:
    assert order_dependencies(request("one/b <- one/a", "two/a <- two/b")).order


def test_a_dependency_that_follows_from_others_is_warned_of() -> None:
    (warning,) = order_dependencies(request("b <- a", "c <- b @1%", "c <- a")).warnings

    assert warning == (
        "ns/c after ns/a does nothing as long as ns/b moves too: "
        "ns/c waits for ns/b, which waits for ns/a"
    )


def test_a_dependency_that_asks_for_more_than_the_others_is_not_warned_of() -> None:
    assert order_dependencies(request("b <- a @50%", "c <- b", "c <- a @60%")).warnings == ()


def test_waiting_for_nothing_is_warned_of_and_left_out() -> None:
    dependencies = order_dependencies(request("b <- a @0%", "a <- b"))

    assert dependencies.warnings == ("ns/b after ns/a does nothing: ready is 0%",)
    assert dependencies.order == ("ns/b", "ns/a")


def test_the_graph_is_written_for_graphviz() -> None:
    assert order_dependencies(request("b <- a @50%")).dot() == (
        "digraph dependencies {\n"
        "  rankdir=LR;\n"
        '  "ns/a";\n'
        '  "ns/b";\n'
        '  "ns/a" -> "ns/b" [label="50%"];\n'
        "}\n"
    )


PAIRS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")).filter(lambda p: p[0] != p[1]),
    max_size=10,
)


@given(pairs=PAIRS)
def test_every_dependency_is_kept_or_a_cycle_is_named(pairs: list[tuple[str, str]]) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph(pairs)
    asked = request(*(f"{after} <- {before}" for before, after in pairs))
    if nx.is_directed_acyclic_graph(graph):
        order = order_dependencies(asked).order
        assert sorted(order) == sorted(f"ns/{name}" for name in graph)
        assert all(order.index(f"ns/{b}") < order.index(f"ns/{a}") for b, a in pairs)
        return
    with pytest.raises(InfeasibleError) as caught:
        order_dependencies(asked)
    cycle = [name.removeprefix("ns/") for name in caught.value.conflict]
    assert all(graph.has_edge(*pair) for pair in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    assert len(cycle) == min(map(len, nx.simple_cycles(graph)))


@given(pairs=PAIRS, shares=st.lists(st.sampled_from([50, 100]), min_size=10, max_size=10))
def test_what_follows_from_others_is_named_whatever_the_graph(
    pairs: list[tuple[str, str]], shares: list[int]
) -> None:
    ready = dict(zip(pairs, shares, strict=False))
    graph: nx.DiGraph[str] = nx.DiGraph(list(ready))
    assume(nx.is_directed_acyclic_graph(graph))
    asked = request(*(f"{after} <- {before} @{ready[before, after]}%" for before, after in ready))

    implied = [
        (before, after, min(by))
        for before, after in sorted(ready)
        if (
            by := [
                middle
                for middle in graph.successors(before)
                if ready[before, middle] >= ready[before, after]
                and middle in nx.ancestors(graph, after)
            ]
        )
    ]

    assert list(order_dependencies(asked).warnings) == [
        f"ns/{after} after ns/{before} does nothing as long as ns/{by} moves too: "
        f"ns/{after} waits for ns/{by}, which waits for ns/{before}"
        for before, after, by in implied
    ]


MANY = 3_000


def test_a_chain_of_every_workload_of_a_fleet_is_put_in_order() -> None:
    # A chain, and each waits for the one before the one before too: all pairs are related.
    chain = [f"w{i:05} <- w{i - 1:05}" for i in range(1, MANY)]
    skips = [f"w{i:05} <- w{i - 2:05}" for i in range(2, MANY)]

    dependencies = order_dependencies(request(*chain, *skips))

    assert dependencies.order == tuple(f"ns/w{i:05}" for i in range(MANY))
    assert len(dependencies.warnings) == MANY - 2


def test_a_ring_of_every_workload_of_a_fleet_is_named() -> None:
    ring = [f"w{i:05} <- w{(i - 1) % MANY:05}" for i in range(MANY)]

    with pytest.raises(InfeasibleError) as caught:
        order_dependencies(request(*ring))

    assert len(caught.value.conflict) == MANY
