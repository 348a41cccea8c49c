"""Whole commands are timed as people run them."""

import sys
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from benches.commands import main, run_once
from planner.log.open import open_log
from planner.model.clock import ManualClock


def test_each_command_gets_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    url = f"sqlite:///{tmp_path / 'planner.db'}"
    open_log(url, clock=ManualClock(0)).close()
    monkeypatch.setattr(sys, "argv", ["commands", "--db", url, "--rounds", "1"])
    main()
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line[:24].strip() for line in lines] == ["--help", "status", "status --format json"]
    for line in lines:
        wall, cpu = map(float, line[24:].split())
        assert wall > 0
        assert cpu > 0


def test_command_that_fails_is_not_timed() -> None:
    with pytest.raises(CalledProcessError):
        run_once(["no-such-command"])
