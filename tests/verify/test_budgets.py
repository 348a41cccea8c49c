"""Limits, pods that are down already, and the waves that may exceed a limit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from planner.verify import fold_rows
from planner.verify.budgets import Budget, all_budgets
from planner.verify.fleet import read_fleet
from planner.verify.plan import build_case
from planner.verify.selector import matches
from planner.verify.target import read_target
from tests.verify.builders import (
    LABEL_POD_NAME,
    NOW_S,
    READY,
    RUNNING,
    App,
    Row,
    budget,
    node,
    sidecar_set,
    upgrade,
)
from tests.verify.plans import Written, move, one_a_wave, write

APP = App(pods=7, spec={"updateStrategy": {"type": "InPlaceIfPossible", "maxUnavailable": 3}})
PUB = "podunavailablebudgets"


def budgets_of(apps: list[App], extra: list[Row], **spec: Any) -> dict[str, Budget]:  # noqa: ANN401
    plan = write(apps, [], extra=extra, **spec)
    fleet = read_fleet(fold_rows(plan.rows))
    request = plan.header["request"]
    case = build_case(plan.header, [], fleet, read_target(request, fleet))
    return {str(each): each for each in all_budgets(case)}


def limit(*extra: Row, app: App = APP) -> int:
    found = budgets_of([app], list(extra))
    return next(each.limit for each in found.values() if each.rule == "budget")


def moving(app: App, *waves: list[int], extra: tuple[Row, ...] = (), **spec: Any) -> Written:  # noqa: ANN401
    moves = [
        move(app, index, "in-place", wave=wave)
        for wave, indices in enumerate(waves, start=1)
        for index in indices
    ]
    return write([app], moves, extra=extra, target={"images": upgrade(app)}, **spec)


def rules(plan: Written) -> set[tuple[str, int | None]]:
    return {(each.rule, each.wave) for each in plan.check() if each.rule.endswith("budget")}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"maxUnavailable": "50%"}, 4),
        ({"minAvailable": "50%"}, 3),
        ({"minAvailable": 5}, 2),
        ({"minAvailable": 9}, 0),
        ({"maxUnavailable": 9}, 7),
    ],
)
def test_a_pod_disruption_budget_over_seven(spec: dict[str, Any], expected: int) -> None:
    assert limit(budget("cart", **spec)) == expected


def test_a_pod_disruption_budget_counts_replicas_and_not_pods() -> None:
    short = replace(APP, replicas=10)
    assert limit(budget("cart", maxUnavailable=4), app=short) == 1
    assert limit(budget("cart", minAvailable=4), app=short) == 3


def test_a_pod_disruption_budget_over_a_daemon_set_fails_safe() -> None:
    daemons = App(kind="DaemonSet", pods=3)
    assert limit(budget("cart", maxUnavailable=2), app=daemons) == 0
    assert limit(budget("cart", minAvailable=1), app=daemons) == 2


def test_a_pod_disruption_budget_over_a_daemon_set_among_others_fails_safe() -> None:
    others = [APP, App(name="agent", kind="DaemonSet")]
    found = budgets_of(others, [budget("all", selector={}, maxUnavailable=2)])
    assert found["hangzhou/pdb/trade/all"].limit == 0


def test_an_empty_selector_is_the_namespace_and_none_is_nothing() -> None:
    found = budgets_of(
        [APP, App(name="web", kind="Deployment")], [budget("all", selector={}, maxUnavailable=1)]
    )
    assert len(found["hangzhou/pdb/trade/all"].pods) == 11
    assert not matches(None, {})


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"maxUnavailable": "10%"}, 1),
        ({"minAvailable": "50%"}, 3),
        ({"maxUnavailable": "50%", "protectTotalReplicas": 10}, 2),
    ],
)
def test_a_pod_unavailable_budget_over_seven(spec: dict[str, Any], expected: int) -> None:
    assert limit(budget("cart", resource=PUB, **spec)) == expected


def test_an_old_pod_unavailable_budget_keeps_its_total_in_an_annotation() -> None:
    row = budget("cart", resource=PUB, maxUnavailable="50%")
    document = json.loads(row["document"])
    document["metadata"]["annotations"] = {"pub.kruise.io/protect-total-replicas": "10"}
    assert limit({**row, "document": json.dumps(document)}) == 2


def test_a_pod_unavailable_budget_passes_over_pods_that_it_does_not_protect() -> None:
    free = {"annotations": '{"pub.kruise.io/no-protect": "true"}'}
    app = replace(APP, columns={0: free, 1: {"labels": '{"app": "cart", "batch": "yes"}'}})
    ignored = {"matchExpressions": [{"key": "batch", "operator": "Exists"}]}
    target = {"apiVersion": "apps.kruise.io/v1beta1", "kind": "CloneSet", "name": "cart"}
    pub = budget("x", resource=PUB, maxUnavailable=3, targetRef=target, ignoredPodSelector=ignored)
    found = budgets_of([app], [pub])["hangzhou/pub/trade/x"]
    assert (len(found.pods), found.limit) == (5, 1)


def test_missing_pods_shrink_the_workloads_own_budget() -> None:
    found = budgets_of([replace(APP, replicas=9)], [])
    assert found["hangzhou/workload/trade/CloneSet/cart"].limit == 1


def test_a_pod_that_is_not_ready_for_long_enough_is_down_for_its_workload_only() -> None:
    young = replace(
        APP,
        spec={**APP.spec, "minReadySeconds": 30},
        columns={0: {"ready_since_s": NOW_S - 29}, 1: {"ready_since_s": NOW_S - 30}},
    )
    found = budgets_of([young], [budget("cart", maxUnavailable=1)])
    down = {name: len(each.down) for name, each in found.items()}
    assert down == {"hangzhou/workload/trade/CloneSet/cart": 1, "hangzhou/pdb/trade/cart": 0}


def test_a_node_whose_clock_is_ahead_makes_no_pod_down() -> None:
    ahead = replace(APP, columns={0: {"ready_since_s": NOW_S + 5}})
    assert not budgets_of([ahead], [])["hangzhou/workload/trade/CloneSet/cart"].down


def test_a_sidecar_set_counts_updated_pods_that_are_down() -> None:
    old = App(
        name="old", labels={"mesh": "enabled"}, sidecars={"mesh": "1.0.0"}, down=frozenset({0})
    )
    new = App(
        name="new", labels={"mesh": "enabled"}, sidecars={"mesh": "2.0.0"}, down=frozenset({0, 1})
    )
    rule = {"sidecarSet": "mesh", "container": "mesh", "to": "registry.example.com/mesh:2.0.0"}
    found = budgets_of(
        [old, new], [sidecar_set("mesh", maxUnavailable="10%")], target={"sidecars": [rule]}
    )["hangzhou/sidecarset/mesh"]
    assert (found.limit, len(found.down), len(found.free)) == (1, 2, 3)


def test_budgets_of_the_request_are_one_for_each_of_their_scope() -> None:
    spread = replace(APP, pods=4)
    nodes = [node(f"node-{n:04}", "zone-a" if n < 3 else "zone-b") for n in range(4)]
    twin = replace(spread, cluster="shanghai")
    scopes = ("node", "zone", "workload", "namespace", "cluster", "fleet")
    rules = [{"name": scope, "scope": scope, "maxUnavailable": "50%"} for scope in scopes]
    found = budgets_of([spread, twin], nodes, budgets=rules)
    limits: dict[str, list[int]] = {}
    for each in found.values():
        if each.rule == "request-budget":
            limits.setdefault(each.name, []).append(each.limit)
    assert limits == {
        "node": [0] * 8,
        "zone": [1, 0],
        "workload": [2, 2],
        "namespace": [2, 2],
        "cluster": [2, 2],
        "fleet": [4],
    }


NAMED = App(
    kind="StatefulSet",
    pods=4,
    columns={index: {"flags": READY | RUNNING | LABEL_POD_NAME} for index in range(4)},
)
"""Its pods are alike but for a label that follows from the name of each."""
SECOND = {"matchLabels": {"statefulset.kubernetes.io/pod-name": "cart-2"}}
OTHERS = {
    "matchExpressions": [
        {"key": "statefulset.kubernetes.io/pod-name", "operator": "NotIn", "values": ["cart-2"]}
    ]
}


@pytest.mark.parametrize("selector", [SECOND, OTHERS])
def test_pods_that_are_alike_are_told_apart_by_a_label_of_their_name(
    selector: dict[str, Any],
) -> None:
    expected = 1 if selector is SECOND else 3
    found = budgets_of(
        [NAMED],
        [
            budget("one", selector=selector, maxUnavailable=0),
            budget("pub", resource=PUB, ignoredPodSelector=selector, maxUnavailable=1, selector={}),
        ],
        budgets=[{"name": "rule", "selector": selector, "maxUnavailable": 1}],
    )
    assert len(found["hangzhou/pdb/trade/one"].pods) == expected
    assert len(found["hangzhou/pub/trade/pub"].pods) == 4 - expected
    assert len(found["rule"].pods) == expected


def test_pods_that_are_alike_are_excluded_by_a_label_of_their_name() -> None:
    moves = one_a_wave([move(NAMED, index, "recreate") for index in (3, 2, 1, 0)])
    plan = write([NAMED], moves, target={"images": upgrade(NAMED)}, exclude=[{"selector": SECOND}])
    excluded = [each.subject for each in plan.check() if each.rule == "excluded"]
    assert excluded == [NAMED.pod_subject(2)]


def test_pods_that_are_down_use_a_budget_up_until_they_move() -> None:
    app = replace(APP, down=frozenset({6}))
    early = moving(app, [0, 1, 2], [6], [3, 4, 5])
    assert rules(early) == {("workload-budget", 1)}
    assert rules(moving(app, [6], [0, 1, 2], [3, 4, 5])) == set()


def test_a_pod_that_is_down_still_counts_in_the_wave_that_moves_it() -> None:
    app = replace(APP, down=frozenset({6}))
    assert rules(moving(app, [6, 0, 1, 2], [3, 4, 5])) == {("workload-budget", 1)}
    assert rules(moving(app, [6, 0, 1], [2, 3, 4], [5])) == set()


def test_headroom_is_what_a_wave_leaves_of_a_limit() -> None:
    plan = moving(replace(APP, down=frozenset({6})), [6], [0, 1], [2, 3, 4], [5])
    entry = {"name": "workload/trade/CloneSet/cart", "cluster": "hangzhou", "limit": 3, "down": 1}
    right = plan.with_header(budgets=[{**entry, "headroom": [2, 1, 0, 2]}])
    wrong = plan.with_header(budgets=[{**entry, "headroom": [3, 1, 0, 2]}])
    assert right.check() == []
    assert [each.wave for each in wrong.check()] == [1]


def test_a_wave_of_pods_that_are_down_may_exceed_any_limit() -> None:
    app = replace(APP, down=frozenset(range(5)))
    extra = (budget("cart", maxUnavailable=1),)
    assert rules(moving(app, [0, 1, 2, 3, 4], [5], [6], extra=extra)) == set()


def test_a_pod_may_be_passed_over_only_for_the_sake_of_a_place() -> None:
    app = replace(APP, pods=3, columns={0: {"restarts": 9, "node": "node-x"}})
    moves = one_a_wave([move(app, 1, "in-place"), move(app, 0, "in-place", node="node-x")])
    last = move(app, 2, "in-place", wave=2)

    def found(*budgets: dict[str, Any]) -> set[str]:
        wanted = {"images": upgrade(app)}
        plan = write([app], [*moves, last], target=wanted, budgets=list(budgets))
        return {each.subject for each in plan.check() if each.rule == "order"}

    assert found({"name": "per-node", "scope": "node", "maxUnavailable": 1}) == set()
    assert found({"name": "fleet", "maxUnavailable": 3}) == {app.pod_subject(0)}
    assert found() == {app.pod_subject(0)}
