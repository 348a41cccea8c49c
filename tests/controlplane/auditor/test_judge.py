"""The auditor finds each thing that it looks for, and nothing where there is nothing."""

from copy import deepcopy
from typing import Any

import pytest

from tests.controlplane.auditor.judge import Judge
from tests.controlplane.auditor.limits import Cluster
from tests.controlplane.auditor.pods import matches

NOW = 1_795_428_000.0  # 2026-11-23T10:00:00Z
EMPTY: dict[str, list[Any]] = {
    kind: []
    for kind in [
        "nodes",
        "pods",
        "replicasets",
        "deployments",
        "statefulsets",
        "daemonsets",
        "clonesets",
        "advancedstatefulsets",
        "advanceddaemonsets",
        "sidecarsets",
        "poddisruptionbudgets",
        "podunavailablebudgets",
    ]
}
TARGET = {"images": [{"from": "web", "to": "web:2"}, {"from": "db", "to": "db:2"}]}
AFTER = {
    "workload": {"namespace": "shop", "name": "web"},
    "after": [{"namespace": "shop", "name": "db"}],
}


def clone_set(name: str, replicas: int, down: int) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "spec": {
            "replicas": replicas,
            "updateStrategy": {"rollingUpdate": {"maxUnavailable": down}},
        },
    }


def pod(app: str, number: int, *, tag: str = "1", ready: bool = True) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{app}-{number}",
            "namespace": "shop",
            "uid": f"{app}-{number}",
            "labels": {"app": app},
            "ownerReferences": [{"uid": app, "controller": True}],
        },
        "spec": {"containers": [{"name": "main", "image": f"{app}:{tag}"}]},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def judge(**request: Any) -> Judge:  # noqa: ANN401 JSON
    lists = {
        **EMPTY,
        "pods": [*(pod("web", n) for n in range(4)), *(pod("db", n) for n in range(2))],
        "clonesets": [clone_set("web", 4, 2), clone_set("db", 2, 1)],
        "poddisruptionbudgets": [
            {
                "metadata": {"name": "web", "namespace": "shop"},
                "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}},
            }
        ],
    }
    return judge_of(lists, **request)


def judge_of(lists: dict[str, list[Any]], **request: Any) -> Judge:  # noqa: ANN401 JSON
    """Judge a cluster of these objects alone."""
    spec = {"spec": {"target": TARGET, **request}}
    return Judge(spec, {"hz": Cluster("hz", {**EMPTY, **lists})}, clock=lambda: NOW)


def two_clusters() -> Judge:
    """The same budget over 4 pods and over 2: of either one pod may be down."""
    clusters = {}
    for cluster, count in (("hz", 4), ("sh", 2)):
        budget = {
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        }
        lists = {
            **EMPTY,
            "pods": [pod("web", n) for n in range(count)],
            "clonesets": [clone_set("web", count, count)],
            "poddisruptionbudgets": [budget],
        }
        clusters[cluster] = Cluster(cluster, lists)
    return Judge({"spec": {"target": TARGET}}, clusters, clock=lambda: NOW)


def moved(on: Judge, app: str, number: int) -> None:
    """One pod goes to its new version in place."""
    on.see("hz", pod(app, number, ready=False), gone=False)
    on.see("hz", pod(app, number, tag="2", ready=False), gone=False)
    on.see("hz", pod(app, number, tag="2"), gone=False)


def test_pods_that_go_one_by_one_break_nothing() -> None:
    audit = judge(dependencies=[AFTER])
    for app, count in (("db", 2), ("web", 4)):
        for number in range(count):
            moved(audit, app, number)
    assert audit.violations == []
    assert len(audit.disrupted) == 6


def test_a_budget_that_is_broken_for_a_moment_is_found() -> None:
    audit = judge()
    audit.see("hz", pod("web", 0, ready=False), gone=False)
    assert audit.violations == []
    audit.see("hz", pod("web", 1), gone=True)
    assert audit.violations == ["pdb/hz/shop/web: 2 pods served, 3 have to"]


def test_the_workloads_own_limit_is_a_budget_too() -> None:
    audit = judge()
    for number in range(2):
        audit.see("hz", pod("db", number, ready=False), gone=False)
    assert audit.violations == ["workload/hz/clonesets/shop/db: 0 pods served, 1 have to"]


def test_a_budget_of_the_request_spans_workloads() -> None:
    audit = judge(budgets=[{"name": "all", "maxUnavailable": "20%"}])
    audit.see("hz", pod("web", 0, ready=False), gone=False)
    assert audit.violations == []
    audit.see("hz", pod("db", 0, ready=False), gone=False)
    assert audit.violations == ["request/all: 4 pods served, 5 have to"]


