"""Who goes first, who stays, and what may be left where it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planner.verify import fold_rows
from planner.verify.fleet import read_fleet
from planner.verify.order import ordinal_index
from tests.verify.builders import REGISTRY, App, Row, budget, sidecar_set, upgrade
from tests.verify.plans import MoveJson, Written, move, one_a_wave, unmovable, write

MESH_RULE = {"sidecarSet": "mesh", "container": "mesh", "to": f"{REGISTRY}/mesh:2.0.0"}
MESH = {"mesh": MESH_RULE["to"]}


def recreating(app: App, *indices: int, left: tuple[int, ...] = (), **more: Any) -> Written:  # noqa: ANN401
    moves = one_a_wave([move(app, index, more.pop("kind", "recreate")) for index in indices])
    listed = [unmovable(app, index) for index in left]
    spec = {"target": {"images": upgrade(app)}, **more.pop("spec", {})}
    return write([app, *more.pop("others", ())], moves, left=listed, **more, **spec)


def subjects(plan: Written, rule: str) -> list[str]:
    return [each.subject for each in plan.check() if each.rule == rule]


def clone_set(priority: dict[str, Any], *labels: dict[str, str]) -> App:
    update = {"type": "ReCreate", "maxUnavailable": 1, "priorityStrategy": priority}
    columns = {index: {"labels": _json(each)} for index, each in enumerate(labels)}
    return App(pods=len(labels), spec={"updateStrategy": update}, columns=columns)


def _json(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{key}": "{value}"' for key, value in labels.items()) + "}"


def test_larger_weights_go_first() -> None:
    weights = [{"weight": 5, "matchSelector": {"matchLabels": {"role": "canary"}}}]
    app = clone_set({"weightPriority": weights}, {"role": "main"}, {"role": "canary"})
    assert subjects(recreating(app, 1, 0), "order") == []
    assert subjects(recreating(app, 0, 1), "order") == [app.pod_subject(1)]


def test_pods_without_an_order_key_go_first_and_larger_digits_follow() -> None:
    priority = {"orderPriority": [{"orderedKey": "batch"}]}
    app = clone_set(priority, {"batch": "b-2"}, {"batch": "b-10"}, {"role": "none"})
    assert subjects(recreating(app, 2, 1, 0), "order") == []
    assert subjects(recreating(app, 1, 0, 2), "order") == [app.pod_subject(2)]
    assert subjects(recreating(app, 2, 0, 1), "order") == [app.pod_subject(1)]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({"node": ""}, {}),
        ({"flags": 1 << 2}, {"flags": 1 << 3}),
        ({"flags": 1 << 3}, {}),
        ({"ready_since_s": 2000}, {"ready_since_s": 1000}),
        ({"restarts": 1}, {}),
        ({"created_s": 2000}, {"created_s": 1000}),
    ],
)
def test_a_clone_set_takes_the_worse_pod_first(
    earlier: dict[str, Any], later: dict[str, Any]
) -> None:
    app = App(pods=2, columns={0: later, 1: earlier})
    plan = recreating(app, 0, 1)
    assert subjects(plan, "order") == [app.pod_subject(1)]
    assert subjects(recreating(app, 1, 0), "order") == []


def test_a_scattered_clone_set_is_in_any_order() -> None:
    update = {"scatterStrategy": [{"key": "a", "value": "b"}]}
    app = App(pods=2, columns={1: {"restarts": 1}}, spec={"updateStrategy": update})
    assert subjects(recreating(app, 0, 1), "order") == []


def test_a_stateful_set_does_not_walk_past_a_pod_that_stays() -> None:
    app = App(kind="StatefulSet", pods=3)
    assert subjects(recreating(app, 1, 0, left=(2,)), "order") == [
        app.pod_subject(1),
        app.pod_subject(0),
    ]


def test_nobody_walks_an_on_delete_stateful_set() -> None:
    app = App(kind="StatefulSet", pods=3, spec={"updateStrategy": {"type": "OnDelete"}})
    assert subjects(recreating(app, 1, 0, left=(2,), kind="evict"), "order") == []


def test_reserved_ordinals_do_not_count_in_a_partition() -> None:
    app = App(
        kind="AdvancedStatefulSet",
        spec={"reserveOrdinals": [1, "3-4"], "ordinals": {"start": 0}},
        columns={0: {"name": "cart-5"}},
        pods=1,
    )
    fleet = read_fleet(fold_rows(app.rows()))
    (workload,), (pod, *_) = fleet.workloads.values(), fleet.pods
    assert ordinal_index(workload, pod.ordinal) == 2


def test_a_sidecar_sets_partition_is_cut_from_those_that_wait() -> None:
    app = App(pods=3, labels={"mesh": "enabled"}, sidecars={"mesh": "1.0.0"})

    def plan(moved: int) -> Written:
        moves = [move(app, index, "in-place", containers=MESH) for index in range(moved)]
        left = [unmovable(app, index) for index in range(moved, 3)]
        extra = [sidecar_set("mesh", partition=1)]
        target = {"sidecars": [MESH_RULE]}
        return write([app], one_a_wave(moves), extra=extra, left=left, target=target)

    assert plan(2).check() == []
    assert subjects(plan(3), "partition") == ["hangzhou/sidecarset/mesh"]


def test_the_sidecar_of_a_paused_workload_may_move_alone() -> None:
    update = {"paused": True, "type": "InPlaceIfPossible"}
    app = App(
        pods=1,
        labels={"mesh": "enabled"},
        sidecars={"mesh": "1.0.0"},
        spec={"updateStrategy": update},
    )
    target = {"images": upgrade(app), "sidecars": [MESH_RULE]}
    moves = [move(app, 0, "in-place", containers=MESH)]
    plan = write([app], moves, extra=[sidecar_set("mesh")], target=target)
    assert plan.with_header(partial={app.subject(): 1}).with_moves(plan.moves).check() == []
    assert {each.rule for each in plan.check()} == {"totals"}, "its application stays behind"


def test_nothing_is_evicted_under_two_pod_disruption_budgets() -> None:
    app = App(kind="StatefulSet", pods=1, spec={"updateStrategy": {"type": "OnDelete"}})
    one, two = budget("cart", maxUnavailable=1), budget("all", selector={}, maxUnavailable=1)
    moved = recreating(app, 0, kind="evict", extra=[one])
    assert moved.check() == []
    assert subjects(recreating(app, 0, kind="evict", extra=[one, two]), "eviction") == [
        app.pod_subject(0)
    ]


PAYMENT = App(name="payment", pods=2)
WEB = App(name="web", pods=2)
DEPENDENCY = {"workload": {"name": "web"}, "after": [{"name": "payment"}]}


def after_payment(payment: App, *payment_moves: int) -> Written:
    moves: list[MoveJson] = [move(payment, index, "recreate") for index in payment_moves]
    moves += [move(WEB, index, "recreate") for index in range(2)]
    left = [unmovable(payment, index) for index in range(2) if index not in payment_moves]
    target = {"images": upgrade(payment, WEB)}
    return write(
        [payment, WEB], one_a_wave(moves), left=left, target=target, dependencies=[DEPENDENCY]
    )


def test_a_pod_at_the_target_that_is_down_is_not_done() -> None:
    done = replace(PAYMENT, tag="2.0.0")
    target = {"images": upgrade(WEB)}
    moves = one_a_wave([move(WEB, index, "recreate") for index in range(2)])

    def plan(payment: App) -> Written:
        return write([payment, WEB], moves, target=target, dependencies=[DEPENDENCY])

    assert plan(done).check() == []
    down = replace(done, down=frozenset({1}))
    assert subjects(plan(down), "dependency") == [WEB.subject()] * 2


def test_a_workload_waits_for_pods_that_never_move() -> None:
    assert after_payment(PAYMENT, 0, 1).check() == []
    assert WEB.subject() in subjects(after_payment(PAYMENT, 0), "dependency")


def left_alone(app: App, *extra: Row, others: tuple[App, ...] = (), **spec: Any) -> list[str]:  # noqa: ANN401
    """What is said about a plan that moves nothing of an app."""
    left = [unmovable(app, index) for index in range(app.pods)]
    target = {"images": upgrade(app)}
    plan = write([app, *others], [], extra=extra, left=left, target=target, **spec)
    return subjects(plan, "unmovable-unfounded")


@pytest.mark.parametrize(
    ("spec", "extra", "request_"),
    [
        ({"updateStrategy": {"paused": True}}, [], {}),
        ({"updateStrategy": {"partition": 1}}, [], {}),
        ({}, [budget("cart", maxUnavailable=0)], {}),
        ({"updateStrategy": {"maxUnavailable": 0}}, [], {}),
        ({}, [], {"exclude": [{"selector": {"matchLabels": {"app": "cart"}}}]}),
        ({}, [], {"stages": [{"name": "canary", "perWorkload": 1}]}),
        (
            {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"maxUnavailable": 1}}},
            [budget("cart", maxUnavailable=1), budget("all", selector={}, maxUnavailable=1)],
            {},
        ),
        ({}, [], {"budgets": [{"name": "fleet", "maxUnavailable": "1%"}]}),
    ],
)
def test_what_cannot_move_may_be_left(
    spec: dict[str, Any], extra: list[Row], request_: dict[str, Any]
) -> None:
    assert left_alone(App(pods=1, spec=spec), *extra, **request_) == []


def test_what_is_below_a_pod_that_stays_may_be_left() -> None:
    top = {"labels": '{"app": "cart", "keep": "yes"}'}
    app = App(kind="StatefulSet", pods=2, columns={1: top})
    exclude = [{"selector": {"matchLabels": {"keep": "yes"}}}]
    assert left_alone(app, exclude=exclude) == []
    assert left_alone(replace(app, columns={0: top}), exclude=exclude) == [app.pod_subject(1)]


def test_what_waits_for_the_unreachable_may_be_left() -> None:
    stuck = App(name="payment", pods=1, tag="2.0.0", down=frozenset({0}))
    assert left_alone(WEB, others=(stuck,), dependencies=[DEPENDENCY]) == []


def test_what_could_move_may_not_be_left() -> None:
    app = App(pods=1)
    assert left_alone(app, budget("cart", maxUnavailable=1)) == [app.pod_subject(0)]


def test_a_budget_that_pods_stay_down_under_has_no_room() -> None:
    app = App(pods=2)
    sick = App(name="sick", pods=1, down=frozenset({0}))
    everything = [budget("all", selector={}, maxUnavailable=1)]
    assert left_alone(app, *everything, others=(sick,)) == []


def test_a_last_stage_below_all_leaves_the_others() -> None:
    app = App(pods=4)
    stages = [{"name": "half", "perWorkload": "50%"}]

    def plan(moved: int) -> Written:
        moves = [move(app, index, "recreate", stage="half") for index in range(moved)]
        left = [unmovable(app, index) for index in range(moved, 4)]
        target = {"images": upgrade(app)}
        return write([app], one_a_wave(moves), left=left, target=target, stages=stages)

    assert plan(2).check() == []
    assert subjects(plan(3), "stage") == [app.subject()]
