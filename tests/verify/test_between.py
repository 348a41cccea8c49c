"""What has to go between the first waves of a plan and the last is counted again."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from benches.crossed import PODS, Shape, crossed_request
from benches.fleet import Fleet
from benches.request import Regime
from planner.verify import fold_rows, proved_by
from tests import fleets
from tests.shop import header_of, moves_of, rows_of
from tests.verify.test_certificate import found, numbers, says_more, with_number

if TYPE_CHECKING:
    from collections.abc import Callable

    import planner
    from planner.verify import Observed
    from tests.fleets import Recorded
    from tests.verify.test_certificate import Path

law = partial(
    settings, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
SEED = 5
"""Of the fleet."""


@cache
def fleet() -> tuple[Recorded, planner.Log, Observed]:
    recorded = fleets.recorded(PODS, SEED, Regime.LOOSE)
    log = recorded.log()
    return recorded, log, fold_rows(rows_of(log.events))


def crossed(shape: Shape, seed: int) -> planner.Plan:
    """The plan of a small upgrade whose budgets meet across dependencies."""
    recorded, log, _ = fleet()
    request = crossed_request(Fleet(pods=PODS, seed=SEED, ballast=False), shape, seed)
    return replace(recorded, request=json.dumps(request)).plan(log)


@law(max_examples=30)
@given(st.sampled_from(list(Shape)), st.integers(1, 60), st.data())
def test_a_number_that_claims_more_than_follows_is_named(
    shape: Shape, seed: int, data: st.DataObject
) -> None:
    plan = crossed(shape, seed)
    header, moves, observed = header_of(plan), moves_of(plan), fleet()[2]
    assert found(header, moves, observed) == []
    assume("between" in header["proof"]["waves"])
    places = list(numbers(header["proof"]["waves"]))
    path = data.draw(st.sampled_from(places), label="number")
    tampered = with_number(header, "waves", path, lambda number: number + says_more(path))
    assert [each.partition(":")[0] for each in found(tampered, moves, observed)] == ["waves"]


@cache
def diamonds() -> planner.Plan:
    """Wide layers of one budget, which wait for narrow ones and are waited for by others."""
    return crossed(Shape.DIAMONDS, 4)


def test_a_budget_between_heads_and_tails_proves_more_than_edges() -> None:
    header = header_of(diamonds())
    proof = header["proof"]["waves"]
    assert (header["waves"], header["waves_bound"]) == (56, 53)
    assert proved_by(proof) == "the room of budget-0"
    assert proof["between"] == {"head_waves": 2, "moves": 30, "down": 29, "tail_waves": 21}
    assert proof["text"] == (
        "budget-0 has room for 2 of 60 moves at once, at least 30 of them neither in the first "
        "2 waves nor in the last 21 waves, and pods that are down take the room of 29: 53 waves."
    )


def more(by: int) -> Callable[[float], float]:
    return lambda number: number + by


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        (("between", "moves"), more(1), "moves in between: it says 31, and no more than 30"),
        (("between", "moves"), more(-30), "moves in between: it says 0, and no fewer than 1"),
        (("between", "head_waves"), more(1), "moves in between: it says 30, and no more than"),
        (("between", "tail_waves"), more(1), "moves in between: it says 30, and no more than"),
        (("between", "down"), more(1), "pods that are down take in between: it says 30"),
        (("between", "down"), more(1000), "waves: it says"),
        (("budget", "moves"), more(1), "moves that take from budget-0"),
        (("budget", "room"), more(-1), "room of budget-0"),
    ],
    ids=lambda each: ".".join(each) if isinstance(each, tuple) else "",
)
def test_what_goes_between_is_no_more_than_follows(
    path: Path, change: Callable[[float], float], told: str
) -> None:
    """What is refused is the number itself, also where it would add up to the bound."""
    tampered = with_number(header_of(diamonds()), "waves", path, change)
    (message,) = found(tampered, moves_of(diamonds()), fleet()[2])
    assert told in message
    assert "follows" in message
