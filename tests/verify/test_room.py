"""Room for surge pods as the checker counts it, and plans that want more of it than there is."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.verify.nodes import asked_by, quantity
from tests.verify.builders import READY, READY_KNOWN, RUNNING, App, Row, document_row, upgrade
from tests.verify.plans import move, unmovable, write

if TYPE_CHECKING:
    from tests.verify.plans import Written

SURGES = {"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "100%"}}}
ROLLS = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "100%"}}}


def app(name: str, pods: int, cpu: int, **more: Any) -> App:  # noqa: ANN401
    """A workload of a zone of its own namesake, each of whose pods has so many millicores."""
    spec = {"containers": [{"name": "main", "image": App(name=name).image}]}
    column = {"spec": json.dumps({**spec, "requests": {"cpu": cpu, "memory": 0}})}
    columns = dict.fromkeys(range(pods), column)
    fields = {"kind": "Deployment", "spec": SURGES, **more}
    return App(name=name, pods=pods, columns=columns, **fields)


def node(name: str, cpu: str) -> Row:
    status = {
        "allocatable": {"cpu": cpu, "memory": "64Gi", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    return document_row("hangzhou", "nodes", {"metadata": {"name": name}, "status": status})


def at_once(*apps: App, nodes: list[Row]) -> Written:
    """Every pod surged in one wave."""
    moves = [move(each, index, "surge") for each in apps for index in range(each.pods)]
    return write(apps, moves, extra=nodes, target={"images": upgrade(*apps)})


def broken(plan: Written) -> set[tuple[str, str]]:
    return {(each.rule, each.subject) for each in plan.check()}


@given(
    st.integers(1, 4),
    st.lists(st.integers(0, 6), min_size=1, max_size=4),
    st.integers(100, 900),
)
def test_a_wave_that_surges_more_than_fits_is_refused(
    pods: int, slots: list[int], cpu: int
) -> None:
    # Nodes that its own pods are not on, each with room for so many of them and a bit.
    nodes = [node(f"spare-{at}", f"{each * cpu + cpu - 1}m") for at, each in enumerate(slots)]
    found = broken(at_once(app("cart", pods, cpu), nodes=nodes))
    too_many = ("surge", "hangzhou/surge/trade/Deployment/cart")
    assert found == ({too_many} if pods > sum(slots) else set())


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.integers(100, 900),
)
def test_a_wave_that_surges_more_of_two_workloads_than_fits_is_refused(
    carts: int, pays: int, slots: list[int], cpu: int
) -> None:
    nodes = [node(f"spare-{at}", f"{each * cpu + cpu - 1}m") for at, each in enumerate(slots)]
    apps = {"cart": app("cart", carts, cpu), "pay": app("pay", pays, cpu)}
    alone = {
        ("surge", f"hangzhou/surge/trade/Deployment/{name}")
        for name, each in apps.items()
        if each.pods > sum(slots)
    }
    # Where both are as large, the first by its name has the room.
    shared = ("room", "hangzhou/room/trade/Deployment/cart")
    is_short = carts + pays > sum(slots) > 0
    could_be = min(carts, sum(slots)) + min(pays, sum(slots)) > sum(slots)
    found = broken(at_once(*apps.values(), nodes=nodes))
    assert found == alone | ({shared} if is_short and could_be else set())


def test_a_pod_of_a_daemon_set_whose_node_has_no_room_for_two_does_not_surge() -> None:
    agent = app("agent", 2, 500, kind="DaemonSet", spec=ROLLS)
    nodes = [node(agent.node(0), "900m"), node(agent.node(1), "1")]
    both = at_once(agent, nodes=nodes)
    subject = "hangzhou/surge/trade/DaemonSet/agent"
    assert broken(both) == {("surge", subject)}
    assert any("node-0000 has no room" in each.message for each in both.check())
    listed = both.with_header(unmovable=[unmovable(agent, 0)])
    assert broken(listed.with_moves([move(agent, 1, "surge")])) == set()


def test_a_pod_that_has_room_is_not_unmovable() -> None:
    agent = app("agent", 2, 500, kind="DaemonSet", spec=ROLLS)
    nodes = [node(agent.node(0), "1"), node(agent.node(1), "1")]
    listed = at_once(agent, nodes=nodes).with_header(unmovable=[unmovable(agent, 0)])
    found = broken(listed.with_moves([move(agent, 1, "surge")]))
    assert ("unmovable-unfounded", agent.pod_subject(0)) in found


def test_a_pod_that_has_room_is_not_unmovable_without_a_reason_either() -> None:
    agent = app("agent", 2, 500, kind="DaemonSet", spec=ROLLS)
    nodes = [node(agent.node(0), "1"), node(agent.node(1), "1")]
    entry = {name: it for name, it in unmovable(agent, 0).items() if name != "reason"}
    listed = at_once(agent, nodes=nodes).with_header(unmovable=[entry])
    found = broken(listed.with_moves([move(agent, 1, "surge")]))
    subject = agent.pod_subject(0)
    assert {("unmovable-missing", subject), ("unmovable-unfounded", subject)} <= found


def test_pods_that_do_not_serve_need_no_second_place() -> None:
    cart = app("cart", 2, 500)
    flags = RUNNING | READY_KNOWN
    cart.columns[0] = {**cart.columns[0], "flags": flags}
    cart.columns[1] = {**cart.columns[1], "flags": flags | READY}
    assert broken(at_once(cart, nodes=[node("spare", "500m")])) == set()


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("100m", Fraction(1, 10)),
        ("2", Fraction(2)),
        ("1.5Gi", Fraction(3 << 29)),
        ("64Mi", Fraction(64 << 20)),
        ("1e3", Fraction(1000)),
        ("1E", Fraction(10**18)),
        ("1Ei", Fraction(1 << 60)),
        ("100u", Fraction(1, 10_000)),
        ("5n", Fraction(5, 10**9)),
        (".5", Fraction(1, 2)),
        (3, Fraction(3)),
        ("", None),
        ("-1", None),
        ("1Zi", None),
        (True, None),
        (None, None),
    ],
)
def test_quantities_are_read_as_kubernetes_writes_them(text: object, amount: Fraction) -> None:
    assert quantity(text) == amount


def test_a_pod_asks_for_its_hungriest_moment_and_its_overhead() -> None:
    def asks(cpu: str) -> dict[str, Any]:
        return {"requests": {"cpu": cpu}}

    spec = {
        "initContainers": [
            {"name": "mesh", "restartPolicy": "Always", "resources": asks("500m")},
            {"name": "setup", "resources": asks("2")},
        ],
        "containers": [{"name": "main", "resources": asks("1")}, {"name": "bare"}],
        "overhead": {"cpu": "100m"},
    }
    found = asked_by({"spec": spec}, ())
    assert found is not None
    assert found.amounts == (2600, 0, 1)