def test_budgets_of_one_name_in_two_clusters_are_two() -> None:
    audit = two_clusters()
    for number in range(2):
        audit.see("hz", pod("web", number, ready=False), gone=False)
    assert audit.violations == ["pdb/hz/shop/web: 2 pods served, 3 have to"]


def test_a_pod_that_went_unseen_is_gone_when_all_are_listed() -> None:
    audit = judge()
    audit.see_all("hz", [*(pod("web", n) for n in range(2)), *(pod("db", n) for n in range(2))])
    assert audit.violations == ["pdb/hz/shop/web: 2 pods served, 3 have to"]
    assert audit.disrupted == {("hz", "web-2"), ("hz", "web-3")}


def test_a_pod_that_fell_and_came_back_unseen_was_disrupted() -> None:
    audit = judge()

    def ready_since(minute: int) -> list[dict[str, Any]]:
        pods = [pod(app, n) for app in ("web", "db") for n in range(4 if app == "web" else 2)]
        (condition,) = pods[0]["status"]["conditions"]
        condition["lastTransitionTime"] = f"2026-11-23T10:{minute:02}:00Z"
        return pods

    audit.see("hz", ready_since(0)[0], gone=False)
    audit.see_all("hz", ready_since(0))
    assert audit.disrupted == set()
    audit.see_all("hz", ready_since(1))
    assert audit.disrupted == {("hz", "web-0")}
    assert audit.violations == [], "how many served beside it nobody knows"


def test_a_budget_for_each_workload_counts_its_pods_alone() -> None:
    audit = judge(budgets=[{"name": "each", "scope": "workload", "maxUnavailable": "50%"}])
    for app in ("web", "db"):
        audit.see("hz", pod(app, 0, ready=False), gone=False)
    assert audit.violations == []
    audit.see("hz", pod("db", 1, ready=False), gone=False)
    assert "request/each/hz/shop/CloneSet/db: 0 pods served, 1 have to" in audit.violations


def test_a_part_of_a_dependency_may_be_enough() -> None:
    audit = judge(dependencies=[{**AFTER, "ready": "50%"}])
    moved(audit, "db", 0)
    moved(audit, "web", 0)
    assert audit.violations == []


def test_a_pod_that_is_missing_is_not_done() -> None:
    audit = judge(dependencies=[AFTER])
    moved(audit, "db", 0)
    audit.see("hz", pod("db", 1), gone=True)
    moved(audit, "web", 0)
    assert len(audit.violations) == 1


def test_a_budget_may_name_its_workload_and_leave_pods_out() -> None:
    reference = {"apiVersion": "apps.kruise.io/v1beta1", "kind": "CloneSet", "name": "web"}
    free = pod("web", 3)
    free["metadata"]["annotations"] = {"pub.kruise.io/no-protect": "true"}
    budget = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"minAvailable": 2, "targetRef": reference},
    }
    lists = {
        **EMPTY,
        "pods": [*(pod("web", n) for n in range(3)), free, pod("db", 0)],
        "clonesets": [clone_set("web", 4, 4), clone_set("db", 1, 1)],
        "podunavailablebudgets": [budget],
    }
    audit = judge_of(lists)
    for gone in (free, pod("db", 0), pod("web", 0)):
        audit.see("hz", gone, gone=True)
    assert audit.violations == []
    audit.see("hz", pod("web", 1), gone=True)
    assert audit.violations == ["pub/hz/shop/web: 1 pods served, 2 have to"]


def test_a_scope_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="scope rack is not audited"):
        judge(budgets=[{"name": "n", "scope": "rack", "maxUnavailable": 1}])


def test_a_dependency_that_is_overtaken_is_found() -> None:
    audit = judge(dependencies=[AFTER])
    moved(audit, "db", 0)
    moved(audit, "web", 0)
    assert audit.violations == [
        "hz/CloneSet/shop/web changed when hz/CloneSet/shop/db had 1 of 2 pods done"
    ]


def test_a_pod_that_is_disrupted_twice_is_found() -> None:
    audit = judge()
    audit.see("hz", pod("web", 0, ready=False), gone=False)
    audit.see("hz", pod("web", 0), gone=False)
    audit.see("hz", pod("web", 0, ready=False), gone=False)
    assert audit.violations == ["hz/shop/web-0 was disrupted twice"]


def test_a_pod_at_the_target_is_left_alone() -> None:
    audit = judge()
    moved(audit, "web", 0)
    audit.see("hz", pod("web", 0, tag="2"), gone=True)
    assert audit.violations == ["hz/shop/web-0 was at the target and was disrupted again"]


