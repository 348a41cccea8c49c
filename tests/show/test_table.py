"""A table of a whole fleet is printed as one of a few rows, but for the wrapping."""

import io

import pytest
from rich.console import Console

from planner.show import table
from planner.show.table import tell_table
from planner.show.unmovable import tell_unmovable

ROWS = [("trade/cart", "1,200", "main → cart:1.2.0"), ("商店/订单", "7", "")]


def printed(rows: list[tuple[str, str, str]]) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=120, highlight=False)
    tell_table(console, ("WORKLOAD", "PODS", "CONTAINERS"), rows, right=("PODS",))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_many_rows_look_like_few(monkeypatch: pytest.MonkeyPatch) -> None:
    few = printed(ROWS)
    monkeypatch.setattr(table, "WRAPPED_ROWS_MAX", 1)
    assert printed(ROWS) == few
    assert "商店/订单" in few[2]


@pytest.mark.parametrize("everything", [False, True])
def test_of_many_unmovable_pods_the_largest_groups_are_shown(*, everything: bool) -> None:
    pods = [
        {
            "cluster": "hangzhou",
            "namespace": "trade",
            "pod": f"app{workload}-{number}",
            "workload": {"kind": "CloneSet", "name": f"app{workload}"},
            "reason": "kept",
            "remedy": "let it go",
        }
        for workload in range(100)
        for number in range(1 + (workload == 99))
    ]
    out = io.StringIO()

    tell_unmovable(pods, Console(file=out, width=120, highlight=False), everything=everything)

    assert "trade/app99 " in out.getvalue()
    assert ("... and 60 pods of 60 workloads more" in out.getvalue()) is not everything
