"""A plan that keeps its sequences passes; broken in any one way, just that is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.verify.builders import App, upgrade
from tests.verify.streams import names, streaming
from tests.verify.test_streaming import timed
from tests.verify.zones import (
    ABROAD,
    ANY_ORDER,
    AT_ONCE,
    BY_ZONE,
    CART,
    FIRST,
    FOLLOWERS,
    KAFKA,
    NEAR,
    SECOND,
    TRADE,
    WEB,
    broken,
    left,
    upgraded,
    waves,
)

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


MANIFEST = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "kafka", "namespace": "data"},
    "spec": {"template": {"spec": {"terminationGracePeriodSeconds": 60}}},
}
CHANGES: dict[str, dict[str, Any]] = {
    "an image": {"images": upgrade(KAFKA), "moves": {"kind": "recreate"}},
    "no container": {"manifests": [MANIFEST], "moves": {"kind": "recreate", "containers": {}}},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_stateful_set_that_also_changes_keeps_its_order(change: str) -> None:
    assert names(left(waves(*IN_ORDER), BY_ZONE, **CHANGES[change])) == set()
    assert names(left(waves(*AGAINST_ORDER), BY_ZONE, **CHANGES[change])) == broken(
        (KAFKA, (0,)), rule="order"
    )


def test_an_eviction_that_brings_another_image_keeps_the_order() -> None:
    update = {"rollingUpdate": {"podUpdatePolicy": "InPlaceIfPossible"}}
    kafka = replace(KAFKA, kind="AdvancedStatefulSet", spec={"updateStrategy": update})
    images = upgrade(kafka)
    evicted = [
        left(
            waves(*([(kafka, (at,))] for at in order)),
            BY_ZONE,
            moves={"kind": "evict"},
            images=images,
        )
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


def test_phases_of_several_parts_tear_no_stateful_set() -> None:
    """Its pod on node-0001 comes after those of node-0000, whatever the other zone does."""
    nodes = {"name": "nodes", "each": "node", "scope": "zone"}
    where = waves([(KAFKA, (1,)), (CART, (0,))], [(KAFKA, (0,))])
    assert names(upgraded(where, nodes)) == set()
    where = waves([(KAFKA, (1,))], [(KAFKA, (0,)), (CART, (0,))])
    assert names(upgraded(where, nodes)) == broken((KAFKA, (0,)))
    assert names(upgraded(where, {**nodes, "scope": "cluster"})) == set()


def test_a_pod_that_was_down_tears_no_stateful_set() -> None:
    down = replace(KAFKA, down=frozenset((1,)))
    where = waves([(down, (1,))], [(CART, SECOND)], [(down, (0,))])
    assert names(upgraded(where, BY_ZONE)) == broken((CART, SECOND))


def test_an_order_that_does_not_bind_proves_nothing() -> None:
    """One of each zone at once, and in their order 3, then 2 and 1, then 0."""
    update = {"rollingUpdate": {"maxUnavailable": "100%"}}
    spec = {"updateStrategy": update}
    app = App(name="kafka", kind="AdvancedStatefulSet", namespace="data", pods=4, spec=spec)

    def plan(waves_bound: int, *sequences: dict[str, Any]) -> set[tuple[str, str]]:
        order = [3, 2, 1, 0] if not sequences else [1, 0, 3, 2]
        link = {"workload": app.subject(), "moves": 4, "stages": [4], "budget": None}
        proof = {"kind": "workload", "chain": [{**link, "waves": waves_bound}]}
        written = left(waves(*([(app, (at,))] for at in order)), *sequences)
        budgets = [{"name": "per-zone", "scope": "zone", "maxUnavailable": 1}]
        asked = written.with_request(budgets=budgets)
        return names(asked.with_header(waves_bound=waves_bound, proof={"waves": proof}))

    assert plan(3) == plan(2, BY_ZONE) == set()
    assert plan(3, BY_ZONE) == {("certificate", "waves")}


def test_a_sequence_is_a_cause() -> None:
    plan = upgraded(waves(*BOTH), BY_ZONE)
    assert names(plan.change(CART.pod_name(2), because=["sequence:zones"])) == set()


def test_a_clone_set_passes_over_pods_whose_phase_waits() -> None:
    """The pod in zone-b has been restarted, so its controller would take it first."""
    app = replace(CART, columns={2: {"restarts": 1}})
    where = waves([(app, FIRST)], [(app, SECOND)])
    assert names(upgraded(where, BY_ZONE)) == set()
    assert names(upgraded(where)) == broken((app, (2,)), rule="order")
    late = waves([(app, FIRST)], [(app, (3,))], [(app, (2,))])
    assert names(upgraded(late, BY_ZONE)) == broken((app, (2,)), rule="order")


def test_a_clone_set_passes_over_pods_for_the_sake_of_a_phase_for_which_others_wait() -> None:
    """The pod that its controller would take first is in no zone."""
    app = replace(CART, columns={2: {"restarts": 1, "node": "node-0008"}})

    def planned(*pods: tuple[int, ...]) -> Any:  # noqa: ANN401
        where = waves(*([(app, its)] for its in pods))
        return lambda *sequences: names(
            upgraded(where, *sequences).change(app.pod_name(2), node="node-0008")
        )

    zones = planned((0,), (2,), (3,))
    assert zones(BY_ZONE) == set()
    assert zones() == broken((app, (2,)), rule="order")
    last = planned((3,), (2,))
    assert last(BY_ZONE) == broken((app, (2,)), rule="order"), "for zone-b nobody waits"
