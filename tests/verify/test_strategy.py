"""Rounding and defaults of each kind, by the golden numbers of the controllers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from planner.verify.numbers import ceil_of, floor_of, seconds_of
from planner.verify.strategy import Strategy, partition_of, strategy_of


def strategy(kind: str, replicas: int, minor: int = 36, **spec: Any) -> Strategy:  # noqa: ANN401
    return strategy_of(kind, {"spec": spec}, replicas, minor)


def rolling(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"rollingUpdate": fields}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable"), [(10, 3, 2), (1, 1, 0), (3, 1, 0), (4, 1, 1)]
)
def test_a_deployment_rounds_surge_up_and_unavailable_down(
    replicas: int, surge: int, unavailable: int
) -> None:
    found = strategy("Deployment", replicas)
    assert (found.max_surge, found.max_unavailable) == (surge, unavailable)
    assert found.surges == (unavailable == 0)


def test_a_deployment_that_allows_nothing_gets_one() -> None:
    found = strategy("Deployment", 9, strategy=rolling(maxSurge=0, maxUnavailable="1%"))
    assert (found.max_unavailable, found.surges) == (1, False)


def test_a_deployment_cannot_lose_more_than_it_has() -> None:
    found = strategy("Deployment", 2, strategy=rolling(maxSurge=0, maxUnavailable=5))
    assert found.max_unavailable == 2


@pytest.mark.parametrize(
    ("value", "replicas", "expected"), [("10%", 25, 2), ("10%", 5, 1), ("50%", 5, 2), (3, 5, 3)]
)
def test_a_stateful_set_rounds_down_but_to_one_at_least(
    value: int | str, replicas: int, expected: int
) -> None:
    update = rolling(maxUnavailable=value)
    assert strategy("StatefulSet", replicas, updateStrategy=update).max_unavailable == expected
    advanced = strategy("AdvancedStatefulSet", replicas, updateStrategy=update)
    assert advanced.max_unavailable == expected


def test_a_stateful_set_takes_one_at_a_time_before_1_35() -> None:
    update = rolling(maxUnavailable=3)
    assert strategy("StatefulSet", 9, 34, updateStrategy=update).max_unavailable == 1
    assert strategy("StatefulSet", 9, 35, updateStrategy=update).max_unavailable == 3


def test_a_daemon_set_rounds_up() -> None:
    update = rolling(maxUnavailable="10%")
    assert strategy("DaemonSet", 61, updateStrategy=update).max_unavailable == 7


def test_a_clone_set_rounds_up_only_while_it_does_not_surge() -> None:
    flat = {"maxUnavailable": "20%", "maxSurge": "20%"}
    assert strategy("CloneSet", 7, updateStrategy=flat).max_unavailable == 1
    assert strategy("CloneSet", 7, updateStrategy=flat).max_surge == 2
    assert strategy("CloneSet", 7, updateStrategy={**flat, "maxSurge": 0}).max_unavailable == 2


@pytest.mark.parametrize(("surge", "surges"), [(2, True), (0, False)])
def test_a_clone_set_of_which_nothing_may_be_down_surges_or_stays(
    surge: int, *, surges: bool
) -> None:
    found = strategy("CloneSet", 7, updateStrategy={"maxUnavailable": 0, "maxSurge": surge})
    assert (found.max_unavailable, found.surges) == (0, surges)


def test_a_clone_set_reads_both_versions_of_its_api() -> None:
    flat = strategy("CloneSet", 10, updateStrategy={"type": "InPlaceOnly", "partition": 3})
    fields = {"podUpdatePolicy": "InPlaceOnly", "partition": 3}
    update = {"type": "RollingUpdate", **rolling(**fields)}
    assert strategy("CloneSet", 10, updateStrategy=update) == flat
    assert (flat.pod_policy, flat.partition, flat.on_delete) == ("InPlaceOnly", 3, False)


def test_a_clone_set_without_rolling_update_rounds_down() -> None:
    beta = {"apiVersion": "apps.kruise.io/v1beta1"}
    for update in ({"type": "OnDelete"}, {"type": "RollingUpdate"}, {}):
        document = {**beta, "spec": {"updateStrategy": update}}
        assert strategy_of("CloneSet", document, 7, 36).max_unavailable == 1
    assert strategy_of("CloneSet", {**beta, "spec": {}}, 7, 36).max_unavailable == 1
    alpha = {"apiVersion": "apps.kruise.io/v1alpha1", "spec": {}}
    assert strategy_of("CloneSet", alpha, 7, 36).max_unavailable == 2


def test_a_bare_number_in_text_is_a_percentage_as_open_kruise_reads_it() -> None:
    assert strategy("CloneSet", 100, updateStrategy={"maxUnavailable": "5"}).max_unavailable == 5


@pytest.mark.parametrize(
    ("partition", "replicas", "kept"),
    [("99%", 10, 9), ("1%", 10, 1), ("50%", 1, 1), ("100%", 10, 10), (12, 10, 10), (0, 10, 0)],
)
def test_a_partition_below_all_never_keeps_every_pod_of_several(
    partition: int | str, replicas: int, kept: int
) -> None:
    assert partition_of(partition, replicas) == kept


def test_an_advanced_daemon_set_keeps_the_floor_of_its_partition() -> None:
    assert strategy("AdvancedDaemonSet", 7, updateStrategy=rolling(partition="50%")).partition == 3


def test_an_advanced_daemon_set_surges_or_goes_in_place_but_not_both() -> None:
    fields = {"rollingUpdateType": "InPlaceIfPossible"}
    policies = [
        strategy("AdvancedDaemonSet", 7, updateStrategy=rolling(**fields, **more)).pod_policy
        for more in ({}, {"maxSurge": 1})
    ]
    assert policies == ["InPlaceIfPossible", "ReCreate"]


def test_reserved_ordinals_are_numbers_or_ranges() -> None:
    found = strategy("AdvancedStatefulSet", 7, reserveOrdinals=[1, "3-5"])
    assert found.reserved_ordinals == {1, 3, 4, 5}


def test_percentages_round_as_they_are_told() -> None:
    assert (ceil_of("50%", 7), floor_of("50%", 7), ceil_of(3, 7)) == (4, 3, 3)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10m", 600), ("1h30m", 5400), ("1.5s", Fraction(3, 2)), (7, 7)]
)
def test_durations_are_read_as_go_writes_them(text: str | int, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "10 m", "m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        seconds_of(text)