def test_a_pod_on_its_way_out_does_not_serve() -> None:
    audit = judge()
    for number in range(2):
        leaving = deepcopy(pod("web", number))
        leaving["metadata"]["deletionTimestamp"] = "now"
        audit.see("hz", leaving, gone=False)
    assert audit.violations == ["pdb/hz/shop/web: 2 pods served, 3 have to"]


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "x", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_selectors_select(selector: dict[str, Any] | None, *, selects: bool) -> None:
    assert matches(selector, {"app": "web"}) is selects


def test_an_image_may_be_wanted_of_one_container_of_a_workload() -> None:
    workload = {"namespace": "shop", "name": "web"}
    rule = {"workload": workload, "container": "main", "to": "other:2"}
    audit = judge(target={"images": [rule, TARGET["images"][1]]}, dependencies=[AFTER])
    other = pod("web", 0)
    other["spec"]["containers"][0]["image"] = "other:2"
    audit.see("hz", pod("web", 0, ready=False), gone=False)
    assert audit.violations == []
    audit.see("hz", {**other, "status": pod("web", 0)["status"]}, gone=False)
    assert audit.violations == [
        "hz/CloneSet/shop/web changed when hz/CloneSet/shop/db had 0 of 2 pods done"
    ]
    audit.see("hz", other, gone=True)
    assert audit.violations[1] == "hz/shop/web-0 was at the target and was disrupted again"


def test_what_came_back_has_to_stay() -> None:
    budget = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
    }
    pods = [pod("web", 0), *(pod("web", n, ready=False) for n in (1, 2))]
    workload = clone_set("web", 3, 3)
    audit = judge_of({"pods": pods, "clonesets": [workload], "poddisruptionbudgets": [budget]})
    audit.see("hz", pod("web", 1), gone=False)
    assert audit.violations == []
    audit.see("hz", pod("web", 0, ready=False), gone=False)
    assert audit.violations == ["pdb/hz/shop/web: 1 pods served, 2 have to"]


def test_what_becomes_of_other_peoples_pods_is_only_counted() -> None:
    theirs = pod("theirs", 0)
    theirs["metadata"] |= {"namespace": "theirs", "labels": {}}
    budget = {"name": "all", "maxUnavailable": 1}
    lists = {**EMPTY, "pods": [theirs, pod("web", 0)], "clonesets": [clone_set("web", 1, 1)]}
    request = {"spec": {"target": TARGET, "budgets": [budget]}}
    clusters = {"hz": Cluster("hz", lists)}
    audit = Judge(request, clusters, clock=lambda: NOW, namespaces=["shop"])
    audit.see("hz", theirs, gone=True)
    assert (audit.violations, audit.disrupted) == ([], set())
    audit.see("hz", pod("web", 0), gone=True)
    assert audit.violations == ["request/all: 0 pods served, 1 have to"]


@pytest.mark.parametrize(
    ("spec", "annotations"),
    [
        ({"protectTotalReplicas": 6}, {}),
        ({}, {"annotations": {"pub.kruise.io/protect-total-replicas": "6"}}),
    ],
)
def test_a_budget_may_say_itself_of_how_many_pods_it_is(
    spec: dict[str, int], annotations: dict[str, dict[str, str]]
) -> None:
    selector = {"matchLabels": {"app": "web"}}
    budget = {
        "metadata": {"name": "web", "namespace": "shop", **annotations},
        "spec": {"maxUnavailable": "50%", "selector": selector, **spec},
    }
    lists = {
        "pods": [pod("web", n) for n in range(4)],
        "clonesets": [clone_set("web", 4, 4)],
        "podunavailablebudgets": [budget],
    }
    audit = judge_of(lists)
    for number in range(2):
        audit.see("hz", pod("web", number), gone=True)
    assert audit.violations == ["pub/hz/shop/web: 2 pods served, 3 have to"]


@pytest.mark.parametrize("tag", ["1", "2"])
def test_pods_of_a_workload_that_is_wanted_as_a_whole_go_once(tag: str) -> None:
    manifest = {
        "apiVersion": "apps.kruise.io/v1beta1",
        "kind": "CloneSet",
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "main", "image": f"web:{tag}"}]}}},
    }
    audit = judge(target={"manifests": [manifest]})
    audit.see("hz", pod("web", 0), gone=True)
    audit.see("hz", pod("web", 9, tag=tag), gone=False)
    assert audit.violations == []
    audit.see("hz", pod("web", 9, tag=tag), gone=True)
    assert audit.violations == ["hz/shop/web-9 was at the target and was disrupted again"]
