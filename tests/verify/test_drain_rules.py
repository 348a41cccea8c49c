"""Who leaves a drained node and how, whom its data keep, and what evictions may take down."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from planner.verify import fold_rows
from planner.verify.budgets import all_budgets
from planner.verify.drains import read_drains
from planner.verify.fleet import read_fleet
from planner.verify.plan import build_case
from planner.verify.target import read_target
from tests.verify.builders import EMPTY_DIR, App, budget, node, sidecar_set, upgrade
from tests.verify.plans import MoveJson, Written, move, one_a_wave, unmovable, write
from tests.verify.yard import (
    CACHE,
    CART,
    DATA,
    ETCD,
    KAFKA,
    MESH,
    PAYMENT,
    QUEUE,
    UP,
    WEB,
    Found,
    asking,
    found,
    leaves,
    one,
    saving,
    valid_plan,
    with_rows,
)


def test_nodes_are_named_by_cluster_name_and_label() -> None:
    rows = [
        node("a", "zone-a", pool="old"),
        node("b", "zone-a", pool="new"),
        node("a", "zone-a", "shanghai", pool="old"),
    ]

    def named(*entries: dict[str, Any]) -> dict[tuple[str, str], bool]:
        return dict(read_drains(entries, fold_rows(rows)).nodes)

    old = {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["old"]}]}
    assert named({"name": "a"}) == {("hangzhou", "a"): False, ("shanghai", "a"): False}
    assert named({"name": "a", "cluster": "shanghai"}) == {("shanghai", "a"): False}
    assert named({"selector": old, "cluster": "hangzhou"}) == {("hangzhou", "a"): False}
    may = {"name": "b", "deleteEmptyDirData": True}
    assert named(may, {"selector": {"matchLabels": {"pool": "new"}}}) == {("hangzhou", "b"): True}
    assert read_drains([may, {"name": "c"}], fold_rows(rows)).idle == [1]


def limits_of(plan: Written) -> dict[str, int]:
    """Limits of the workloads' own."""
    fleet = read_fleet(fold_rows(plan.rows))
    target = read_target(plan.header["request"], fleet)
    case = build_case(plan.header, plan.moves, fleet, target)
    every = [each for each in all_budgets(case) if each.rule == "workload-budget"]
    return {each.name.rpartition("/")[2]: each.limit for each in every}


def test_one_may_be_down_where_a_drain_evicts_and_only_there() -> None:
    plan = valid_plan()
    limits = limits_of(plan)
    # MySQL's Recreate lets all be down, but only for its updates.
    assert (limits["web"], limits["ledger"], limits["mysql"]) == (1, 0, 1)
    # What nobody moves could be moved all the same.
    assert limits_of(plan.with_moves([]))["web"] == 1
    kept = asking(exclude=[{"selector": {"matchLabels": {"app": "web"}}}])(plan.with_moves([]))
    assert limits_of(kept)["web"] == 0
    stays = {index: {"flags": UP | EMPTY_DIR} for index in range(2)}
    with_data = with_rows(*replace(WEB, columns=stays).rows())(plan.with_moves([]))
    assert limits_of(with_data)["web"] == 0


def emptying(*apps: App, moves: list[MoveJson], left: list[dict[str, Any]], **spec: Any) -> Written:  # noqa: ANN401
    """A plan that drains node-0000 and node-0001, whose list of nodes is not looked at."""
    rows = [node(f"node-000{number}", "zone-a", pool="old") for number in range(2)]
    target = {"drain": [{"selector": {"matchLabels": {"pool": "old"}}}], **spec}
    return write(apps, one_a_wave(moves), extra=rows, left=left, target=target)


def broken(plan: Written) -> Found:
    """What is said of a plan but for the numbers of its header."""
    return {each for each in found(plan) if each[0] not in ("drains", "totals")}


def test_nobody_walks_to_those_that_only_leave() -> None:
    update = {"rollingUpdate": {"podUpdatePolicy": "InPlaceIfPossible", "partition": 1}}
    kept = App(
        kind="AdvancedStatefulSet",
        pods=2,
        spec={"updateStrategy": update},
        columns={1: {"flags": UP | EMPTY_DIR}},
    )
    plan = emptying(kept, moves=[leaves(kept, 0)], left=[unmovable(kept, 1)], images=upgrade(kept))
    assert broken(plan) == set()


