"""What the commands print about the recorded shop, word for word.

`pytest tests/cli --snapshot-update` writes it anew after a change that is meant.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.shop import REQUEST, WEB_ALONE

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.cli.conftest import Run


class TextExtension(SingleFileSnapshotExtension):
    """One readable file an output."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def told(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextExtension)


EXPLAINED = [
    "plan",
    "wave 1",
    "wave 7",
    "wave 89",
    "trade/cart",
    "hangzhou/data/StatefulSet/mysql",
    "shanghai shop/reviews",
    "elastic-0",
    "shanghai/data/kafka-5",
    "pdb/trade/cart",
    "sidecarset/mesh-proxy",
    "fleet",
    "per-node",
]
SMALL = WEB_ALONE + "  budgets: [{name: per-node, scope: node, maxUnavailable: 1}]\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def test_status(run: Run, told: SnapshotAssertion) -> None:
    ran = run("status")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_status_tells_all_of_it_when_asked(run: Run) -> None:
    short, whole = run("status").out, run("status", "-v").out

    assert "planner status -v" in short
    assert "planner status -v" not in whole
    troubles = json.loads(run("status", "--format", "json").out)["trouble"]
    assert all(each["object"] in whole for each in troubles)


def test_status_as_json(run: Run, told: SnapshotAssertion) -> None:
    ran = run("status", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_status_before_the_second_cluster(run: Run, told: SnapshotAssertion) -> None:
    ran = run("status", "--at", "1439")
    assert ran.out == told


def test_diff(run: Run, told: SnapshotAssertion) -> None:
    ran = run("diff", "-f", REQUEST)
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == told


def test_diff_as_json(run: Run, small: Path, told: SnapshotAssertion) -> None:
    ran = run("diff", "-f", small, "--format", "json")
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == told


def test_plan(run: Run, told: SnapshotAssertion) -> None:
    ran = run("plan", "-f", REQUEST, "-o", "shop.plan")
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == told


def test_a_small_plan_as_json(run: Run, small: Path, told: SnapshotAssertion) -> None:
    ran = run("plan", "-f", small, "--format", "json")
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == told


def test_show(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("show", plan_id)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_show_the_moves_of_a_small_plan(run: Run, small: Path, told: SnapshotAssertion) -> None:
    assert run("plan", "-f", small, "-o", "small.plan").code == 2
    ran = run("show", "small.plan", "-o", "jsonl")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


@pytest.mark.parametrize(
    "what",
    EXPLAINED,
    ids=[each.replace("/", " ") for each in EXPLAINED],
)
def test_explain(run: Run, plan_id: str, what: str, told: SnapshotAssertion) -> None:
    ran = run("explain", plan_id, what)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_verify(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("verify", plan_id)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_verify_as_json(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("verify", plan_id, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


@pytest.mark.parametrize("form", ["text", "json"])
def test_log_head(run: Run, form: str, told: SnapshotAssertion) -> None:
    ran = run("log", "head", "--format", form)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_simulate(run: Run, plan_id: str, told: SnapshotAssertion) -> None:
    ran = run("simulate", plan_id, "--seed", "7", "--faults", "slow=0.02,fail=0.002")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_log_verify(run: Run, told: SnapshotAssertion) -> None:
    ran = run("log", "verify")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told


def test_help(run: Run, told: SnapshotAssertion) -> None:
    ran = run("--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == told
