"""Rounding by field: the golden vectors of the controllers' own tests."""

import pytest

from planner.simulate.rules.cloneset import read_strategy
from planner.simulate.rules.numbers import kept_old, rounded_down, rounded_up
from planner.simulate.rules.statefulset import max_unavailable


@pytest.mark.parametrize(
    ("partition", "replicas", "kept"),
    [("99%", 10, 9), ("1%", 10, 1), ("50%", 1, 1), ("100%", 10, 10), (70, 70, 70), ("99%", 70, 69)],
)
def test_a_percentage_below_all_lets_one_of_several_go(
    partition: int | str, replicas: int, kept: int
) -> None:
    assert kept_old(partition, replicas) == kept


@pytest.mark.parametrize(
    ("value", "total", "up", "down"),
    [("25%", 10, 3, 2), ("25%", 1, 1, 0), ("10%", 25, 3, 2), ("50%", 7, 4, 3), ("5", 40, 2, 2)],
)
def test_percentages_are_rounded_up_or_down(value: str, total: int, up: int, down: int) -> None:
    assert rounded_up(value, total, default=0) == up
    assert rounded_down(value, total, default=0) == down


@pytest.mark.parametrize(("value", "replicas", "most"), [("10%", 25, 2), ("10%", 5, 1), (3, 9, 3)])
def test_a_stateful_set_rounds_down_and_at_least_to_one(
    value: int | str, replicas: int, most: int
) -> None:
    rolling = {"rollingUpdate": {"maxUnavailable": value}}
    stateful_set = {"spec": {"replicas": replicas, "updateStrategy": rolling}}
    assert max_unavailable(stateful_set, 35) == most
    assert max_unavailable(stateful_set, 34) == 1


@pytest.mark.parametrize(
    ("rolling", "surge", "unavailable"),
    [
        ({"maxSurge": "20%", "maxUnavailable": "20%"}, 2, 1),
        ({"maxUnavailable": "20%"}, 0, 2),
        ({"maxSurge": "20%", "maxUnavailable": "20%", "paused": True}, 0, 2),
        (None, 0, 1),
    ],
)
def test_a_clone_set_rounds_unavailable_up_only_while_nothing_surges(
    rolling: dict[str, object] | None, surge: int, unavailable: int
) -> None:
    update = {"type": "RollingUpdate", "rollingUpdate": rolling}
    spec = {"replicas": 7, "updateStrategy": update}
    strategy = read_strategy({"apiVersion": "apps.kruise.io/v1beta1", "spec": spec})
    assert (strategy.max_surge, strategy.max_unavailable) == (surge, unavailable)


@pytest.mark.parametrize(
    ("version", "update", "unavailable"),
    [
        ("v1alpha1", {"type": "OnDelete", "maxUnavailable": 3}, 3),
        ("v1alpha1", {"type": "InPlaceOnly", "maxUnavailable": 3}, 3),
        ("v1alpha1", {}, 2),
        # The server drops what the version does not have.
        ("v1beta1", {"type": "OnDelete", "maxUnavailable": 3}, 1),
        ("v1beta1", {}, 1),
    ],
)
def test_the_version_of_a_clone_set_says_where_its_strategy_is(
    version: str, update: dict[str, object], unavailable: int
) -> None:
    spec = {"replicas": 7, "updateStrategy": update}
    strategy = read_strategy({"apiVersion": f"apps.kruise.io/{version}", "spec": spec})
    assert strategy.max_unavailable == unavailable
    assert (strategy.policy == "InPlaceOnly") == ("InPlaceOnly" in update.values())
    assert strategy.on_delete == ("OnDelete" in update.values())
