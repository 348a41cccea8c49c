"""Runs the command line in this process, over a real log in a file."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

import planner
from planner.cli import main
from planner.log.open import open_log
from tests.shop import IDENTITY, clock, fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Runs one command."""

    def __call__(self, *arguments: str | Path) -> Ran: ...


@pytest.fixture(scope="session")
def kept_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with its plan, in one file that nobody writes to."""
    path = tmp_path_factory.mktemp("log") / "shop.db"
    url = f"sqlite:///{path}"
    with planner.Log(open_log(url, clock=clock(), new_identity=lambda: IDENTITY)) as log:
        fill(log)
    assert [each.name for each in path.parent.iterdir()] == ["shop.db"], "the log is one file"
    return path


@pytest.fixture
def log_path(kept_log: Path, tmp_path: Path) -> Path:
    """A log of its own for one test."""
    return Path(shutil.copy(kept_log, tmp_path / "shop.db"))


@pytest.fixture
def run(
    log_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """`planner ARGUMENTS` in an empty folder, with the shop as its log."""
    monkeypatch.setenv("PLANNER_DB", f"sqlite:///{log_path}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)

    def planner_(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["planner", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        code = exit_.value.code or 0
        assert isinstance(code, int)
        told = capsys.readouterr()
        return Ran(code=code, out=told.out, err=told.err)

    return planner_


@pytest.fixture(scope="session")
def plan_id(kept_log: Path) -> str:
    """The plan that the log keeps."""
    log = open_log(f"sqlite:///{kept_log}", clock=clock(), create=False)
    (stream,) = log.streams("plan")
    log.close()
    return stream.name
