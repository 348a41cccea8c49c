"""The work of a check grows with the fleet, not with its square."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from planner.verify import fold_rows, verify
from tests.calls import calls_of
from tests.verify.builders import App, budget, node, upgrade
from tests.verify.plans import move, one_a_wave, unmovable, write

if TYPE_CHECKING:
    from tests.verify.plans import Written

ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}


def waits(after: App, before: App) -> dict[str, object]:
    """The dependency of one workload on another."""
    return {
        "workload": {"namespace": after.namespace, "name": after.name},
        "after": [{"namespace": before.namespace, "name": before.name}],
    }


def many_workloads(count: int) -> Written:
    """Each with a rule of its own, a budget, and one that it waits for."""
    apps = [
        App(name=f"app{i:04}", kind="StatefulSet", pods=2, spec=ON_DELETE) for i in range(count)
    ]
    moves = one_a_wave([move(app, index, "evict") for app in apps for index in (1, 0)])
    return write(
        apps,
        moves,
        extra=[budget(app.name, maxUnavailable=1) for app in apps],
        target={"images": upgrade(*apps)},
        dependencies=[waits(after, before) for before, after in itertools.pairwise(apps)],
    )


def many_that_stay(count: int) -> Written:
    """One workload whose pods cannot move, one held by the other."""
    app = App(name="kept", kind="StatefulSet", pods=count, spec=ON_DELETE)
    return write(
        [app],
        [],
        extra=[budget("kept", maxUnavailable=0)],
        left=[unmovable(app, index) for index in range(count)],
        target={"images": upgrade(app)},
    )


def many_nodes(count: int) -> Written:
    """Each drained by its name, and left by one pod of one workload."""
    app = App(pods=count, spec={"updateStrategy": {"maxUnavailable": 1}})
    moves = one_a_wave([move(app, index, "evict", containers={}) for index in range(count)])
    names = [app.node(index) for index in range(count)]
    plan = write(
        [app],
        moves,
        extra=[node(name, "zone-a") for name in names],
        target={"drain": [{"name": name} for name in names]},
    )
    empty = {"cluster": app.cluster, "moves": 1, "stays": 0}
    return plan.with_header(
        drains=[{**empty, "name": name, "wave": at} for at, name in enumerate(names, start=1)]
    )


@pytest.mark.parametrize("fleet", [many_workloads, many_that_stay, many_nodes])
def test_twice_the_fleet_is_twice_the_work(fleet: type) -> None:
    plans = [fleet(100), fleet(200)]
    counts = []
    for plan in plans:
        observed = fold_rows(plan.rows)
        assert verify(plan.header, plan.moves, observed) == []
        counts.append(calls_of(lambda: verify(plan.header, plan.moves, observed)))  # noqa: B023

    assert counts[1] < 2.2 * counts[0]
