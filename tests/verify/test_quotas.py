"""Quotas as the checker counts them, and plans that want more of them than there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verify.builders import READY_KNOWN, RUNNING, App, Row, document_row, upgrade
from tests.verify.plans import Written, move, unmovable, write
from tests.verify.test_room import SURGES, app

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPUTE = ("quota", "hangzhou/quota/trade/compute")
ROLLS = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "100%"}}}


def quota(hard: str, used: str, resource: str = "requests.cpu", **spec: Any) -> Row:  # noqa: ANN401
    document = {
        "metadata": {"name": "compute", "namespace": "trade"},
        "spec": spec,
        "status": {"hard": {resource: hard}, "used": {resource: used}},
    }
    return document_row("hangzhou", "resourcequotas", document)


def at_once(kind: str, *apps: App, extra: Iterable[Row]) -> Written:
    """Every pod moved in one wave."""
    moves = [move(each, index, kind) for each in apps for index in range(each.pods)]
    return write(apps, moves, extra=list(extra), target={"images": upgrade(*apps)})


def broken(plan: Written) -> set[tuple[str, str]]:
    return {(each.rule, each.subject) for each in plan.check()}


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 8), st.integers(100, 900))
def test_a_wave_of_two_workloads_that_surge_more_than_fits_is_refused(
    carts: int, pays: int, fit: int, cpu: int
) -> None:
    apps = (app("cart", carts, cpu), app("pay", pays, cpu // 2))
    left = quota(f"{10_000 + fit * cpu + cpu - 1}m", "10")
    found = broken(at_once("surge", *apps, extra=[left]))
    assert found == ({COMPUTE} if carts + pays > fit else set())


@given(st.integers(0, 3), st.integers(0, 3))
def test_no_pod_goes_for_which_none_would_come(hard: int, used: int) -> None:
    cart = app("cart", 2, 500, kind="CloneSet", spec=ROLLS)
    found = broken(at_once("recreate", cart, extra=[quota(str(hard), str(used), "pods")]))
    assert found == ({COMPUTE} if used > hard else set())


def test_in_place_a_pod_stays_where_it_is() -> None:
    from_here = {"podUpdatePolicy": "InPlaceOnly", "maxUnavailable": "100%"}
    cart = app("cart", 1, 500, kind="CloneSet", spec={"updateStrategy": from_here})
    found = broken(at_once("in-place", cart, extra=[quota("0", "1", "pods")]))
    assert COMPUTE not in found


def test_a_pod_that_is_down_is_no_surge_and_has_to_come_back() -> None:
    cart = app("cart", 1, 500)
    cart.columns[0] = {**cart.columns[0], "flags": RUNNING | READY_KNOWN}
    assert broken(at_once("surge", cart, extra=[quota("1", "1")])) == set()
    assert broken(at_once("surge", cart, extra=[quota("1", "2")])) == {COMPUTE}


@pytest.mark.parametrize(("hard", "founded"), [("1", True), ("2", False)])
def test_a_pod_is_unmovable_where_none_would_come_and_nowhere_else(
    hard: str, *, founded: bool
) -> None:
    cart = app("cart", 2, 500, kind="CloneSet", spec=ROLLS)
    both = at_once("recreate", cart, extra=[quota(hard, "2")])
    listed = both.with_header(unmovable=[unmovable(cart, 0), unmovable(cart, 1)])
    found = broken(listed.with_moves([]))
    assert {rule for rule, _ in found} == (set() if founded else {"unmovable-unfounded"})


def test_a_surge_is_unmovable_where_a_quota_is_full() -> None:
    cart = app("cart", 1, 500, spec=SURGES)
    listed = at_once("surge", cart, extra=[quota("1", "1")])
    listed = listed.with_header(unmovable=[unmovable(cart, 0)]).with_moves([])
    assert broken(listed) == set()


def test_a_quota_of_other_pods_says_nothing() -> None:
    cart = app("cart", 2, 500)
    for row in (quota("1", "1", "services"), quota("1", "1", scopes=["Terminating"])):
        assert broken(at_once("surge", cart, extra=[row])) == set()
