"""`planner observe` before it reaches any cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
import yaml

from planner.cli.observer_progress import ObserverProgress
from planner.observe.pace import Line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --cluster NAME=CONTEXT"),
        (["--cluster", "hangzhou"], "write NAME=CONTEXT"),
        (["--cluster", "=context"], "write NAME=CONTEXT"),
        (["--cluster", "a=x", "--cluster", "a=y"], "a is given twice"),
        (["--cluster", "a=x", "--kubeconfig", "nowhere"], "'nowhere' does not exist"),
    ],
)
def test_what_cannot_be_observed_is_a_usage_error(
    run: Run, arguments: list[str], message: str
) -> None:
    ran = run("observe", *arguments)
    assert ran.code == 64
    assert message in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    "text", ["", "clusters: []", "apiVersion: v1\nkind: Config\n", "{", "[]", "x"]
)
def test_a_kubeconfig_that_says_nothing_is_a_usage_error(
    run: Run, tmp_path: Path, text: str
) -> None:
    (tmp_path / "kubeconfig").write_text(text)
    ran = run(
        "observe", "--cluster", "a=x", "--kubeconfig", "kubeconfig", "--db", "sqlite:///new.db"
    )
    assert ran.code == 64
    assert "context x of kubeconfig" in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "new.db").exists()


def test_the_role_reads_named_kinds_and_nothing_else(run: Run) -> None:
    role = yaml.safe_load(run("observe", "--role").out)
    assert role["kind"] == "ClusterRole"
    assert {tuple(rule["verbs"]) for rule in role["rules"]} == {("get", "list", "watch")}
    resources = [name for rule in role["rules"] for name in rule["resources"]]
    groups = [name for rule in role["rules"] for name in rule["apiGroups"]]
    assert {"pods", "clonesets"} <= set(resources)
    assert not {"secrets", "*"} & {*resources, *groups}


ROUTINE = Line(about="hangzhou pods", text="listing", routine=True)
NEWS = Line(about="hangzhou pods", text="forbidden")


def test_progress_is_plain_lines_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ObserverProgress(quiet=False, verbose=False)
    for line in (ROUTINE, NEWS):
        progress.tell(line)
    progress.appended(3, 5)
    progress.end()
    assert capsys.readouterr().err == "hangzhou pods: listing\nhangzhou pods: forbidden\n"


def test_progress_is_one_line_that_changes_and_news_above_it_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = ObserverProgress(quiet=False, verbose=False)
    progress.tell(ROUTINE)
    progress.tell(NEWS)
    progress.appended(3, 5)
    progress.end()
    told = click.unstyle(capsys.readouterr().err)
    shown = [each for each in told.replace("\r", "\n").split("\n") if each]
    assert shown == [
        "hangzhou pods: listing",
        "hangzhou pods: forbidden",
        "hangzhou pods: listing",
        "3 events, log at 5",
    ]
    assert told.endswith("\r")


def test_progress_says_nothing_when_it_is_to_be_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ObserverProgress(quiet=True, verbose=True)
    progress.tell(NEWS)
    progress.appended(3, 5)
    progress.end()
    assert capsys.readouterr().err == ""
