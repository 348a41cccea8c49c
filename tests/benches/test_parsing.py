import subprocess
from unittest.mock import Mock

import pytest

from benches.parsing import Runner, main, measure, table


def _runner(name: str, took: list[float]) -> Runner:
    return Runner(name=name, pods=100, process=Mock(spec=subprocess.Popen), took=took)


def test_a_reader_is_told_in_times_of_the_planner() -> None:
    runners = [_runner("planner", [2e-6, 1e-6, 4e-6]), _runner("typed", [8e-6, 8e-6, 9e-6])]
    assert list(table(runners))[2:] == [
        "| planner: columns, digests, checks | 100 | 2.00 | 1.00 | 4.00 | 500,000 | 1.00 |",
        "| msgspec: structs of the same fields | 100 | 8.00 | 8.00 | 9.00 | 125,000 | 4.00 |",
    ]


def test_the_planner_reads_every_pod_in_its_turns() -> None:
    (runner,) = measure(["planner"], pods=300, rounds=2)
    assert (runner.pods, len(runner.took)) == (300, 2)


def test_a_reader_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--readers", "pandas"]) == 2
    assert "pandas: no such reader" in capsys.readouterr().err