@pytest.mark.parametrize(
    ("node_name", "kind", "rules"),
    [("node-0005", "in-place", ["order"]), ("node-0000", "evict", ["order", "containers"])],
)
def test_a_controller_does_not_walk_past_a_pod_whose_data_keep_it(
    node_name: str, kind: str, rules: list[str]
) -> None:
    update = {"rollingUpdate": {"podUpdatePolicy": "InPlaceIfPossible"}}
    columns: dict[int, dict[str, Any]] = {1: {"flags": UP | EMPTY_DIR}, 0: {"node": node_name}}
    spec = {"updateStrategy": update}
    app = App(kind="AdvancedStatefulSet", pods=2, spec=spec, columns=columns)
    moves = [move(app, 0, kind, node=node_name)]
    plan = emptying(app, moves=moves, left=[unmovable(app, 1)], images=upgrade(app))
    assert broken(plan) == {each for rule in rules for each in one(rule, app)}


def test_a_controller_does_not_stop_at_a_pod_that_runs_what_it_should() -> None:
    new = {"containers": [{"name": "main", "image": QUEUE.wanted}]}
    kept = replace(QUEUE, columns={1: {"flags": UP | EMPTY_DIR, "spec": json.dumps(new)}})
    moves = [move(kept, 0, "recreate")]
    plan = emptying(kept, moves=moves, left=[unmovable(kept, 1)], images=upgrade(kept))
    assert broken(plan) == set()


def test_a_deployment_of_one_pod_is_recreated_as_ever() -> None:
    app = App(kind="Deployment", pods=1, spec={"strategy": {"type": "Recreate"}})
    plan = emptying(app, moves=[move(app, 0, "recreate")], left=[], images=upgrade(app))
    assert broken(plan) == set()


def test_no_partition_holds_what_only_an_eviction_changes() -> None:
    update = {"type": "OnDelete", "rollingUpdate": {"partition": 1, "maxUnavailable": 1}}
    app = App(pods=2, spec={"updateStrategy": update})
    moves = [move(app, 0, "evict"), leaves(app, 1)]
    plan = emptying(app, moves=moves, left=[], images=upgrade(app))
    assert broken(plan) == one("containers", app, 1)


@pytest.mark.parametrize("app", [CACHE, KAFKA, ETCD])
def test_data_keep_what_only_leaves(app: App) -> None:
    kept = replace(app, columns=DATA, pods=1)
    plan = emptying(kept, moves=[], left=[unmovable(kept, 0)], images=upgrade(KAFKA))
    assert broken(plan) == set()
    moved = plan.with_header(unmovable=[]).with_moves([leaves(kept, 0)])
    assert broken(moved) == one("empty-dir", kept)


@pytest.mark.parametrize(("app", "kind"), [(PAYMENT, "recreate"), (ETCD, "evict")])
def test_data_do_not_keep_what_is_made_anew_anyway(app: App, kind: str) -> None:
    kept = replace(app, columns=DATA, pods=1)
    moves = [move(kept, 0, kind)]
    assert broken(emptying(kept, moves=moves, left=[], images=upgrade(kept))) == set()
    stays = emptying(kept, moves=[], left=[unmovable(kept, 0)], images=upgrade(kept))
    assert broken(stays) == one("unmovable-unfounded", kept)


def test_a_budget_without_room_keeps_what_only_leaves() -> None:
    plan = emptying(WEB, moves=[], left=[unmovable(WEB, index) for index in range(2)])
    assert broken(plan) == one("unmovable-unfounded", WEB) | one("unmovable-unfounded", WEB, 1)
    assert broken(with_rows(budget("web", maxUnavailable=0))(plan)) == set()


