"""Gangs are unmovable that something keeps as a whole, and none that plainly could move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.verify.builders import App
from tests.verify.groups import grouped, keeping
from tests.verify.streams import names
from tests.verify.zones import AT_ONCE, BY_ZONE, broken

CART = grouped(App(name="cart", spec=AT_ONCE), "aabb")
MORE = grouped(App(name="more", namespace="trade", spec=AT_ONCE, first_node=2), "ab")
SET = App(
    name="set",
    kind="AdvancedStatefulSet",
    spec={"updateStrategy": {"rollingUpdate": {"maxUnavailable": "100%"}}},
)
FIRST, SECOND, ALL = (0, 1), (2, 3), (0, 1, 2, 3)
STAGES = [{"name": "all", "perWorkload": "100%"}]


def plain(*pods: tuple[App, tuple[int, ...]], moved: Any = (), **spec: Any) -> set[tuple[str, str]]:  # noqa: ANN401
    """Who is found of pods that are called unmovable, where others move in wave 1."""
    left = [(app, index) for app, indices in pods for index in indices]
    where = [(app, index, 1) for app, indices in moved for index in indices]
    return names(keeping(where, *left, **spec))


def unfounded(*pods: tuple[App, tuple[int, ...]]) -> set[tuple[str, str]]:
    return broken(*pods, rule="unmovable-unfounded")


def test_a_gang_that_plainly_could_move_is_no_unmovable_one() -> None:
    assert plain((CART, FIRST)) == unfounded((CART, FIRST))
    assert plain((CART, FIRST), moved=[(CART, SECOND)]) == unfounded((CART, FIRST))
    kin = grouped(SET, "aaaa")
    # Those that go after others of their own gang do not wait for them.
    assert plain((kin, ALL)) == unfounded((kin, ALL))
    behind = grouped(SET, "aabb")
    assert plain((behind, ALL)) == unfounded((behind, SECOND))
    assert plain((SET, ALL)) == unfounded((SET, (3,)))


@pytest.mark.parametrize("spec", [{"paused": True}, {"partition": 2}])
def test_one_that_is_kept_keeps_its_gang(spec: dict[str, Any]) -> None:
    update = {**AT_ONCE["updateStrategy"], **spec}
    kept = replace(MORE, spec={"updateStrategy": update})
    assert plain((kept, (0, 1)), (CART, ALL)) == set()
    assert plain((kept, (0,)), (CART, ALL)) == unfounded((CART, SECOND))
    # One that was down is of no gang.
    down = replace(kept, down=frozenset((0,)))
    assert plain((down, (0,)), (CART, FIRST)) == unfounded((CART, FIRST))


def beside_a_bare_pod(node: int, other: App, **spec: Any) -> set[tuple[str, str]]:  # noqa: ANN401
    """Who is found where it should leave its node, and the first pod of another app should move."""
    bare = grouped(App(name="bare", spec=AT_ONCE, first_node=node), "a")
    bare = replace(bare, columns={0: {**bare.columns[0], "owner": None}})
    plan = keeping([], (bare, 0), (other, 0), **spec)
    name = bare.node(0)
    target = {
        **plan.header["request"]["spec"]["target"],
        "drain": [{"cluster": "hangzhou", "name": name}],
    }
    here = {"cluster": "hangzhou", "name": name, "moves": 0, "stays": 1, "wave": None}
    return names(plan.with_request(target=target).with_header(drains=[here]))


def test_one_that_nobody_makes_anew_keeps_its_gang() -> None:
    # It is of a gang if somebody counts it.
    assert beside_a_bare_pod(8, CART) == unfounded((CART, (0,)))
    budgets = [{"name": "all", "maxUnavailable": "100%"}]
    assert beside_a_bare_pod(8, CART, budgets=budgets) == set()
    # And nobody waits for it.
    later = App(name="later", pods=1, first_node=3, spec=AT_ONCE)
    found = beside_a_bare_pod(0, later, budgets=budgets, sequences=[BY_ZONE])
    assert found == unfounded((later, (0,)))


def test_a_gang_for_which_no_wave_has_room_is_unmovable() -> None:
    def found(most: int, *pods: tuple[App, tuple[int, ...]]) -> set[tuple[str, str]]:
        return plain(*pods, budgets=[{"name": "all", "maxUnavailable": most}])

    both = (CART, FIRST), (MORE, (0,))
    assert found(2, *both) == set()
    assert found(3, *both) == unfounded(*both)
    assert found(1, (CART, (0,))) == unfounded((CART, (0,)))
    # Who is down and stays takes room.
    down = replace(MORE, down=frozenset((1,)), spec={"updateStrategy": {"paused": True}})
    assert found(2, (CART, FIRST), (down, (1,))) == set()
    assert found(3, (CART, FIRST), (down, (1,))) == unfounded((CART, FIRST))


def test_a_gang_of_an_order_in_which_another_lies_between_is_unmovable() -> None:
    between = grouped(SET, "aba.")
    assert plain((between, (0, 1, 2))) == set()
    assert plain((between, (0, 2))) == unfounded((between, (0, 2)))
    assert plain((grouped(SET, "a.a."), (0, 1, 2))) == set()


def test_stages_keep_a_gang_where_no_order_binds() -> None:
    assert plain((CART, FIRST), stages=STAGES) == set()
    assert plain((CART, (0,)), stages=STAGES) == unfounded((CART, (0,)))
    ordered = grouped(SET, "aa..")
    assert plain((ordered, FIRST), stages=STAGES) == unfounded((ordered, FIRST))
    # One of each workload goes whenever a stage of each begins.
    both = (CART, (0,)), (MORE, (0,))
    assert plain(*both, stages=STAGES) == unfounded(*both)


def test_a_gang_of_several_phases_is_unmovable_and_so_is_what_comes_after() -> None:
    both = (CART, (0,)), (MORE, (0,))
    later = App(name="later", pods=1, first_node=3, spec=AT_ONCE)
    assert plain(*both) == unfounded(*both)
    assert plain(*both, sequences=[BY_ZONE]) == set()
    assert plain(*both, sequences=[{**BY_ZONE, "scope": "workload"}]) == unfounded(*both)
    assert plain(*both, (later, (0,)), sequences=[BY_ZONE]) == set()
    assert plain(*both, (later, (0,))) == unfounded(*both, (later, (0,)))


def test_nobody_comes_after_a_gang_that_something_else_keeps() -> None:
    later = App(name="later", pods=1, first_node=3, spec=AT_ONCE)
    paused = grouped(App(name="paused", spec={"updateStrategy": {"paused": True}}), "a")
    kept = (CART, (0,)), (paused, (0,))
    found = plain(*kept, (later, (0,)), sequences=[BY_ZONE])
    assert found == unfounded((later, (0,)))
    crowded = [{"name": "trade", "selector": {"matchLabels": {"app": "cart"}}, "maxUnavailable": 1}]
    found = plain((CART, FIRST), (later, (0,)), sequences=[BY_ZONE], budgets=crowded)
    assert found == unfounded((later, (0,)))


def test_what_comes_after_a_gang_may_wait_for_who_takes_its_room() -> None:
    """The room is taken by a pod that is down and waits, by a dependency, for the gang."""
    down = App(name="down", pods=1, first_node=8, spec=AT_ONCE, down=frozenset((0,)))
    later = App(name="later", pods=1, first_node=3, spec=AT_ONCE)
    needs = {"workload": {"name": "down"}, "after": [{"name": "cart"}]}
    budgets = [
        {
            "name": "both",
            "selector": {
                "matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["later"]}]
            },
            "maxUnavailable": 2,
        }
    ]
    spec = {"sequences": [BY_ZONE], "budgets": budgets, "dependencies": [needs]}
    assert plain((CART, FIRST), (down, (0,)), (later, (0,)), **spec) == set()


def test_gangs_that_wait_for_each_other_are_unmovable() -> None:
    """By a dependency, by two sequences, by two orders."""
    both = (CART, (0, 2)), (MORE, (0, 1))
    needs = {"workload": {"name": "more"}, "after": [{"name": "cart"}]}
    assert plain(*both, dependencies=[needs]) == set()
    one, two = (
        grouped(replace(SET, name=name), labels) for name, labels in (("one", "ab"), ("two", "ba"))
    )
    assert plain((one, (0, 1)), (two, (0, 1))) == set()
    assert plain((one, (0, 1)), (grouped(replace(two, name="two"), "ab"), (0, 1))) == unfounded(
        (one, (1,)), (two, (1,))
    )
    web = grouped(App(name="web", namespace="trade", spec=AT_ONCE), "ab")
    cart = grouped(App(name="cart", spec=AT_ONCE), "ab")
    first_a, first_b = (
        {
            "name": f"{app} {number}",
            "phases": [
                {"name": "first", "selector": {"matchLabels": {"app": app, "group": group}}},
                {"name": "second", "selector": {"matchLabels": {"app": app}}},
            ],
        }
        for number, (app, group) in enumerate((("cart", "a"), ("web", "b")))
    )
    scoped = [{**it, "scope": "workload"} for it in (first_a, first_b)]
    circle = (cart, (0, 1)), (web, (0, 1))
    assert plain(*circle, sequences=scoped) == set()
    assert plain(*circle, sequences=scoped[:1]) == unfounded((cart, (0,)), (web, (0,)))
