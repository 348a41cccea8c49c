"""Pods are unmovable that wait for each other in a circle, and none that plainly do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.verify.builders import REGISTRY, App, sidecar_set, upgrade
from tests.verify.plans import Written, move, unmovable, write
from tests.verify.streams import names
from tests.verify.zones import (
    AT_ONCE,
    BY_ZONE,
    CART,
    FIRST,
    SECOND,
    ZONES,
    broken,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


FRONT = App(name="front", namespace="shop", pods=1, spec=AT_ONCE)
UNFOUNDED = broken((CART, SECOND), rule="unmovable-unfounded")
MESH = [{"sidecarSet": "mesh", "container": "mesh", "to": f"{REGISTRY}/mesh:2.0.0"}]


def test_pods_that_wait_in_a_circle_are_unmovable_and_so_is_what_comes_after() -> None:
    """Zone-b waits for zone-a, whose pod waits for all of a workload that is in both."""
    needs = {"workload": {"name": "front"}, "after": [{"name": "cart"}]}
    search = App(name="search", namespace="search", pods=2, first_node=2, spec=AT_ONCE)
    stuck = [(FRONT, 0), (CART, 2), (CART, 3), (search, 0), (search, 1)]

    def plan(*sequences: dict[str, Any]) -> set[tuple[str, str]]:
        return names(kept([CART, FRONT, search], stuck, *sequences, dependencies=[needs]))

    assert plan(BY_ZONE) == set()
    unfounded = broken((CART, SECOND), (search, (0, 1)), rule="unmovable-unfounded")
    assert plan() == plan({**BY_ZONE, "scope": "workload"}) == unfounded


def kept(
    apps: list[App],
    stuck: list[tuple[App, int]],
    *sequences: dict[str, Any],
    sidecars: Sequence[dict[str, str]] = (),
    **spec: Any,  # noqa: ANN401
) -> Written:
    """A plan that moves who of the cart is not stuck, and nobody else."""
    moves = [move(CART, index, "recreate") for index in FIRST if (CART, index) not in stuck]
    return write(
        apps,
        moves,
        extra=[*ZONES, sidecar_set("mesh", partition=1)],
        left=[unmovable(*each) for each in stuck],
        target={"images": upgrade(*(it for it in apps if not it.sidecars)), "sidecars": sidecars},
        sequences=list(sequences),
        **spec,
    )


def test_who_comes_after_a_pod_that_a_partition_may_keep_may_wait_for_another() -> None:
    """Nobody knows which pods it keeps, and which of them wait in a circle."""
    update = {"updateStrategy": {"type": "ReCreate", "maxUnavailable": 1, "partition": 1}}
    held = replace(FRONT, spec=update, pods=2)
    meshed = replace(FRONT, labels={"mesh": "enabled"}, sidecars={"mesh": "1.0.0"})
    for app, sidecars in ((held, ()), (meshed, MESH)):
        stuck = [(CART, 2), (CART, 3), *((app, index) for index in range(app.pods))]
        assert names(kept([CART, app], stuck, BY_ZONE, sidecars=sidecars)) == set()
        assert names(kept([CART, app], stuck, sidecars=sidecars)) == UNFOUNDED


def test_who_comes_after_a_pod_without_room_may_wait_for_another() -> None:
    """The room is taken by a pod that is down, in no zone, and waits for the pod without room."""
    down = replace(FRONT, name="down", first_node=8, down=frozenset((0,)))
    needs = {"workload": {"name": "down"}, "after": [{"name": "front"}]}
    stuck = [(down, 0), (FRONT, 0), (CART, 2), (CART, 3)]

    def plan(front: App, most: int) -> set[tuple[str, str]]:
        both = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["cart"]}]}
        budgets = [{"name": "both", "selector": both, "maxUnavailable": most}]
        apps = [CART, down, front]
        return names(kept(apps, stuck, BY_ZONE, budgets=budgets, dependencies=[needs]))

    paused = replace(FRONT, spec={"updateStrategy": {"paused": True, "maxUnavailable": 1}})
    assert plan(FRONT, 2) == broken((FRONT, (0,)), rule="unmovable-unfounded")
    assert plan(FRONT, 1) == set()
    assert plan(paused, 2) == UNFOUNDED
