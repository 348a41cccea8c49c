"""What the commands that ask a plan questions print about the recorded shop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from planner.model.plan_diff import PlanDiff
from tests.cli.test_output import TextExtension
from tests.cli.test_shapes import assert_published
from tests.shop import REQUEST

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.cli.conftest import Run

OTHERWISE = {
    "{name: fleet, maxUnavailable: 3%}": "{name: fleet, maxUnavailable: 4%}",
    "scope: node, maxUnavailable: 2}": "scope: node, maxUnavailable: 1}",
    "        - {namespace: trade, name: pricing}\n": "",
    "      - {from: registry.example.com/cart, to: registry.example.com/cart:1.2.0}\n": "",
    "    - selector: {matchLabels: {app: etcd}}\n": "    - selector: {matchLabels: {app: web}}\n",
}


@pytest.fixture
def told(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextExtension)


@pytest.fixture
def other(run: Run, tmp_path: Path) -> str:
    """A plan of a request that asks otherwise, in a file."""
    text = REQUEST.read_text()
    for old, new in OTHERWISE.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "other.yaml").write_text(text)
    assert run("plan", "-f", "other.yaml", "-o", "other.plan").code == 2
    return "other.plan"


def test_plan_diff(run: Run, plan_id: str, other: str, told: SnapshotAssertion) -> None:
    ran = run("plan-diff", plan_id, other)
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == told


def test_plan_diff_of_a_plan_with_itself(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("plan-diff", plan_id, plan_id)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_plan_diff_tells_all_of_it_when_asked(run: Run, plan_id: str, other: str) -> None:
    short, whole = run("plan-diff", plan_id, other).out, run("plan-diff", "-v", plan_id, other).out
    assert "planner plan-diff -v" in short
    assert "planner plan-diff -v" not in whole
    diff = json.loads(run("plan-diff", plan_id, other, "--format", "json").out)
    assert all(f"{each['namespace']}/{each['name']}" in whole for each in diff["workloads"])


def test_a_plan_diff_is_as_published(run: Run, plan_id: str, other: str) -> None:
    for pair in ((plan_id, other), (other, plan_id), (plan_id, plan_id)):
        assert_published(json.loads(run("plan-diff", *pair, "--format", "json").out), PlanDiff)
