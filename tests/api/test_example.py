"""The example of the package's docstring is run as it stands there."""

import doctest
from pathlib import Path

import pytest

import planner
from planner import api

ROOT = Path(__file__).parents[2]


def test_the_example_of_the_package_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    results = doctest.testmod(planner)
    assert results.attempted == 6
    assert results.failed == 0


def test_the_examples_of_the_interface_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    results = doctest.testmod(api)
    assert (results.attempted, results.failed) == (6, 0)


def test_every_public_name_is_there() -> None:
    assert all(hasattr(planner, name) for name in planner.__all__)


def test_a_plan_of_another_log_is_refused_in_one_line() -> None:
    request = planner.load_request(ROOT / "examples/shop/request.yaml")
    logs = [planner.Log.in_memory(), planner.Log.in_memory()]
    for log in logs:
        log.import_recorded("shanghai", ROOT / "examples/shop/shanghai")
    plan = planner.plan(logs[0], request)
    with pytest.raises(planner.UsageError, match="another log"):
        planner.verify(logs[1], plan)
