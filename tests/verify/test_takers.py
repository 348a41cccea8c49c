"""Budgets found for all moves at once are those from which each takes by itself."""

from __future__ import annotations

import numpy as np

from planner.verify import fold_rows
from planner.verify.budgets import all_budgets
from planner.verify.fleet import read_fleet
from planner.verify.plan import build_case
from planner.verify.target import read_target
from planner.verify.usage import measure
from tests.shop import header_of, rows_of, shop_log, shop_moves, shop_plan


def test_moves_take_from_the_budgets_that_each_takes_from() -> None:
    header, fleet = header_of(shop_plan()), read_fleet(fold_rows(rows_of(shop_log().events)))
    case = build_case(header, shop_moves(), fleet, read_target(header["request"], fleet))
    usages = measure(case, all_budgets(case))
    rows = case.bound.row[case.bound.is_first]
    places, counts = usages.takers.budgets(rows)
    found = [part.tolist() for part in np.split(places, np.cumsum(counts)[:-1])]
    expected = [
        sorted(it.place for it in usages.of(pod) if it.budget.takes(case.move_of[pod]))
        for pod in case.move_of
    ]
    assert found == expected
    assert any(found)
    assert not all(found)
    for usage in usages.all:
        takers = [row for row, of in zip(rows.tolist(), found, strict=True) if usage.place in of]
        assert sorted(usages.takers.of(usage.budget).tolist()) == sorted(takers)
