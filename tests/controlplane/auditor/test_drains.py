"""The auditor finds who stays at, comes to or wrongly leaves nodes that are to be empty."""

from typing import Any

from tests.controlplane.auditor.judge import Judge
from tests.controlplane.auditor.test_judge import clone_set, judge_of, pod

DRAIN = {"drain": [{"selector": {"matchLabels": {"pool": "old"}}}, {"name": "third"}]}


def on(node: str, its: dict[str, Any]) -> dict[str, Any]:
    return {**its, "spec": {**its["spec"], "nodeName": node}}


def node(name: str, pool: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"pool": pool}}}


def judge(*pods: dict[str, Any], down: int = 1, **lists: list[Any]) -> Judge:
    nodes = [node("first", "old"), node("second"), node("third")]
    web = clone_set("web", 3, down)
    return judge_of({"nodes": nodes, "pods": list(pods), "clonesets": [web], **lists}, target=DRAIN)


def test_a_pod_leaves_once_and_one_that_may_stay_does_not() -> None:
    its = judge(on("first", pod("web", 0)), on("second", pod("web", 1)), on("third", pod("web", 2)))
    its.see("hz", on("first", pod("web", 0)), gone=True)
    its.see("hz", on("second", pod("web", 3)), gone=False)
    assert its.violations == []
    its.see("hz", on("second", pod("web", 1)), gone=True)
    assert its.violations[0] == "hz/shop/web-1 was at the target and was disrupted again"


def test_nobody_comes_to_such_a_node_but_pods_of_daemon_sets() -> None:
    agents = {"metadata": {"name": "agent", "namespace": "shop", "uid": "agent"}, "spec": {}}
    its = judge(daemonsets=[agents])
    its.see("hz", on("third", pod("agent", 1)), gone=False)
    its.see("hz", pod("web", 1), gone=False)
    its.see("hz", on("second", pod("web", 2)), gone=False)
    assert its.violations == []
    its.see("hz", on("first", pod("web", 1)), gone=False)
    assert its.violations == ["hz/shop/web-1 came to a node that is to be empty"]


def test_one_pod_may_be_down_of_a_workload_that_would_surge_otherwise() -> None:
    pods = [pod("web", number) for number in range(3)]
    for place, violations in (("first", 0), ("second", 2)):
        its = judge(*(on(place, each) for each in pods), down=0)
        its.see("hz", on(place, pods[0]), gone=True)
        assert len(its.violations) == violations
    its = judge(*(on("first", each) for each in pods), down=0)
    for each in pods[:2]:
        its.see("hz", on("first", each), gone=True)
    assert its.violations == ["workload/hz/clonesets/shop/web: 1 pods served, 2 have to"]
