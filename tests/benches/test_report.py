"""The report of benches holds what was measured, and replaces the one before."""

from pathlib import Path

import pytest

from benches import appending, report
from benches.appending import LOG, ROWS

MEASURED = [
    {
        "group": "schedule 10k",
        "params": {"inputs": "10k", "regime": "tight"},
        "stats": {"median": 0.2, "min": 0.1, "max": 0.3},
        "extra_info": {"peak_mib": 1234},
    },
    {
        "group": "parse 10k",
        "params": {"inputs": "10k"},
        "stats": {"median": 2.0, "min": 1.0, "max": 3.0},
        "extra_info": {"peak_mib": 99},
    },
]


def test_stages_come_in_the_order_of_the_flow_with_what_a_pod_costs() -> None:
    assert list(report.stages_table(MEASURED))[2:] == [
        "| parse | 10,000 | 2.000 | 1.000 | 3.000 | 200.00 | 99 |",
        "| schedule, tight | 10,000 | 0.200 | 0.100 | 0.300 | 20.00 | 1,234 |",
    ]


def test_a_report_takes_the_place_of_the_one_before() -> None:
    page = f"before\n{report.BEGIN}old\n{report.END}after\n"
    assert report.put("new\n", page) == f"before\n{report.BEGIN}new\n{report.END}after\n"
    with pytest.raises(ValueError, match="made by benches"):
        report.put("new\n", "no place\n")


def test_the_document_has_a_place_for_the_report() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()
    assert report.put("new\n", page).count("new\n") == 1


def test_log_and_rows_hold_the_same_observations() -> None:
    observations, took = appending.measure(100, 1)
    assert observations > 100
    assert {name: len(times) for name, times in took.items()} == {LOG: 1, ROWS: 1}
    (first, _) = list(appending.table(observations, {LOG: [0.5], ROWS: [2.0]}))[2:]
    assert (
        first
        == f"| {LOG} | {observations:,} | 0.500 | 0.500 | 0.500 | {observations * 2:,} | 1.00 |"
    )
