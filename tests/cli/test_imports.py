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
