"""`planner observe` before it reaches any cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

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