def test_who_surges_may_go_before_who_waits_to_be_evicted() -> None:
    update = {"maxUnavailable": 0, "maxSurge": 1, "partition": 2}
    first = {index: {"restarts": 9 - index} for index in range(3)}
    app = App(pods=3, spec={"updateStrategy": update}, columns=first)
    moves = [
        {**leaves(app, 0), "wave": 1},
        {**move(app, 2, "surge"), "wave": 1},
        {**leaves(app, 1), "wave": 2},
    ]
    plan = emptying(app, moves=[], left=[], images=upgrade(app))
    assert broken(plan.with_moves(moves)) == set()
    late = [{**moves[0], "wave": 3}, {**moves[1], "wave": 2}, {**moves[2], "wave": 1}]
    assert ("order", app.pod_subject(0)) in broken(plan.with_moves(late))


def test_a_pod_that_may_be_held_by_a_partition_raises_a_limit_only_when_it_is_evicted() -> None:
    update = {"maxUnavailable": 0, "maxSurge": 1, "partition": 1}
    app = App(pods=2, spec={"updateStrategy": update})
    plan = emptying(app, moves=[move(app, 0, "surge")], left=[], images=upgrade(app))
    assert limits_of(plan) == {"cart": 0}
    assert limits_of(plan.with_moves([*plan.moves, leaves(app, 1)])) == {"cart": 1}


def test_evictions_count_in_stages() -> None:
    stages = [{"name": "first", "perWorkload": 1}, {"name": "rest", "perWorkload": "100%"}]

    def staged(*names: str) -> Found:
        moves = [{**leaves(QUEUE, 1 - at), "stage": name} for at, name in enumerate(names)]
        plan = emptying(QUEUE, moves=[], left=[]).with_request(stages=stages)
        return broken(plan.with_moves(one_a_wave(moves)))

    assert staged("first", "rest") == set()
    assert staged("first", "first") == {("stage", QUEUE.subject())}


GOLD = {
    "apiVersion": "apps.kruise.io/v1beta1",
    "kind": "CloneSet",
    "metadata": {"name": "cart", "namespace": "trade"},
    "spec": {"template": {"metadata": {"labels": {"tier": "gold"}}}},
}
"""What only changes labels, so that no container tells whether a move is for its sake."""


def saved(plan: Written, *, tried: int = 4) -> list[int]:
    """The numbers of saved disruptions that are believed."""
    return [it for it in range(tried) if ("totals", "totals") not in found(saving(plan, it))]


def test_what_no_container_tells_is_believed() -> None:
    update = {"type": "InPlaceIfPossible"}
    app = App(pods=1, spec={"updateStrategy": update})
    held = replace(app, spec={"updateStrategy": {**update, "partition": 1}})
    paused = replace(app, spec={"updateStrategy": {**update, "paused": True}})
    for each, expected in ((app, [1]), (held, [0, 1]), (paused, [0])):
        plan = emptying(each, moves=[leaves(each, 0)], left=[], manifests=[GOLD])
        assert (broken(plan), saved(plan)) == (set(), expected)


def test_a_sidecar_in_place_may_be_for_the_sake_of_labels_as_well() -> None:
    app = replace(CART, pods=1, first_node=5)
    sidecars = [{"sidecarSet": "mesh", "container": "mesh", "to": MESH["mesh"]}]
    moves = [move(app, 0, "in-place", containers=MESH)]
    plan = emptying(app, moves=moves, left=[], manifests=[GOLD], sidecars=sidecars)
    plan = with_rows(sidecar_set("mesh"))(plan)
    assert (broken(plan), saved(plan)) == (set(), [0, 1])


def test_where_nobody_may_be_down_pods_leave_and_nothing_else_goes() -> None:
    update = {"type": "InPlaceIfPossible", "maxUnavailable": 0}
    app = App(pods=3, spec={"updateStrategy": update})
    evicted = [move(app, index, "evict") for index in range(2)]
    plan = emptying(app, moves=evicted, left=[unmovable(app, 2)], images=upgrade(app))
    assert broken(plan) == set()
    moves = [*evicted, move(app, 2, "in-place")]
    plan = emptying(app, moves=moves, left=[], images=upgrade(app))
    assert {rule for rule, _ in broken(plan)} == {"workload-budget"}
