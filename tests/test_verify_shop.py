"""The shop's own plan holds; broken in any one way, the check catches it and says what broke."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

import planner
from planner.verify import Violation, fold_rows, verify
from tests.shop import header_of, rows_of, shop_log, shop_moves, shop_plan
from tests.shop_breaks import BREAKS, Broken, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.verify import Observed

Json = dict[str, Any]


@cache
def observed() -> Observed:
    return fold_rows(rows_of(shop_log().events))


@pytest.fixture
def plan() -> Written:
    return Written(header=header_of(shop_plan()), moves=[dict(move) for move in shop_moves()])


def check(written: Written) -> Sequence[Violation]:
    return verify(written.header, written.moves, observed())


def test_the_plan_of_the_shop_breaks_no_rule(plan: Written) -> None:
    assert check(plan) == []
    assert planner.verify(shop_log(), shop_plan()) == []


def test_the_check_reads_the_plan_and_not_its_own_mind(plan: Written) -> None:
    """Every move of the plan is there to be broken: thousands of rules were looked at."""
    kinds = Counter(move["kind"] for move in plan.moves)
    assert kinds == plan.header["totals"]["kinds"]
    assert len(kinds) == 4


@pytest.mark.parametrize("break_", BREAKS, ids=lambda break_: break_.__name__)
def test_a_broken_plan_is_caught_and_what_broke_is_named(
    plan: Written, break_: Callable[[Written], Broken]
) -> None:
    broken, rule, subject = break_(plan)
    found = check(broken)
    assert (rule, subject) in {(each.rule, each.subject) for each in found}
    assert all(each.message for each in found)


def test_a_plan_as_json_breaks_no_rule_either(plan: Written) -> None:
    read = Written(
        header=json.loads(json.dumps(plan.header)), moves=json.loads(json.dumps(plan.moves))
    )
    assert check(read) == []
