"""What a command imports before it does anything: most of the time of a quick one."""

import subprocess
import sys

import pytest

IMPORTED = "import sys, planner.cli.{}; print(*sys.modules)"


@pytest.mark.parametrize(
    "heavy",
    ["planner.verify", "planner.apply", "planner.model.request", "sqlalchemy", "yaml", "networkx"],
)
def test_status_imports_nothing_that_only_other_commands_need(heavy: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED.format("status")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert heavy not in done.stdout.split()


def test_only_those_who_check_a_plan_import_what_that_takes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED.format("plan")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"planner.verify", "numpy"}.isdisjoint(done.stdout.split())


def test_collector_is_on_again_once_a_command_was_imported_or_was_not() -> None:
    code = """
import gc
from planner.cli import _imported
_imported("planner.cli.schema")
print(gc.isenabled(), gc.get_freeze_count() > 1000)
try:
    _imported("planner.cli.no_such_command")
except ModuleNotFoundError:
    print(gc.isenabled())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]
