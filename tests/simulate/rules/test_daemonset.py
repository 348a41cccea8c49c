"""Which pods of a DaemonSet are replaced, made or updated next."""

from typing import Any

import pytest

from planner.simulate.rules.actions import Action, Create, Delete, Revisions, UpdateInPlace
from planner.simulate.rules.daemonset import sync

NODES = [f"node-{number}" for number in range(10)]
TEMPLATES = {
    "old": {"spec": {"containers": [{"name": "agent", "image": "agent:1"}]}},
    "new": {"spec": {"containers": [{"name": "agent", "image": "agent:2"}]}},
}
REVISIONS = Revisions(current="old", update="new", templates=TEMPLATES)


def pod(node: str, revision: str = "old", *, ready: bool = True) -> dict[str, Any]:
    conditions = [
        {"type": kind, "status": status, "lastTransitionTime": "2026-11-23T09:33:00Z"}
        for kind, status in (
            ("Ready", "True" if ready else "False"),
            ("InPlaceUpdateReady", "True"),
        )
    ]
    return {
        "metadata": {
            "name": f"{revision}-{node}",
            "labels": {"controller-revision-hash": revision},
        },
        "spec": {"nodeName": node, "containers": [{"name": "agent", "image": "agent:1"}]},
        "status": {"phase": "Running", "conditions": conditions},
    }


def next_of(
    pods: list[dict[str, Any]],
    *,
    group: str = "apps",
    kind: str = "RollingUpdate",
    labels: dict[str, dict[str, str]] | None = None,
    rolling: dict[str, Any],
) -> list[Action]:
    daemon_set = {
        "apiVersion": f"{group}/v1",
        "metadata": {"name": "agent"},
        "spec": {"updateStrategy": {"type": kind, "rollingUpdate": rolling}},
    }
    nodes = [{"metadata": {"name": name, "labels": (labels or {}).get(name, {})}} for name in NODES]
    return sync(daemon_set, pods, nodes, REVISIONS, now=1_795_428_000)


def everywhere(**changed: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return [pod(node, **changed) for node in NODES]


@pytest.mark.parametrize(("most", "gone"), [(1, 1), ("15%", 2), (0, 1), ("100%", 10)])
def test_unavailable_is_rounded_up_and_never_zero(most: int | str, gone: int) -> None:
    assert len(next_of(everywhere(), rolling={"maxUnavailable": most})) == gone


def test_old_pods_that_are_down_go_whatever_the_budget() -> None:
    pods = [*everywhere()[:8], pod("node-8", ready=False), pod("node-9", ready=False)]
    actions = next_of(pods, rolling={"maxUnavailable": 1})
    assert {each.pod for each in actions if isinstance(each, Delete)} == {
        "old-node-8",
        "old-node-9",
    }


def test_new_pods_that_are_down_use_the_budget_up() -> None:
    pods = [*everywhere()[:9], pod("node-9", "new", ready=False)]
    assert next_of(pods, rolling={"maxUnavailable": 1}) == []


def test_a_node_without_a_pod_gets_one_of_the_new_revision() -> None:
    actions = next_of(everywhere()[:9], rolling={"maxUnavailable": 1})
    assert actions == [Create(revision="new", node="node-9")]


def test_on_delete_replaces_nothing() -> None:
    assert next_of(everywhere(), kind="OnDelete", rolling={}) == []


def test_surge_makes_new_pods_beside_the_old_ones_up_to_its_number() -> None:
    rolling = {"maxSurge": "15%", "maxUnavailable": 0}
    made = next_of(everywhere(), rolling=rolling)
    assert made == [Create(revision="new", node=node) for node in NODES[:2]]
    beside = [*everywhere(), pod("node-0", "new"), pod("node-1", "new", ready=False)]
    assert next_of(beside, rolling=rolling) == [
        Delete(pod="old-node-0"),
        Create(revision="new", node="node-2"),
    ]


def test_an_advanced_one_goes_from_the_last_node_in_place_and_leaves_its_partition() -> None:
    rolling = {
        "rollingUpdateType": "InPlaceIfPossible",
        "maxUnavailable": "100%",
        "partition": "75%",
    }
    actions = next_of(everywhere(), group="apps.kruise.io", rolling=rolling)
    # 75 % of ten nodes, rounded down, stay old.
    assert [each.pod for each in actions if isinstance(each, UpdateInPlace)] == [
        "old-node-9",
        "old-node-8",
        "old-node-7",
    ]


def test_an_advanced_one_touches_selected_nodes_only() -> None:
    rolling = {"maxUnavailable": "100%", "selector": {"matchLabels": {"wave": "1"}}}
    labels = {"node-3": {"wave": "1"}, "node-5": {"wave": "1"}}
    actions = next_of(everywhere(), group="apps.kruise.io", rolling=rolling, labels=labels)
    assert actions == [Delete(pod="old-node-5"), Delete(pod="old-node-3")]
