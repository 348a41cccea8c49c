"""A plan that keeps its sequences passes; broken in any one way, just that is named."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.verify.builders import App, Row, node, upgrade
from tests.verify.plans import MoveJson, Written, move, unmovable, write
from tests.verify.streams import names, streaming
from tests.verify.test_streaming import timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    Where = list[tuple[App, int, int]]
    """The pods that move, and the wave of each."""

AT_ONCE: dict[str, Any] = {"updateStrategy": {"type": "ReCreate", "maxUnavailable": "100%"}}
ANY_ORDER = {"strategy": {"rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}}
ROLES = {0: {"labels": '{"app": "cart", "role": "leader"}'}}
CART = App(name="cart", spec=AT_ONCE, columns=ROLES)
WEB = App(name="web", namespace="shop", pods=4, spec=AT_ONCE)
ABROAD = App(name="abroad", cluster="shanghai", pods=4, spec=AT_ONCE)
NEAR = App(name="near", cluster="hangzhou-2", pods=1, spec=AT_ONCE)
"""As node names begin: hangzhou-2/ comes before hangzhou/."""
KAFKA = App(name="kafka", kind="StatefulSet", namespace="data", pods=2, first_node=1)
"""The pod that goes first is in the zone that comes second."""
FIRST, SECOND = (0, 1), (2, 3)
"""Pods of a workload of four in zone-a, and in zone-b."""
ZONES: list[Row] = [
    node(f"node-000{number}", zone, cluster)
    for cluster in ("hangzhou", "shanghai")
    for zone, numbers in (("zone-a", FIRST), ("zone-b", SECOND))
    for number in numbers
] + [node("node-0008", "")]
BY_ZONE: dict[str, Any] = {"name": "zones", "each": "zone"}
TRADE = {"name": "trade", "namespace": "trade"}
FOLLOWERS = {"matchExpressions": [{"key": "role", "operator": "NotIn", "values": ["leader"]}]}


def waves(*pods: Sequence[tuple[App, Sequence[int]]]) -> Where:
    """These pods in wave 1, and in wave 2, and so on."""
    return [
        (app, index, wave)
        for wave, each in enumerate(pods, start=1)
        for app, indices in each
        for index in indices
    ]


def apps_of(where: Where) -> list[App]:
    return list({app.name: app for app, _, _ in where}.values())


def upgraded(where: Where, *sequences: dict[str, Any], **more: Any) -> Written:  # noqa: ANN401
    """A plan that makes these pods anew with another image, which all others have."""
    apps = [_done(app, {index for it, index, _ in where if it is app}) for app in apps_of(where)]
    moves = [move(app, index, "recreate", wave=wave) for app, index, wave in where]
    spec = {"target": {"images": upgrade(*apps)}, "sequences": list(sequences), **more}
    return write(apps, moves, extra=ZONES, **spec)


def left(
    where: Where,
    *sequences: dict[str, Any],
    kind: str = "recreate",
    **images: Any,  # noqa: ANN401
) -> Written:
    """A plan that drains the nodes of all of these pods, and may change their images."""
    apps = apps_of(where)
    nodes = sorted({app.node(index) for app, index, _ in where})
    moves = [
        move(app, index, kind, wave=wave)
        if images
        else move(app, index, "evict", wave=wave, containers={})
        for app, index, wave in where
    ]
    target = {"drain": [{"cluster": "hangzhou", "name": name} for name in nodes], **images}
    plan = write(apps, moves, extra=ZONES, target=target, sequences=list(sequences))
    totals = {**plan.header["totals"], "disruptions_saved": len(moves) if images else 0}
    return plan.with_header(drains=_drains(moves), totals=totals)


def _done(app: App, but: set[int]) -> App:
    spec = json.dumps({"containers": [{"name": "main", "image": app.wanted}]})
    done = {
        index: {**app.columns.get(index, {}), "spec": spec}
        for index in range(app.pods)
        if index not in but
    }
    return replace(app, columns={**app.columns, **done})


def _drains(moves: Sequence[MoveJson]) -> list[dict[str, Any]]:
    of_node: defaultdict[str, list[int]] = defaultdict(list)
    for each in moves:
        of_node[each["node"]].append(each["wave"])
    return [
        {"cluster": "hangzhou", "name": name, "moves": len(its), "stays": 0, "wave": max(its)}
        for name, its in sorted(of_node.items())
    ]


def broken(*pods: tuple[App, Sequence[int]], rule: str = "sequence") -> set[tuple[str, str]]:
    return {(rule, app.pod_subject(index)) for app, indices in pods for index in indices}


BOTH = [(CART, FIRST), (WEB, FIRST)], [(CART, SECOND), (WEB, SECOND)]
WAVES = {
    "zone after zone": (waves(*BOTH), BY_ZONE, set()),
    "two phases in one wave": (
        waves([(CART, FIRST), (WEB, (0,))], [(WEB, (1,)), (CART, (2,))], [(CART, (3,))]),
        BY_ZONE,
        broken((CART, (2,))),
    ),
    "the later zone first": (
        waves(*reversed(BOTH)),
        BY_ZONE,
        broken((CART, SECOND), (WEB, SECOND)),
    ),
    "one pod that comes after": (
        waves(*BOTH, [(ABROAD, (0,))]),
        BY_ZONE,
        broken((CART, SECOND), (WEB, SECOND)),
    ),
    "a zone of that name in another cluster": (
        waves([(CART, FIRST)], [(ABROAD, SECOND)], [(CART, SECOND)]),
        BY_ZONE,
        set(),
    ),
    "two clusters, each by itself": (
        waves([(ABROAD, FIRST)], [(ABROAD, SECOND), (CART, FIRST)], [(CART, SECOND)]),
        {**BY_ZONE, "scope": "cluster"},
        set(),
    ),
    "two workloads, each by itself": (
        waves([(WEB, FIRST)], [(CART, FIRST), (WEB, SECOND)], [(CART, SECOND)]),
        {**BY_ZONE, "scope": "workload"},
        set(),
    ),
    "a workload by itself": (
        waves([(WEB, FIRST)], [(CART, SECOND), (WEB, SECOND)], [(CART, FIRST)]),
        {**BY_ZONE, "scope": "workload"},
        broken((CART, SECOND)),
    ),
    "a namespace by itself": (
        waves([(WEB, SECOND), (CART, FIRST)], [(WEB, FIRST), (CART, SECOND)]),
        {**BY_ZONE, "scope": "namespace"},
        broken((WEB, SECOND)),
    ),
    "nodes": (
        waves([(CART, (0, 1))], [(CART, (2,))], [(CART, (3,)), (WEB, (3,))]),
        {"name": "nodes", "each": "node"},
        broken((CART, (1,))),
    ),
    "nodes that are called the same in two clusters": (
        waves([(CART, (0,)), (ABROAD, (0,))], [(CART, (1,)), (ABROAD, (1,))]),
        {"name": "nodes", "each": "node"},
        broken((ABROAD, FIRST)),
    ),
    "clusters of which one begins as the other": (
        waves([(NEAR, (0,))], [(CART, (0,))]),
        {"name": "nodes", "each": "node"},
        set(),
    ),
    "clusters": (
        waves([(ABROAD, FIRST)], [(CART, FIRST)]),
        {"name": "clusters", "each": "cluster"},
        broken((ABROAD, FIRST)),
    ),
    "a canary cluster": (
        waves([(ABROAD, FIRST)], [(CART, FIRST)], [(ABROAD, SECOND)]),
        {"name": "canary", "phases": [{"name": "canary", "cluster": "shanghai"}]},
        broken((CART, FIRST)),
    ),
    "a namespace, and then a zone of another": (
        waves([(WEB, (0, 2))], [(CART, (2,))], [(CART, (0, 1))], [(CART, (3,))]),
        {
            "name": "both",
            "phases": [
                {"name": "web", "namespace": "shop"},
                {"name": "first zone", "zone": "zone-a", "cluster": "hangzhou"},
            ],
        },
        broken((CART, (2,))),
    ),
    "the first phase that matches counts": (
        waves([(WEB, (3,))], [(CART, (3,)), (WEB, (0,))]),
        {
            "name": "both",
            "phases": [{"name": "second", "zone": "zone-b"}, {"name": "web", "namespace": "shop"}],
        },
        broken((WEB, (0,))),
    ),
    "leaders first": (
        waves([(CART, (0, 1))], [(CART, SECOND), (WEB, FIRST)]),
        {
            "name": "leaders last",
            "scope": "workload",
            "phases": [{"name": "followers", "selector": FOLLOWERS}],
        },
        broken((CART, (0,))),
    ),
    "a zone by itself": (
        waves([(CART, (1,))], [(CART, (0, 2))], [(CART, (3,))]),
        {
            "name": "leaders last",
            "scope": "zone",
            "phases": [{"name": "followers", "selector": FOLLOWERS}],
        },
        set(),
    ),
}


@pytest.mark.parametrize("case", WAVES)
def test_a_phase_is_over_before_the_wave_in_which_the_next_begins(case: str) -> None:
    where, sequence, expected = WAVES[case]
    assert names(upgraded(where, sequence)) == expected
    # Moves that begin with their wave end before the next.
    assert names(streaming(upgraded(where, sequence))) >= expected


def test_no_move_begins_before_those_of_the_earlier_phase_have_ended() -> None:
    plan = streaming(upgraded(waves(*BOTH), BY_ZONE))
    assert names(plan) == set()
    assert names(timed(CART.pod_name(2), by=-0.001)(plan)) == broken((CART, (2,)))
    longer = timed(WEB.pod_name(0), by=0.001)(plan)
    assert names(longer) == broken((CART, SECOND), (WEB, SECOND))


def test_of_the_earlier_phases_the_move_that_ends_last_counts() -> None:
    """Not the one that begins last."""
    plan = streaming(upgraded(waves(*BOTH), BY_ZONE))
    for index in range(4):
        plan = timed(WEB.pod_name(index), seconds=20.0)(plan)
    plan = timed(WEB.pod_name(0), by=10)(plan)
    assert names(plan) == set()
    assert names(timed(WEB.pod_name(2), by=-1)(plan)) == broken((WEB, (2,)))


def test_what_breaks_a_sequence_is_told_by_its_name_and_phases() -> None:
    plan = upgraded(waves([(CART, (0, 2))], [(CART, (1,))], [(CART, (3,))]), BY_ZONE)
    (told,) = plan.check()
    assert (told.rule, told.subject, told.wave) == ("sequence", CART.pod_subject(2), 1)
    assert told.message == (
        "it is of the phase zone-b of zones, before which all others are moved:"
        f" {CART.pod_subject(1)} of zone-a moves in wave 2"
    )


def test_pods_without_a_zone_are_of_no_phase() -> None:
    away = App(name="away", kind="Deployment", pods=2, first_node=8, spec=ANY_ORDER)
    unbound = replace(away, columns={0: {"node": ""}})
    where = waves([(unbound, (1,))], [(CART, FIRST)], [(CART, SECOND)], [(unbound, (0,))])
    plan = upgraded(where, BY_ZONE).change(unbound.pod_name(0), node="")
    assert names(plan) == set()
    # Whom no phase matches comes last.
    everywhere = {"name": "zone-a first", "phases": [{"name": "first", "zone": "zone-a"}]}
    assert names(plan.with_request(sequences=[everywhere])) == broken((unbound, (1,)))


def test_pods_of_no_part_are_of_no_phase() -> None:
    away = App(name="away", pods=2, first_node=8, spec=AT_ONCE)
    last = {"name": "last", "scope": "zone", "phases": [{"name": "shop", "namespace": "shop"}]}
    shop = replace(away, name="store", namespace="shop")
    where = waves([(away, (0,))], [(shop, (0,))], [(away, (1,)), (shop, (1,))])
    assert names(upgraded(where, last)) == set()
    assert names(upgraded(where, {**last, "scope": "cluster"})) == broken((away, (0, 1)))
    alone = left(waves([(away, (0,))], [(shop, (0,))]), {**last, "drained": True})
    assert names(alone) == set()


def test_pods_that_were_down_are_of_no_phase() -> None:
    down = App(name="down", kind="Deployment", spec=ANY_ORDER, down=frozenset((0, 2)))
    where = waves([(down, (2,))], [(down, (1,))], [(down, (3,))], [(down, (0,))])
    assert names(upgraded(where, BY_ZONE)) == set()


def test_a_pod_that_has_just_become_ready_counts_if_a_budget_is_left_to_take_from() -> None:
    """Its workload's own counts it as down already; one of the request does not."""
    young = replace(CART, spec={**AT_ONCE, "minReadySeconds": 2000}, columns={})
    where = waves([(young, SECOND)], [(young, FIRST)])
    assert names(upgraded(where, BY_ZONE)) == set()
    budgets = [{"name": "all", "maxUnavailable": "100%"}]
    assert names(upgraded(where, BY_ZONE, budgets=budgets)) == broken((young, SECOND))


