"""`planner observe` as a program: killed, stopped, and started again."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from planner.log.open import open_log
from planner.model.clock import SystemClock
from tests.controlplane.churn import churning, wait_changes
from tests.controlplane.observing import events, wait_same
from tests.controlplane.process import Process
from tests.controlplane.program import COMMAND, planner
from tests.controlplane.wait import until
from tests.shop import IDENTITY

if TYPE_CHECKING:
    from pathlib import Path

    from planner.log import EventLog
    from tests.controlplane.plane import ControlPlane

KILLS = 3
ENDS_S = 120.0
"""How long an observer that was told to stop may take to append what it has."""


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'planner.db'}"


def opened(folder: Path) -> EventLog:
    return open_log(url(folder), clock=SystemClock(), new_identity=lambda: IDENTITY)


def observer(plane: ControlPlane, folder: Path) -> Process:
    """The program, started; what it prints is in a file."""
    arguments = ["--cluster", f"{plane.name}={plane.name}", "--db", url(folder)]
    command = [*COMMAND, "observe", "--kubeconfig", str(plane.kubeconfig()), *arguments]
    process = Process("observer", command, folder=folder)
    process.start()
    return process


def test_nothing_is_missed_or_listed_again_when_the_observer_is_killed(
    plane: ControlPlane, tmp_path: Path
) -> None:
    with opened(tmp_path) as log:
        process = observer(plane, tmp_path)
        wait_same(log, plane)
        with churning(plane.admin, seed=10) as churn:
            for _ in range(KILLS):
                position = log.head().position
                until("it appends", lambda: log.head().position > position)  # noqa: B023 called in its round
                assert process.stop(signal.SIGKILL) == -signal.SIGKILL
                wait_changes(churn, 5)
                process = observer(plane, tmp_path)
        wait_same(log, plane)
        log.verify()
        assert process.stop(signal.SIGTERM, within_s=ENDS_S) == 0
        assert events(log, plane.name, "pods").count("list_begun") == 1


def test_a_signal_stops_it_when_everything_is_appended(plane: ControlPlane, tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        watching = f"{plane.name} pods: watching from version"
        for times, number in enumerate((signal.SIGINT, signal.SIGTERM), 1):
            process = observer(plane, tmp_path)
            until("it watches", lambda: process.log.read_text().count(watching) >= times)  # noqa: B023 called in its round
            with churning(plane.admin, seed=number) as churn:
                wait_changes(churn, 10)
                position = log.head().position
                until("it appends", lambda: log.head().position > position)  # noqa: B023 called in its round
                assert process.stop(number, within_s=ENDS_S) == 0
        log.verify()
        told = process.log.read_text()
        assert "\x1b" not in told
        assert f"Log at {log.head().position}" in told
        process = observer(plane, tmp_path)
        wait_same(log, plane)
        assert process.stop(within_s=ENDS_S) == 0


def test_a_cluster_that_is_not_there_is_asked_again(plane: ControlPlane, tmp_path: Path) -> None:
    with opened(tmp_path):
        dead = plane.kubeconfig(port=1)
        command = [*COMMAND, "observe", "--kubeconfig", str(dead), "--db", url(tmp_path)]
        process = Process("dead", [*command, "--cluster", f"x={plane.name}"], folder=tmp_path)
        process.start()
        until("it says so", lambda: "trying again in" in process.log.read_text())
        assert "refused" in process.log.read_text()
        assert process.stop(signal.SIGTERM, within_s=ENDS_S) == 0


def test_a_context_that_is_not_there_is_a_usage_error(plane: ControlPlane, tmp_path: Path) -> None:
    kubeconfig = str(plane.kubeconfig())
    done = planner(
        "observe", "--kubeconfig", kubeconfig, "--cluster", "a=nowhere", "--db", url(tmp_path)
    )
    assert done.returncode == 64
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "context nowhere" in done.stderr
