"""The report of benches holds what was measured, and replaces the one before."""

from pathlib import Path

import pytest

from benches import logs, report, streamed, whole
from benches.commands import Took
from benches.logs import LOG, ROWS, SERVER

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


def test_the_whole_way_of_a_fleet_is_told_stage_by_stage() -> None:
    measured: list[streamed.Json] = []
    streamed.measure("300", 1, measured.append)
    lines = list(report.stages_table(measured))[2:]
    told = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines]
    regimes = [f"schedule, {it}" for it in streamed.REGIMES]
    stages = ["parse", "append", "replay", "fold", "snapshot", "open", *regimes]
    assert told == [[stage, "300"] for stage in stages]


def test_commands_are_told_as_processes() -> None:
    took = [Took(2.0, 1.0, 5 << 20), Took(1.0, 3.0, 6 << 20), Took(4.0, 2.0, 1)]
    assert list(whole.table({("plan", 1_000): took}))[2:] == [
        "| plan | 1,000 | 2.00 | 1.00 | 4.00 | 2.00 | 6 |"
    ]


def test_a_report_takes_the_place_of_the_one_before() -> None:
    page = f"before\n{report.BEGIN}old\n{report.END}after\n"
    assert report.put("new\n", page) == f"before\n{report.BEGIN}new\n{report.END}after\n"
    with pytest.raises(ValueError, match="made by benches"):
        report.put("new\n", "no place\n")


def test_the_document_has_a_place_for_the_report() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()
    assert report.put("new\n", page).count("new\n") == 1


def test_logs_and_rows_hold_the_same_observations(postgresql_url: str) -> None:
    observations, took = logs.measure(100, 2, postgresql_url)
    assert observations > 100
    assert {name: len(times) for name, times in took.items()} == {LOG: 2, SERVER: 2, ROWS: 2}


def test_each_log_is_compared_with_that_in_sqlite() -> None:
    lines = list(logs.table(1_000, {LOG: [(0.5, 0.1)], ROWS: [(2.0, 0.2)]}))[2:]
    assert lines == [
        f"| append | {LOG} | 1,000 | 0.500 | 0.500 | 0.500 | 2,000 | 1.00 |",
        f"| append | {ROWS} | 1,000 | 2.000 | 2.000 | 2.000 | 500 | 4.00 |",
        f"| read | {LOG} | 1,000 | 0.100 | 0.100 | 0.100 | 10,000 | 1.00 |",
        f"| read | {ROWS} | 1,000 | 0.200 | 0.200 | 0.200 | 5,000 | 2.00 |",
    ]
