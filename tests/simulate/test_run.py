"""The shop's plan on simulated clusters: what is told, and that it can tell otherwise."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import planner
from planner.errors import UsageError
from planner.model.request import Metadata, Spec, UpgradeRequest
from planner.model.target import ImageChange, Target
from planner.simulate import Faults, read_faults, simulate
from planner.verify.observed import fold_rows
from tests.shop import (
    SHOP,
    empty_log,
    header_of,
    moves_of,
    request,
    rows_of,
    shop_log,
    shop_moves,
    shop_plan,
)

if TYPE_CHECKING:
    from planner.model.simulation import Simulation
    from planner.verify.observed import Observed

NOTHING = Faults()


@cache
def shop_simulation() -> Simulation:
    observed = fold_rows(rows_of(shop_log().events))
    return simulate(header_of(shop_plan()), shop_moves(), observed, seed=0, faults=NOTHING)


@cache
def shanghai() -> tuple[dict[str, Any], list[dict[str, Any]], Observed]:
    """Header, moves and fleet of the release in the smaller cluster alone."""
    log = empty_log()
    log.import_recorded("shanghai", SHOP / "shanghai")
    plan = planner.plan(log, request(), keep=False)
    return header_of(plan), moves_of(plan), fold_rows(rows_of(log.events))


def run(
    moves: list[dict[str, Any]] | None = None, *, seed: int = 0, faults: Faults = NOTHING
) -> Simulation:
    """Simulate the release in shanghai, with other moves or faults."""
    header, planned, observed = shanghai()
    return simulate(header, moves or planned, observed, seed=seed, faults=faults)


def copied() -> list[dict[str, Any]]:
    return [dict(move) for move in shanghai()[1]]


def of_redis(moves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [move for move in moves if move["workload"]["name"] == "redis"]


def test_every_pod_of_the_shop_moves_as_planned() -> None:
    simulation = shop_simulation()
    assert simulation.moves == len(shop_moves()) == 1341
    assert simulation.gone == 2
    assert simulation.as_planned == simulation.in_wave == simulation.in_kind == 1339
    assert simulation.not_as_planned == ()
    assert simulation.disrupted_twice == 0


def test_no_budget_is_exceeded_and_the_tightest_are_filled() -> None:
    simulation = shop_simulation()
    assert simulation.exceeded == ()
    fleet = next(each for each in simulation.budgets if each.name == "fleet")
    assert (fleet.peak, fleet.limit) == (46, 46)


def test_what_the_plan_says_of_limits_is_what_the_simulation_finds() -> None:
    budgets = header_of(shop_plan())["budgets"]
    told = {(each["name"], each["cluster"]): each["limit"] for each in budgets}
    found = {(each.name, each.cluster): each.limit for each in shop_simulation().budgets}
    both = told.keys() & found.keys()
    # Two of its pods were leaving already: the plan counts them as pods of the budget.
    assert {name for name in both if told[name] != found[name]} == {
        ("pdb/shop/catalog", "shanghai")
    }
    assert len(both) > 70


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    assert msgspec.json.encode(run(seed=5)) == msgspec.json.encode(run(seed=5))
    assert run(seed=5).seconds != run(seed=6).seconds


def test_a_sidecar_set_has_no_say_in_moves_that_leave_its_sidecar_alone() -> None:
    to_cart = ImageChange(from_="registry.example.com/cart", to="registry.example.com/cart:2.0.0")
    alone = UpgradeRequest(
        api_version="planner/v1",
        kind="UpgradeRequest",
        metadata=Metadata(name="cart-alone"),
        spec=Spec(target=Target(images=(to_cart,))),
    )
    plan = planner.plan(shop_log(), alone, keep=False)
    observed = fold_rows(rows_of(shop_log().events))
    simulation = simulate(header_of(plan), moves_of(plan), observed, seed=0, faults=NOTHING)
    assert (simulation.as_planned, simulation.faithful) == (110, 1)
    # Of log-tail only five may be down.
    assert max(each.peak for each in simulation.budgets) == 11


def test_slow_starts_cost_time_and_nothing_else() -> None:
    slow = run(faults=Faults(slow=0.2))
    assert slow.faithful == 1
    assert slow.seconds > run().seconds


def test_pods_that_never_come_up_hold_up_what_depends_on_them_and_break_nothing() -> None:
    failing = run(faults=Faults(fail=0.2))
    assert failing.exceeded == ()
    reasons = {each.reason for each in failing.not_as_planned}
    assert "did not come back" in reasons
    assert any(reason.startswith("held: dependency") for reason in reasons)
    assert any(reason.startswith("held: budget") for reason in reasons)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_goes_wrong_no_move_takes_a_budget_over_its_limit(seed: int) -> None:
    simulation = run(seed=seed, faults=Faults(slow=0.1, fail=0.1, node_loss=1))
    assert simulation.exceeded == ()
    assert simulation.disrupted_twice == 0


def test_a_lost_node_is_told_and_holds_up_its_pods() -> None:
    broken = run(faults=Faults(node_loss=1))
    (lost,) = broken.lost_nodes
    assert lost.cluster == "shanghai"
    assert 0.5 < broken.faithful < 1


def test_ordinals_in_another_order_are_found_out() -> None:
    moves = copied()
    first, second = of_redis(moves)[:2]
    for field in ("pod", "uid", "node"):
        first[field], second[field] = second[field], first[field]
    told = {each.pod: each.reason for each in run(moves).not_as_planned}
    # The highest goes first whatever the plan says.
    assert told == {second["pod"]: "taken in another wave"}


def test_another_kind_of_move_is_found_out() -> None:
    moves = copied()
    # Not the first of all: its pod was leaving when it was observed, and needs no move.
    changed = of_redis(moves)[0]
    changed["kind"] = "in-place"
    told = {each.pod: each.reason for each in run(moves).not_as_planned}
    assert told == {changed["pod"]: "taken in another way"}


def test_too_many_at_once_go_one_after_the_other() -> None:
    moves = copied()
    for move in of_redis(moves):
        move["wave"] = 1
    moves.sort(key=lambda move: move["wave"])
    simulation = run(moves)
    redis = next(each for each in simulation.budgets if each.name.endswith("StatefulSet/redis"))
    assert redis.peak == redis.limit == 1
    assert simulation.exceeded == ()
    assert simulation.per_wave[0].seconds > 2 * run().per_wave[0].seconds


@pytest.mark.parametrize(
    "text", ["slw=1", "slow", "slow=2", "slow=-1", "fail=x", "node-loss=1.5", "slow=0,slow=0"]
)
def test_faults_that_mean_nothing_are_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--faults"):
        read_faults(text)


def test_faults_are_read_as_they_are_written() -> None:
    assert read_faults("") == NOTHING
    faults = Faults(slow=0.05, fail=0.01, node_loss=1)
    assert read_faults("slow=0.05,fail=0.01,node-loss=1") == faults