def test_only_pods_that_leave_drained_nodes_are_of_a_sequence_of_drains() -> None:
    leaving = waves([(CART, SECOND)], [(CART, FIRST)])
    assert names(left(leaving, BY_ZONE)) == broken((CART, SECOND))
    assert names(left(leaving, {**BY_ZONE, "drained": True})) == broken((CART, SECOND))
    assert names(upgraded(leaving, {**BY_ZONE, "drained": True})) == set()


def test_every_sequence_of_a_request_is_kept() -> None:
    web_first = {"name": "web first", "phases": [{"name": "web", "namespace": "shop"}]}
    plan = upgraded(waves(*BOTH), BY_ZONE, web_first)
    assert names(plan) == broken((CART, FIRST), (CART, SECOND))
    apart = waves([(WEB, FIRST)], [(WEB, SECOND)], [(CART, FIRST)], [(CART, SECOND)])
    assert names(upgraded(apart, BY_ZONE, web_first)) == broken((WEB, SECOND))
    assert names(upgraded(apart, {**BY_ZONE, "scope": "workload"}, web_first)) == set()


IN_ORDER, AGAINST_ORDER = ([[(KAFKA, (at,))] for at in order] for order in ((1, 0), (0, 1)))


def test_the_order_of_a_stateful_set_across_phases_comes_before_a_sequence() -> None:
    assert names(upgraded(waves(*IN_ORDER), BY_ZONE)) == set()
    assert names(upgraded(waves(*AGAINST_ORDER), BY_ZONE)) == broken((KAFKA, (0,)), rule="order")
    # Nor do others wait for it.
    where = waves([(KAFKA, (1,)), (CART, FIRST)], [(KAFKA, (0,)), (CART, SECOND)])
    assert names(upgraded(where, BY_ZONE)) == set()
    early = streaming(upgraded(waves(*IN_ORDER), BY_ZONE))
    assert names(timed(KAFKA.pod_name(0), by=-45)(timed(KAFKA.pod_name(1), by=45)(early))) == {
        ("order", KAFKA.pod_subject(0))
    }


