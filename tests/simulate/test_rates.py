"""Simulated runs let pods go at the rates of their plan."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import planner
from planner.simulate import Faults, simulate
from planner.simulate.cluster import Key
from planner.simulate.rates import TICK_MS, Rates
from planner.verify.observed import fold_rows
from tests.shop import header_of, moves_of, rows_of, shop_log
from tests.test_pulls import PULLS, WRITES
from tests.test_pulls import plan as pulling
from tests.test_rates import paced

if TYPE_CHECKING:
    from planner.model.simulation import Simulation

AT_ONCE_S = 60
"""What a wave takes at most whose moves all begin at once, about."""
FOUR = {**PULLS, "pullsPerSecond": 4}
WEB = ("hangzhou", Key("Deployment", "shop", "web"))
API = ("hangzhou", Key("Deployment", "shop", "api"))
PLACES = [
    {"cluster": cluster, "namespace": key.namespace, "kind": key.kind, "name": key.name}
    for cluster, key in (WEB, API)
]


@cache
def plan() -> planner.Plan:
    return planner.plan(shop_log(), paced(rates=[FOUR, WRITES]), keep=False)


@cache
def simulation() -> Simulation:
    return simulated(plan())


def simulated(of: planner.Plan) -> Simulation:
    observed = fold_rows(rows_of(shop_log().events))
    return simulate(header_of(of), moves_of(of), observed, seed=0, faults=Faults())


def test_no_wave_is_over_before_the_last_of_its_moves_may_begin() -> None:
    header = header_of(plan())
    writes = header["rates"][0]
    assert writes["name"] == "api/hangzhou"
    clusters = [it["cluster"] for it in header["workloads"]]
    for told, wave in zip(simulation().per_wave, header["per_wave"], strict=True):
        moves = sum(count for at, count in wave["workloads"] if clusters[at] == writes["cluster"])
        assert told.seconds > moves - 1


def test_no_wave_is_over_before_the_images_of_its_moves_are_pulled() -> None:
    header = header_of(pulling())
    a_move = dict(header["rates"][2]["pulls_a_move"])
    longer = 0
    for told, wave in zip(simulated(pulling()).per_wave, header["per_wave"], strict=True):
        pulls = sum(a_move[at] * count for at, count in wave["workloads"])
        assert told.seconds > pulls - max(a_move.values()), "one a second"
        longer += pulls > AT_ONCE_S
    assert longer > 0


def test_pods_that_are_let_go_one_after_the_other_come_back_beside_each_other() -> None:
    done = simulation()
    assert done.faithful == 1.0
    assert not done.exceeded
    assert done.planned_s * 0.9 < done.seconds < done.planned_s * 1.2


def test_a_move_begins_when_those_before_it_have() -> None:
    registry = {"name": "pulls/r", "registry": "r", "pulls_per_second": 2, "cluster": None}
    writes = {"name": "api/hangzhou", "cluster": "hangzhou", "writes_per_second": 4}
    rates = Rates({"rates": [writes, {**registry, "pulls_a_move": [[0, 3]]}], "workloads": PLACES})
    assert rates.busy(WEB, 0) == ""
    rates.take(WEB, 0)
    assert rates.busy(API, 249) == "rate api/hangzhou"
    assert rates.busy(API, 250) == ""
    assert rates.busy(WEB, 1_499) == "rate pulls/r"
    assert rates.busy(WEB, 1_500) == ""
    assert rates.next_ms(0) == TICK_MS
    assert rates.next_ms(1_500) is None


def test_time_in_which_nothing_waited_is_lost() -> None:
    writes = {"name": "api/hangzhou", "cluster": "hangzhou", "writes_per_second": 4}
    rates = Rates({"rates": [writes], "workloads": PLACES})
    rates.take(WEB, 0)
    rates.take(WEB, 10_000)
    assert rates.busy(WEB, 10_249)
    later_ms = 10_250 + TICK_MS
    rates.take(WEB, later_ms)
    assert not rates.busy(WEB, later_ms), "what waited meanwhile goes at once"
