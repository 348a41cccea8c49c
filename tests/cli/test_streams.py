"""What is written where: to a terminal, a pipe that closes, a disk that is full."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from planner.cli.interrupt import interruptible

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

SHOWS = [["status"], ["log", "export"]]


def command(log_path: Path, *arguments: str) -> list[str]:
    db = ["--db", f"sqlite:///{log_path}"]
    return [sys.executable, "-m", "planner", *arguments, *db]


def on_a_terminal(arguments: list[str], **environment: str) -> bytes:
    """What a command prints when both of its outputs are a terminal."""
    ours, theirs = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment = {**inherited, "TERM": "xterm-256color", **environment}
    with subprocess.Popen(arguments, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        told = b""
        try:
            while chunk := os.read(ours, 65536):
                told += chunk
        except OSError:  # Linux says so that the other end is closed.
            pass
    os.close(ours)
    return told


@pytest.mark.parametrize("arguments", [["status"], ["show", "nosuch"]])
def test_no_color_is_honoured_on_results_progress_and_errors(
    log_path: Path, arguments: list[str]
) -> None:
    run = command(log_path, *arguments)
    assert b"\x1b[" in on_a_terminal(run)
    plain = on_a_terminal(run, NO_COLOR="1")
    assert plain
    assert b"\x1b" not in plain


@pytest.mark.parametrize("arguments", SHOWS)
def test_a_reader_that_goes_away_is_no_error(log_path: Path, arguments: list[str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    ran = subprocess.run(
        command(log_path, *arguments), stdout=theirs, stderr=subprocess.PIPE, check=False
    )
    os.close(theirs)
    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", SHOWS)
def test_a_full_disk_is_one_line(log_path: Path, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 a device
        ran = subprocess.run(
            command(log_path, *arguments), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert ran.returncode == 1
    assert ran.stderr == b"error: cannot write the result: No space left on device\n"


def test_progress_is_told_off_a_terminal_only_when_asked(run: Run) -> None:
    assert run("status").err == ""
    assert "folding the log" in run("status", "-v").err
    assert run("status", "-v", "-q").err == ""


@pytest.mark.parametrize(
    "arguments", [["log", "verify"], ["log", "migrate"], ["log", "head"], ["show"], ["explain"]]
)
def test_what_can_be_read_can_be_read_by_programs(
    run: Run, plan_id: str, arguments: list[str]
) -> None:
    of = {"show": [plan_id], "explain": [plan_id, "plan"]}.get(arguments[0], [])
    ran = run(*arguments, *of, "--format", "json", "-q")
    assert ran.code == 0
    assert ran.out.startswith(("{", "["))


BLOCKED = """
import os, signal
from planner.cli.interrupt import interruptible

signal.signal(signal.SIGINT, lambda *_: None)  # Nothing is raised, as while the core works.
ours, theirs = os.pipe()
with interruptible():
    print("begun", flush=True)
    os.read(ours, 1)
"""


def test_ctrl_c_ends_a_call_that_does_not_come_back() -> None:
    command = [sys.executable, "-c", BLOCKED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as blocked:
        assert blocked.stdout is not None
        assert blocked.stdout.readline() == b"begun\n"
        blocked.send_signal(signal.SIGINT)
        try:
            told = blocked.communicate(timeout=60)[1]
        finally:
            blocked.kill()
    said = b"error: interrupted; the log holds whole commits only, run the command again\n"
    assert (blocked.returncode, told) == (130, said)


def test_who_ends_in_time_is_left_alone() -> None:
    # Who runs in the background of a shell has been told to ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), interruptible():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert signal.set_wakeup_fd(-1) == -1, "as it was before"
