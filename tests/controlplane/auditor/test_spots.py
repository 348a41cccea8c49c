"""The auditor counts budgets of nodes and zones by where pods stood before the upgrade."""

from typing import Any

from tests.controlplane.auditor.judge import Judge
from tests.controlplane.auditor.test_judge import clone_set, judge_of, pod

NODES = [
    {"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone}}}
    for name, zone in (("n0", "a"), ("n1", "b"), ("n2", "a"))
]


def placed(app: str, number: int, *, on: int | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 JSON
    """A pod on a node, of two on each."""
    made = pod(app, number, **more)
    made["spec"]["nodeName"] = f"n{number % 3 if on is None else on}"
    return made


def judged(scope: str, most: int | str) -> Judge:
    """Two pods on each of three nodes, of which two are in one zone."""
    budget = {"name": "spot", "scope": scope, "maxUnavailable": most}
    lists = {
        "nodes": NODES,
        "pods": [placed("web", n) for n in range(6)],
        "clonesets": [clone_set("web", 6, 6)],
    }
    return judge_of(lists, budgets=[budget])


def test_two_pods_of_a_node_are_too_many_where_two_of_two_nodes_are_not() -> None:
    audit = judged("node", 1)
    for number in range(3):
        audit.see("hz", placed("web", number, ready=False), gone=False)
    assert audit.violations == []
    audit.see("hz", placed("web", 3, ready=False), gone=False)
    assert audit.violations == ["request/spot/hz/n0: 0 pods served, 1 have to"]


def test_a_share_of_a_zone_is_rounded_down() -> None:
    audit = judged("zone", "40%")
    audit.see("hz", placed("web", 0, ready=False), gone=False)
    assert audit.violations == []
    audit.see("hz", placed("web", 2, ready=False), gone=False)
    assert audit.violations == ["request/spot/hz/a: 2 pods served, 3 have to"]


def test_a_pod_that_came_up_on_another_node_stands_for_the_one_that_went() -> None:
    audit = judged("node", 1)
    audit.see("hz", placed("web", 0), gone=True)
    audit.see("hz", placed("web", 9, on=1, tag="2", ready=False), gone=False)
    audit.see("hz", placed("web", 9, on=1, tag="2"), gone=False)
    audit.see("hz", placed("web", 3), gone=True)
    assert audit.violations == []


def test_a_pod_that_did_not_come_up_yet_stands_for_nobody() -> None:
    audit = judged("node", 1)
    audit.see("hz", placed("web", 0), gone=True)
    audit.see("hz", placed("web", 9, on=1, tag="2", ready=False), gone=False)
    audit.see("hz", placed("web", 3), gone=True)
    assert audit.violations == ["request/spot/hz/n0: 0 pods served, 1 have to"]