def test_a_stateful_set_that_only_leaves_nodes_keeps_the_sequence() -> None:
    assert names(left(waves(*AGAINST_ORDER), BY_ZONE)) == set()
    assert names(left(waves(*IN_ORDER), BY_ZONE)) == broken((KAFKA, (1,)))
    assert names(streaming(left(waves(*AGAINST_ORDER), BY_ZONE))) == set()
    assert names(streaming(left(waves(*IN_ORDER), BY_ZONE))) == broken((KAFKA, (1,)))
    # Without a sequence that tears it its order binds.
    assert names(left(waves(*AGAINST_ORDER))) == broken((KAFKA, (0,)), rule="order")
    one_phase = {"name": "one", "phases": [{"name": "data", "namespace": "data"}]}
    assert names(left(waves(*AGAINST_ORDER), one_phase)) == broken((KAFKA, (0,)), rule="order")


def test_a_stateful_set_that_also_changes_keeps_its_order() -> None:
    images = upgrade(KAFKA)
    assert names(left(waves(*IN_ORDER), BY_ZONE, images=images)) == set()
    assert names(left(waves(*AGAINST_ORDER), BY_ZONE, images=images)) == broken(
        (KAFKA, (0,)), rule="order"
    )


def test_an_eviction_that_brings_another_image_keeps_the_order() -> None:
    update = {"rollingUpdate": {"podUpdatePolicy": "InPlaceIfPossible"}}
    kafka = replace(KAFKA, kind="AdvancedStatefulSet", spec={"updateStrategy": update})
    images = upgrade(kafka)
    evicted = [
        left(waves(*([(kafka, (at,))] for at in order)), BY_ZONE, kind="evict", images=images)
        for order in ((1, 0), (0, 1))
    ]
    assert names(evicted[0]) == set()
    assert names(evicted[1]) == broken((kafka, (0,)), rule="order")


