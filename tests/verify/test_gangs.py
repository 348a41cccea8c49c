"""Pods of a gang move in one wave, or none of them does; broken in any one way, that is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.verify.builders import (
    LABEL_POD_INDEX,
    LABEL_POD_NAME,
    READY,
    READY_KNOWN,
    REGISTRY,
    RUNNING,
    App,
    sidecar_set,
    upgrade,
)
from tests.verify.groups import GROUPS, grouped, keeping, together, told
from tests.verify.plans import move, write
from tests.verify.streams import names
from tests.verify.zones import ABROAD, AT_ONCE, BY_ZONE, broken, left, waves

if TYPE_CHECKING:
    from tests.verify.plans import Written

CART = App(name="cart", spec=AT_ONCE)
PAIRS = grouped(CART, "aabb")
MORE = grouped(App(name="more", spec=AT_ONCE), "ab")
SOME = grouped(CART, "a..a")
SHOP = grouped(App(name="store", namespace="shop", spec=AT_ONCE), "ab")
FAR = grouped(ABROAD, "ab")
SET = App(name="set", kind="StatefulSet", spec={}, pods=4)
LEFT = "unmovable-unfounded"
OTHER = {"name": "other", "labelKey": "other"}
NUMBERS = {"labelKey": "apps.kubernetes.io/pod-index"}


def gang(*pods: tuple[App, tuple[int, ...]]) -> set[tuple[str, str]]:
    return broken(*pods, rule="gang")


WAVES: dict[str, tuple[Any, set[tuple[str, str]]]] = {
    "each in one wave": (waves([(PAIRS, (0, 1))], [(PAIRS, (2, 3))]), set()),
    "all in one wave": (waves([(PAIRS, (0, 1, 2, 3))]), set()),
    "one of them later": (
        waves([(PAIRS, (0, 2, 3))], [(PAIRS, (1,))]),
        gang((PAIRS, (1,))),
    ),
    "two gangs across": (
        waves([(PAIRS, (0, 2))], [(PAIRS, (1, 3))]),
        gang((PAIRS, (1, 3))),
    ),
    "of several workloads": (
        waves([(PAIRS, (0, 1, 2, 3)), (MORE, (0,))], [(MORE, (1,))]),
        gang((MORE, (1,))),
    ),
    "the same value in another namespace": (
        waves([(PAIRS, (0, 1)), (SHOP, (1,))], [(PAIRS, (2, 3)), (SHOP, (0,))]),
        set(),
    ),
    "the same value in another cluster": (
        waves([(PAIRS, (0, 1)), (FAR, (1,))], [(PAIRS, (2, 3)), (FAR, (0,))]),
        set(),
    ),
    "pods without the label": (
        waves(*([(SOME, (each,))] for each in (1, 2))),
        set(),
    ),
}


@pytest.mark.parametrize("case", WAVES)
def test_pods_of_a_gang_move_in_the_same_wave(case: str) -> None:
    where, expected = WAVES[case]
    assert names(together(where)) == expected


def test_what_breaks_a_gang_is_told_by_its_name_and_value() -> None:
    (found,) = together(waves([(PAIRS, (0,))], [(PAIRS, (1,))])).check()
    assert (found.rule, found.subject, found.wave) == ("gang", PAIRS.pod_subject(1), 2)
    assert found.message == (
        "it is of the gang groups trade/a, which moves as a whole:"
        f" {PAIRS.pod_subject(0)} moves in wave 1"
    )


def test_a_gang_moves_as_a_whole_or_not_at_all() -> None:
    paused = grouped(App(name="paused", spec={"updateStrategy": {"paused": True}}), "ab")
    where = waves([(PAIRS, (0, 1))])
    assert names(keeping(where, (paused, 1))) == set()
    (found,) = keeping(where, (paused, 0)).check()
    assert (found.rule, found.subject, found.wave) == ("gang", paused.pod_subject(0), None)
    assert found.message.endswith(f"{PAIRS.pod_subject(0)} moves in wave 1, and it stays")


@pytest.mark.parametrize("selector", [None, {}, {"matchLabels": {"app": "cart"}}])
def test_a_selector_says_whose_pods_are_of_gangs(selector: dict[str, Any] | None) -> None:
    where = waves([(PAIRS, (0, 1))], [(MORE, (0,))])
    plan = together(where, {**GROUPS, "selector": selector})
    is_of_carts = selector is not None and bool(selector)
    assert names(told(plan, [2 if is_of_carts else 3])) == (
        set() if is_of_carts else gang((MORE, (0,)))
    )


def test_a_pod_is_of_the_gang_of_the_first_entry_whose_label_it_has() -> None:
    by_app = {"name": "by app", "labelKey": "app"}
    where = waves([(PAIRS, (0, 1)), (MORE, (0,))], [(PAIRS, (2, 3))])
    assert names(told(together(where, GROUPS, by_app), [3, 2])) == set()
    of_none = grouped(CART, "aa..")
    where = waves([(of_none, (0, 1))], [(of_none, (2,))], [(of_none, (3,))])
    both = {"gangs": 1, "moves": 2, "largest": 2}
    gangs = [{"name": "groups", **both}, {"name": "by app", **both}]
    plan = together(where, GROUPS, by_app).with_header(gangs=gangs, warnings=[])
    assert names(plan) == gang((of_none, (3,)))
    assert names(told(together(where, by_app, GROUPS), [4])) == gang((of_none, (1, 2, 3))) - gang(
        (of_none, (1,))
    )


def test_labels_that_follow_from_names_make_gangs() -> None:
    flags = RUNNING | READY_KNOWN | READY | LABEL_POD_NAME | LABEL_POD_INDEX
    numbered = {index: {"flags": flags} for index in range(2)}
    one, two = (
        App(name=name, kind="StatefulSet", pods=2, columns=numbered) for name in ("one", "two")
    )
    plan = together(waves([(one, (1,)), (two, (1,))], [(one, (0,))], [(two, (0,))]))
    by_number = plan.with_request(gangs=[{"name": "groups", **NUMBERS}])
    assert names(told(by_number, [2, 2])) == gang((two, (0,)))


def test_a_pod_that_was_down_is_of_no_gang() -> None:
    down = replace(PAIRS, down=frozenset((1,)))
    assert names(together(waves([(down, (0, 2, 3))], [(down, (1,))]))) == broken(
        (down, (1,)), rule="order"
    )
    assert names(together(waves([(down, (1, 2, 3))], [(down, (0,))]))) == set()
    # Nor does it keep others where they are.
    stays = replace(down, spec={"updateStrategy": {**AT_ONCE["updateStrategy"], "partition": 1}})
    assert names(keeping(waves([(stays, (0,))]), (stays, 1))) == set()
    serves = replace(stays, down=frozenset())
    assert names(keeping(waves([(serves, (0,))]), (serves, 1))) == gang((serves, (1,)))


def test_pods_that_are_left_out_or_do_not_differ_are_of_no_gang() -> None:
    assert names(together(waves([(PAIRS, (0,))]))) == set()
    exclude = [{"selector": {"matchLabels": {"app": "more"}}}]
    assert names(keeping(waves([(PAIRS, (0, 1))]), (MORE, 0), exclude=exclude)) == set()
    for elsewhere in ({"namespace": "shop"}, {"cluster": "shanghai"}):
        other = [{**exclude[0], **elsewhere}]
        found = names(keeping(waves([(PAIRS, (0, 1))]), (MORE, 0), exclude=other))
        assert found >= gang((MORE, (0,)))


def header_said(**fields: Any) -> Written:  # noqa: ANN401
    plan = together(waves([(PAIRS, (0, 1, 2))]))
    (right,) = plan.header["gangs"]
    assert right == {"name": "groups", "gangs": 1, "moves": 2, "largest": 2}
    return plan.with_header(gangs=[{**right, **fields}])


@pytest.mark.parametrize("field", ["gangs", "moves", "largest"])
def test_the_header_counts_gangs(field: str) -> None:
    assert names(header_said()) == set()
    assert names(header_said(**{field: 3})) == {("gang", "gangs groups")}
    assert ("header", f"header.gangs[0].{field}") in names(header_said(**{field: "1"}))
    assert ("header", "header.gangs") in names(header_said().with_header(gangs={}))


def test_the_header_lists_every_entry_in_its_order() -> None:
    listed = {("gang", "gangs")}
    plan = header_said()
    assert names(plan.with_header(gangs=[])) == listed
    assert names(header_said(name="other")) == listed
    twice = told(plan.with_request(gangs=[GROUPS, OTHER]), [2, 1])
    assert names(twice) == set()
    assert names(twice.with_header(gangs=twice.header["gangs"][::-1])) == listed
    without = plan.with_request(gangs=[])
    assert names(without) == listed
    assert names(without.with_header(gangs=[])) == set()
    del without.header["gangs"]
    assert names(without) == set()


def test_people_are_told_of_an_entry_by_which_nobody_moves_together() -> None:
    alone = together(waves([(PAIRS, (0,))], [(PAIRS, (2,))]))
    assert alone.header["warnings"] == ["gangs groups: no two pods move together by it"]
    assert names(alone) == set()
    assert names(alone.with_header(warnings=[])) == {("gang", "gangs groups")}
    several = together(waves([(PAIRS, (0, 1))]))
    wrong = several.with_header(warnings=alone.header["warnings"])
    assert names(wrong) == {("gang", "gangs groups")}


def test_a_gang_is_a_cause_of_its_pods_alone() -> None:
    plan = together(waves([(MORE, (1,))], [(PAIRS, (0, 1))]))

    def because(pod: str, cause: str) -> set[tuple[str, str]]:
        return names(plan.change(pod, because=[cause]))

    assert because(PAIRS.pod_name(0), "gang:groups") == set()
    assert because(PAIRS.pod_name(0), "gang:other") == broken((PAIRS, (0,)), rule="because")
    assert because(MORE.pod_name(1), "gang:groups") == broken((MORE, (1,)), rule="because")
    later = together(waves([(PAIRS, (0, 1))], [(MORE, (1,))]))
    alone = later.change(MORE.pod_name(1), because=["gang:groups"])
    assert names(alone) == broken((MORE, (1,)), rule="because")


def test_pods_that_lie_between_two_of_a_gang_in_an_order_that_binds() -> None:
    torn = grouped(SET, "aba.")
    one_wave = waves([(torn, (2, 1, 0))])
    budgets = [{"name": "all", "maxUnavailable": "100%"}]

    def moved(app: App, where: Any) -> set[tuple[str, str]]:  # noqa: ANN401
        update = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "100%"}}}
        kind = replace(app, kind="AdvancedStatefulSet", spec=update)
        return names(together([(kind, *rest) for _, *rest in where], budgets=budgets))

    assert moved(torn, one_wave) == gang((torn, (1,)))
    assert moved(grouped(SET, "aaab"), waves([(torn, (3,))], [(torn, (2, 1, 0))])) == set()
    # One of no gang lies between as well, and one that was down takes nothing.
    assert moved(grouped(SET, "a.a"), one_wave) == gang((torn, (1,)))
    assert moved(replace(grouped(SET, "aaa"), down=frozenset((1,))), one_wave) == set()


MESH = f"{REGISTRY}/mesh:2.0.0"


def test_sidecars_that_change_in_place_go_in_no_order_that_binds() -> None:
    """Neither as one of a gang, nor as one between two of it."""
    meshed: dict[str, Any] = {"kind": "AdvancedStatefulSet", "sidecars": {"mesh": "1.0.0"}}
    app = grouped(App(name="set", labels={"mesh": "enabled"}, **meshed), "aba")
    spec = json.loads(app.rows()[-1]["spec"])
    spec["containers"][-1]["image"] = app.wanted

    def done(index: int) -> App:
        columns = {**app.columns[index], "spec": json.dumps(spec)}
        return replace(app, columns={**app.columns, index: columns})

    whole = {"kind": "recreate", "containers": {"main": app.wanted, "mesh": MESH}}
    alone = {"kind": "in-place", "containers": {"mesh": MESH}}
    target = {"sidecars": [{"sidecarSet": "mesh", "container": "mesh", "to": MESH}]}

    def found(app: App, *ways: dict[str, Any], **images: Any) -> set[tuple[str, str]]:  # noqa: ANN401
        moves = [move(app, index, wave=1, **way) for index, way in enumerate(ways)]
        mesh = [sidecar_set("mesh", maxUnavailable="100%")]
        plan = write([app], moves, extra=mesh, target={**target, **images}, gangs=[GROUPS])
        return {each for each in names(told(plan, [2, 1])) if each[0] in {"gang", "kind"}}

    assert found(app, alone, alone, alone) == set()
    assert found(done(0), alone, whole, whole, images=upgrade(app)) == set()
    assert found(done(1), whole, alone, whole, images=upgrade(app)) == set()
    assert found(app, whole, whole, whole, images=upgrade(app)) == gang((app, (1,)))


STAGES: list[dict[str, Any]] = [
    {"name": "first", "perWorkload": 1},
    {"name": "rest", "perWorkload": "100%"},
]


def staged(app: App, stages: str, *rules: dict[str, Any], **spec: Any) -> Written:  # noqa: ANN401
    """A plan with a move of each pod from the highest on, by the number of its stage."""
    numbers, used = [int(it) for it in stages], sorted(set(stages))
    where = [
        (app, app.pods - 1 - place, used.index(number) + 1) for place, number in enumerate(stages)
    ]
    rules = rules or tuple(STAGES)
    plan = together(where, stages=list(rules), **spec)
    named = {
        app.pod_name(index): rules[it]["name"]
        for (_, index, _), it in zip(where, numbers, strict=True)
    }
    return plan.with_moves([{**it, "stage": named[it["pod"]]} for it in plan.moves])


def test_stages_tear_a_gang_whose_order_gives_way_to_a_sequence() -> None:
    app = grouped(ORDERED, "aabb")
    one = {"name": "all", "perWorkload": "100%"}
    zones = [[(app, (0, 1))], [(app, (2, 3))]]

    def found(*order: int, sequences: list[dict[str, Any]]) -> set[tuple[str, str]]:
        plan = left(waves(*(zones[it] for it in order)), *sequences)
        asked = told(plan.with_request(gangs=[GROUPS], stages=[one]), [2, 2])
        staged = [{**it, "stage": "all"} for it in asked.moves]
        return names(asked.with_moves(staged))

    assert found(0, 1, sequences=[BY_ZONE]) == gang((app, (0, 1, 2, 3)))
    assert found(1, 0, sequences=[]) == set()


def test_stages_tear_a_gang_where_no_order_binds() -> None:
    plan = staged(PAIRS, "0111", *STAGES)
    assert names(plan) >= gang((PAIRS, (0, 1, 2, 3)))
    one = {"name": "all", "perWorkload": "100%"}
    assert names(staged(PAIRS, "0000", one)) == gang((PAIRS, (0, 1, 2, 3)))
    assert names(staged(grouped(CART, "abcd"), "0000", one)) == set()
    assert names(staged(grouped(ORDERED, "aabb"), "0000", one)) == set()


WIDE = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "100%"}}}
ORDERED = App(name="set", kind="AdvancedStatefulSet", spec=WIDE)
HALF = ({"name": "half", "perWorkload": "50%"}, {"name": "most", "perWorkload": "60%"})
STAGED: dict[str, tuple[str, str, tuple[dict[str, Any], ...], bool]] = {
    "without gangs": ("....", "0111", (), True),
    "a stage that would end within a gang ends with it": ("bbaa", "0011", (), True),
    "it does not end within one": ("bbaa", "0111", (), False),
    "nor later": ("bbaa", "0001", (), False),
    "one that ends with a gang holds no more": ("abbb", "0111", (), True),
    "a gang of one is none": ("bcda", "0111", (), True),
    "the last stage ends with a gang, too": ("bbbbaaaa", "00001111", HALF, True),
    "without gangs it holds less": ("........", "00001111", HALF, False),
    "a stage that the one before has reached is empty": (
        "bbbaaaa",
        "0002222",
        ({"name": "one", "perWorkload": 1}, {"name": "three", "perWorkload": 3}, STAGES[1]),
        True,
    ),
}


def test_a_stage_does_not_end_at_a_pod_that_was_down_within_a_gang() -> None:
    down = replace(grouped(ORDERED, "caaa"), down=frozenset((2,)))
    two = ({"name": "two", "perWorkload": 2}, STAGES[1])
    assert names(staged(down, "0001", *two)) == set()
    assert ("stage", down.subject()) in names(staged(down, "0011", *two))


@pytest.mark.parametrize("case", STAGED)
def test_a_stage_of_a_workload_whose_order_binds_ends_with_a_gang(case: str) -> None:
    groups, stages, rules, holds = STAGED[case]
    # The first letter is of the highest ordinal.
    app = grouped(ORDERED, groups[::-1])
    found = {rule for rule, _ in names(staged(app, stages, *rules))}
    assert ("stage" not in found) is holds, found


def test_a_clone_set_takes_pods_out_of_its_order_for_the_sake_of_their_gang() -> None:
    """The third has been restarted, so its controller would take it first."""
    restarted = replace(CART, columns={2: {"restarts": 1}})

    def found(groups: str, *order: tuple[int, ...]) -> set[tuple[str, str]]:
        app = grouped(restarted, groups)
        return names(together(waves(*([(app, each)] for each in order))))

    assert found("aa..", (0, 1), (2, 3)) == set()
    assert found("..bb", (0, 1), (2, 3)) == set()
    assert found("....", (0, 1), (2, 3)) == broken((CART, (2,)), rule="order")
    assert found("a.b.", (0, 1), (2, 3)) == broken((CART, (2,)), rule="order")
    assert found("aa..", (0, 1, 3), (2,)) == broken((CART, (2,)), rule="order")


@pytest.mark.parametrize(("partition", "is_of_it"), [(0, True), (1, False)])
def test_of_a_pod_that_stays_every_way_counts(partition: int, is_of_it: bool) -> None:  # noqa: FBT001 pytest gives it
    """Just Ready, it would surge beside others, and evicted it would take nothing."""
    surges = {"type": "ReCreate", "maxUnavailable": 0, "maxSurge": 1, "partition": partition}
    spec = {"minReadySeconds": 2000, "updateStrategy": surges}
    young = grouped(App(name="young", spec=spec, first_node=8), "a")
    plan = keeping(waves([(PAIRS, (0, 1))]), (young, 0))
    target = {**plan.header["request"]["spec"]["target"], "drain": [{"name": "node-0008"}]}
    found = {each for each in names(plan.with_request(target=target)) if each[0] == "gang"}
    assert found == (gang((young, (0,))) if is_of_it else set())
