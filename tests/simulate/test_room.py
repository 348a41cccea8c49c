"""What several workloads share of nodes and quotas, in runs without barriers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planner.simulate import Faults
from planner.simulate.pace import drawn_around_expected
from planner.verify import fold_rows
from tests.shop import header_of, moves_of, rows_of
from tests.simulate.carried import carried_out
from tests.test_drains import node
from tests.test_quotas import app, cpus
from tests.test_small_clusters import imported, planned_of

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]


@pytest.mark.parametrize(
    "tight",
    [[node("node-1", cpu="11")], [node("node-1", cpu="80"), cpus("11", "8")]],
    ids=["room", "quota"],
)
def test_workloads_that_surge_go_when_those_before_them_are_back(
    tmp_path: Path, tight: list[Json]
) -> None:
    log = imported(tmp_path, *app("cart", 4), *app("pay", 4), *tight)
    plan = planned_of(tmp_path, log, streaming=True)
    header, moves, observed = header_of(plan), moves_of(plan), fold_rows(rows_of(log.events))
    for seed in range(5):
        course = carried_out(header, moves, observed, drawn_around_expected(seed, Faults()))
        its = course.planned
        under_way = (
            sum(other.let_go_ms <= it.let_go_ms < other.back_ms for other in its) for it in its
        )
        assert max(under_way) == 3