def test_pods_that_stay_count_for_whether_the_order_of_a_stateful_set_holds() -> None:
    """Whether a workload keeps its order does not depend on who of it is done."""
    wide = replace(KAFKA, pods=4, first_node=0)
    where = waves([(wide, (3,))], [(wide, (2,))], [(CART, FIRST)])
    assert names(upgraded(where, BY_ZONE)) == set()
    assert names(upgraded(where, {"name": "data last", "phases": [TRADE]})) == broken(
        (wide, SECOND)
    )


def test_a_stateful_set_of_one_phase_keeps_its_order_and_the_sequence() -> None:
    home = replace(KAFKA, first_node=0)
    where = waves([(home, (1,))], [(home, (0,))], [(CART, SECOND)])
    assert names(upgraded(where, BY_ZONE)) == set()
    where = waves([(home, (0,))], [(home, (1,))], [(CART, SECOND)])
    assert names(upgraded(where, BY_ZONE)) == broken((home, (0,)), rule="order")
    where = waves([(home, (1,))], [(CART, SECOND)], [(home, (0,))])
    assert names(upgraded(where, BY_ZONE)) == broken((CART, SECOND))


def test_a_clone_set_passes_over_pods_whose_phase_waits() -> None:
    """The pod in zone-b has been restarted, so its controller would take it first."""
    app = replace(CART, columns={2: {"restarts": 1}})
    where = waves([(app, FIRST)], [(app, SECOND)])
    assert names(upgraded(where, BY_ZONE)) == set()
    assert names(upgraded(where)) == broken((app, (2,)), rule="order")
    late = waves([(app, FIRST)], [(app, (3,))], [(app, (2,))])
    assert names(upgraded(late, BY_ZONE)) == broken((app, (2,)), rule="order")


def test_pods_that_wait_in_a_circle_are_unmovable_and_so_is_what_comes_after() -> None:
    """Zone-b waits for zone-a, whose pod waits for all of a workload that is in both."""
    front = App(name="front", namespace="shop", pods=1, spec=AT_ONCE)
    search = App(name="search", namespace="search", pods=2, first_node=2, spec=AT_ONCE)
    needs = {"workload": {"name": "front"}, "after": [{"name": "cart"}]}
    stuck = [(front, 0), (CART, 2), (CART, 3), (search, 0), (search, 1)]

    def plan(*sequences: dict[str, Any]) -> Written:
        moves = [move(CART, index, "recreate") for index in FIRST]
        return write(
            [CART, front, search],
            moves,
            extra=ZONES,
            left=[unmovable(*each) for each in stuck],
            target={"images": upgrade(CART, front, search)},
            dependencies=[needs],
            sequences=list(sequences),
        )

    assert names(plan(BY_ZONE)) == set()
    unfounded = broken((CART, SECOND), (search, (0, 1)), rule="unmovable-unfounded")
    assert names(plan()) == unfounded
    assert names(plan({**BY_ZONE, "scope": "workload"})) == unfounded
